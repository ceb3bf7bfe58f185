/** Presence checks: what is asked, whether it is shown, and when the page answers for somebody who speaks. */

/** As the server tells it; `answered` is 0 or 1 for a participant, and how many answered for a host. */
export interface Check {
  id: string;
  number: number;
  /** Not told with the asking itself, where it is now. */
  asked_at?: number;
  closes_at: number;
  answered?: number;
}

/** The check of this page. `done` once it was answered here or on another device of the person. */
export interface Asked {
  check: Check;
  done: boolean;
}

/**
 * What is known after the server told of a check, or of none, at `now`; an answer is never forgotten.
 * "None" may be older than the check that the media server told of meanwhile: an open one stays.
 */
export function told(before: Asked | null, check: Check | null, now: number): Asked | null {
  if (check === null) return open(before, now) ? before : null;
  const same = before?.check.id === check.id;
  return { check, done: (same && before.done) || (check.answered ?? 0) > 0 };
}

/** After `now` (server time, ms) there is nothing to answer any more. */
export function open(asked: Asked | null, now: number): asked is Asked {
  return asked !== null && now < asked.check.closes_at;
}

/** Who speaks is not interrupted: being heard is the answer. */
export function answersBySpeaking(asked: Asked | null, now: number, speaking: boolean): boolean {
  return open(asked, now) && !asked.done && speaking;
}

/** How much of the time from `since` to `until` is left at `now`: 1 at first, 0 at the end. */
export function share(since: number, until: number, now: number): number {
  return until <= since ? 0 : Math.min(1, Math.max(0, (until - now) / (until - since)));
}
