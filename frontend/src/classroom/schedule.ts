/** When the page next speaks to the site while it is in the room. Pure; times are ms. */

export const HEARTBEAT_MS = 15_000;
const POLL_FIRST_MS = 15_000;
const POLL_MOST_MS = 60_000;

/**
 * How long until the room's state is asked for again. Broadcasts carry the changes, so an audience
 * asks less and less while nothing moves; hosts keep asking, since they act on what they see.
 */
export function pollAfter(quiet: number, host: boolean, chance: number): number {
  const base = host ? POLL_FIRST_MS : Math.min(POLL_MOST_MS, POLL_FIRST_MS * 2 ** quiet);
  return Math.round(base * (0.85 + 0.3 * chance));
}
