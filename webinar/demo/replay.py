"""A short replay, made by the recorder's own parts from slides and a sound that are drawn here."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from recordings import service, store
from recordings.compose import Picture, Plane
from recordings.encode import FPS, HEIGHT, RATE, SOUND_FRAME, WIDTH
from recordings.hls import HlsWriter
from recordings.lettering import lettering
from recordings.part import Part
from recordings.rules import RecorderState, Recording, Segment
from recordings.storage import Storage
from webinar.core.database import Database
from webinar.lectures.rules import Lecture

LENGTH_MS = 20_000
SLIDE_MS = 5_000
STEP_MS = 500
LEASE_MS = 10 * 60_000
SLIDES = (
    ("Arsip digital", ("Tertata", "Aman", "Cepat ditemukan")),
    ("Empat langkah", ("Terima", "Klasifikasi", "Simpan", "Susutkan")),
    ("Siapa berbuat apa", ("Unit kerja mengolah", "Arsiparis membina", "Pimpinan menilai")),
    ("Mulai hari ini", ("Satu berkas", "Satu nama", "Satu tempat")),
)
# Paper, ink and accent (Y, U, V in limited range).
_PAPER, _INK, _ACCENT = (232, 128, 128), (44, 128, 128), (110, 134, 96)
_BAR = 12


async def record(db: Database, storage: Storage, lecture: Lecture) -> None:
    """Record a lecture that is over, as if the recorder had been there from its start."""
    async with db.writing() as session:
        await service.want(session, lecture)
        mine = await store.of_lecture(session, lecture.id)
        if mine is None or mine.ready:
            return
        # Held, so that a recorder that runs meanwhile leaves it to us.
        await store.renew(session, mine, lease_ms=LEASE_MS)
    began_at, ended_at = lecture.starts_at, lecture.starts_at + LENGTH_MS
    await _report(db, mine, began_at)

    async def arrived(segment: Segment) -> None:
        async with db.writing() as session:
            await store.add_file(session, mine, segment)

    writer = HlsWriter(storage, mine.id, arrived)
    await writer.open()
    part = Part(began_at, lecture.title)
    await asyncio.to_thread(_play, part)
    part.hand_over(writer)
    whole = await writer.close(ended=True, patience_s=60)
    async with db.writing() as session:
        await service.stop(session, lecture.id)
        if whole:
            await service.finished(session, mine, 0, ended_at)


async def _report(db: Database, mine: Recording, at: int) -> None:
    async with db.writing() as session:
        await service.report(session, mine, RecorderState.RECORDING, at)


def _play(part: Part) -> None:
    """The whole lecture, as fast as it can be encoded."""
    projector = _Projector([_slide(title, points) for title, points in SLIDES])
    taken = 0
    for at_ms in range(0, LENGTH_MS, 1000 // FPS):
        wanted = at_ms * RATE // 1000 // SOUND_FRAME * SOUND_FRAME
        part.take(at_ms, projector.shown(at_ms), None, _sound(taken, wanted))
        taken = wanted
    part.finish(LENGTH_MS, _sound(taken, LENGTH_MS * RATE // 1000 // SOUND_FRAME * SOUND_FRAME))


class _Projector:
    """The slide of the time, with a bar that grows each half second, so that a player shows movement."""

    def __init__(self, slides: list[Picture]) -> None:
        self._slides = slides
        self._step = -1
        self._picture = slides[0]

    def shown(self, at_ms: int) -> Picture:
        step = at_ms // STEP_MS
        if step != self._step:
            self._step = step
            slide = self._slides[min(len(self._slides) - 1, at_ms // SLIDE_MS)]
            y, u, v = (plane.copy() for plane in slide.planes)
            length = WIDTH * step * STEP_MS // LENGTH_MS & ~1
            for plane, value, half in zip((y, u, v), _ACCENT, (1, 2, 2), strict=True):
                plane[(HEIGHT - _BAR) // half :, : length // half] = value
            self._picture = Picture((y, u, v))
        return self._picture


def _slide(title: str, points: tuple[str, ...]) -> Picture:
    y = np.full((HEIGHT, WIDTH), _PAPER[0], np.uint8)
    u = np.full((HEIGHT // 2, WIDTH // 2), _PAPER[1], np.uint8)
    v = np.full((HEIGHT // 2, WIDTH // 2), _PAPER[2], np.uint8)
    for plane, value, half in zip((y, u, v), _ACCENT, (1, 2, 2), strict=True):
        plane[: 160 // half] = value
    _write(y, title, 90, 60, 235)
    for number, point in enumerate(points):
        _write(y, f"- {point}", 130, 240 + 95 * number, _INK[0])
    return Picture((y, u, v))


def _write(luma: Plane, text: str, left: int, top: int, value: int) -> None:
    letters = lettering(text, WIDTH - left - 60)
    height, width = letters.shape
    luma[top : top + height, left : left + width][letters] = value


def _sound(start: int, end: int) -> NDArray[np.float32]:
    """Soft tones in place of a voice, one for each slide."""
    at = np.arange(start, end) / RATE
    tone = np.array([220.0, 246.9, 293.7, 329.6])[np.minimum(3, (at * 1000 // SLIDE_MS).astype(int))]
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 0.8 * at)
    sound: NDArray[np.float32] = (0.08 * swell * np.sin(2 * np.pi * tone * at)).astype(np.float32)
    return sound
