"""Named queries on adjustments: what was changed, by whom and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from webinar.attendance.tables import AttendanceRow
from webinar.hours.adjust_rules import Adjustment
from webinar.hours.tables import AdjustmentRow
from webinar.lectures.rules import Seat
from webinar.lectures.tables import RegistrationRow
from webinar.people.tables import ApiKeyRow, PersonRow

# Databases limit the number of parameters.
ROWS = 500


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The adjustment that counts for a registration, as pages and exports show it; `jp` in hundredths.

    Without an author (`author_id` None, `author` "") it was the policy.
    """

    id: str
    jp: int
    before_jp: int
    author_id: str | None
    author: str
    reason: str
    at: int
    batch_id: str
    list_id: str | None
    contest_id: str | None


@dataclass(frozen=True, slots=True)
class SeatValue:
    """What was computed for a registration, None where nothing is stored of it yet."""

    registration_id: str
    person_id: str
    name: str
    role: Seat
    computed: int | None


def stands() -> Any:
    """SQL: the adjustment is no taking back, and was not taken back; the newest such one counts."""
    back = aliased(AdjustmentRow)
    return and_(AdjustmentRow.undoes.is_(None), ~exists().where(back.undoes == AdjustmentRow.id))


def newest(lecture_id: str | None = None) -> Any:
    """SQL: (registration_id, number) of the adjustment that counts for each registration that has one."""
    query = select(AdjustmentRow.registration_id, func.max(AdjustmentRow.number).label("number"))
    if lecture_id is not None:
        query = query.where(AdjustmentRow.lecture_id == lecture_id)
    return query.where(stands()).group_by(AdjustmentRow.registration_id).subquery()


def _adjusted(found: Any) -> Any:
    """Adjustments with the names of their authors: people, or programs by the name of their key."""
    query: Any = (
        select(AdjustmentRow, func.coalesce(PersonRow.name, ApiKeyRow.name, ""))
        .join(found, found.c.number == AdjustmentRow.number)
        .outerjoin(PersonRow, PersonRow.id == AdjustmentRow.author_id)
        .outerjoin(ApiKeyRow, ApiKeyRow.id == AdjustmentRow.author_id)
    )
    return query


async def effective(session: AsyncSession, lecture_id: str) -> dict[str, Adjusted]:
    """What counts instead of what was computed, by registration; one statement."""
    rows = await session.execute(_adjusted(newest(lecture_id)))
    return {row.registration_id: _shown(row, author) for row, author in rows}


async def effective_of(session: AsyncSession, registration_ids: Sequence[str]) -> dict[str, Adjusted]:
    """The same for some registrations of any lectures."""
    found: dict[str, Adjusted] = {}
    for first in range(0, len(registration_ids), ROWS):
        some = registration_ids[first : first + ROWS]
        query = _adjusted(newest()).where(AdjustmentRow.registration_id.in_(some))
        found |= {row.registration_id: _shown(row, author) for row, author in await session.execute(query)}
    return found


async def history(
    session: AsyncSession, lecture_id: str, registration_ids: Sequence[str] | None = None
) -> list[Adjustment]:
    """Everything that was adjusted in a lecture (of some registrations, or of all), oldest first."""
    query = select(AdjustmentRow).where(AdjustmentRow.lecture_id == lecture_id)
    if registration_ids is not None:
        found: list[Adjustment] = []
        for first in range(0, len(registration_ids), ROWS):
            some = registration_ids[first : first + ROWS]
            found += await _listed(session, query.where(AdjustmentRow.registration_id.in_(some)))
        return sorted(found, key=lambda one: one.number)
    return await _listed(session, query)


async def of_batch(session: AsyncSession, lecture_id: str, batch_id: str) -> list[Adjustment]:
    """One deed on many people, in a lecture that the caller may change."""
    query = select(AdjustmentRow).where(
        AdjustmentRow.lecture_id == lecture_id, AdjustmentRow.batch_id == batch_id
    )
    return await _listed(session, query)


async def find(session: AsyncSession, lecture_id: str, adjustment_id: str) -> Adjustment | None:
    query = select(AdjustmentRow).where(
        AdjustmentRow.lecture_id == lecture_id, AdjustmentRow.id == adjustment_id
    )
    return next(iter(await _listed(session, query)), None)


async def authors(session: AsyncSession, ids: Iterable[str]) -> Mapping[str, str]:
    """Names of authors by id: of people, and of the keys of programs."""
    wanted = list(set(ids))
    named: dict[str, str] = {}
    for table in (PersonRow, ApiKeyRow):
        for first in range(0, len(wanted), ROWS):
            rows = await session.execute(
                select(table.id, table.name).where(table.id.in_(wanted[first : first + ROWS]))
            )
            named.update((id, name) for id, name in rows)
    return named


async def seats(
    session: AsyncSession, lecture_id: str, registration_ids: Sequence[str], *, final: bool
) -> dict[str, SeatValue]:
    """Some registrations with what is stored of them: those that still stand, or were settled."""
    found: dict[str, SeatValue] = {}
    query = (
        select(
            RegistrationRow.id,
            RegistrationRow.person_id,
            PersonRow.name,
            RegistrationRow.role,
            AttendanceRow.jp,
        )
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .outerjoin(AttendanceRow, AttendanceRow.registration_id == RegistrationRow.id)
        .where(RegistrationRow.lecture_id == lecture_id)
    )
    if final:
        query = query.where(AttendanceRow.registration_id.is_not(None))
    else:
        query = query.where(RegistrationRow.state == "registered")
    for first in range(0, len(registration_ids), ROWS):
        some = registration_ids[first : first + ROWS]
        for id, person, name, role, jp in await session.execute(query.where(RegistrationRow.id.in_(some))):
            found[id] = SeatValue(id, person, name, Seat(role), jp)
    return found


async def computed_of(session: AsyncSession, registration_ids: Sequence[str]) -> dict[str, int]:
    """What is stored as computed, by registration; those of whom nothing is stored are missing."""
    found: dict[str, int] = {}
    for first in range(0, len(registration_ids), ROWS):
        some = registration_ids[first : first + ROWS]
        rows = await session.execute(
            select(AttendanceRow.registration_id, AttendanceRow.jp).where(
                AttendanceRow.registration_id.in_(some)
            )
        )
        found.update((id, jp) for id, jp in rows)
    return found


async def add(session: AsyncSession, made: Sequence[Adjustment]) -> list[Adjustment]:
    """Write adjustments, and answer them with the numbers that they got."""
    fields = [name for name in Adjustment.__slots__ if name != "number"]
    for first in range(0, len(made), ROWS):
        rows = [{name: getattr(one, name) for name in fields} for one in made[first : first + ROWS]]
        await session.execute(insert(AdjustmentRow), rows)
    written: list[Adjustment] = []
    for first in range(0, len(made), ROWS):
        some = [one.id for one in made[first : first + ROWS]]
        written += await _listed(session, select(AdjustmentRow).where(AdjustmentRow.id.in_(some)))
    return written


async def _listed(session: AsyncSession, query: Select[Any]) -> list[Adjustment]:
    rows = await session.scalars(query.order_by(AdjustmentRow.number))
    return [_adjustment(row) for row in rows]


def _adjustment(row: AdjustmentRow) -> Adjustment:
    return Adjustment(**{name: getattr(row, name) for name in Adjustment.__slots__})


def _shown(row: AdjustmentRow, author: str) -> Adjusted:
    return Adjusted(
        id=row.id,
        jp=row.after_jp,
        before_jp=row.before_jp,
        author_id=row.author_id,
        author=author,
        reason=row.reason,
        at=row.at,
        batch_id=row.batch_id,
        list_id=row.list_id,
        contest_id=row.contest_id,
    )
