import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The pages that load a script of their own: the name in templates is `asset_tags("<value without src/>")`. */
const entries = ["src/site.ts", "src/classroom/main.ts", "src/replay/main.ts", "src/review/main.ts", "src/stream/main.ts"].filter((path) =>
  existsSync(here(path)),
);

type IconNode = [tag: string, attributes: Record<string, string>][];

/** Writes `icons.json`, name to inner SVG, which the templates' `icon()` puts inline: no request, and it prints. */
function lucideIcons(): Plugin {
  return {
    name: "lucide-icons",
    generateBundle() {
      const nodes = JSON.parse(
        readFileSync(here("node_modules/lucide-static/icon-nodes.json"), "utf8"),
      ) as Record<string, IconNode>;
      const drawn = Object.entries(nodes).map(([name, node]) => [name, node.map(element).join("")]);
      this.emitFile({
        type: "asset",
        fileName: "icons.json",
        source: JSON.stringify(Object.fromEntries(drawn)),
      });
    },
  };
}

/** Writes the fonts of documents (`webinar/reports/typeset.py`): the typesetter reads neither woff2 nor variable ones. */
function documentFonts(): Plugin {
  return {
    name: "document-fonts",
    generateBundle() {
      const folder = here("node_modules/@expo-google-fonts/plus-jakarta-sans");
      const styles = ["400Regular", "500Medium", "600SemiBold", "700Bold"];
      const files = styles.map((style) => join(style, `PlusJakartaSans_${style}.ttf`));
      // The licence goes wherever the fonts go: it asks for that.
      for (const file of [...files, "LICENSE_FONT"]) {
        this.emitFile({
          type: "asset",
          fileName: `fonts/${basename(file)}`,
          source: readFileSync(join(folder, file)),
        });
      }
    },
  };
}

/** Writes each script and style compressed beside itself once, so that the site sends it so to a phone. */
function compressed(): Plugin {
  return {
    name: "compressed",
    writeBundle({ dir = "" }, bundle) {
      for (const name of Object.keys(bundle).filter((file) => /\.(js|css)$/.test(file))) {
        const content = readFileSync(join(dir, name));
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

function element([tag, attributes]: IconNode[number]): string {
  const written = Object.entries(attributes).filter(([key]) => key !== "key");
  return `<${tag} ${written.map(([key, value]) => `${key}="${value}"`).join(" ")}/>`;
}

export default defineConfig({
  base: "/static/built/",
  plugins: [tailwindcss(), lucideIcons(), documentFonts(), compressed()],
  publicDir: false,
  build: {
    outDir: here("../webinar/web/static/built"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // A data: URL would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // htmx keeps one eval for attributes that site.ts switches off.
    rolldownOptions: { input: entries.map(here), checks: { eval: false } },
  },
});
