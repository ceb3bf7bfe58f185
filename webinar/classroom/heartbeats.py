"""Signs of life of ten thousand pages at the price of one transaction a second.

Each page beats every 15 s. A beat that comes alone is written at once; those that come within a second of the
last write wait for the next one and share it. Whoever beats is answered after the commit, never before: what
is acknowledged is on disk. Whether each seat is still good is asked in the same transaction, for all of them
in one statement, so that nothing about seats is kept in memory, and a revoked link stops counting at once.
"""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from webinar.classroom.heartbeat_rules import Beat, refusal
from webinar.core.database import Database
from webinar.core.errors import Refused, Unavailable
from webinar.evidence import store as evidence
from webinar.lectures import store as lectures

COLLECT_S = 1.0
MOST_AT_ONCE = 2_000
MOST_WAITING = 20_000

log = structlog.get_logger()
Waiting = tuple[Beat, "asyncio.Future[Refused | None]"]


class BeatsAway(Unavailable):
    """The beat is not stored; the page tells again in 15 s."""

    code = "beats_away"


class Heartbeats:
    """Takes beats of a process and writes them together.

    Args:
        collect_s: the least time between two writes.
    """

    def __init__(self, database: Database, *, collect_s: float = COLLECT_S) -> None:
        self._database = database
        self._collect_s = collect_s
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._next_at = 0.0

    async def tell(self, beat: Beat) -> None:
        """Return after the commit.

        Raises:
            Refused: it does not count, see `heartbeat_rules.refusal`.
            BeatsAway: it could not be stored.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise BeatsAway
        told: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((beat, told))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="heartbeats")
        if (refused := await told) is not None:
            raise refused

    async def close(self) -> None:
        """Store what waits."""
        self._collect_s = self._next_at = 0.0
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        """Until nobody waits any more."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._next_at - loop.time()))
                self._next_at = loop.time() + self._collect_s
                group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._store(group)
        finally:
            self._writer = None

    async def _store(self, group: Sequence[Waiting]) -> None:
        try:
            refusals = await self._stored([beat for beat, _ in group])
        except (Unavailable, SQLAlchemyError) as error:
            log.warning("heartbeats_not_stored", error=type(error).__name__, beats=len(group))
            refusals = [BeatsAway() for _ in group]
        for (_, told), refused in zip(group, refusals, strict=True):
            if not told.done():
                told.set_result(refused)

    async def _stored(self, beats: Sequence[Beat]) -> Sequence[Refused | None]:
        """What became of each, after the commit."""
        async with self._database.writing() as session:
            standings = await lectures.standings(session, {beat.registration_id for beat in beats})
            refusals = [refusal(beat, standings.get(beat.registration_id)) for beat in beats]
            good = [beat for beat, refused in zip(beats, refusals, strict=True) if refused is None]
            await evidence.record_heartbeats(session, good)
        return refusals
