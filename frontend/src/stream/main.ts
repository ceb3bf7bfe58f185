/**
 * Watching a lecture as it runs, outside of the room. The page gives `[data-notice]` (its version) to who was not told
 * yet what is kept, then `[data-stream]` with `data-seat` and its texts as JSON; both with `data-lecture`.
 *
 * While the video plays the page beats as the room's page does; a presence check is shown above the video.
 */
import "../replay/replay.css";
import "./stream.css";

import { claimTab } from "../classroom/tab";
import { Api, type Classroom } from "../classroom/api";
import { open, told, type Asked } from "../classroom/checks";
import { Speaker } from "../replay/errors";
import { attach } from "../replay/source";

const BEAT_MS = 15_000;
const LOOK_MS = 5_000;

const OVER = ["ended", "final", "archived"];

for (const box of document.querySelectorAll<HTMLElement>("[data-stream]")) void start(box);
for (const box of document.querySelectorAll<HTMLElement>("[data-notice]")) ask(box);

function apiOf(lecture: string): Api {
  return new Api(lecture, document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "");
}

function ask(box: HTMLElement): void {
  const { notice, lecture } = box.dataset;
  const failed = box.querySelector<HTMLElement>("[data-failed]");
  box.querySelector("[data-agree]")?.addEventListener("click", async () => {
    const agreed = await apiOf(lecture ?? "").agree(Number(notice));
    if (agreed) location.reload();
    else if (failed) failed.hidden = false;
  });
}

async function start(box: HTMLElement): Promise<void> {
  const video = box.querySelector("video");
  const { lecture, seat } = box.dataset;
  if (video === null || lecture === undefined || seat === undefined) return;
  const speaker = new Speaker(box);
  const api = apiOf(lecture);
  const connection = `${seat}.${await claimTab(lecture)}`;
  const checks = new Checks(box, speaker, (id) => api.answerCheck(id, connection, "click"));
  const playlist = `/lectures/${encodeURIComponent(lecture)}/stream/index.m3u8`;
  await begun(playlist);
  attach(video, playlist, speaker);
  box.dataset["state"] = "ready";
  speaker.quiet();
  for (const event of ["playing", "pause", "waiting"]) video.addEventListener(event, () => (box.dataset["state"] = event));

  const beat = (leaving: boolean): void => {
    const seen = { connection, sid: "", visible: document.visibilityState === "visible" };
    void api.heartbeat(leaving ? { ...seen, leaving } : seen);
  };
  let present = false;
  const tick = (): void => {
    if (!video.paused) beat(false);
    else if (present) beat(true);
    present = !video.paused;
  };
  const ticking = setInterval(tick, BEAT_MS);
  video.addEventListener("playing", tick);
  video.addEventListener("pause", tick);
  const goodbye = (): void => {
    if (present) beat(true);
  };
  addEventListener("pagehide", goodbye);

  const looking = setInterval(async () => {
    const found = await api.classroom();
    if (found === null) return;
    checks.look(found.room);
    if (!OVER.includes(found.room.state)) return;
    clearInterval(looking);
    clearInterval(ticking);
    removeEventListener("pagehide", goodbye);
    tick();
    ended(box, video, speaker);
  }, BEAT_MS);
}

/** Waits until there is something to show. */
async function begun(playlist: string): Promise<void> {
  for (;;) {
    const status = await fetch(playlist, { credentials: "same-origin" }).then(
      (answer) => answer.status,
      () => 0,
    );
    // What is refused for good is said by the player.
    if (status !== 409 && status !== 425 && status !== 0 && status < 500) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** What was buffered is watched to its end. */
function ended(box: HTMLElement, video: HTMLVideoElement, speaker: Speaker): void {
  speaker.say("ended");
  video.addEventListener("ended", () => speaker.say("ended"));
  const hours = box.querySelector<HTMLElement>("[data-hours]");
  if (hours) hours.hidden = false;
}

class Checks {
  readonly #card: HTMLElement | null;
  readonly #speaker: Speaker;
  readonly #answer: (id: string) => Promise<boolean>;
  #asked: Asked | null = null;

  constructor(box: HTMLElement, speaker: Speaker, answer: (id: string) => Promise<boolean>) {
    this.#card = box.querySelector("[data-check]");
    this.#speaker = speaker;
    this.#answer = answer;
    box.querySelector("[data-check-answer]")?.addEventListener("click", () => void this.#answered());
    addEventListener("keydown", (event) => {
      if (event.altKey && event.key.toLowerCase() === "j" && this.#card?.hidden === false) void this.#answered();
    });
  }

  look(room: Classroom): void {
    this.#asked = told(this.#asked, room.check, room.server_time);
    this.#show(open(this.#asked, room.server_time) && !this.#asked.done);
  }

  async #answered(): Promise<void> {
    const asked = this.#asked;
    if (asked === null || !(await this.#answer(asked.check.id))) return;
    this.#asked = { ...asked, done: true };
    this.#show(false);
    this.#speaker.say("thanks");
  }

  #show(shown: boolean): void {
    if (this.#card) this.#card.hidden = !shown;
  }
}
