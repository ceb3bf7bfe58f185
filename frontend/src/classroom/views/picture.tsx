import { useEffect, useRef } from "preact/hooks";

import type { VideoTile } from "../media";
import { say, type View } from "./common";

/** One moving picture. livekit-client watches the element's size and visibility to save bandwidth. */
export function Picture({ app, tile, classes = "" }: View & { tile: VideoTile; classes?: string }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    tile.track.attach(element);
    return () => void tile.track.detach(element);
  }, [tile.track]);
  const mirrored = tile.local && tile.source === "camera";
  const name = tile.local ? say(app, "you") : tile.name;
  return (
    <figure class={`tile ${classes} ${tile.speaking ? "speaking" : ""}`}>
      <video
        ref={video}
        class={mirrored ? "mirrored" : ""}
        data-seat={tile.seat}
        data-source={tile.source}
        data-local={String(tile.local)}
        aria-label={say(app, tile.source === "screen" ? "screen_of" : "camera_of", { name })}
        autoplay
        playsInline
        muted
      />
      <figcaption class="tile-name">{name}</figcaption>
    </figure>
  );
}
