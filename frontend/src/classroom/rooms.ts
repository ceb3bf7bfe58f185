/** The rooms of the lecture as the page knows them: which there are, who is where, and which is the own. Pure. */

export interface Inside {
  seat: string;
  name: string;
}

export interface Place {
  id: string;
  kind: "main" | "breakout" | "second";
  /** "" of the main room. */
  title: string;
  /** What people want of it; it may stand a moment later. */
  open: boolean;
  ready: boolean;
  /** The seat was given this room. */
  mine?: boolean;
  /** The seat may go there. */
  may?: boolean;
  /** How many people are inside, as the server last said; null where it does not know. */
  count?: number | null;
  people?: Inside[];
}

/** What a broadcast tells everybody says nothing of the own seat, nor of who is inside: that stays as it was. */
export function told(before: readonly Place[], rooms: readonly Place[]): Place[] {
  const known = new Map(before.map((place) => [place.id, place]));
  return rooms.map((place) => ({ ...known.get(place.id), ...place }));
}

export const beside = (places: readonly Place[]): Place[] => places.filter((place) => place.kind !== "main");

export const mainOf = (places: readonly Place[]): Place | undefined => places.find((place) => place.kind === "main");

export const placeOf = (places: readonly Place[], id: string): Place | undefined =>
  places.find((place) => place.id === id);

/** The room whose chat one reads: a breakout room has its own, everybody else shares the lecture's. */
export function chatRoom(place: Place | null): string | null {
  return place?.kind === "breakout" ? place.id : null;
}

/** The group that the seat was given and is not in yet. */
export function groupAhead(places: readonly Place[], here: string): Place | undefined {
  return places.find((place) => place.kind === "breakout" && place.mine === true && place.open && place.id !== here);
}

/** Whether the room one is in was closed by somebody, so that one goes back. */
export function isClosed(places: readonly Place[], here: string): boolean {
  const place = placeOf(places, here);
  return place !== undefined && place.kind !== "main" && !place.open;
}

/** Titles for so many new rooms that nobody uses yet; `pattern` has {number}. */
export function newTitles(places: readonly Place[], count: number, pattern: string): string[] {
  const taken = new Set(places.filter((place) => place.open).map((place) => place.title.toLocaleLowerCase()));
  const titles: string[] = [];
  for (let number = 1; titles.length < count; number += 1) {
    const title = pattern.replace("{number}", String(number));
    if (!taken.has(title.toLocaleLowerCase())) titles.push(title);
  }
  return titles;
}
