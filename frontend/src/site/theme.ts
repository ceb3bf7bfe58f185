const LIGHT = "pendopo";
const DARK = "pendopo-malam";
const YEAR_S = 365 * 24 * 3600;

/** The switch between light and dark; the choice is a cookie, so that the server paints the next page right. */
export function startTheme(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(current() === DARK));
    button.addEventListener("click", () => {
      const next = current() === DARK ? LIGHT : DARK;
      document.documentElement.dataset["theme"] = next;
      button.setAttribute("aria-pressed", String(next === DARK));
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie = `theme=${next}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
    });
  }
}

function current(): string {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT);
}
