"""The recorder's process: takes recordings that nobody works on, and writes each until its lecture is over.

Any number of these may run. One that dies loses its lease, and another continues the same recording; one that
only hung finds its fence outdated and writes nothing more to the database.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from recordings import service, store
from recordings.recorder import RecordingJob, RecordingResult, record
from recordings.rules import Pass, RecorderState, Recording, RecordingState, Segment
from recordings.storage import Storage, StorageError
from webinar.core import processes
from webinar.core.clock import Clock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects_runner import worker_name
from webinar.lectures import store as lectures
from webinar.lectures.rules import main_room_name
from webinar.media.rules import parse_identity

LEASE_MS = 15_000
LOOK_S = 1.0
# How often a lease is renewed in the time for which it lasts: looking once a second only reads.
RENEWALS = 4
AT_ONCE = 4
AGAIN_MS = 3_000

log = structlog.get_logger()
Ticket = Callable[[str, str, str, int], Pass]
"""Makes a pass to join: (media server, room, identity, now in Unix ms) -> pass; hidden, of kind egress.

May raise MediaUnavailable: there is no such server."""


Writes = Callable[..., Awaitable[RecordingResult]]
"""What records one lecture, called as `recorder.record` is."""


class LeaseLost(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """Another recorder has taken over."""


@dataclass(slots=True)
class _Held:
    """What is looked up anew every second: who may be recorded, and on which media server the room is."""

    hosts: set[str] = field(default_factory=set)
    server: str = ""


class RecorderProcess:
    """`await process.run(stop)` until the event is set; open segments are written then.

    `at_once` is how many lectures are recorded here, `writes` what records one, `worker` its name.
    """

    def __init__(
        self,
        db: Database,
        storage: Storage,
        clock: Clock,
        *,
        ticket: Ticket,
        at_once: int = AT_ONCE,
        lease_ms: int = LEASE_MS,
        writes: Writes = record,
        worker: str | None = None,
    ) -> None:
        self._db = db
        self._storage = storage
        self._clock = clock
        self._ticket = ticket
        self._at_once = at_once
        self._lease_ms = lease_ms
        self._writes = writes
        self._name = worker or worker_name()
        self._started_at = clock.now()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Record what is wanted until `stop` is set."""
        beating = asyncio.create_task(self._beat(), name="signs-of-life")
        log.info("recorder_started", process=self._name)
        try:
            while not stop.is_set():
                with contextlib.suppress(DatabaseAway):
                    await self._take()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)
        finally:
            tasks = [beating, *self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(DatabaseAway):
                async with self._db.writing() as session:
                    await processes.gone(session, self._name)

    async def _take(self) -> None:
        """Begin what nobody works on. A look reads; only when there is something does it write."""
        while len(self._running) < self._at_once:
            async with self._db.reading() as session:
                if not await store.is_work(session):
                    return
            async with self._db.writing() as session:
                mine = await store.claim(session, worker=self._name, lease_ms=self._lease_ms)
            if mine is None:
                return
            task = asyncio.create_task(self._work(mine), name=f"record {mine.id}")
            self._running[mine.id] = task
            task.add_done_callback(partial(self._ended, mine.id))

    def _ended(self, recording_id: str, _: asyncio.Task[None]) -> None:
        self._running.pop(recording_id, None)

    async def _work(self, mine: Recording) -> None:
        over = asyncio.Event()
        if mine.state is RecordingState.FINISHING:
            over.set()
        again_ms = AGAIN_MS
        try:
            result = await self._while_held(mine, over)
            if over.is_set():
                async with self._db.writing() as session:
                    await service.finished(session, mine, result.lost_ms, self._clock.now())
        except asyncio.CancelledError:
            again_ms = 0
            raise
        except LeaseLost:
            log.warning("recording_lease_lost", recording=mine.id)
        except StorageError as error:
            log.warning("recording_not_begun", recording=mine.id, error=str(error))
            await self._report(mine, RecorderState.STORAGE_AWAY)
        except Exception:
            # One lecture's trouble must not end the others; it is taken up again by whoever is free.
            log.exception("recording_broke_off", recording=mine.id)
        finally:
            with contextlib.suppress(DatabaseAway):
                async with self._db.writing() as session:
                    await store.let_go(session, mine, for_ms=again_ms)

    async def _while_held(self, mine: Recording, over: asyncio.Event) -> RecordingResult:
        """Record for as long as the lease is ours.

        Raises:
            LeaseLost: another recorder has it; what was open is written.
        """
        held = _Held()
        holding = asyncio.create_task(self._hold(mine, over, held), name=f"hold {mine.id}")
        writing = asyncio.create_task(self._write(mine, over, held), name=f"write {mine.id}")
        try:
            await asyncio.wait([holding, writing], return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                await holding
            return await writing
        finally:
            for task in (holding, writing):
                task.cancel()
            await asyncio.gather(holding, writing, return_exceptions=True)

    async def _hold(self, mine: Recording, over: asyncio.Event, held: _Held) -> None:
        """Renew the lease, learn who may be recorded and where, and notice that the lecture is over."""
        time = asyncio.get_running_loop().time
        renew_at = time()
        while True:
            # While the database is away nobody else can take the recording either.
            with contextlib.suppress(DatabaseAway):
                if time() >= renew_at:
                    await self._renew(mine)
                    renew_at = time() + self._lease_ms / 1000 / RENEWALS
                async with self._db.reading() as session:
                    state = await store.state_of(session, mine)
                    held.hosts = set(await lectures.hosts_of(session, mine.lecture_id))
                    held.server = await self._server(session, mine) or held.server
                if state is None:
                    raise LeaseLost
                if state is RecordingState.FINISHING:
                    over.set()
            await asyncio.sleep(LOOK_S)

    async def _renew(self, mine: Recording) -> None:
        """Raises LeaseLost."""
        async with self._db.writing() as session:
            if not await store.renew(session, mine, lease_ms=self._lease_ms):
                raise LeaseLost

    async def _server(self, session: AsyncSession, mine: Recording) -> str | None:
        """The media server that the room is on; it may be moved to another."""
        name = main_room_name(mine.lecture_id)
        room = (await lectures.rooms_named(session, [name])).get(name)
        return room.media_server if room is not None else None

    async def _write(self, mine: Recording, over: asyncio.Event, held: _Held) -> RecordingResult:
        async with self._db.reading() as session:
            lecture = await lectures.find(session, mine.lecture_id)
        room = main_room_name(mine.lecture_id)

        def may_record(identity: str) -> bool:
            found = parse_identity(identity)
            return found is not None and found.seat in held.hosts

        async def passes() -> Pass:
            async with self._db.reading() as session:
                held.server = await self._server(session, mine) or held.server
            return self._ticket(held.server, room, f"recorder-{mine.id}-{mine.fence}", self._clock.now())

        async def on_segment(segment: Segment) -> None:
            async with self._db.writing() as session:
                if not await store.add_file(session, mine, segment):
                    raise LeaseLost

        async def on_state(state: RecorderState) -> None:
            await self._report(mine, state)

        return await self._writes(
            RecordingJob(mine.id, lecture.title if lecture else "", may_record),
            passes=passes,
            holds=lambda given: given.server == held.server,
            storage=self._storage,
            on_segment=on_segment,
            stop=over,
            on_state=on_state,
            clock=self._clock,
        )

    async def _report(self, mine: Recording, state: RecorderState) -> None:
        with contextlib.suppress(DatabaseAway):
            async with self._db.writing() as session:
                await service.report(session, mine, state, self._clock.now())

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(DatabaseAway):
                ahead = self._clock.now() - await self._db.now()
                async with self._db.writing() as session:
                    await processes.beat(
                        session,
                        name=self._name,
                        kind="recorder",
                        started_at=self._started_at,
                        now=self._clock.now(),
                        detail={"recording": len(self._running), "clock_ahead_ms": ahead},
                    )
            await asyncio.sleep(processes.BEAT_EVERY_S)
