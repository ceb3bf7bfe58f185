"""Booking a series, adding editions to it, and registering people for all of it.

Every function takes the open session and never commits. What goes to many editions is written down as
owed and carried out by `keeper.py`, one short transaction an edition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.audit import Actor
from webinar.core.errors import Invalid, Refused
from webinar.core.ids import is_id, new_id
from webinar.lectures import booking, bulk
from webinar.lectures.booking import Booking
from webinar.lectures.change_rules import PLAIN, TIME
from webinar.lectures.rules import Lecture
from webinar.people.access import Scope
from webinar.series import store
from webinar.series.recurrence import LeftOut, first_slots, further_slots, passed_over
from webinar.series.recurrence_rules import (
    MOST_EDITIONS,
    Ending,
    Recurrence,
    checked_count,
    endless,
)
from webinar.series.rules import (
    LECTURERS,
    Edition,
    Fields,
    MemberState,
    Series,
    Slot,
    member_after,
    of_lecture,
    on_slot,
)
from webinar.series.tables import MemberRow, SeriesRow
from webinar.workdays import national

MOST_MEMBERS = 5_000
BATCH = 500
# Editions that are booked in one transaction, which on SQLite has to stay under 50 ms.
ROUND = 10


class StillBooking(Refused):
    """Raise with `count`, the editions that are still to be made."""

    code = "still_booking"
    status = 409
    message = "%(count)s editions are still being booked. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Plan:
    """How a series recurs, and how it ends."""

    rule: Recurrence
    ending: Ending
    skips_holidays: bool = False


def planned(plan: Plan, first: Booking) -> list[str]:
    """The wall times at which the editions of a new series begin.

    Raises:
        Invalid: the rule and the first time do not fit, or there would be too many.
    """
    return first_slots(plan.rule, first.starts_wall, plan.ending, _left_out(plan.skips_holidays, 0))


def holidays_left_out(series: Series, last_slot: str) -> list[date]:
    """The days on which the series would have had an edition, but for a holiday; where later changes have
    moved all that follow, as they would be now."""
    if not series.skips_holidays:
        return []
    rule, left_out = endless(series.rule), _left_out(True, series.shift_days)
    days = passed_over(rule, series.first_wall, last_slot, left_out)
    return [day + timedelta(days=series.shift_days) for day in days]


def _left_out(skips_holidays: bool, shift_days: int) -> LeftOut:
    def left_out(day: date) -> bool:
        return skips_holidays and national.is_holiday(day + timedelta(days=shift_days))

    return left_out


async def book(
    session: AsyncSession,
    scope: Scope,
    first: Booking,
    plan: Plan,
    *,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> Series:
    """Book a series: its first editions at once, the others in rounds, soon; `first` is the first edition,
    and its id becomes the series'.

    Raises:
        Invalid: also where one of the later times does not exist in the zone. Forbidden, NotFound.
    """
    if not is_id(first.id):
        raise Invalid.at("id", "This form is broken. Open it again.")
    booking.checked(first, now)
    again = await store.find(session, first.id)
    if again is not None:
        return await store.get(session, scope, first.id, to_change=True)
    planned_slots = _slots(planned(plan, first), 1, actor)
    base = said_by(first)
    bulk.checked_all(_bookings(first, base, planned_slots, 0), now)
    at_once = planned_slots[:ROUND]
    bookings = _bookings(first, base, at_once, 0)
    made = await bulk.book_all(session, scope, bookings, now=now, actor=actor, link_key=link_key)
    await store.add(
        session,
        SeriesRow(
            id=first.id,
            institution_id=made[0].institution_id,
            unit_id=first.unit_id,
            title=first.title.strip(),
            rule=str(plan.rule),
            first_wall=first.starts_wall,
            skips_holidays=plan.skips_holidays,
            shift_days=0,
            version=1,
            created_by=actor.id,
            created_at=now,
            updated_at=now,
        ),
    )
    await _number(session, first.id, at_once, bookings, made)
    await _leave_for_later(session, first.id, planned_slots[ROUND:], now)
    found = await store.get(session, scope, first.id, to_change=True)
    await note(session, found, "series_booked", now=now, actor=actor, editions=len(planned_slots))
    return found


def _slots(walls: Sequence[str], first_number: int, actor: Actor) -> list[Slot]:
    return [Slot(number, wall, (actor.kind, actor.id)) for number, wall in enumerate(walls, first_number)]


def _bookings(like: Booking, base: Fields, wanted: Sequence[Slot], shift_days: int) -> list[Booking]:
    """A booking for each slot, with everything but the time as the series gives it."""
    return [_booking(like, on_slot(base, one.slot, shift_days)) for one in wanted]


async def _number(
    session: AsyncSession,
    series_id: str,
    wanted: Sequence[Slot],
    bookings: Sequence[Booking],
    made: Sequence[Lecture],
) -> None:
    """Keep which edition of the series each lecture is, and what the series gave it."""
    rows = [
        # Which policy was meant by none is known by now.
        (one.number, lecture.id, one.slot, said_by(replace(booked, policy_id=lecture.policy_id)))
        for one, booked, lecture in zip(wanted, bookings, made, strict=True)
    ]
    await store.add_editions(session, series_id, rows)


async def _leave_for_later(session: AsyncSession, series_id: str, wanted: Sequence[Slot], now: int) -> None:
    """Write down what the keeper makes round after round: a transaction that books all at once would keep
    everybody else who writes waiting."""
    await store.add_slots(session, series_id, wanted)
    if wanted:
        await owe_keeping(session, series_id, now)


async def make(
    session: AsyncSession, series: Series, wanted: Sequence[Slot], *, now: int, link_key: bytes
) -> None:
    """Book editions that were left for later, like the last one. One transaction takes them off the plan,
    so that none is made twice.

    Raises:
        Refused: one of them cannot be booked any more.
    """
    last = await store.last_edition(session, series.id)
    actor = Actor(*wanted[0].asked_by)
    bookings = _bookings(_like(series, last), last.base, wanted, series.shift_days)
    made = await bulk.book_all(
        session, Scope.system(series.institution_id), bookings, now=now, actor=actor, link_key=link_key
    )
    await _number(session, series.id, wanted, bookings, made)
    await store.remove_slots(session, series.id, [one.number for one in wanted])


async def try_again(session: AsyncSession, series: Series, *, now: int, actor: Actor) -> None:
    """What could not be made is to be made after all."""
    count = await store.clear_refusals(session, series.id)
    if count:
        await note(session, series, "series_tried_again", now=now, actor=actor, editions=count)
        await owe_keeping(session, series.id, now)


async def leave_out(session: AsyncSession, series: Series, *, now: int, actor: Actor) -> None:
    """What could not be made is not wanted any more."""
    count = await store.remove_refused(session, series.id)
    if count:
        await note(session, series, "series_left_out", now=now, actor=actor, editions=count)


def said_by(booking: Booking) -> dict[str, Any]:
    """What a booking says, in the fields of a series."""
    fields = {name: getattr(booking, name) for name in (*TIME, *PLAIN)}
    kept = {"title": booking.title.strip(), "description": booking.description.strip()}
    return {**fields, **kept, LECTURERS: sorted(booking.lecturer_ids)}


def _booking(like: Booking, given: Fields) -> Booking:
    return replace(like, **of_lecture(given), id=new_id(), lecturer_ids=tuple(given[LECTURERS]))


async def extend(
    session: AsyncSession,
    scope: Scope,
    series: Series,
    ending: Ending,
    *,
    version: int,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> int:
    """Add editions behind the last one, made like it; how many. Members get seats in them. The first ones
    are made at once, the others soon.

    Raises:
        Invalid: too many, or too far. Stale: somebody else changed the series. StillBooking.
    """
    await store.lock(session, series.id)
    await must_be_made(session, series)
    seen = replace(series, version=version)
    await store.save(session, seen, now)
    last = await store.last_edition(session, series.id)
    refused = await store.slots(session, series.id)
    number, slot = max([(last.number, last.slot), *((one.number, one.slot) for one in refused)])
    if ending.count is not None:
        checked_count(ending.count)
    walls = further_slots(
        endless(series.rule),
        series.first_wall,
        slot,
        ending,
        _left_out(series.skips_holidays, series.shift_days),
    )
    if await store.count_editions(session, series.id) + len(refused) + len(walls) > MOST_EDITIONS:
        raise Invalid.at("count", "A series has from 1 to %(most)s editions.", most=MOST_EDITIONS)
    wanted = _slots(walls, number + 1, actor)
    bulk.checked_all(_bookings(_like(series, last), last.base, wanted, series.shift_days), now)
    await make(session, series, wanted[:ROUND], now=now, link_key=link_key)
    await _leave_for_later(session, series.id, wanted[ROUND:], now)
    await note(session, series, "series_extended", now=now, actor=actor, editions=len(wanted))
    await owe_keeping(session, series.id, now)
    return len(wanted)


async def must_be_made(session: AsyncSession, series: Series) -> None:
    """Raise StillBooking while editions are still to be made: what all that follow get is known after."""
    to_make = (await store.counts_to_make(session, [series.id])).get(series.id, 0)
    if to_make:
        raise StillBooking(count=to_make)


def _like(series: Series, last: Edition) -> Booking:
    return Booking(id=series.id, unit_id=series.unit_id, lecturer_ids=(), **of_lecture(last.base))


# --- members -----------------------------------------------------------------------------------


async def join(
    session: AsyncSession, scope: Scope, series: Series, person_ids: Sequence[str], *, now: int, actor: Actor
) -> tuple[int, int]:
    """Register people for the whole series: a seat in each edition that lies ahead, and in later ones.

    Returns:
        How many were added, and how many were in it before.

    Raises:
        Invalid: somebody is not of this institution, or too many.
    """
    wanted = list(dict.fromkeys(person_ids))
    await store.lock(session, series.id)
    unknown = await booking.unknown_persons(session, scope, wanted)
    if unknown:
        raise Invalid.at("persons", "A person on the list does not exist.")
    states: dict[str, MemberState] = {}
    for start in range(0, len(wanted), BATCH):
        states |= await store.member_states(session, series.id, wanted[start : start + BATCH])
    inside = {person for person, state in states.items() if state.value in store.IN}
    fresh = [person for person in wanted if person not in states]
    back = [person for person in wanted if person in states and person not in inside]
    if await store.count_members(session, series.id) + len(fresh) + len(back) > MOST_MEMBERS:
        raise Invalid.at("persons", "A series takes at most %(most)s people.", most=MOST_MEMBERS)
    for start in range(0, len(fresh), BATCH):
        rows = [
            {
                "series_id": series.id,
                "person_id": person,
                "state": MemberState.JOINING.value,
                "changed_at": now,
            }
            for person in fresh[start : start + BATCH]
        ]
        await session.execute(insert(MemberRow), rows)
    for person in back:
        await store.move_member(session, series.id, person, member_after(states[person], "join"), now)
    if fresh or back:
        await note(session, series, "series_joined", now=now, actor=actor, count=len(fresh) + len(back))
        await owe_keeping(session, series.id, now)
    return len(fresh) + len(back), len(inside)


async def leave(session: AsyncSession, series: Series, person_id: str, *, now: int, actor: Actor) -> bool:
    """Take somebody out of the whole series, and the seats in editions that lie ahead back."""
    await store.lock(session, series.id)
    state = (await store.member_states(session, series.id, [person_id])).get(person_id)
    if state is None or state.value not in store.IN:
        return False
    await store.move_member(session, series.id, person_id, member_after(state, "leave"), now)
    await note(session, series, "series_left", now=now, actor=actor, person_id=person_id)
    await owe_keeping(session, series.id, now)
    return True


# --- what follows ------------------------------------------------------------------------------


async def owe_keeping(session: AsyncSession, series_id: str, now: int) -> None:
    """Have carried out what is owed to the editions."""
    key = f"series:{series_id}"
    await effects.owe(session, kind="series", key=key, subject=key, due_at=now, now=now)


async def note(
    session: AsyncSession, series: Series, action: str, *, now: int, actor: Actor, **fields: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=actor,
        subject=("series", series.id),
        action=action,
        institution_id=series.institution_id,
        **fields,
    )
