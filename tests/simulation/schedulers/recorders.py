"""Recorders: the product's process with its leases, its writer and its files, without pictures and sound.

What is stood in for is the seat in the room and the encoder: the reel is one segment, encoded once and given
again and again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from numpy import float32, zeros

from recordings.compose import Composer
from recordings.encode import FPS, RATE, SOUND_FRAME, Encoder
from recordings.hls import HlsWriter
from recordings.recorder import BACKLOG, RecordingJob, RecordingResult
from recordings.rules import Pass, RecorderState
from recordings.storage import ObjectMissing, StorageAway, StorageFull, Stored, sha256
from recordings.worker import RecorderProcess
from tests.simulation.people import KEY, SECRET
from tests.simulation.processes import Distant, Life, Process
from tests.simulation.schedulers.servers import Servers
from webinar.core.clock import Clock
from webinar.media import tokens
from webinar.media.port import MediaUnavailable

SEGMENT_S = 6
LOOK_S = 0.5
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Reel:
    """The bytes of an init segment, and of one segment of `SEGMENT_S`."""

    init: bytes
    segment: bytes


@cache
def reel() -> Reel:
    """A dark picture and silence, encoded as the recorder does it."""
    encoder, frame = Encoder(), Composer("").frame
    for number in range(SEGMENT_S):
        encoder.picture(frame, number * 1000)
    encoder.picture(frame, SEGMENT_S * 1000 - 1000 // FPS)
    encoder.sound(zeros(SEGMENT_S * RATE // SOUND_FRAME * SOUND_FRAME, float32))
    encoder.close()
    segments = b"".join(fragment.data for fragment in encoder.fragments(SEGMENT_S * 1000))
    return Reel(encoder.init() or b"", segments)


class Shelf:
    """A storage in memory that may be away or full."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.away = False
        self.full = False

    def _answer(self) -> None:
        if self.away:
            raise StorageAway("away")

    async def put(self, key: str, data: bytes) -> Stored:
        self._answer()
        if self.full:
            raise StorageFull("full")
        self.kept[key] = data
        return Stored(key, len(data), sha256(data))

    async def get(self, key: str) -> bytes:
        self._answer()
        if key not in self.kept:
            raise ObjectMissing(key)
        return self.kept[key]

    async def list(self, prefix: str) -> Sequence[str]:
        self._answer()
        return sorted(key for key in self.kept if key.startswith(f"{prefix}/"))


class Recorder(Process):
    """A recorder as `wiring` makes it; its own machine's clock is wrong."""

    part = "recorder"
    servers: Servers
    shelf: Shelf
    chairs: "Chairs"

    async def main(self, life: Life) -> None:
        storage: Any = Distant(self.shelf, life, self._chance)

        async def writes(job: RecordingJob, **parts: Any) -> RecordingResult:
            return await _Tape(self.servers, self.chairs, life, self._chance, **parts).record(job)

        process = RecorderProcess(
            self.database(life), storage, self.clock, ticket=_ticket, writes=writes, worker=life.name
        )
        await process.run(asyncio.Event())


def _ticket(server: str, room: str, identity: str, now: int) -> Pass:
    return Pass(
        server,
        "",
        tokens.mint(KEY, SECRET, identity=identity, name="", room=room, now=now, hidden=True, kind="egress"),
    )


class Chairs:
    """Who sits in which room to record it, by the SID of the connection, and how it was put out."""

    def __init__(self) -> None:
        self._out: dict[str, asyncio.Future[str]] = {}

    def take(self, sid: str) -> asyncio.Future[str]:
        """Done when the connection ends, with the reason."""
        return self._out.setdefault(sid, asyncio.get_running_loop().create_future())

    def put_out(self, sid: str, reason: str) -> None:
        out = self._out.pop(sid, None)
        if out is not None and not out.done():
            out.set_result(reason)


class _Tape:
    """Stands for `recorder.record`: sits in the room, and hands over a segment whenever one is full."""

    def __init__(
        self,
        servers: Servers,
        chairs: Chairs,
        life: Life,
        chance: Random,
        *,
        passes: Any,
        holds: Any,
        storage: Any,
        on_segment: Any,
        stop: asyncio.Event,
        on_state: Any,
        clock: Clock,
    ) -> None:
        self._servers, self._chairs, self._life, self._chance = servers, chairs, life, chance
        self._passes, self._holds, self._storage = passes, holds, storage
        self._on_segment, self._stop, self._on_state, self._clock = on_segment, stop, on_state, clock
        self._pass: Pass | None = None
        self._sits: tuple[str, str] | None = None
        self._out: asyncio.Future[str] | None = None
        self._closed = False
        self._state: RecorderState | None = None

    async def record(self, job: RecordingJob) -> RecordingResult:
        writer = HlsWriter(self._storage, job.recording_id, self._on_segment)
        await writer.open()
        try:
            await self._run(writer)
        except BaseException:
            await writer.close(ended=False, patience_s=5)
            raise
        finally:
            self._leave()
        await writer.close(ended=True, patience_s=PATIENCE_S)
        await self._say(RecorderState.FINISHED)
        ended = "room_deleted" if self._closed else "stopped"
        return RecordingResult(ended, writer.playlist.duration_ms, writer.waiting_ms)  # type: ignore[arg-type]

    async def _run(self, writer: HlsWriter) -> None:
        while not self._over:
            writer.begin_part()
            began_at, given = self._clock.now(), 0
            writer.add_init(reel().init, began_at)
            while not self._over and writer.backlog <= BACKLOG:
                await self._life.point("record")
                await self._sit()
                await self._say_how(writer)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), LOOK_S)
                given = self._hand_over(writer, began_at, given)
            while writer.backlog and not self._over:
                await self._say_how(writer)
                await asyncio.sleep(1)

    @property
    def _over(self) -> bool:
        return self._stop.is_set() or self._closed

    def _hand_over(self, writer: HlsWriter, began_at: int, given: int) -> int:
        """Segments up to now, the last one however short when all is over."""
        full_ms = SEGMENT_S * 1000
        while (left := self._clock.now() - began_at - given * full_ms) >= full_ms or (
            self._over and left > 0
        ):
            writer.add(reel().segment, began_at + given * full_ms, min(left, full_ms))
            given += 1
        return given

    async def _sit(self) -> None:
        if self._out is not None and self._out.done():
            self._closed = self._out.result() == "ROOM_DELETED"
            self._sits = self._out = None
        if self._pass is not None and self._sits is not None and not self._holds(self._pass):
            self._leave()
        if self._sits is not None or self._closed:
            return
        with suppress(MediaUnavailable, PermissionError):
            self._pass = await self._passes()
            server = self._servers[self._pass.server]
            room, dialled = server.dial(self._pass.token)
            server.arrive(room, dialled)
            self._sits, self._out = (room, dialled.identity), self._chairs.take(dialled.sid)

    def _leave(self) -> None:
        if self._sits is not None and self._pass is not None:
            with suppress(MediaUnavailable):
                self._servers[self._pass.server].leave(*self._sits)
        self._sits = self._out = None

    async def _say_how(self, writer: HlsWriter) -> None:
        if writer.trouble:
            full = isinstance(writer.trouble, StorageFull)
            await self._say(RecorderState.STORAGE_FULL if full else RecorderState.STORAGE_AWAY)
        elif self._sits is not None:
            await self._say(RecorderState.RECORDING)
        elif self._state not in {None, RecorderState.CONNECTING}:
            await self._say(RecorderState.MEDIA_AWAY)

    async def _say(self, state: RecorderState) -> None:
        if state != self._state:
            self._state = state
            await self._on_state(state)
