/** Where somebody stopped watching, kept on the device. Seconds. */

const KEY = "pendopo.replay.";
const FROM_SECONDS = 15;
const END_SECONDS = 30;

/** Null near the beginning and near the end: there one starts anew. */
export function placeToResume(place: number | null, duration: number): number | null {
  if (place === null || !Number.isFinite(place) || place < FROM_SECONDS) return null;
  return Number.isFinite(duration) && place > duration - END_SECONDS ? null : place;
}

export function recallPlace(recording: string): number | null {
  try {
    const kept = localStorage.getItem(KEY + recording);
    return kept === null ? null : Number(kept);
  } catch {
    return null;
  }
}

export function keepPlace(recording: string, seconds: number): void {
  try {
    localStorage.setItem(KEY + recording, String(Math.floor(seconds)));
  } catch {
    // Storage may be refused or full: the replay then starts at the beginning next time.
  }
}

/** "1:02:03" or "2:03". */
export function readTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
