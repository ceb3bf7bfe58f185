"""Composing one picture of a lecture: the shared screen, the speaker's camera in its corner.

All pictures are I420 planes. What has not changed is not drawn again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from recordings.encode import HEIGHT, WIDTH
from recordings.lettering import lettering

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]

_BACKGROUND = (38, 134, 118)
"""A deep teal (BT.601, limited range)."""
_LETTERS = 210
_BLACK = (16, 128, 128)
_CORNER = (320, 180)
_MARGIN = 24


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture as planes Y, U, V; the latter two of half size, rounded up. Compared by identity."""

    planes: Planes

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @classmethod
    def from_i420(cls, data: bytes | memoryview, width: int, height: int, turns: int = 0) -> "Picture":
        """A view of packed I420 bytes, to be turned clockwise by `turns` quarters."""
        flat = np.frombuffer(data, np.uint8)
        half_width, half_height = (width + 1) // 2, (height + 1) // 2
        luma, chroma = width * height, half_width * half_height
        planes = (
            flat[:luma].reshape(height, width),
            flat[luma : luma + chroma].reshape(half_height, half_width),
            flat[luma + chroma : luma + 2 * chroma].reshape(half_height, half_width),
        )
        if turns % 4:
            planes = (np.rot90(planes[0], -turns), np.rot90(planes[1], -turns), np.rot90(planes[2], -turns))
        return cls(planes)


def planes_of(frame: av.VideoFrame) -> Planes:
    """Writable views of the planes of a yuv420p frame."""
    views = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]
    return views[0], views[1], views[2]


def fit(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """The largest even size of the same shape inside the box."""
    scale = min(box[0] / width, box[1] / height)
    return max(2, min(box[0], round(width * scale) & ~1)), max(2, min(box[1], round(height * scale) & ~1))


class Scaler:
    """Scales pictures to fit a box; remembers the last one."""

    def __init__(self, box: tuple[int, int], interpolation: Interpolation) -> None:
        self._box = box
        self._interpolation = interpolation
        self._reformatter = VideoReformatter()
        self._source: av.VideoFrame | None = None
        self._last: Picture | None = None
        self._scaled: Planes | None = None

    def scaled(self, picture: Picture) -> Planes:
        if picture is self._last and self._scaled is not None:
            return self._scaled
        width, height = fit(picture.width, picture.height, self._box)
        if (width, height) == (picture.width, picture.height):
            self._scaled = picture.planes
        else:
            frame = self._reformatter.reformat(
                self._frame_of(picture), width, height, "yuv420p", interpolation=self._interpolation
            )
            self._scaled = planes_of(frame)
        self._last = picture
        return self._scaled

    def _frame_of(self, picture: Picture) -> av.VideoFrame:
        source = self._source
        if source is None or (source.width, source.height) != (picture.width, picture.height):
            source = self._source = av.VideoFrame(picture.width, picture.height, "yuv420p")
        for target, plane in zip(planes_of(source), picture.planes, strict=True):
            target[:] = plane
        return source


class Composer:
    """Draws on one canvas, again and again; `compose` says whether anything changed since the last time."""

    def __init__(self, title: str = "") -> None:
        self.frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        self._canvas = planes_of(self.frame)
        self._title = title
        self._full = Scaler((WIDTH, HEIGHT), Interpolation.BILINEAR)
        self._corner = Scaler(_CORNER, Interpolation.FAST_BILINEAR)
        self._shown: Sequence[Picture | None] | None = None
        self._area: tuple[int, int] | None = None

    def compose(self, screen: Picture | None, camera: Picture | None) -> bool:
        """Draws `screen` with `camera` in its corner, or the one there is, or the title on plain ground."""
        if self._shown is not None and self._shown[0] is screen and self._shown[1] is camera:
            return False
        only_corner = self._shown is not None and screen is not None and self._shown[0] is screen and camera
        main = screen or camera
        if main is None:
            self._draw_title()
        elif not only_corner:
            self._draw_full(self._full.scaled(main))
        if screen and camera:
            self._draw_corner(self._corner.scaled(camera))
        self._shown = (screen, camera)
        return True

    def _draw_full(self, planes: Planes) -> None:
        height, width = planes[0].shape
        if self._area != (width, height):
            self._fill(_BLACK)
            self._area = (width, height)
        self._blit(planes, (WIDTH - width) // 2 & ~1, (HEIGHT - height) // 2 & ~1)

    def _draw_corner(self, planes: Planes) -> None:
        height, width = planes[0].shape
        self._blit(planes, WIDTH - width - _MARGIN, HEIGHT - height - _MARGIN)

    def _blit(self, planes: Planes, left: int, top: int) -> None:
        for canvas, plane, divisor in zip(self._canvas, planes, (1, 2, 2), strict=True):
            height, width = plane.shape
            x, y = left // divisor, top // divisor
            canvas[y : y + height, x : x + width] = plane

    def _draw_title(self) -> None:
        self._fill(_BACKGROUND)
        self._area = None
        letters = lettering(self._title, WIDTH - 160)
        height, width = letters.shape
        top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
        self._canvas[0][top : top + height, left : left + width][letters] = _LETTERS

    def _fill(self, colour: tuple[int, int, int]) -> None:
        for plane, value in zip(self._canvas, colour, strict=True):
            plane[:] = value
