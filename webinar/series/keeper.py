"""Carries out what is owed to the editions of a series: the handler of kind `series`.

Level-triggered: it looks for the next edition that has to take something over, and for the next people
without a seat, until there is nothing left; each in a transaction of its own. After a crash it goes on.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service as classroom
from webinar.core.audit import SYSTEM, Actor
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Done, Effect, Outcome, Skip
from webinar.core.errors import Refused, Stale
from webinar.lectures import booking
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Seat
from webinar.people.access import Scope
from webinar.series import store
from webinar.series.changes import Author, carry_out
from webinar.series.rules import BY, CANCELLED, Edition, Fields, followed, member_after, present_of

# People who get a seat in one transaction.
BATCH = 200


class SeriesKeeper:
    """What the work needs: the database, the clock, and the key of join links."""

    def __init__(self, db: Database, clock: Clock, link_key: bytes) -> None:
        self._db, self._clock, self._link_key = db, clock, link_key

    async def keep(self, effect: Effect) -> Outcome:
        """Everything that is owed to one series."""
        series_id = effect.key.removeprefix("series:")
        while await self._next_change(series_id):
            pass
        async with self._db.reading() as session:
            if await store.find(session, series_id) is None:
                return Skip("the series is gone")
            moving = await store.moving(session, series_id)
            coming = await store.coming(session, series_id)
        for lecture in coming:
            await self._seat(series_id, lecture.id)
        for start in range(0, len(moving), BATCH):
            async with self._db.writing() as session:
                for seen in moving[start : start + BATCH]:
                    move = "seated" if seen[1].value == "joining" else "gone"
                    await store.settle_member(session, series_id, seen, member_after(seen[1], move))
        return Done()

    async def _next_change(self, series_id: str) -> bool:
        """One edition takes over what it is owed; False when none is owed anything."""
        async with self._db.reading() as session:
            owed = await store.next_owed(session, series_id)
        if owed is None:
            return False
        try:
            async with self._db.writing() as session:
                await store.lock(session, series_id)
                await self._take_over(session, await store.edition(session, series_id, owed.number))
        except Stale:
            return True  # somebody changed the lecture at this moment: it is looked at again
        except Refused as refused:
            async with self._db.writing() as session:
                await self._keep_as_it_is(session, owed, refused)
        return True

    async def _take_over(self, session: AsyncSession, edition: Edition) -> None:
        wanted = edition.wanted or {}
        present = present_of(edition.lecture, edition.lecturer_ids)
        taken, given = followed(edition.given, present, wanted)
        await store.give(session, edition, given, None)
        if not edition.changeable:
            return
        author = self._author(edition, wanted)
        if CANCELLED in wanted:
            await lectures.cancel(session, edition.lecture, wanted[CANCELLED], author.now, author.actor)
        elif taken:
            await carry_out(session, author, edition.lecture, taken)

    def _author(self, edition: Edition, wanted: Fields) -> Author:
        """Whoever asked for the change of all that follow."""
        kind, ident = wanted.get(BY) or (SYSTEM.kind, None)
        scope = Scope.system(edition.lecture.institution_id)
        return Author(scope, Actor(kind, ident), self._clock.now(), self._link_key)

    async def _keep_as_it_is(self, session: AsyncSession, edition: Edition, refused: Refused) -> None:
        """A change that has become impossible by now is passed over, and the timeline says so."""
        await store.give(session, edition, edition.given, None)
        await lectures.note(
            session, edition.lecture, "series_change_refused", now=self._clock.now(), code=refused.code
        )

    # --- seats ---------------------------------------------------------------------------------

    async def _seat(self, series_id: str, lecture_id: str) -> None:
        """Seats in one edition for members without one; those who leave lose theirs."""
        while True:
            async with self._db.writing() as session:
                lecture = await lecture_store.find(session, lecture_id)
                if lecture is None or lecture.state in booking.CLOSED:
                    return
                gone = await self._take_back(session, series_id, lecture)
                room = await _free(session, lecture, BATCH)
                people = await store.without_seat(session, series_id, lecture_id, room) if room else []
                await booking.register(
                    session,
                    lecture,
                    people,
                    role=Seat.PARTICIPANT,
                    now=self._clock.now(),
                    actor=SYSTEM,
                    link_key=self._link_key,
                )
            if len(people) < BATCH and gone < BATCH:
                return

    async def _take_back(self, session: AsyncSession, series_id: str, lecture: Lecture) -> int:
        ids = await store.seats_of_leaving(session, series_id, lecture.id, BATCH)
        for ident in ids:
            seat = await lecture_store.registration(session, ident)
            if seat is not None:
                await classroom.unregister(session, lecture, seat, now=self._clock.now(), actor=SYSTEM)
        return len(ids)


async def _free(session: AsyncSession, lecture: Lecture, most: int) -> int:
    """How many more people an edition takes, up to `most`."""
    if lecture.capacity is None:
        return most
    taken = (await lecture_store.count_registrations(session, [lecture.id]))[lecture.id]
    return max(0, min(most, lecture.capacity - taken))
