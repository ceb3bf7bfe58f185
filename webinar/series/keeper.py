"""Carries out what is owed to a series: the handler of kind `series`.

Level-triggered: it looks for the next edition that has to take something over, for the next ones that are
still to be made, and for the next people without a seat, until there is nothing left; each step is a short
transaction of its own. After a crash it goes on.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service as classroom
from webinar.core.audit import SYSTEM, Actor
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome, Skip
from webinar.core.errors import Refused, Stale, Unavailable
from webinar.lectures import booking
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Seat
from webinar.people.access import Scope
from webinar.series import service, store
from webinar.series.changes import Author, carry_out
from webinar.series.rules import (
    BY,
    CANCELLED,
    Edition,
    Fields,
    MemberState,
    Slot,
    followed,
    member_after,
    present_of,
    reasons,
)

# People who get a seat in one transaction.
BATCH = 50
# Those who give a seat back are put out of the room as well: fewer at a time.
LEAVERS = 8
# After so long it comes to an end and is owed again, so that a long list of steps is never taken for one
# that hangs.
SPELL_MS = 20_000


class _SpellOver(Exception):  # noqa: N818 - nothing went wrong
    """There is more to do; what was done is committed."""


class SeriesKeeper:
    """What the work needs: the database, the clock, and the key of join links."""

    def __init__(self, db: Database, clock: Clock, link_key: bytes) -> None:
        self._db, self._clock, self._link_key = db, clock, link_key

    async def keep(self, effect: Effect) -> Outcome:
        """Everything that is owed to one series, or as much of it as a spell allows."""
        series_id = effect.key.removeprefix("series:")
        until = self._clock.now() + SPELL_MS
        try:
            return await self._all(series_id, until)
        except _SpellOver:
            return Again(self._clock.now())

    async def _all(self, series_id: str, until: int) -> Outcome:
        while await self._next_change(series_id):
            self._go_on(until)
        while await self._make_next(series_id):
            self._go_on(until)
        async with self._db.reading() as session:
            if await store.find(session, series_id) is None:
                return Skip("the series is gone")
            moving = await store.moving(session, series_id)
            coming = await store.coming(session, series_id)
        for lecture in coming:
            while await self._seat_next(series_id, lecture.id):
                self._go_on(until)
            self._go_on(until)
        for start in range(0, len(moving), BATCH):
            settled = [(seen, _settled(seen[1])) for seen in moving[start : start + BATCH]]
            async with self._db.writing() as session:
                await store.settle_members(session, series_id, settled)
        return Done()

    def _go_on(self, until: int) -> None:
        if self._clock.now() >= until:
            raise _SpellOver

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
        except Unavailable:
            raise  # it was not refused: another try carries it out
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

    # --- editions that are still to be made ----------------------------------------------------

    async def _make_next(self, series_id: str) -> bool:
        """The next round of editions is booked; False when there are no more."""
        async with self._db.reading() as session:
            wanted = await store.next_slots(session, series_id, service.ROUND)
        if not wanted:
            return False
        if await self._made(series_id, wanted) is not None:
            # One of them cannot be: alone, each tells for itself.
            for one in wanted:
                refused = await self._made(series_id, [one])
                if refused is not None:
                    async with self._db.writing() as session:
                        await store.refuse_slot(session, series_id, one.number, reasons(refused))
        return True

    async def _made(self, series_id: str, wanted: Sequence[Slot]) -> Refused | None:
        """Book these, as far as nobody else did; or why not, and then none of them is booked."""
        try:
            async with self._db.writing() as session:
                await store.lock(session, series_id)
                series = await store.find(session, series_id)
                left = await store.next_slots(session, series_id, service.ROUND)
                wanted = [one for one in wanted if one in left]
                if series is not None and wanted:
                    now = self._clock.now()
                    await service.make(session, series, wanted, now=now, link_key=self._link_key)
        except Unavailable:
            raise
        except Refused as refused:
            return refused
        return None

    # --- seats ---------------------------------------------------------------------------------

    async def _seat_next(self, series_id: str, lecture_id: str) -> bool:
        """Seats in one edition for the next members without one; those who leave lose theirs. False when
        there is nobody left."""
        async with self._db.reading() as session:
            # Who writes has everybody else who writes wait: nobody does it for nothing.
            leaving = await store.seats_of_leaving(session, series_id, lecture_id, 1)
            if not leaving and not await store.without_seat(session, series_id, lecture_id, 1):
                return False
        async with self._db.writing() as session:
            lecture = await lecture_store.find(session, lecture_id)
            if lecture is None or lecture.state in booking.CLOSED:
                return False
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
        return len(people) == BATCH or gone == LEAVERS

    async def _take_back(self, session: AsyncSession, series_id: str, lecture: Lecture) -> int:
        ids = await store.seats_of_leaving(session, series_id, lecture.id, LEAVERS)
        for ident in ids:
            seat = await lecture_store.registration(session, ident)
            if seat is not None:
                await classroom.unregister(session, lecture, seat, now=self._clock.now(), actor=SYSTEM)
        return len(ids)


def _settled(state: MemberState) -> MemberState:
    """What a member is when that is carried out."""
    return member_after(state, "seated" if state is MemberState.JOINING else "gone")


async def _free(session: AsyncSession, lecture: Lecture, most: int) -> int:
    """How many more people an edition takes, up to `most`."""
    if lecture.capacity is None:
        return most
    taken = (await lecture_store.count_registrations(session, [lecture.id]))[lecture.id]
    return max(0, min(most, lecture.capacity - taken))
