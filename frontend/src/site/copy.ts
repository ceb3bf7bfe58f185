const SHOWN_MS = 2_500;

/** `data-copy="text"` puts the text on the clipboard and says so with the words of `data-copied`. */
export function startCopying(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
  });
}

async function copy(button: HTMLElement): Promise<void> {
  await write(button.dataset["copy"] ?? "");
  const words = button.querySelector<HTMLElement>("[aria-live]") ?? button;
  if (button.dataset["copying"] !== undefined) return;
  const before = words.textContent;
  button.dataset["copying"] = "";
  words.textContent = button.dataset["copied"] ?? before;
  setTimeout(() => {
    words.textContent = before;
    delete button.dataset["copying"];
  }, SHOWN_MS);
}

async function write(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Without TLS a browser hides the clipboard, and an office network may have none.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "sr-only";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
