"""Changing or calling off one edition, or this one and all that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service as classroom
from webinar.core.audit import Actor
from webinar.core.errors import IllegalMove, Stale
from webinar.lectures import booking, editing
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.booking import Booking
from webinar.lectures.change_rules import TIME
from webinar.lectures.changes import seat_lecturers
from webinar.lectures.editing import change_to
from webinar.lectures.rules import Lecture, LectureState
from webinar.people.access import Scope
from webinar.series import service, store
from webinar.series.rules import (
    BY,
    CANCELLED,
    LECTURERS,
    Edition,
    Fields,
    Series,
    changed,
    days_between,
    followed,
    moved,
    of_lecture,
    present_of,
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes, when, and the key that new join links are made with."""

    scope: Scope
    actor: Actor
    now: int
    link_key: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """The edition as it is now, how many others take the change over, and which keep something own."""

    lecture: Lecture
    following: int
    keeping: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Later:
    """A later edition: what it is owed, what of that it takes over, and which fields it keeps as its own."""

    edition: Edition
    wanted: Fields
    taken: Fields
    keeps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """A change as it was thought through: what of the edition differs, and what later ones get.

    `owed` is what an earlier change still owes the edition itself; it is carried out along with this one.
    """

    series: Series
    edition: Edition
    differs: Fields
    owed: Fields
    given: Fields
    shift_days: int = 0
    following: bool = False
    later: tuple[Later, ...] = ()

    @property
    def fields(self) -> Fields:
        """Everything that the edition itself gets."""
        return {**self.owed, **self.differs}

    @property
    def keeping(self) -> tuple[int, ...]:
        return tuple(one.edition.number for one in self.later if one.keeps)


async def intended(
    session: AsyncSession,
    author: Author,
    series: Series,
    number: int,
    wanted: Fields,
    *,
    version: int,
    following: bool,
) -> Intent:
    """Think a change through; nothing is written, so that a long series keeps no writer waiting.

    Args:
        wanted: the new values, by field of a series; those that are missing stay.
        version: that of the edition's lecture when it was edited.

    Raises:
        Stale: somebody else changed the lecture. Invalid. IllegalMove: it has begun. StillBooking.
    """
    edition = await store.edition(session, series.id, number)
    before = present_of(edition.lecture, edition.lecturer_ids)
    differs = changed(before, {**before, **wanted})
    # What is so already, by a double click, is done.
    if not differs:
        return Intent(series, edition, {}, {}, edition.given)
    if version != edition.lecture.version:
        raise Stale
    if CANCELLED in (edition.wanted or {}):
        raise IllegalMove(state=LectureState.CANCELLED.value, move="reschedule")
    owed, given = followed(edition.given, before, edition.wanted or {})
    if not following:
        return Intent(series, edition, differs, owed, given)
    await service.must_be_made(session, series)
    before = {**before, **owed}
    days = days_between(before, differs) if "starts_wall" in differs else 0
    behind = [one for one in await store.editions(session, series.id) if one.number > number]
    later = tuple(_asked(author, one, differs, days) for one in behind if one.changeable)
    return Intent(series, edition, differs, owed, {**given, **differs}, days, True, later)


def _asked(author: Author, one: Edition, differs: Fields, days: int) -> Later:
    asked = moved(one.base, differs, days)
    possible(one, asked, author.now)
    wanted = {**(one.wanted or {}), **asked, BY: [author.actor.kind, author.actor.id]}
    taken, _ = followed(one.given, present_of(one.lecture, one.lecturer_ids), wanted)
    groups = {name for name in differs if name not in TIME[1:]}
    return Later(one, wanted, taken, tuple(name for name in one.own if name in groups))


async def change(session: AsyncSession, author: Author, intent: Intent) -> Outcome:
    """Carry an intent out: the edition changes at once, later ones take the change over soon.

    Raises:
        Stale: somebody changed the edition, or all that follow, since it was thought through.
    """
    series, edition = intent.series, intent.edition
    await store.lock(session, series.id)
    if await store.edition(session, series.id, edition.number) != edition:
        raise Stale
    if not intent.differs:
        return Outcome(edition.lecture, 0, ())
    if intent.following:
        await service.must_be_made(session, series)
        await store.owe(session, {one.edition.lecture.id: one.wanted for one in intent.later})
        values: dict[str, Any] = {"shift_days": series.shift_days + intent.shift_days}
        if "title" in intent.differs:
            values["title"] = intent.differs["title"]
        await store.save(session, series, author.now, **values)
        await service.owe_keeping(session, series.id, author.now)
    after = await carry_out(session, author, edition.lecture, intent.fields)
    await store.give(session, edition, intent.given, None)
    fields = {
        "number": edition.number,
        "following": len(intent.later),
        "fields": sorted(intent.differs),
    }
    await service.note(session, series, "edition_changed", now=author.now, actor=author.actor, **fields)
    return Outcome(after, len(intent.later), intent.keeping)


def possible(one: Edition, asked: Fields, now: int) -> None:
    """Raise what the later edition would be refused for, while somebody is there to read it."""
    fields = of_lecture({**one.base, **asked})
    booking.checked(Booking(id=one.lecture.id, unit_id="", lecturer_ids=(), **fields), now)


async def carry_out(session: AsyncSession, author: Author, lecture: Lecture, fields: Fields) -> Lecture:
    """Write fields of a series into one lecture, with everything that follows for its people."""
    if plain := of_lecture(fields):
        lecture = await editing.change(
            session,
            author.scope,
            lecture,
            change_to(plain),
            version=lecture.version,
            now=author.now,
            actor=author.actor,
        )
    if LECTURERS in fields:
        await _lecture_by(session, author, lecture, fields[LECTURERS])
    return lecture


async def _lecture_by(
    session: AsyncSession, author: Author, lecture: Lecture, person_ids: Sequence[str]
) -> None:
    """Who lectures, all of them; whoever was registered otherwise keeps the seat and its link."""
    for seat in (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]:
        if seat.person_id not in person_ids:
            await classroom.unregister(session, lecture, seat, now=author.now, actor=author.actor)
    await seat_lecturers(
        session, lecture, person_ids, now=author.now, actor=author.actor, link_key=author.link_key
    )
    await lectures.owe_announcing(session, lecture, author.now)


async def cancel(
    session: AsyncSession, author: Author, series: Series, number: int, reason: str, *, following: bool
) -> int:
    """Call an edition off, and with `following` those behind it that have not begun; how many in all."""
    await store.lock(session, series.id)
    first = await store.edition(session, series.id, number)
    owed: Mapping[str, Fields] = {}
    if following:
        await service.must_be_made(session, series)
        await store.save(session, series, author.now)
        by = [author.actor.kind, author.actor.id]
        owed = {
            lecture: {**wanted, CANCELLED: reason, BY: by}
            for lecture, wanted in (await store.owed_to(session, series.id, number)).items()
        }
    await lectures.cancel(session, first.lecture, reason, author.now, author.actor)
    await store.owe(session, owed)
    if owed:
        await service.owe_keeping(session, series.id, author.now)
    await service.note(
        session,
        series,
        "editions_cancelled",
        now=author.now,
        actor=author.actor,
        number=number,
        following=len(owed),
        reason=reason,
    )
    return 1 + len(owed)
