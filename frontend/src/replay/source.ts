/** Gives the video its HLS source: through hls.js where it runs, else by the browser itself (Safari on iPhone). */
import type Hls from "hls.js/light";
import type { ErrorData } from "hls.js/light";

import type { Speaker } from "./errors";

type Library = typeof Hls;

const MOST_RECOVERIES = 3;
const RETRY_MS = 5_000;

export function attach(video: HTMLVideoElement, playlist: string, speaker: Speaker): void {
  import("hls.js/light").then(
    ({ default: library }) => {
      if (library.isSupported()) play(library, video, playlist, speaker);
      else native(video, playlist, speaker);
    },
    () => native(video, playlist, speaker),
  );
}

function native(video: HTMLVideoElement, playlist: string, speaker: Speaker): void {
  if (video.canPlayType("application/vnd.apple.mpegurl") === "") return speaker.say("unsupported");
  video.addEventListener("error", () => speaker.say("broken"));
  video.src = playlist;
}

function play(library: Library, video: HTMLVideoElement, playlist: string, speaker: Speaker): void {
  const hls = new library({ startPosition: -1, backBufferLength: 60, maxBufferLength: 30 });
  let recoveries = 0;
  hls.on(library.Events.ERROR, (_, error) => {
    if (!error.fatal) return;
    if (isGone(error)) return speaker.say("gone");
    if (error.type === library.ErrorTypes.NETWORK_ERROR) {
      speaker.say("network");
      setTimeout(() => again(hls, error, playlist), RETRY_MS);
    } else if (error.type === library.ErrorTypes.MEDIA_ERROR && recoveries++ < MOST_RECOVERIES) {
      hls.recoverMediaError();
    } else {
      speaker.say("broken");
    }
  });
  hls.on(library.Events.FRAG_LOADED, () => {
    if (speaker.inTrouble) speaker.quiet();
  });
  hls.loadSource(playlist);
  hls.attachMedia(video);
  addEventListener("online", () => hls.startLoad());
}

/** A playlist that never came is asked for from the start; a segment just goes on. */
function again(hls: Hls, error: ErrorData, playlist: string): void {
  if (error.details.startsWith("manifest")) hls.loadSource(playlist);
  else hls.startLoad();
}

const isGone = (error: ErrorData): boolean => [401, 403, 404, 410].includes(error.response?.code ?? 0);
