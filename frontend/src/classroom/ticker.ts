/** Calls `beat` about once a second, in the background too where the browser allows it. */
export function startTicker(beat: () => void): void {
  try {
    const worker = new Worker(new URL("./ticker.worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", beat);
    worker.addEventListener("error", () => setInterval(beat, 1_000), { once: true });
  } catch {
    setInterval(beat, 1_000);
  }
}
