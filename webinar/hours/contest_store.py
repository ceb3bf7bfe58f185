"""Named queries on contests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from webinar.hours.contest_rules import Contest, ContestState
from webinar.hours.tables import ContestRow
from webinar.lectures.store import manageable
from webinar.lectures.tables import LectureRow
from webinar.people.access import Role, Scope, in_institution
from webinar.people.rules import path_ids
from webinar.people.tables import PersonRow, RoleRow, UnitRow

OPEN = ContestState.OPEN.value
# Nobody reads more than this at once; what was decided long ago is on the page of its lecture.
LISTED = 200
MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class Contested:
    """A contest with the names that a list shows."""

    contest: Contest
    name: str
    title: str
    starts_at: int
    zone: str
    # What the lecture is worth, hundredths of a JP.
    worth: int
    decided_by: str


async def find(session: AsyncSession, contest_id: str) -> Contest | None:
    query = select(ContestRow).where(ContestRow.id == contest_id)
    row = await session.scalar(query.execution_options(populate_existing=True))
    return _contest(row) if row else None


async def of_registrations(session: AsyncSession, ids: Sequence[str]) -> dict[str, list[Contest]]:
    """By registration, the newest first."""
    found: dict[str, list[Contest]] = {}
    for first in range(0, len(ids), 500):
        rows = await session.scalars(
            select(ContestRow)
            .where(ContestRow.registration_id.in_(ids[first : first + 500]))
            .order_by(ContestRow.opened_at.desc(), ContestRow.id)
        )
        for row in rows:
            found.setdefault(row.registration_id, []).append(_contest(row))
    return found


async def open_of(session: AsyncSession, registration_id: str) -> Contest | None:
    query = select(ContestRow).where(ContestRow.registration_id == registration_id, ContestRow.state == OPEN)
    row = await session.scalar(query)
    return _contest(row) if row else None


async def count_open(session: AsyncSession, lecture_id: str) -> int:
    """How many contests of a lecture wait for a decision: it is not settled before."""
    return (await open_in(session, [lecture_id])).get(lecture_id, 0)


async def open_in(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, int]:
    """How many contests wait in each of several lectures that have any."""
    query = (
        select(ContestRow.lecture_id, func.count().label("open"))
        .where(ContestRow.lecture_id.in_(lecture_ids), ContestRow.state == OPEN)
        .group_by(ContestRow.lecture_id)
    )
    return {row.lecture_id: row.open for row in await session.execute(query)}


async def count_waiting(session: AsyncSession, scope: Scope) -> int:
    """How many contests wait in all lectures that the scope manages; for a badge."""
    query = _managed(scope, select(func.count()).select_from(ContestRow)).where(ContestRow.state == OPEN)
    return int((await session.execute(query)).scalar_one())


async def listed(
    session: AsyncSession,
    scope: Scope,
    *,
    lecture_id: str | None = None,
    state: ContestState | None = None,
    after: tuple[int, str] | None = None,
    limit: int = LISTED,
) -> list[Contested]:
    """Contests of the lectures that the scope manages, the oldest first."""
    author = aliased(PersonRow)
    query = _managed(
        scope,
        select(
            ContestRow, PersonRow.name, LectureRow.title, LectureRow.starts_at, LectureRow.zone,
            LectureRow.jp, func.coalesce(author.name, ""),
        ),
    ).join(PersonRow, PersonRow.id == ContestRow.person_id).outerjoin(
        author, author.id == ContestRow.decided_by
    )  # fmt: skip
    if lecture_id is not None:
        query = query.where(ContestRow.lecture_id == lecture_id)
    if state is not None:
        query = query.where(ContestRow.state == state.value)
    if after is not None:
        at, id = after
        later = ContestRow.opened_at > at
        query = query.where(later | ((ContestRow.opened_at == at) & (ContestRow.id > id)))
    rows = await session.execute(query.order_by(ContestRow.opened_at, ContestRow.id).limit(limit))
    return [Contested(_contest(row), *rest) for row, *rest in rows]


async def add(session: AsyncSession, contest: Contest) -> None:
    values = {name: getattr(contest, name) for name in Contest.__slots__}
    await session.execute(insert(ContestRow).values(values | {"state": contest.state.value}))


async def save(session: AsyncSession, after: Contest) -> bool:
    """Write a decision, if the contest is still open; False when somebody was faster."""
    rows = await session.execute(
        update(ContestRow)
        .where(ContestRow.id == after.id, ContestRow.state == OPEN)
        .values(
            state=after.state.value,
            decided_at=after.decided_at,
            decided_by=after.decided_by,
            decision=after.decision,
        )
        .returning(ContestRow.id)
        .execution_options(synchronize_session=False)
    )
    return rows.scalar_one_or_none() is not None


async def organisers_of(session: AsyncSession, unit_path: str) -> list[str]:
    """Who decides about lectures of a unit: its organisers, and without any the administrators above it."""
    rows = await session.execute(
        select(RoleRow.role, PersonRow.id)
        .join(PersonRow, PersonRow.id == RoleRow.person_id)
        .where(
            RoleRow.unit_id.in_(path_ids(unit_path)),
            RoleRow.role.in_((Role.ORGANISER.value, Role.ADMINISTRATOR.value)),
            PersonRow.deactivated_at.is_(None),
            PersonRow.email.is_not(None),
        )
        .order_by(PersonRow.id)
    )
    found: dict[str, dict[str, None]] = {}
    for role, person_id in rows:
        found.setdefault(role, {})[person_id] = None
    chosen = found.get(Role.ORGANISER.value) or found.get(Role.ADMINISTRATOR.value) or {}
    return list(chosen)[:MOST_TOLD]


def _managed(scope: Scope, query: Any) -> Any:
    return (
        query.join(LectureRow, LectureRow.id == ContestRow.lecture_id)
        .join(UnitRow, UnitRow.id == LectureRow.unit_id)
        .where(in_institution(scope, ContestRow.institution_id), manageable(scope))
    )


def _contest(row: ContestRow) -> Contest:
    fields = {name: getattr(row, name) for name in Contest.__slots__}
    return Contest(**{**fields, "state": ContestState(row.state)})
