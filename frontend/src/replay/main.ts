/**
 * The replay of a recording: HLS in a `<video>`, where one left off, at one's own speed.
 *
 * The page gives `[data-replay]` with `data-playlist` (URL) and `data-recording` (id), the texts as
 * JSON, and works without this script where the browser plays HLS itself (Safari).
 */
import "./replay.css";

import { keepPlace, placeToResume, recallPlace, readTime } from "./place";
import { Speaker } from "./errors";
import { attach } from "./source";
import { watch } from "./watched";

const KEEP_EVERY_MS = 5_000;
const SKIP_SECONDS = 10;

for (const box of document.querySelectorAll<HTMLElement>("[data-replay]")) start(box);

function start(box: HTMLElement): void {
  const video = box.querySelector("video");
  const { playlist, recording, watched } = box.dataset;
  if (video === null || playlist === undefined || recording === undefined) return;
  const speaker = new Speaker(box);
  attach(video, playlist, speaker);
  resume(box, video, recording, speaker);
  if (watched) watch(video, watched);
  speeds(box, video);
  keys(box, video);
  box.dataset["state"] = "ready";
  for (const event of ["playing", "pause", "waiting", "ended"]) {
    video.addEventListener(event, () => (box.dataset["state"] = event));
  }
}

function resume(box: HTMLElement, video: HTMLVideoElement, recording: string, speaker: Speaker): void {
  const again = box.querySelector<HTMLElement>("[data-from-start]");
  video.addEventListener(
    "loadedmetadata",
    () => {
      const place = placeToResume(recallPlace(recording), video.duration);
      if (place === null) return;
      video.currentTime = place;
      speaker.say("resumed", { time: readTime(place) });
      if (again) again.hidden = false;
    },
    { once: true },
  );
  again?.addEventListener("click", () => {
    video.currentTime = 0;
    again.hidden = true;
    speaker.quiet();
    void video.play();
  });
  let keptAt = 0;
  const keep = (): void => keepPlace(recording, video.currentTime);
  video.addEventListener("timeupdate", () => {
    if (Date.now() - keptAt < KEEP_EVERY_MS) return;
    keptAt = Date.now();
    keep();
  });
  video.addEventListener("pause", keep);
  addEventListener("pagehide", keep);
}

function speeds(box: HTMLElement, video: HTMLVideoElement): void {
  const select = box.querySelector<HTMLSelectElement>("[data-speed]");
  select?.addEventListener("change", () => (video.playbackRate = Number(select.value)));
}

/** Keys act while the player has the focus; the arrows of the speed list stay its own. */
function keys(box: HTMLElement, video: HTMLVideoElement): void {
  const acts: Record<string, () => unknown> = {
    " ": () => (video.paused ? video.play() : video.pause()),
    ArrowLeft: () => (video.currentTime = Math.max(0, video.currentTime - SKIP_SECONDS)),
    ArrowRight: () => (video.currentTime = Math.min(video.duration || 0, video.currentTime + SKIP_SECONDS)),
    m: () => (video.muted = !video.muted),
    f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
  };
  box.addEventListener("keydown", (event) => {
    const elsewhere = event.target instanceof HTMLSelectElement || event.target instanceof HTMLButtonElement;
    const act = acts[event.key];
    if (act === undefined || elsewhere || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    void act();
  }, { capture: true });
}
