/**
 * Tells the site what was really played: stretches of media time, every 15 s while it plays, at each pause and
 * when the page is left. The site decides what of it counts; here nothing is made faster or longer.
 */
const EVERY_MS = 15_000;
/** Between two looks a playing video moves a fraction of a second; anything else was a jump. */
const LARGEST_STEP_S = 2;

export type Stretch = [number, number];

/** Adds what a video showed between two looks: a step forward goes on, a jump begins anew. */
export function extended(stretches: Stretch[], from: number, to: number): Stretch[] {
  if (to <= from || to - from > LARGEST_STEP_S) return stretches;
  const last = stretches.at(-1);
  if (last !== undefined && Math.abs(last[1] - from) < 0.01) return [...stretches.slice(0, -1), [last[0], to]];
  return [...stretches, [from, to]];
}

export function watch(video: HTMLVideoElement, url: string): void {
  const player = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte % 36).toString(36)).join("");
  let played: Stretch[] = [];
  let at: number | null = null;
  let toldAt = 0;

  const tell = (): void => {
    const told = played;
    played = [];
    toldAt = Date.now();
    const body = JSON.stringify({ player, played: told });
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const sent = fetch(url, { method: "POST", headers, body, credentials: "same-origin", keepalive: true });
    // What could not be told is told with the next; the site believes no more than the time that passed.
    void sent.then((answer) => answer.status >= 500 && keep(told)).catch(() => keep(told));
  };
  const keep = (told: Stretch[]): void => {
    played = [...told, ...played].slice(-40);
  };
  const look = (): void => {
    if (at !== null) played = extended(played, at, video.currentTime);
    at = video.paused || video.seeking ? null : video.currentTime;
    if (at !== null && Date.now() - toldAt >= EVERY_MS) tell();
  };
  video.addEventListener("playing", () => {
    at = video.currentTime;
    tell();
  });
  video.addEventListener("timeupdate", look);
  video.addEventListener("seeking", () => (at = null));
  for (const event of ["pause", "ended"]) {
    video.addEventListener(event, () => {
      look();
      tell();
    });
  }
  addEventListener("pagehide", () => {
    look();
    if (played.length > 0) tell();
  });
}
