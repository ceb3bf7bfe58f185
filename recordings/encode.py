"""Encoding picture and sound to H.264 and AAC in fragmented MP4, in memory.

The settings buy little processor time, since a recorder runs for hours beside others: no B-frames, no
scene search, one thread, and a key picture exactly where a segment shall begin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from recordings.boxes import BoxSplitter
from recordings.playlist import SEGMENT_MS

WIDTH, HEIGHT = 1280, 720
FPS = 15
RATE = 48_000
SOUND_FRAME = 1024
"""Samples of one AAC frame."""
_MS = Fraction(1, 1000)
_BT601 = 6
_PICTURE_OPTIONS = {
    "preset": "veryfast",
    # No looking ahead: a still screen gives one picture a second, and each would be held back for ten.
    "tune": "zerolatency",
    "profile": "baseline",
    "level": "3.1",
    "crf": "26",
    "maxrate": "2400k",
    "bufsize": "4800k",
    "g": "9999",
    "forced-idr": "1",
    "sc_threshold": "0",
    "threads": "1",
}


@dataclass(frozen=True, slots=True)
class Fragment:
    """One segment's bytes; `start_ms` and `duration_ms` on the time line of its part."""

    data: bytes
    start_ms: int
    duration_ms: int


class Encoder:
    """One part: pictures and sound in, an init segment and fragments of about `SEGMENT_MS` out.

    Not thread-safe; times are ms since the part began and must grow.
    """

    def __init__(self) -> None:
        self._boxes = BoxSplitter()
        self._container = av.open(
            self._boxes, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        )
        self._picture = self._container.add_stream("libx264", rate=FPS, options=_PICTURE_OPTIONS)
        self._picture.width, self._picture.height, self._picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context = self._picture.codec_context
        context.time_base = _MS
        # Pictures from the media server are BT.601 in limited range; unsaid, browsers take 720p for BT.709.
        context.color_range, context.colorspace = 1, _BT601
        context.color_primaries, context.color_trc = _BT601, _BT601
        self._sound = self._container.add_stream("aac", rate=RATE, options={"aac_coder": "fast"})
        self._sound.layout = "mono"
        self._sound.bit_rate = 64_000
        self._samples = 0
        self._cuts: list[int] = []
        self._last_ms = -1
        self._init: bytes | None = None
        self._given = 0

    @property
    def samples(self) -> int:
        """Samples of sound taken so far."""
        return self._samples

    def picture(self, frame: av.VideoFrame, at_ms: int) -> None:
        """Takes the picture shown from `at_ms` on; one not later than the last is left out."""
        if at_ms <= self._last_ms:
            return
        if cut := self.wants_key(at_ms):
            self._cuts.append(at_ms)
        frame.pict_type = PictureType.I if cut else PictureType.NONE
        frame.pts, frame.time_base = at_ms, _MS
        self._last_ms = at_ms
        self._container.mux(self._picture.encode(frame))

    def wants_key(self, at_ms: int) -> bool:
        """Whether a picture at this time begins a segment."""
        return not self._cuts or at_ms // SEGMENT_MS > self._cuts[-1] // SEGMENT_MS

    def sound(self, samples: NDArray[np.float32]) -> None:
        """Takes the next samples, -1 to 1; their number is a multiple of `SOUND_FRAME`."""
        for start in range(0, len(samples), SOUND_FRAME):
            piece = samples[start : start + SOUND_FRAME]
            frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, self._samples
            frame.time_base = Fraction(1, RATE)
            self._samples += SOUND_FRAME
            self._mux_sound(self._sound.encode(frame))

    def _mux_sound(self, packets: "Sequence[av.Packet[Any]]") -> None:
        # The encoder's run-in lies before time 0; kept, it would shift everything by its length.
        self._container.mux([packet for packet in packets if packet.pts is None or packet.pts >= 0])

    def init(self) -> bytes | None:
        """The init segment, once it is known; call `fragments` before."""
        return self._init

    def fragments(self, end_ms: int | None = None) -> Iterator[Fragment]:
        """The segments complete since the last call; the last one ends at `end_ms`."""
        for piece in self._boxes.pieces():
            if self._init is None:
                self._init = piece
                continue
            start = self._cuts[self._given]
            following = self._cuts[self._given + 1 : self._given + 2]
            end = following[0] if following else (self._last_ms if end_ms is None else end_ms)
            self._given += 1
            yield Fragment(piece, start, max(1, end - start))

    def close(self) -> None:
        """Ends the part; `fragments` then gives what was open."""
        self._container.mux(self._picture.encode())
        self._mux_sound(self._sound.encode())
        self._container.close()
