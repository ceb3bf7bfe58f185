/** On a phone a row of tabs is scrolled sideways: the one that is shown must not lie outside of it. */
export function showCurrentTab(): void {
  for (const current of document.querySelectorAll<HTMLElement>(".tab-row [aria-current], .filter-row [aria-current]")) {
    const row = current.parentElement;
    if (row) row.scrollLeft += middle(current) - middle(row);
  }
}

function middle(element: HTMLElement): number {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
}
