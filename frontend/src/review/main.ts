/** The attendance review: ticking people, adjusting them in a dialog, and newer values while a lecture runs. */
import { all, NOBODY, share, ticked, type Picked } from "./picking";
import { Refresh } from "./refresh";

const MOST_NAMES = 5;

class Review {
  private picked: Picked = NOBODY;
  private readonly dialog: HTMLDialogElement | null;

  constructor(private readonly form: HTMLFormElement) {
    this.dialog = form.querySelector("[data-adjust-dialog]");
  }

  start(): void {
    this.form.addEventListener("click", (event) => this.clicked(event));
    this.form.addEventListener("keydown", (event) => this.pressed(event));
    this.form.addEventListener("submit", (event) => this.submitted(event));
    this.form.addEventListener("input", (event) => this.typed(event));
    // Boxes that the browser had ticked when somebody came back.
    this.picked = all(NOBODY, this.boxes.filter((box) => box.checked).map((box) => box.value), true);
    document.body.addEventListener("htmx:afterSettle", () => this.show());
    if (this.form.dataset["live"]) new Refresh(this.form, () => this.show()).start();
    this.show();
    this.form.dataset["ready"] = "";
  }

  private get boxes(): HTMLInputElement[] {
    return [...this.form.querySelectorAll<HTMLInputElement>('input[name="registration"]')];
  }

  private get order(): string[] {
    return this.boxes.map((box) => box.value);
  }

  private get whole(): HTMLInputElement | null {
    return this.form.querySelector("[data-pick-all]");
  }

  private clicked(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    if (target instanceof HTMLInputElement && target.name === "registration") {
      this.picked = ticked(this.picked, this.order, target.value, target.checked, event.shiftKey);
      if (this.whole) this.whole.checked = false;
      this.show();
    } else if (target instanceof HTMLInputElement && "checkPage" in target.dataset) {
      this.picked = all(this.picked, this.order, target.checked);
      this.show();
    } else if (target instanceof HTMLInputElement && "pickAll" in target.dataset) {
      this.picked = all(NOBODY, this.order, target.checked);
      this.show();
    } else if (target.closest("[data-pick-none]")) {
      this.clear();
    } else if (target.closest("[data-pick-adjust]")) {
      event.preventDefault();
      this.open();
    } else if (target.closest("[data-dialog-close]")) {
      this.dialog?.close();
    }
  }

  /** Arrows go from box to box, with Shift they tick on the way; Escape ticks nobody. */
  private pressed(event: KeyboardEvent): void {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "registration") return;
    if (event.key === "Escape" && this.picked.ids.size) {
      this.clear();
      event.preventDefault();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step ? this.boxes[this.boxes.indexOf(box) + step] : undefined;
    if (!next) return;
    event.preventDefault();
    next.focus();
    if (!event.shiftKey) return;
    this.picked = ticked(this.picked, this.order, next.value, true, false);
    this.show();
  }

  private clear(): void {
    if (this.whole) this.whole.checked = false;
    this.picked = NOBODY;
    this.show();
  }

  private open(): void {
    if (!this.dialog || !this.count) return;
    const who = this.dialog.querySelector<HTMLElement>("[data-adjust-who]");
    if (who) who.textContent = this.names;
    this.reason.required = true;
    this.dialog.showModal();
    this.reason.focus();
  }

  private get reason(): HTMLTextAreaElement {
    return this.form.querySelector('[name="adjust_reason"]') as HTMLTextAreaElement;
  }

  private submitted(event: SubmitEvent): void {
    if (!this.dialog?.open) {
      event.preventDefault();
      this.open();
      return;
    }
    if (this.form.classList.contains("is-sending")) event.preventDefault();
    this.form.classList.add("is-sending");
  }

  /** Who types a value means that one. */
  private typed(event: Event): void {
    const input = event.target as HTMLInputElement;
    const kind = input.dataset["picks"];
    const radio = kind && this.form.querySelector<HTMLInputElement>(`input[name="jp_kind"][value="${kind}"]`);
    if (radio) radio.checked = true;
  }

  private get count(): number {
    if (this.whole?.checked) return Number(this.form.dataset["matching"]);
    return this.picked.ids.size;
  }

  /** Some of those who are ticked by name, and how many more there are. */
  private get names(): string {
    if (this.whole?.checked) return this.words;
    const ticked = this.boxes.filter((box) => box.checked);
    const named = ticked.slice(0, MOST_NAMES).map((box) => box.closest("tr")?.querySelector(".person-name")?.textContent ?? "");
    return named.join(", ") + (ticked.length > MOST_NAMES ? ` (+${ticked.length - MOST_NAMES})` : "");
  }

  private get words(): string {
    const button = this.form.querySelector<HTMLElement>("[data-pick-adjust]");
    const count = this.count.toLocaleString(document.documentElement.lang);
    return (this.count === 1 ? button?.dataset["one"] : button?.dataset["many"])?.replace("{count}", count) ?? "";
  }

  /** Puts on the page what is ticked. */
  private show(): void {
    const there = new Set(this.order);
    this.picked = { ...this.picked, ids: new Set([...this.picked.ids].filter((id) => there.has(id))) };
    for (const box of this.boxes) {
      box.checked = this.picked.ids.has(box.value);
      box.closest("tr")?.classList.toggle("row-picked", box.checked);
    }
    const page = this.form.querySelector<HTMLInputElement>("[data-check-page]");
    const state = share(this.picked, this.order);
    if (page) {
      page.checked = state === "all";
      page.indeterminate = state === "some";
    }
    const none = this.form.querySelector<HTMLElement>("[data-pick-none]");
    if (none) none.hidden = !this.count;
    const label = this.form.querySelector<HTMLElement>("[data-pick-adjust] span");
    if (label && this.count) label.textContent = this.words;
  }
}

const form = document.querySelector<HTMLFormElement>("form[data-review]");
if (form) new Review(form).start();
