/** Breaks of the official time, as the server tells them: [from, until] in server time, ms, in order. */

export type Break = readonly [number, number];

/** The break that is now, or null. */
export function presentBreak(breaks: readonly Break[], now: number): Break | null {
  return breaks.find(([from, until]) => from <= now && now < until) ?? null;
}

/** What has to be said between two moments: a break began, it ended, or neither. */
export function turned(before: Break | null, after: Break | null): "began" | "ended" | null {
  if (before === null) return after === null ? null : "began";
  return after === null ? "ended" : null;
}

/** Whole minutes that are left of a break, at least one. */
export function minutesLeft([, until]: Break, now: number): number {
  return Math.max(1, Math.round((until - now) / 60_000));
}
