/** Who is ticked, as plain data: nothing here knows the page. */
export interface Picked {
  readonly ids: ReadonlySet<string>;
  /** Where the last tick was: a tick with Shift takes everybody between. */
  readonly anchor: string | null;
}

export const NOBODY: Picked = { ids: new Set(), anchor: null };

/** A tick or its removal at `id`; with `through`, everybody from the last tick to here gets the same. */
export function ticked(picked: Picked, order: readonly string[], id: string, on: boolean, through: boolean): Picked {
  const ids = new Set(picked.ids);
  for (const one of through ? between(order, picked.anchor, id) : [id]) {
    if (on) ids.add(one);
    else ids.delete(one);
  }
  return { ids, anchor: id };
}

/** All of `order` ticked or none of it; others stay as they are. */
export function all(picked: Picked, order: readonly string[], on: boolean): Picked {
  const ids = new Set(picked.ids);
  for (const id of order) {
    if (on) ids.add(id);
    else ids.delete(id);
  }
  return { ids, anchor: picked.anchor };
}

/** What the box over the page shows: all, some or none of it. */
export function share(picked: Picked, order: readonly string[]): "all" | "some" | "none" {
  const count = order.filter((id) => picked.ids.has(id)).length;
  if (!count) return "none";
  return count === order.length ? "all" : "some";
}

function between(order: readonly string[], from: string | null, to: string): string[] {
  const start = from === null ? -1 : order.indexOf(from);
  const end = order.indexOf(to);
  if (start < 0 || end < 0) return [to];
  return order.slice(Math.min(start, end), Math.max(start, end) + 1);
}
