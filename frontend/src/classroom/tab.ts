/**
 * The name of this tab on the media server, kept over a reload so that it replaces its own ghost.
 *
 * Browsers copy sessionStorage into a duplicated tab; two tabs of one name would throw each other
 * out. A lock held for the page's life tells whether the name is taken. Without Web Locks (plain
 * HTTP) a duplicate keeps the name and the media server's DUPLICATE_IDENTITY decides.
 */
const KEY = "pendopo.tab";
const PLACE = "pendopo.place";
const WELL_FORMED = /^[a-z0-9]{8}$/;

export async function claimTab(lecture: string): Promise<string> {
  const key = `${KEY}.${lecture}`;
  const kept = sessionStorage.getItem(key);
  if (kept !== null && WELL_FORMED.test(kept) && (await claim(kept, isReload()))) return kept;
  const fresh = newTab();
  await claim(fresh, false);
  sessionStorage.setItem(key, fresh);
  return fresh;
}

/** The room that this tab was in last: a reload leads back to it. */
export function recallPlace(lecture: string): string {
  return sessionStorage.getItem(`${PLACE}.${lecture}`) ?? "";
}

export function keepPlace(lecture: string, place: string): void {
  sessionStorage.setItem(`${PLACE}.${lecture}`, place);
}

export function newTab(bytes = crypto.getRandomValues(new Uint8Array(8))): string {
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join("");
}

/** A reload can overtake the release of its own lock: it may wait for it a moment. */
async function claim(tab: string, patient: boolean): Promise<boolean> {
  if (!("locks" in navigator)) return true;
  const options: LockOptions = patient ? { signal: AbortSignal.timeout(300) } : { ifAvailable: true };
  return new Promise((resolve) => {
    navigator.locks
      .request(`pendopo.tab.${tab}`, options, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<never>(() => undefined);
      })
      .catch(() => resolve(false));
  });
}

function isReload(): boolean {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return navigation?.type === "reload";
}

/** Tells the other tabs of this browser that this one is now in the room: one connection is enough. */
export class OtherTabs {
  readonly #channel: BroadcastChannel | null;
  readonly #seat: () => string | null;

  constructor(lecture: string, seat: () => string | null, entered: () => void) {
    this.#seat = seat;
    this.#channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`pendopo.room.${lecture}`) : null;
    this.#channel?.addEventListener("message", (event: MessageEvent<{ seat?: string }>) => {
      if (event.data.seat !== undefined && event.data.seat === this.#seat()) entered();
    });
  }

  announce(): void {
    this.#channel?.postMessage({ seat: this.#seat() });
  }
}
