"""Watching a media server: one list of its rooms every few seconds, compared with what is owed there.

A room that is owed and absent, or there under another SID (it came back by itself after a crash), is
marked lost and recreated at once; a room that is not owed *there* is closed, also one that was moved to
another server meanwhile. A server that does not answer is a state that pages show; when it answers again,
everything that waits for it is looked at. When it is given up (`media/pool_rules.py`), its rooms are lost,
and looking at their lectures opens them elsewhere.

A look at a server with nothing new to say reads once and writes nothing, unless it is time to say that it
still answers.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.plan import compare
from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.lectures import placement, rooms, store
from webinar.lectures.rules import Room, RoomState
from webinar.media import pool_store
from webinar.media.pool import Pool
from webinar.media.pool_rules import ASK_EVERY_MS, Health
from webinar.media.pool_store import Known
from webinar.media.port import MediaUnavailable
from webinar.media.port import RoomState as Present

# Rooms in one transaction, so that no other writer waits long.
BATCH = 64
WATCH_S = ASK_EVERY_MS / 1000
# Without any room nobody waits for a media server that is away.
IDLE_WATCH_S = 15.0

log = structlog.get_logger()


def again_in_s(rooms: bool, took_s: float, every_s: float = WATCH_S) -> float:
    """Seconds until the next look at a server, by whether there are rooms and how long the last one took."""
    # Thousands of rooms take their time: never more than a tenth of ours.
    return max(every_s, 9 * took_s) if rooms else max(every_s, IDLE_WATCH_S)


class Watch:
    """One look at one server with each `look()`; `error` says why it does not answer us, None if it does."""

    def __init__(self, db: Database, pool: Pool, server: str, clock: Clock) -> None:
        self._db = db
        self._pool = pool
        self._media = pool.of(server)
        self._clock = clock
        self.server = server
        self.error: str | None = None
        self._answered = False

    async def look(self) -> bool:
        """Look once; whether there are rooms to look after, here or on another server."""
        async with self._db.reading() as session:
            # Read before the server is asked: what is opened in between is no false alarm.
            having = await placement.having(session)
            # Without any room a look is seldom, and what others know is not worth a question.
            known = await pool_store.known(session) if having else {}
            owed = await store.rooms_on(session, self.server) if self.server in having else []
        try:
            present = await self._media.list_rooms()
        except MediaUnavailable as error:
            await self._is_away(error.code)
            return bool(having)
        await self._is_there(present, known.get(self.server))
        difference = compare(owed, [(room.name, room.sid) for room in present])
        await self._lose(difference.lost)
        await self._close_strange(difference.strange)
        if any(self._may_be_deserted(name, known) for name in having):
            await self._open_elsewhere()
        return bool(having)

    def _may_be_deserted(self, name: str, known: Mapping[str, Known]) -> bool:
        """Whether the rooms of a server may have to be opened on another one."""
        return name not in self._pool or (name in known and known[name].health is Health.GIVEN_UP)

    async def _is_away(self, error: str) -> None:
        """Say so on the page of every lecture in session, unless it answers others; whether its rooms still
        stand is not known."""
        if self.error != error:
            log.warning("media_server_away", server=self.server, error=error)
        self.error, self._answered = error, False
        async with self._db.writing() as session:
            await pool_store.unanswered(session, self.server, error)
            if (await pool_store.known(session))[self.server].health is Health.ANSWERS:
                return
            standing = await store.rooms_on(session, self.server)
            await rooms.unreachable(session, [r for r in standing if r.state is RoomState.OPEN], error)
        await self._open_elsewhere()

    async def _is_there(self, present: Sequence[Present], known: Known | None) -> None:
        """Note that it answers, where that is news; after it did not, have every lecture looked at whose
        room waits for it."""
        inside = sum(room.num_participants for room in present)
        if self._answered and known is not None and not known.is_news(len(present), inside):
            return
        now = self._clock.now()
        async with self._db.writing() as session:
            await pool_store.answered(session, self.server, rooms=len(present), participants=inside)
            if self._answered:
                return
            standing = await store.rooms_on(session, self.server)
            await _nudge(session, [room for room in standing if room.state is not RoomState.OPEN], now)
            await rooms.unreachable(session, [r for r in standing if r.state is RoomState.OPEN], None)
        log.info("media_server_answers", server=self.server)
        self.error, self._answered = None, True

    async def _lose(self, gone: Sequence[Room]) -> None:
        for start in range(0, len(gone), BATCH):
            batch = gone[start : start + BATCH]
            async with self._db.writing() as session:
                lectures = await store.by_ids(session, sorted({room.lecture_id for room in batch}))
                pairs = [(lectures[r.lecture_id], r) for r in batch if r.lecture_id in lectures]
                for room in await rooms.lost(session, pairs, self._clock.now()):
                    log.warning(
                        "room_lost", lecture=room.lecture_id, room=room.name, server=room.media_server
                    )

    async def _open_elsewhere(self) -> None:
        """Rooms of servers that are given up, or gone from the settings, are lost: whichever server looks."""
        async with self._db.reading() as session:
            deserted = await placement.deserted(session, await placement.loads(session, self._pool))
            standing = [room for name in sorted(deserted) for room in await store.rooms_on(session, name)]
        await self._lose([room for room in standing if room.state is RoomState.OPEN])
        waiting = [room for room in standing if room.state in {RoomState.LOST, RoomState.WANTED}]
        if waiting:
            async with self._db.writing() as session:
                await _nudge(session, waiting, self._clock.now())

    async def _close_strange(self, names: tuple[str, ...]) -> None:
        """Close what nobody owes here, after a second look: a room may have been owed since the first."""
        if not names:
            return
        async with self._db.reading() as session:
            owed = {room.name for room in await store.rooms_on(session, self.server)}
        for name in sorted(set(names) - owed):
            log.warning("strange_room_closed", room=name, server=self.server)
            try:
                await self._media.close_room(name)
            except MediaUnavailable as error:
                log.warning("strange_room_stands", room=name, server=self.server, error=error.code)
                return


async def _nudge(session: AsyncSession, waiting: Iterable[Room], now: int) -> None:
    for ident in sorted({room.lecture_id for room in waiting}):
        await effects.nudge(session, f"lecture:{ident}", now)
