const started = new WeakSet<Element>();

/** `data-countdown` (instant, ms) against the server's `data-now`, so that a wrong clock of the phone does no harm. */
export function startCountdowns(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-countdown]")) {
    if (!started.has(element)) count(element);
    started.add(element);
  }
}

function count(element: HTMLElement): void {
  const shown = element.querySelector<HTMLElement>(".countdown-time") ?? element;
  const left = Number(element.dataset["countdown"]) - Number(element.dataset["now"]);
  const zero = performance.now() + left;
  const tick = (): void => {
    if (!element.isConnected) return;
    const remaining = Math.ceil((zero - performance.now()) / 1000);
    if (remaining > 0) {
      shown.textContent = written(remaining);
      setTimeout(tick, 1000 - ((performance.now() - zero + 1e9) % 1000) || 1000);
      return;
    }
    shown.textContent = shown.dataset["done"] ?? "";
    // Spread over some seconds: a thousand waiting browsers must not ask in the same instant.
    if (element.dataset["reload"] !== undefined && left > 0) setTimeout(() => location.reload(), 500 + Math.random() * 3000);
  };
  tick();
}

function written(seconds: number): string {
  const id = document.documentElement.lang === "id";
  const days = Math.floor(seconds / 86_400);
  if (days > 1) return id ? `${days} hari` : `${days} days`;
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const used = parts[0] ? parts : parts.slice(1);
  return used.map((part) => String(part).padStart(2, "0")).join(id ? "." : ":");
}
