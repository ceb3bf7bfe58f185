import { useEffect, useState } from "preact/hooks";

import type { App, Model } from "../app";
import { fill, type TextKey } from "../texts";

export interface View {
  app: App;
  model: Model;
}

export const say = (app: App, key: TextKey, values: Record<string, string> = {}): string =>
  fill(app.page.texts[key], values);

/** The server's time, renewed each second in this component alone. */
export function useServerNow(model: Model): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now + model.offset;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = (): void => setMatches(list.matches);
    list.addEventListener("change", follow);
    return () => list.removeEventListener("change", follow);
  }, [query]);
  return matches;
}

/** "09.41" in Indonesian; the hour as the device's owner lives it. */
export function clockOf(app: App, at: number): string {
  return new Intl.DateTimeFormat(app.page.data.language, { hour: "2-digit", minute: "2-digit" }).format(at);
}

export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => !word.endsWith(".") && !word.endsWith(".,"));
  return words.slice(0, 2).map((word) => word.charAt(0).toUpperCase()).join("");
}
