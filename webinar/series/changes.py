"""Changing or calling off one edition, or this one and all that follow."""

from collections.abc import Sequence
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
from webinar.lectures.change_rules import PLAIN, TIME
from webinar.lectures.changes import seat_lecturers
from webinar.lectures.editing import Change
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


async def change(
    session: AsyncSession,
    author: Author,
    series: Series,
    number: int,
    wanted: Fields,
    *,
    version: int,
    following: bool,
) -> Outcome:
    """Change an edition at once; with `following` the later ones take the same change over, soon.

    Args:
        wanted: the new values, by field of a series; those that are missing stay.
        version: that of the edition's lecture when it was edited.

    Raises:
        Stale: somebody else changed the lecture. Invalid. IllegalMove: it has begun.
    """
    await store.lock(session, series.id)
    edition = await store.edition(session, series.id, number)
    if version != edition.lecture.version:
        raise Stale
    before = present_of(edition.lecture, edition.lecturer_ids)
    differs = changed(before, {**before, **wanted})
    if not differs:
        return Outcome(edition.lecture, 0, ())
    if CANCELLED in (edition.wanted or {}):
        raise IllegalMove(state=LectureState.CANCELLED.value, move="reschedule")
    # What an earlier change still owes it is carried out along with this one.
    owed, given = followed(edition.given, before, edition.wanted or {})
    before = {**before, **owed}
    later = []
    if following:
        later = [
            one for one in await store.editions(session, series.id) if one.number > number and one.changeable
        ]
        await _owe_change(session, author, series, edition, later, before, differs)
    after = await carry_out(session, author, edition.lecture, {**owed, **differs})
    await store.give(session, edition, {**given, **differs} if following else given, None)
    fields = {"number": number, "following": len(later), "fields": sorted(differs)}
    await service.note(session, series, "edition_changed", now=author.now, actor=author.actor, **fields)
    groups = {name for name in differs if name not in TIME[1:]}
    keeping = tuple(one.number for one in later if groups & set(one.own))
    return Outcome(after, len(later), keeping)


async def _owe_change(
    session: AsyncSession,
    author: Author,
    series: Series,
    edition: Edition,
    later: list[Edition],
    before: Fields,
    differs: Fields,
) -> None:
    days = days_between(before, differs) if "starts_wall" in differs else 0
    owed = {}
    for one in later:
        asked = moved(one.base, differs, days)
        _possible(one, asked, author.now)
        owed[one.lecture.id] = {**(one.wanted or {}), **asked, BY: [author.actor.kind, author.actor.id]}
    await store.owe(session, owed)
    values: dict[str, Any] = {"shift_days": series.shift_days + days}
    if "title" in differs:
        values["title"] = differs["title"]
    await store.save(session, series, author.now, **values)
    await service.owe_keeping(session, series.id, author.now)


def _possible(one: Edition, asked: Fields, now: int) -> None:
    """Raise what the later edition would be refused for, while somebody is there to read it."""
    base = {**one.base, **asked}
    fields = {name: base[name] for name in (*TIME, *PLAIN)}
    booking.checked(Booking(id=one.lecture.id, unit_id="", lecturer_ids=(), **fields), now)


async def carry_out(session: AsyncSession, author: Author, lecture: Lecture, fields: Fields) -> Lecture:
    """Write fields of a series into one lecture, with everything that follows for its people."""
    plain = {name: value for name, value in fields.items() if name in (*TIME, *PLAIN) and value is not None}
    if plain or "capacity" in fields:
        clears = "capacity" in fields and fields["capacity"] is None
        lecture = await editing.change(
            session,
            author.scope,
            lecture,
            Change(**plain, clear_capacity=clears),
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
    editions = [one for one in await store.editions(session, series.id) if one.number >= number]
    if not editions or editions[0].number != number:
        editions = [await store.edition(session, series.id, number)]
    first, later = editions[0], [one for one in editions[1:] if one.changeable and following]
    await lectures.cancel(session, first.lecture, reason, author.now, author.actor)
    by = [author.actor.kind, author.actor.id]
    owed = {one.lecture.id: {**(one.wanted or {}), CANCELLED: reason, BY: by} for one in later}
    await store.owe(session, owed)
    if later:
        await service.owe_keeping(session, series.id, author.now)
    await service.note(
        session,
        series,
        "editions_cancelled",
        now=author.now,
        actor=author.actor,
        number=number,
        following=len(later),
        reason=reason,
    )
    return 1 + len(later)
