/** Alt and a letter: single letters would get in the way of screen readers (WCAG 2.1.4). */
import type { App } from "./app";

export function listenToKeys(app: App): void {
  document.addEventListener("keydown", (event) => {
    const { state, seen } = app.model;
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat || state.at !== "connected") return;
    const acts: Record<string, (() => unknown) | undefined> = {
      KeyM: seen.canPublish ? app.toggleMicrophone : undefined,
      KeyV: seen.canPublish ? app.toggleCamera : undefined,
      KeyH: app.toggleHand,
      KeyC: () => {
        app.show("chat");
        setTimeout(() => document.querySelector<HTMLElement>("[data-testid=chat-input]")?.focus());
      },
      KeyP: () => app.show("people"),
      KeyJ: () => app.answerCheck(),
    };
    const act = acts[event.code];
    if (act === undefined) return;
    event.preventDefault();
    void act();
  });
}
