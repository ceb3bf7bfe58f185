"""Named queries on who of a unit was registered for a lecture, and who did not come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance.tables import AttendanceRow
from webinar.lectures.rules import LectureState, Seat
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people import store as people
from webinar.people.access import Scope, in_subtrees
from webinar.people.rules import Unit
from webinar.people.tables import PersonRow, UnitRow

OVER = (LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED)
# Each of them may have ten thousand rows.
LISTED = 30


@dataclass(frozen=True, slots=True)
class Attended:
    """A lecture that is over, and how many of a unit's people were registered and did not come."""

    lecture_id: str
    title: str
    starts_at: int
    ends_at: int
    zone: str
    jp: int
    final: bool
    registered: int
    absent: int


@dataclass(frozen=True, slots=True)
class Absentee:
    """Somebody who was registered and did not come; `nip` is None where the reader may not see it."""

    person_id: str
    name: str
    nip: str | None
    email: str | None
    unit_id: str
    unit_name: str


async def lectures(session: AsyncSession, unit: Unit, *, lecture_id: str | None = None) -> Sequence[Attended]:
    """The newest lectures with a stored attendance in which people of the unit had a seat."""
    newest = (
        select(LectureRow.id)
        .where(
            LectureRow.institution_id == unit.institution_id,
            LectureRow.state.in_([state.value for state in OVER]),
            LectureRow.trial.is_(False),
        )
        .order_by(LectureRow.starts_at.desc(), LectureRow.id)
        .limit(LISTED)
    )
    if lecture_id is not None:
        newest = newest.where(LectureRow.id == lecture_id)
    counted = (
        select(
            AttendanceRow.lecture_id,
            func.count().label("registered"),
            func.sum(case((AttendanceRow.seconds == 0, 1), else_=0)).label("absent"),
        )
        .join(RegistrationRow, RegistrationRow.id == AttendanceRow.registration_id)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(
            AttendanceRow.lecture_id.in_(newest.subquery().select()),
            in_subtrees(UnitRow.path, [unit.path]),
            _participant(),
        )
        .group_by(AttendanceRow.lecture_id)
        .subquery()
    )
    rows = await session.execute(
        select(LectureRow, counted.c.registered, counted.c.absent)
        .join(counted, counted.c.lecture_id == LectureRow.id)
        .order_by(LectureRow.starts_at.desc(), LectureRow.id)
    )
    return [
        Attended(
            lecture_id=row.id,
            title=row.title,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            zone=row.zone,
            jp=row.jp,
            final=row.state != LectureState.ENDED.value,
            registered=registered,
            absent=absent,
        )
        for row, registered, absent in rows
    ]


async def absentees(session: AsyncSession, scope: Scope, unit: Unit, lecture_id: str) -> Sequence[Absentee]:
    """Who of the unit was registered for a lecture and did not come, by unit and name."""
    rows = await session.execute(
        select(
            PersonRow.id,
            PersonRow.name,
            PersonRow.nip,
            PersonRow.email,
            UnitRow.id,
            UnitRow.name,
            UnitRow.path,
        )
        .select_from(AttendanceRow)
        .join(RegistrationRow, RegistrationRow.id == AttendanceRow.registration_id)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(
            AttendanceRow.lecture_id == lecture_id,
            AttendanceRow.seconds == 0,
            in_subtrees(UnitRow.path, [unit.path]),
            _participant(),
        )
        .order_by(UnitRow.path, PersonRow.sort_name, PersonRow.id)
    )
    return [
        Absentee(
            ident,
            name,
            nip if people.may_see_private(scope, ident, path) else None,
            email,
            unit_id,
            unit_name,
        )
        for ident, name, nip, email, unit_id, unit_name, path in rows
    ]


def _participant() -> Any:
    return and_(RegistrationRow.state == "registered", RegistrationRow.role == Seat.PARTICIPANT.value)
