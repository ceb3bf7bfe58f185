"""Mixing sound by the time it arrived, so that it stays with the picture.

Positions are samples (48 kHz) since the part began. A stream's frames follow each other without a seam; only
when it runs dry, or drifts from its times of arrival for a second, is it set to its place again.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from recordings.encode import RATE, SOUND_FRAME

DELAY = RATE * 3 // 10
"""How far mixing stays behind now: a frame may arrive this late."""
_DRIFT = RATE * 6 // 100
_WINDOW = RATE

Samples = NDArray[np.int16]


class Voice:
    """One track's sound, waiting to be mixed."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, Samples]] = deque()
        self._next: int | None = None
        self._late: int | None = None
        self._seen = 0

    def push(self, samples: Samples, arrived: int, mixed: int) -> None:
        """Takes a frame whose last sample arrived at the position `arrived`; mixed is done up to `mixed`."""
        place = arrived - len(samples)
        if self._next is None or self._next < mixed:
            self._next = max(place, mixed)
            self._late, self._seen = None, 0
        # Frames arrive late or in time, never early: the least lateness of a second is the drift.
        late = place - self._next
        self._late = late if self._late is None else min(self._late, late)
        self._seen += len(samples)
        if self._seen >= _WINDOW:
            if abs(self._late) > _DRIFT:
                self._next = max(self._next + self._late, mixed)
            self._late, self._seen = None, 0
        self._frames.append((self._next, samples))
        self._next += len(samples)

    def add_to(self, mix: NDArray[np.float32], start: int) -> None:
        """Adds what lies within the mix, which begins at the position `start`."""
        end = start + len(mix)
        while self._frames and self._frames[0][0] < end:
            place, samples = self._frames.popleft()
            inside = samples[max(0, start - place) : end - place]
            if len(inside):
                at = max(0, place - start)
                mix[at : at + len(inside)] += inside
            if place + len(samples) > end:
                self._frames.appendleft((end, samples[end - place :]))
                break


class Mixer:
    """The voices of a room, mixed to one; `mixed` is the position it has come to."""

    def __init__(self) -> None:
        self._voices: dict[str, Voice] = {}
        self.mixed = 0

    def push(self, track: str, samples: Samples, arrived: int) -> None:
        """Takes a frame of a track; `arrived` is the position of now."""
        self._voices.setdefault(track, Voice()).push(samples, arrived, self.mixed)

    def drop(self, track: str) -> None:
        """The track is gone; what it said and is not mixed yet goes with it."""
        self._voices.pop(track, None)

    def restart(self) -> None:
        """A new part begins: positions start at nought, nothing waits."""
        self._voices.clear()
        self.mixed = 0

    def mix(self, until: int) -> NDArray[np.float32]:
        """The next samples, -1 to 1, in whole AAC frames, up to `until`; silence where nobody speaks."""
        count = max(0, until - self.mixed) // SOUND_FRAME * SOUND_FRAME
        mix = np.zeros(count, np.float32)
        if not count:
            return mix
        for voice in self._voices.values():
            voice.add_to(mix, self.mixed)
        self.mixed += count
        mix /= 32768.0
        return np.clip(mix, -1.0, 1.0, out=mix)
