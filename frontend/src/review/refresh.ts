import { mergeRows } from "./merge";

/** How the next look goes: again, never more, or with the whole page because the lecture is over. */
export type Next = "again" | "stop" | "reload";

/** What an answer's status means for a page that looks again and again. */
export function nextAfter(status: number, inSession: boolean): Next {
  if (status === 304 || status >= 500 || status === 429) return "again";
  if (status !== 200) return "stop";
  return inSession ? "again" : "reload";
}

/** Looks for newer values every `data-refresh` ms while the page is seen; asks for a 304 when there are none. */
export class Refresh {
  private tag: string;
  private timer = 0;
  private lookedAt = performance.now();

  constructor(private readonly form: HTMLFormElement, private readonly merged: () => void) {
    this.tag = form.dataset["tag"] ?? "";
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.plan());
    this.plan();
  }

  private get every(): number {
    return Number(this.form.dataset["refresh"]) || 30_000;
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (document.hidden) return;
    const left = this.every - (performance.now() - this.lookedAt);
    this.timer = window.setTimeout(() => void this.look(), Math.max(0, left));
  }

  private async look(): Promise<void> {
    this.lookedAt = performance.now();
    let next: Next = "again";
    try {
      next = await this.fetched();
    } catch {
      // The network is away for a moment; what is shown stays.
    }
    if (next === "reload") location.reload();
    if (next === "again") this.plan();
  }

  private async fetched(): Promise<Next> {
    const body = this.body;
    const asked = new URL(this.form.dataset["live"] ?? "", location.href);
    asked.searchParams.set("rows", String(body.rows.length));
    const answer = await fetch(asked, { headers: { "If-None-Match": this.tag }, cache: "no-store", redirect: "manual" });
    if (answer.status !== 200) return nextAfter(answer.status, true);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const summary = fresh.getElementById("review-summary");
    const rows = fresh.getElementById("log-rows");
    if (!summary || !(rows instanceof HTMLTableSectionElement)) return "stop";
    if (summary.dataset["session"] !== "on") return nextAfter(200, false);
    this.tag = answer.headers.get("ETag") ?? "";
    document.getElementById("review-summary")?.replaceWith(document.importNode(summary, true));
    mergeRows(body, rows);
    this.merged();
    return "again";
  }

  private get body(): HTMLTableSectionElement {
    return this.form.querySelector("#log-rows") as HTMLTableSectionElement;
  }
}
