/**
 * How long to wait before try number `attempt` (from 0), in milliseconds.
 *
 * Doubles up to `most`, then half of it is left to chance (`chance` in [0, 1)), so that an audience
 * that lost the room together does not come back in one instant.
 */
export function backoff(attempt: number, chance: number, first = 1_000, most = 30_000): number {
  const full = Math.min(most, first * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + chance / 2));
}
