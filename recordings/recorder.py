"""Recording one lecture: a seat in the room, the parts it makes, a writer, and the clock between them.

Picture and sound are set on one time line by when they arrived, so that the recording runs as the lecture
ran: while the media server is away, it shows the title and is silent.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import structlog

from recordings.encode import FPS, RATE
from recordings.hls import HlsWriter, OnSegment
from recordings.part import Part
from recordings.room import Holds, PassSource, Seat
from recordings.rules import RecorderState
from recordings.sound import DELAY, Mixer, Samples
from recordings.storage import Storage, StorageFull
from webinar.core.clock import Clock, SystemClock

log = structlog.get_logger()

OnState = Callable[[RecorderState], Awaitable[None]]

_SOONEST_S, _LATEST_S = 0.9 / FPS, 1.15 / FPS
BACKLOG = 8
"""Files that may wait for storage before recording pauses: about half a minute, a few megabytes."""
_PATIENCE_S = 900.0
"""How long a recorder that has finished tries to write what still waits."""


@dataclass(frozen=True, slots=True)
class RecordingJob:
    """What to record. `may_record` says by identity whose tracks; it is asked often, so keep it cheap."""

    recording_id: str
    title: str = ""
    may_record: Callable[[str], bool] = lambda identity: True


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """How it ended. `lost_ms` is what the storage never took; `duration_ms` counts all parts."""

    ended: Literal["stopped", "room_deleted"]
    duration_ms: int
    lost_ms: int


async def record(
    job: RecordingJob,
    *,
    passes: PassSource,
    storage: Storage,
    on_segment: OnSegment,
    stop: asyncio.Event,
    holds: Holds = lambda given: True,
    on_state: OnState | None = None,
    clock: Clock | None = None,
    backlog: int = BACKLOG,
    patience_s: float = _PATIENCE_S,
) -> RecordingResult:
    """Records until `stop` is set or the room is deleted, then says the end in the playlist.

    Continues what an earlier call left. Cancelling it writes the open segment and leaves the playlist open,
    for the next call. While more than `backlog` files wait for the storage, it pauses. `on_segment` may come
    twice for a segment, after a crash. It joins with a pass of `passes`, anew once that no longer `holds`.

    Raises:
        StorageError: the storage does not answer at the start.
    """
    writer = HlsWriter(storage, job.recording_id, on_segment)
    await writer.open()
    recorder = _Recorder(job, writer, on_state, clock or SystemClock(), backlog)
    seat = Seat(
        passes,
        holds=holds,
        may_record=job.may_record,
        on_sound=recorder.heard,
        on_gone=recorder.mixer.drop,
    )
    sitting = asyncio.create_task(seat.run(), name=f"seat {job.recording_id}")
    try:
        await recorder.run(seat, stop)
    except BaseException:
        await writer.close(ended=False, patience_s=5)
        raise
    finally:
        sitting.cancel()
        await asyncio.wait([sitting])
    await writer.close(ended=True, patience_s=patience_s)
    await recorder.say(RecorderState.FINISHED)
    return RecordingResult(
        "room_deleted" if seat.closed else "stopped", writer.playlist.duration_ms, writer.waiting_ms
    )


class _Recorder:
    def __init__(
        self, job: RecordingJob, writer: HlsWriter, on_state: OnState | None, clock: Clock, backlog: int
    ) -> None:
        self._backlog = backlog
        self.mixer = Mixer()
        self._job = job
        self._writer = writer
        self._on_state = on_state
        self._clock = clock
        self._now = asyncio.get_running_loop().time
        self._state: RecorderState | None = None
        self._began = self._now()
        self._open = False

    def heard(self, track: str, samples: Samples) -> None:
        """Takes sound that has just arrived."""
        if self._open:
            self.mixer.push(track, samples, round((self._now() - self._began) * RATE))

    async def run(self, seat: Seat, stop: asyncio.Event) -> None:
        """Records part after part: a part ends when the storage has taken nothing for too long."""
        while not (stop.is_set() or seat.closed):
            await self._part(seat, stop)
            while self._writer.backlog and not (stop.is_set() or seat.closed):
                await self._say_trouble()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._writer.drained(), 1)

    async def _part(self, seat: Seat, stop: asyncio.Event) -> None:
        part = Part(self._clock.now(), self._job.title)
        self.mixer.restart()
        loop = asyncio.get_running_loop()
        self._began, self._open = self._now(), True
        # A thread of its own, so that encoding never holds up what arrives; one, since the encoder is single.
        with ThreadPoolExecutor(1, thread_name_prefix="encode") as pool:
            try:
                while not (stop.is_set() or seat.closed) and self._writer.backlog <= self._backlog:
                    at_ms = round((self._now() - self._began) * 1000)
                    sound = self.mixer.mix(at_ms * RATE // 1000 - DELAY)
                    work = loop.run_in_executor(pool, part.take, at_ms, seat.screen, seat.camera, sound)
                    await asyncio.shield(work)
                    part.hand_over(self._writer)
                    await self._say_trouble() if self._writer.trouble else await self._say_seat(seat)
                    await self._next_tick(seat, self._began + at_ms / 1000)
            finally:
                self._open = False
                end_ms = round((self._now() - self._began) * 1000)
                sound = self.mixer.mix(end_ms * RATE // 1000)
                pool.submit(part.finish, end_ms, sound).result()
                part.hand_over(self._writer)

    async def _next_tick(self, seat: Seat, last: float) -> None:
        """Waits for the next picture, about 1/15 s.

        A screen that is shared at the same rate beats against a clock of our own, which would then miss some
        pictures and see others twice. So the clock waits a little for the screen.
        """
        await asyncio.sleep(max(0.0, last + _SOONEST_S - self._now()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(seat.fresh.wait(), max(0.0, last + _LATEST_S - self._now()))
        seat.fresh.clear()

    async def _say_seat(self, seat: Seat) -> None:
        if seat.connected:
            await self.say(RecorderState.RECORDING)
        elif self._state is None:
            await self.say(RecorderState.CONNECTING)
        elif self._state != RecorderState.CONNECTING:
            await self.say(RecorderState.MEDIA_AWAY)

    async def _say_trouble(self) -> None:
        full = isinstance(self._writer.trouble, StorageFull)
        await self.say(RecorderState.STORAGE_FULL if full else RecorderState.STORAGE_AWAY)

    async def say(self, state: RecorderState) -> None:
        if state == self._state:
            return
        self._state = state
        log.info("recorder_state", recording=self._job.recording_id, state=str(state))
        if self._on_state is not None:
            try:
                await self._on_state(state)
            except Exception as error:
                # Telling must never end a recording; the next change tells again.
                log.warning("recorder_state_not_told", error=str(error))
