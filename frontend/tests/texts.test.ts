import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { TEXT_KEYS } from "../src/classroom/texts";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const CATALOGUES = "webinar/core/locale/id/";
const texts = readdirSync(new URL(CATALOGUES, root)).map((file) => read(CATALOGUES + file)).join("\n");
const catalogue = new Set([...texts.matchAll(/^msgid "(.*)"$/gm)].map(([, id]) => id));

it("brings every text of the classroom with the page, and no other", () => {
  const brought = [...read("templates/classroom/texts.html").matchAll(/^ {2}"(\w+)": _\(/gm)].map(([, key]) => key);
  expect(brought).toEqual([...TEXT_KEYS]);
});

it.each(["templates/classroom/texts.html", "templates/classroom/room.html", "templates/recordings/player.html"])(
  "has an Indonesian form of each text in %s",
  (path) => {
    const sources = [...read(path).matchAll(/_\("((?:[^"\\]|\\.)*)"/g)].map(([, source]) => source);
    expect(sources.filter((source) => !catalogue.has(source))).toEqual([]);
  },
);
