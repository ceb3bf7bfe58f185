"""Booking many lectures at once that differ in their time only: a few statements, however many they are."""

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.audit import Actor
from webinar.core.errors import FieldError, Invalid
from webinar.lectures import booking, store
from webinar.lectures.booking import BATCH, Booking
from webinar.lectures.rules import Lecture, Seat, Times
from webinar.lectures.tables import RegistrationRow
from webinar.people.access import Scope


async def book_all(
    session: AsyncSession,
    scope: Scope,
    bookings: Sequence[Booking],
    *,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> list[Lecture]:
    """Book lectures of one unit with the same lecturers and the same policy; in the order given.

    Raises:
        Invalid: with the day of the lecture that is wrong. NotFound, Forbidden: the unit is not the scope's.
    """
    times = checked_all(bookings, now)
    first = bookings[0]
    unit = await booking.unit_to_book_in(session, scope, first.unit_id)
    if len(await booking.persons(session, unit.institution_id, first.lecturer_ids)) != len(
        set(first.lecturer_ids)
    ):
        raise Invalid.at("lecturer", "This person does not exist.")
    policy = await booking.pinned(session, unit.institution_id, first.policy_id, now)
    session.add_all(
        booking.new_row(one, agreed, unit.institution_id, policy, now=now, actor=actor)
        for one, agreed in zip(bookings, times, strict=True)
    )
    await session.flush()
    await _seat_lecturers(session, unit.institution_id, bookings, now, link_key)
    await _owe(session, unit.institution_id, [one.id for one in bookings], now, actor)
    found = await store.by_ids(session, [one.id for one in bookings])
    return [found[one.id] for one in bookings]


def checked_all(bookings: Sequence[Booking], now: int) -> list[Times]:
    """When each of them is.

    Raises:
        Invalid: with the day of the first that is wrong.
    """
    return [_checked(one, now) for one in bookings]


def _checked(one: Booking, now: int) -> Times:
    try:
        return booking.checked(one, now)
    except Invalid as invalid:
        day = one.starts_wall[:10]
        raise Invalid(
            [FieldError(e.field, e.message, {**e.fields, "day": day}) for e in invalid.errors]
        ) from None


async def _seat_lecturers(
    session: AsyncSession, institution_id: str, bookings: Sequence[Booking], now: int, link_key: bytes
) -> None:
    rows = [
        booking.new_seat(institution_id, one.id, person_id, Seat.LECTURER, now, link_key)
        for one in bookings
        for person_id in dict.fromkeys(one.lecturer_ids)
    ]
    for start in range(0, len(rows), BATCH):
        await session.execute(insert(RegistrationRow), rows[start : start + BATCH])


async def _owe(
    session: AsyncSession, institution_id: str, ids: Sequence[str], now: int, actor: Actor
) -> None:
    await audit.record_all(
        session, [("lecture", ident) for ident in ids], at=now, actor=actor, action="booked",
        institution_id=institution_id,
    )  # fmt: skip
    for kind in ("lecture", "announce"):
        keys = [(f"{kind}:{ident}", f"lecture:{ident}") for ident in ids]
        await effects.owe_all(session, kind, keys, due_at=now, now=now)
