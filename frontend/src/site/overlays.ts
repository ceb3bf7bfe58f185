/** Menus of `<details data-drop>` close when one leaves them or presses Escape. */
export function startDrops(): void {
  const opened = (): NodeListOf<HTMLDetailsElement> => document.querySelectorAll("details[data-drop][open]");
  document.addEventListener("click", (event) => {
    for (const drop of opened()) if (!drop.contains(event.target as Node)) drop.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const drop of opened()) {
      drop.open = false;
      drop.querySelector("summary")?.focus();
    }
  });
}

/** Buttons with `commandfor` open dialogs by themselves in new browsers; this helps those of before 2025. */
export function startDialogs(): void {
  const native = "commandForElement" in HTMLButtonElement.prototype;
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (target instanceof HTMLDialogElement) target.close();
    if (native) return;
    const opener = target.closest<HTMLElement>("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset["dialog"] ?? "");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
    if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
  });
}
