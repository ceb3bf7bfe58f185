"""Opening rooms: what the database has to say about it is said for many lectures at once.

Each lecture has its own call of the media server, and waits for no other's. The room is recorded as
wanted before the call; that it stands is written together with what is owed next.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.placing import Placer
from scheduler.plan import Seen, plan, room_timeouts
from scheduler.sweep import sweep_owed
from webinar.attendance.tallies import tally_owed
from webinar.attendance.tally_rules import REFRESH_MS
from webinar.core import effects
from webinar.core.batches import Batches
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Together
from webinar.core.effects_runner import batch_size
from webinar.lectures import rooms, service
from webinar.lectures.rooms import Made
from webinar.lectures.rules import Lecture, LectureState, Room
from webinar.media.pool import Pool
from webinar.media.port import MediaUnavailable

FIRST_SWEEP_MS = 5_000

# A lecture and the name of its room that is wanted.
Place = tuple[Lecture, str]
NoteFailure = Callable[[Room, MediaUnavailable], Awaitable[None]]


class Opener:
    """Opens the rooms of lectures."""

    def __init__(self, db: Database, pool: Pool, clock: Clock, note_failure: NoteFailure) -> None:
        self._db = db
        self._pool = pool
        self._placer = Placer(pool, clock)
        self._clock = clock
        self._note_failure = note_failure
        self._wanted: Batches[Place, Room] = Batches(self._want, **batch_size(db))

    async def open(self, seen: Seen, name: str) -> Made:
        """Have a media server make the room; that it did is to be written by `write`.

        Raises:
            MediaUnavailable: it did not; that is noted.
        """
        lecture = seen.lecture
        room = await self._wanted((lecture, name))
        empty_s, departure_s = room_timeouts(lecture, self._clock.now())
        try:
            made = await self._pool.of(room.media_server).open_room(
                room.name, empty_timeout_s=empty_s, departure_timeout_s=departure_s
            )
        except MediaUnavailable as error:
            self._placer.failed(room.media_server)
            await self._note_failure(room, error)
            raise
        return Made(lecture, room, made.sid)

    def outcome(self, made: Made, seen: Seen) -> Again:
        """What to write, and when to look at the lecture again."""
        now = self._clock.now()
        state = LectureState.SCHEDULED
        lecture = made.lecture.after("open") if made.lecture.state is state else made.lecture
        after = plan(replace(seen, lecture=lecture).with_room(made.after(now)), now)
        due_at = now if after.deeds or after.next_at is None else after.next_at
        return Again(due_at, Together(self.write, made))

    async def write(self, session: AsyncSession, made: Sequence[Made]) -> None:
        """That these rooms stand, and what is owed from now on."""
        now = self._clock.now()
        fresh = await rooms.opened(session, made, now)
        owed = [sweep_owed(one.room, now + FIRST_SWEEP_MS) for one in fresh]
        counted = {one.lecture.id for one in fresh if not one.lecture.trial}
        owed += [tally_owed(ident, now + REFRESH_MS) for ident in sorted(counted)]
        await effects.owe_many(session, owed, now)
        for one in made:
            if one not in fresh:
                # Somebody else changed it meanwhile: look again.
                await effects.nudge(session, f"lecture:{one.lecture.id}", now)

    async def _want(self, places: Sequence[Place]) -> Sequence[Room]:
        async with self._db.writing() as session:
            rooms = await service.wanted_rooms(session, places)
            wanted = [(lecture, room) for (lecture, _), room in zip(places, rooms, strict=True)]
            return await self._placer.place(session, wanted)
