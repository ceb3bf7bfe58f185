"""Who has another lecture at a time: named queries that show no more than the asker may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.lectures.rules import UPCOMING, Seat
from webinar.lectures.slot_rules import Engagement
from webinar.lectures.store import visible
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.access import Scope, in_institution, in_subtrees
from webinar.people.tables import PersonRow, UnitRow

SHOWN = 5
PAGE = 200


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody's other lecture. Without the right to see it, `title` and `lecture_id` are ""."""

    person_id: str
    name: str
    role: Seat
    lecture_id: str
    title: str
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Clashes:
    """How many people have one, and the first of them by time and name."""

    people: int
    shown: tuple[Clash, ...]


NONE = Clashes(0, ())


def named(ids: Sequence[str]) -> Any:
    """The people with these ids."""
    return PersonRow.id.in_(list(ids))


def registered(lecture_ids: Sequence[str], *roles: Seat) -> Any:
    """The people with a seat of such a role in one of the lectures."""
    return PersonRow.id.in_(
        select(RegistrationRow.person_id).where(
            RegistrationRow.lecture_id.in_(list(lecture_ids)),
            RegistrationRow.role.in_([role.value for role in roles]),
            RegistrationRow.state == "registered",
        )
    )


def of_unit(path: str) -> Any:
    """The active people of a unit and of those below it."""
    units = select(UnitRow.id).where(in_subtrees(UnitRow.path, [path]))
    return PersonRow.unit_id.in_(units) & PersonRow.deactivated_at.is_(None)


def _held(scope: Scope, people: Any, span: tuple[int, int], besides: Sequence[str]) -> list[Any]:
    """Conditions: seats of these people in lectures that overlap the span; those of a trial never do."""
    return [
        people,
        in_institution(scope, PersonRow.institution_id),
        RegistrationRow.state == "registered",
        LectureRow.state.in_([state.value for state in UPCOMING]),
        LectureRow.starts_at < span[1],
        LectureRow.ends_at > span[0],
        LectureRow.trial.is_(False),
        LectureRow.id.not_in(list(besides)),
    ]


def _seats(*columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(RegistrationRow)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .join(LectureRow, LectureRow.id == RegistrationRow.lecture_id)
    )


async def people_busy(
    session: AsyncSession,
    scope: Scope,
    people: ColumnElement[bool],
    span: tuple[int, int],
    *,
    besides: Sequence[str] = (),
) -> int:
    """How many of these people have another lecture within a span."""
    held = _held(scope, people, span, besides)
    found = await session.scalar(_seats(func.count(RegistrationRow.person_id.distinct())).where(*held))
    return found or 0


async def clashes(
    session: AsyncSession,
    scope: Scope,
    people: ColumnElement[bool],
    span: tuple[int, int],
    *,
    besides: Sequence[str] = (),
    limit: int = SHOWN,
) -> Clashes:
    """Other lectures of these people within a span; `besides` are lectures that do not count."""
    held = _held(scope, people, span, besides)
    count = await people_busy(session, scope, people, span, besides=besides)
    if not count:
        return NONE
    seen = visible(scope).label("seen")
    rows = await session.execute(
        _seats(PersonRow.id, PersonRow.name, RegistrationRow.role, LectureRow, seen)
        .join(UnitRow, UnitRow.id == LectureRow.unit_id)
        .where(*held)
        .order_by(LectureRow.starts_at, PersonRow.sort_name, PersonRow.id)
        .limit(limit)
    )
    return Clashes(count, tuple(_clash(*row) for row in rows))


def _clash(person_id: str, name: str, role: str, lecture: LectureRow, seen: bool) -> Clash:
    return Clash(
        person_id=person_id,
        name=name,
        role=Seat(role),
        lecture_id=lecture.id if seen else "",
        title=lecture.title if seen else "",
        starts_at=lecture.starts_at,
        ends_at=lecture.ends_at,
    )


async def engagements(
    session: AsyncSession,
    scope: Scope,
    people: ColumnElement[bool],
    span: tuple[int, int],
    *,
    besides: Sequence[str] = (),
) -> list[Engagement]:
    """Every lecture within the span, with those of the people who have a seat in it; one statement."""
    rows = await session.execute(
        _seats(LectureRow.id, LectureRow.starts_at, LectureRow.ends_at, RegistrationRow.person_id).where(
            *_held(scope, people, span, besides)
        )
    )
    found: dict[str, tuple[int, int, set[str]]] = {}
    for lecture_id, starts_at, ends_at, person_id in rows:
        found.setdefault(lecture_id, (starts_at, ends_at, set()))[2].add(person_id)
    return [Engagement(start, end, frozenset(ids)) for start, end, ids in found.values()]


async def count(session: AsyncSession, scope: Scope, people: ColumnElement[bool]) -> int:
    """How many of the scope's institution they are."""
    found = await session.scalar(
        select(func.count()).where(people, in_institution(scope, PersonRow.institution_id))
    )
    return found or 0
