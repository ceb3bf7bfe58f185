"""One part of a recording: pictures and sound of each tick become segments."""

from collections import deque

from numpy import float32, zeros
from numpy.typing import NDArray

from recordings.compose import Composer, Picture
from recordings.encode import FPS, RATE, SOUND_FRAME, Encoder, Fragment
from recordings.hls import HlsWriter

_STILL_MS = 1000
"""A picture that does not change is written this often."""


class Part:
    """`take` and `finish` do the work, one at a time, in any thread; `hand_over` belongs to the loop.

    `began_at` is the instant of time 0, Unix ms.
    """

    def __init__(self, began_at: int, title: str) -> None:
        self._began_at = began_at
        self._composer = Composer(title)
        self._encoder = Encoder()
        self._last_ms = 0
        self._ready: deque[Fragment] = deque()
        self._has_init = False

    def take(
        self, at_ms: int, screen: Picture | None, camera: Picture | None, sound: NDArray[float32]
    ) -> None:
        """Takes what is shown at `at_ms`, and the sound that follows what was taken before."""
        changed = self._composer.compose(screen, camera)
        if changed or self._encoder.wants_key(at_ms) or at_ms - self._last_ms >= _STILL_MS:
            self._encoder.picture(self._composer.frame, at_ms)
            self._last_ms = at_ms
        self._encoder.sound(sound)
        self._ready.extend(self._encoder.fragments())

    def finish(self, end_ms: int, sound: NDArray[float32]) -> None:
        """Ends the part; picture and sound end together, or a player stumbles over the seam."""
        last_ms = end_ms - 1000 // FPS
        if last_ms - self._last_ms > 1000 // FPS and not self._encoder.wants_key(last_ms):
            self._encoder.picture(self._composer.frame, last_ms)
        self._encoder.sound(sound)
        missing = end_ms * RATE // 1000 - self._encoder.samples
        self._encoder.sound(zeros(max(0, -(-missing // SOUND_FRAME)) * SOUND_FRAME, float32))
        self._encoder.close()
        self._ready.extend(self._encoder.fragments(end_ms))

    def hand_over(self, writer: HlsWriter) -> None:
        """Gives the writer what is ready."""
        init = self._encoder.init()
        if init is not None and not self._has_init:
            writer.begin_part()
            writer.add_init(init, self._began_at)
            self._has_init = True
        while self._ready:
            fragment = self._ready.popleft()
            writer.add(fragment.data, self._began_at + fragment.start_ms, fragment.duration_ms)
