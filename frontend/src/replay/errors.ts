/** Says in the player what went wrong or what was done, in the words that the page brought. */
type Word = "resumed" | "network" | "broken" | "gone" | "unsupported" | "ended" | "thanks";

const NEWS: readonly Word[] = ["resumed", "ended", "thanks"];

export class Speaker {
  readonly #box: HTMLElement;
  readonly #line: HTMLElement | null;
  readonly #texts: Record<string, string>;

  constructor(box: HTMLElement) {
    this.#box = box;
    this.#line = box.querySelector("[data-message]");
    this.#texts = JSON.parse(box.querySelector("script[type='application/json']")?.textContent ?? "{}") as Record<
      string,
      string
    >;
  }

  say(word: Word, values: Record<string, string> = {}): void {
    if (!NEWS.includes(word)) this.#box.dataset["state"] = `error-${word}`;
    if (this.#line === null) return;
    this.#line.textContent = (this.#texts[word] ?? "").replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
    this.#line.hidden = false;
  }

  get inTrouble(): boolean {
    return this.#box.dataset["state"]?.startsWith("error-") ?? false;
  }

  quiet(): void {
    if (this.inTrouble) this.#box.dataset["state"] = "ready";
    if (this.#line) this.#line.hidden = true;
  }
}
