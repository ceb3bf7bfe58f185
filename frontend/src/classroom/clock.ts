/** Time as the server counts it, and how a duration reads. Milliseconds throughout. */

/** Server time minus device time, from one answer; half of the round trip is taken off. */
export function offsetOf(serverTime: number, sentAt: number, receivedAt: number): number {
  return Math.round(serverTime - (sentAt + receivedAt) / 2);
}

/** "1:02:03" or "02:03"; never negative. Rounded up, so that a countdown ends at 00:00 and not before. */
export function readDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const pad = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${pad(m)}:${pad(s)}`;
}

/** Whole minutes gone by and in all, for "47 of 90 minutes"; before the start 0, after the end all. */
export function progress(now: number, startsAt: number, endsAt: number): { gone: number; all: number } {
  const all = Math.max(0, endsAt - startsAt);
  const gone = Math.min(all, Math.max(0, now - startsAt));
  return { gone: Math.floor(gone / 60_000), all: Math.round(all / 60_000) };
}
