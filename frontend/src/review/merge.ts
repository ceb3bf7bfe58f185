/** Puts newer rows into a table without touching what somebody is at: the focus, the ticks, the place on the screen. */
export function mergeRows(body: HTMLTableSectionElement, fresh: HTMLTableSectionElement): void {
  const place = firstSeen(body);
  const wanted = new Set<string>();
  let at: Element | null = body.firstElementChild;
  for (const row of [...fresh.rows]) {
    wanted.add(row.id);
    let own = document.getElementById(row.id) as HTMLTableRowElement | null;
    if (own && own.parentElement === body) update(own, row);
    else own = document.importNode(row, true);
    if (own === at) at = at.nextElementSibling;
    else move(body, own, at);
  }
  for (const row of [...body.rows]) if (!wanted.has(row.id)) row.remove();
  if (place) scrollBy(0, place.row.getBoundingClientRect().top - place.top);
}

function move(body: HTMLTableSectionElement, row: HTMLTableRowElement, before: Element | null): void {
  const focused = row.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
  body.insertBefore(row, before);
  focused?.focus({ preventScroll: true });
}

/** The cells that differ; never the first, which holds the tick, nor the one that has the focus. */
function update(own: HTMLTableRowElement, fresh: HTMLTableRowElement): void {
  own.className = fresh.className;
  for (const [number, cell] of [...fresh.cells].entries()) {
    const old = own.cells[number];
    if (!old || number === 0 || old.contains(document.activeElement)) continue;
    if (old.innerHTML !== cell.innerHTML) old.replaceChildren(...document.importNode(cell, true).childNodes);
  }
}

/** The first row that is on the screen, and where. */
function firstSeen(body: HTMLTableSectionElement): { row: HTMLTableRowElement; top: number } | null {
  for (const row of body.rows) {
    const { top, bottom } = row.getBoundingClientRect();
    if (bottom > 0 && top < innerHeight) return { row, top };
  }
  return null;
}
