"""Watching the media server: one list of rooms every few seconds, compared with what is owed.

A room that is owed and absent, or there under another SID (it came back by itself after a crash), is
marked lost and recreated at once; a room that nobody owes is closed. A server that does not answer
is a state that pages show; when it answers again, everything that waits for it is looked at.
"""

from collections.abc import Sequence

import structlog

from scheduler.plan import compare
from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.lectures import rooms, store
from webinar.lectures.rules import Room, RoomState
from webinar.media import pool_store
from webinar.media.port import Media, MediaUnavailable
from webinar.media.servers import MAIN

NOT_CLOSED = (RoomState.WANTED, RoomState.OPEN, RoomState.CLOSING, RoomState.LOST)

log = structlog.get_logger()


class Watch:
    """One look with each `look()`; `error` says why the media server does not answer, None when it does."""

    def __init__(self, db: Database, media: Media, clock: Clock) -> None:
        self._db = db
        self._media = media
        self._clock = clock
        self.error: str | None = None
        self.since: int | None = None
        self._answered = False

    async def look(self) -> bool:
        """Look once; whether there are rooms to look after."""
        async with self._db.reading() as session:
            owed = await store.rooms_in(session, NOT_CLOSED)
        try:
            present = await self._media.list_rooms()
        except MediaUnavailable as error:
            async with self._db.writing() as session:
                await pool_store.unanswered(session, MAIN, error.code)
            await self._is_away(error.code, owed)
            return bool(owed)
        async with self._db.writing() as session:
            inside = sum(room.num_participants for room in present)
            await pool_store.answered(session, MAIN, rooms=len(present), participants=inside)
        if not self._answered:
            await self._is_back()
        difference = compare(owed, [(room.name, room.sid) for room in present])
        for room in difference.lost:
            async with self._db.writing() as session:
                lecture = await store.find(session, room.lecture_id)
                if lecture is not None and await rooms.lost(session, lecture, room, self._clock.now()):
                    log.warning("room_lost", lecture=lecture.id, room=room.name)
        await self._close_strange(difference.strange)
        return bool(owed)

    async def _is_away(self, error: str, owed: Sequence[Room]) -> None:
        """Say so on the page of every lecture in session; whether its room still stands is not known."""
        first, self.error, self._answered = self.error != error, error, False
        if not first:
            return
        self.since = self._clock.now()
        log.warning("media_server_away", error=error)
        async with self._db.writing() as session:
            for room in owed:
                if room.state is RoomState.OPEN:
                    await rooms.unreachable(session, room, error)

    async def _is_back(self) -> None:
        """Have every lecture looked at whose room waits for the media server."""
        now = self._clock.now()
        async with self._db.writing() as session:
            owed = await store.rooms_in(session, NOT_CLOSED)
            for ident in sorted({room.lecture_id for room in owed if room.state is not RoomState.OPEN}):
                await effects.nudge(session, f"lecture:{ident}", now)
            for room in owed:
                if room.state is RoomState.OPEN and room.last_error is not None:
                    await rooms.unreachable(session, room, None)
        log.info("media_server_answers")
        self.error, self.since, self._answered = None, now, True

    async def _close_strange(self, names: tuple[str, ...]) -> None:
        """Close what nobody owes, after a second look: a room may have been owed since the first."""
        if not names:
            return
        async with self._db.reading() as session:
            owed = {room.name for room in await store.rooms_in(session, NOT_CLOSED)}
        for name in set(names) - owed:
            log.warning("strange_room_closed", room=name)
            try:
                await self._media.close_room(name)
            except MediaUnavailable as error:
                log.warning("strange_room_stands", room=name, error=error.code)
                return
