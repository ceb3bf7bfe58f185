"""Doing what the plan says. Each deed is recorded first, may be repeated, and stands alone.

No transaction is open while the media server is asked. Before each change the lecture is read again:
an organiser may have cancelled it while a room was being opened, and the next look then closes it.
"""

from collections.abc import Awaitable, Callable, Mapping

from recordings import service as recordings
from scheduler import occupancy
from scheduler.occupancy import Look
from scheduler.opening import Opener
from scheduler.plan import Action, Deed, Seen
from scheduler.sweep import Looker
from webinar.classroom import checks
from webinar.core import effects
from webinar.core.audit import SYSTEM
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.errors import Stale
from webinar.evidence import store as evidence
from webinar.hours import service as hours
from webinar.lectures import rooms, service, side_rooms
from webinar.lectures.rules import Room, RoomState
from webinar.media.pool import Pool, ServerUnknown
from webinar.media.port import MediaUnavailable
from webinar.policies import store as policies

# For how long a look that found nobody says that nobody is there.
LOOK_HOLDS_MS = 5_000


class Doer:
    """Applies actions to the database and the media server.

    Every method may raise `MediaUnavailable` (after it was recorded), `Stale` and `IllegalMove` (somebody
    else was faster: look again).
    """

    def __init__(self, db: Database, pool: Pool, clock: Clock) -> None:
        self._db = db
        self._pool = pool
        self._clock = clock
        self._look = Looker(pool)
        self.opener = Opener(db, pool, clock, self._note_failure)
        self._of_rooms: Mapping[Action, Callable[[Seen, str], Awaitable[None]]] = {
            Action.OPEN_ROOM: self._open_room,
            Action.CLOSE_ROOM: self._close_room,
            Action.CLOSE_IF_EMPTY: self._close_if_empty,
        }
        self._of_lectures: Mapping[Action, Callable[[Seen], Awaitable[None]]] = {
            Action.WANT_RECORDING: self._want_recording,
            Action.GO_LIVE: self._go_live,
            Action.PLAN_CHECKS: self._plan_checks,
            Action.MISS: self._miss,
            Action.END: self._end,
            Action.END_IF_EMPTY: self._end_if_empty,
            Action.STOP_RECORDING: self._stop_recording,
            Action.FINALISE: self._finalise,
        }

    async def do(self, deed: Deed, seen: Seen) -> None:
        if deed.room:
            await self._of_rooms[deed.action](seen, deed.room)
        else:
            await self._of_lectures[deed.action](seen)

    async def _open_room(self, seen: Seen, name: str) -> None:
        made = await self.opener.open(seen, name)
        async with self._db.writing() as session:
            await self.opener.write(session, [made])

    async def _want_recording(self, seen: Seen) -> None:
        async with self._db.writing() as session:
            await recordings.want(session, seen.lecture)

    async def _stop_recording(self, seen: Seen) -> None:
        async with self._db.writing() as session:
            await recordings.stop(session, seen.lecture.id)

    async def _go_live(self, seen: Seen) -> None:
        async with self._db.writing() as session:
            await service.went_live(session, seen.lecture, self._clock.now())

    async def _plan_checks(self, seen: Seen) -> None:
        lecture = seen.lecture
        async with self._db.writing() as session:
            policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
            await checks.plan(session, lecture, policy, self._clock.now())

    async def _end(self, seen: Seen) -> None:
        now = self._clock.now()
        async with self._db.writing() as session:
            if all(room.opened_at is None for room in seen.rooms):
                # Its host began it, but there was no room.
                await rooms.missed(session, seen.lecture, seen.main, now)
            await service.ended(session, seen.lecture, now)

    async def _end_if_empty(self, seen: Seen) -> None:
        """Nobody has been in any room for long enough: look once more, the last look is some time ago."""
        now = self._clock.now()
        looks = [await self._looked(room) for room in seen.rooms if room.state is RoomState.OPEN]
        async with self._db.writing() as session:
            self._require_fresh(now)
            await occupancy.record(session, looks)
            if not any(one.occupied for one in looks):
                await service.note(session, seen.lecture, "left_empty", now=now)
                await service.ended(session, seen.lecture, now)

    async def _close_if_empty(self, seen: Seen, name: str) -> None:
        """The same of one breakout room, while the lecture goes on."""
        room = seen.room(name)
        if room is None:
            return
        look = await self._looked(room)
        async with self._db.writing() as session:
            self._require_fresh(look.at)
            await occupancy.record(session, [look])
            if not look.occupied:
                await side_rooms.close(session, seen.lecture, [room], now=self._clock.now(), actor=SYSTEM)

    async def _looked(self, room: Room) -> Look:
        at = self._clock.now()
        sid, inside = await self._look(room)
        if sid is None:
            # Gone with everybody in it: the watch will have it opened again.
            raise MediaUnavailable
        return Look(room, sid, inside, at)

    def _require_fresh(self, looked_at: int) -> None:
        """A process that stood still since then would send out whoever came meanwhile. Raises Stale."""
        if self._clock.now() - looked_at > LOOK_HOLDS_MS:
            raise Stale

    async def _miss(self, seen: Seen) -> None:
        """The room was not opened in time; it would help nobody now. The trail says whether it was tried."""
        now = self._clock.now()
        async with self._db.writing() as session:
            await rooms.missed(session, seen.lecture, seen.main, now)
            await service.ended(session, seen.lecture, now)

    async def _close_room(self, seen: Seen, name: str) -> None:
        room = seen.room(name)
        if room is None:
            return
        async with self._db.writing() as session:
            closing = await rooms.closing(session, room)
        if closing is None:
            return
        try:
            await self._look_and_close(closing)
        except ServerUnknown:
            pass  # With its server it is gone from the settings; nobody can come in any more.
        except MediaUnavailable as error:
            await self._note_failure(closing, error)
            raise
        now = self._clock.now()
        async with self._db.writing() as session:
            # Seen once more: an absent room ends every interval that a lost webhook left open.
            await evidence.record_sweep(session, room_name=room.name, room_sid=None, participants=(), at=now)
            await rooms.closed(session, seen.lecture, closing, now)
            await effects.withdraw(session, f"sweep:{room.name}", "the room is closed", now)

    async def _look_and_close(self, room: Room) -> None:
        """The last look at who is inside, just before everybody is sent out."""
        if room.sid is not None:
            at = self._clock.now()
            # Not the SID we know: the media server may have died and made the room anew a moment ago.
            sid, inside = await self._look(room)
            async with self._db.writing() as session:
                await evidence.record_sweep(
                    session,
                    room_name=room.name,
                    room_sid=sid if inside else None,
                    participants=inside,
                    at=at,
                )
        await self._pool.of(room.media_server).close_room(room.name)

    async def _finalise(self, seen: Seen) -> None:
        now = self._clock.now()
        async with self._db.writing() as session:
            await hours.settle(session, seen.lecture, now)
            await service.finalised(session, seen.lecture, now)

    async def _note_failure(self, room: Room, error: MediaUnavailable) -> None:
        async with self._db.writing() as session:
            await rooms.failed(session, room, error.code)
