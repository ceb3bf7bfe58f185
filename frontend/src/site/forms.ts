/**
 * `data-once` on a form stops a second sending; `data-autosubmit` on a control sends its form when it changes;
 * `data-check-all="name"` ticks every box of that name; `data-local-zone` takes the browser's zone;
 * `data-focus` is where reading starts after a refused form.
 */
export function startForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!("once" in form.dataset)) return;
    if (form.classList.contains("is-sending")) event.preventDefault();
    form.classList.add("is-sending");
    form.setAttribute("aria-busy", "true");
  });
  // Coming back with the back button must not find a form that can no longer be sent.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form.is-sending")) {
      form.classList.remove("is-sending");
      form.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("change", (event) => {
    const control = event.target as HTMLInputElement;
    if ("autosubmit" in control.dataset) control.form?.requestSubmit();
    const all = control.dataset["checkAll"];
    if (all !== undefined) tickAll(all, control.checked);
  });
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-local-zone]")) {
    input.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  document.querySelector<HTMLElement>("[data-focus]")?.focus();
}

function tickAll(name: string, checked: boolean): void {
  for (const box of document.querySelectorAll<HTMLInputElement>(`input[type="checkbox"][name="${CSS.escape(name)}"]`)) {
    box.checked = checked;
  }
}
