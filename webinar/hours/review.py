"""What the review page reads: some rows of the stored attendance, filtered and sorted by the database.

Adjustments and contests are joined in, so that the rows say what counts now. No statement reads more
than it answers with, but for counting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, collate, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from webinar.attendance import store as attendances
from webinar.attendance.tables import AttendanceRow
from webinar.attendance.tally_rules import Tally
from webinar.hours.review_rules import Adjusted, Counts, Line, Show, Sort, Wish, most_jp
from webinar.hours.store import newest
from webinar.hours.tables import AdjustmentRow, ContestRow
from webinar.lectures.rules import Lecture, Seat
from webinar.lectures.tables import RegistrationRow
from webinar.people.access import Role, Scope, in_subtrees
from webinar.people.rules import normal_nip, sort_name
from webinar.people.store import may_see_private
from webinar.people.tables import ApiKeyRow, PersonRow, UnitRow
from webinar.policies.rules import Policy

MOST_WORDS = 8
# Databases limit the number of parameters.
ROWS = 500


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review is of: a lecture under its policy, as somebody may see it."""

    lecture: Lecture
    policy: Policy
    scope: Scope


async def counts(session: AsyncSession, of: Reviewed, tally: Tally) -> Counts:
    """How many people are in each group: the header's numbers, and what adjustments changed of them."""
    latest = newest(of.lecture.id)
    after, jp = AdjustmentRow.after_jp, AttendanceRow.jp
    most = _most(of)
    came = AttendanceRow.seconds > 0
    moved = (
        select(
            _sum(after > 0) - _sum(jp > 0),
            _sum(and_(came, after < most)) - _sum(and_(came, jp < most)),
            _sum(AttendanceRow.state == "doubtful"),
        )
        .select_from(latest)
        .join(AdjustmentRow, AdjustmentRow.number == latest.c.number)
        .join(AttendanceRow, AttendanceRow.registration_id == latest.c.registration_id)
        .join(RegistrationRow, RegistrationRow.id == latest.c.registration_id)
    )
    credited, below, decided = (await session.execute(moved)).one()
    open_ones = (
        select(func.count())
        .select_from(ContestRow)
        .where(ContestRow.lecture_id == of.lecture.id, ContestRow.state == "open")
    )
    return Counts(
        registered=tally.rows,
        came=tally.count("came"),
        absent=tally.count("absent"),
        credited=tally.count("credited") + (credited or 0),
        below=tally.count("below") + (below or 0),
        doubtful=tally.count("doubtful") - (decided or 0),
        contested=(await session.execute(open_ones)).scalar_one(),
        strangers=len(tally.strangers),
    )


async def page(session: AsyncSession, of: Reviewed, wish: Wish) -> list[Line]:
    """The rows that are wished for: `wish.rows` of them at most, from `wish.first` on."""
    query = _lines(of, wish).order_by(*_order(session, wish)).offset(wish.first).limit(wish.rows)
    return [_line(of.scope, row) for row in await session.execute(query)]


async def some(session: AsyncSession, of: Reviewed, registration_ids: Sequence[str]) -> list[Line]:
    """The rows of some people, by name."""
    query = _lines(of, Wish()).where(AttendanceRow.registration_id.in_(registration_ids[:ROWS]))
    rows = await session.execute(query.order_by(*_order(session, Wish())))
    return [_line(of.scope, row) for row in rows]


async def matching(session: AsyncSession, of: Reviewed, wish: Wish) -> int:
    """How many rows match, whatever part of them is shown."""
    found = _rows(of, wish).with_only_columns(func.count())
    return int((await session.execute(found)).scalar_one())


async def values(session: AsyncSession, of: Reviewed, wish: Wish) -> dict[str, int]:
    """What counts for everybody who matches, by registration: for one deed on all of them."""
    found = _rows(of, wish).with_only_columns(AttendanceRow.registration_id, _jp())
    rows = await session.execute(found)
    return dict(rows.tuples().all())


async def values_of(session: AsyncSession, of: Reviewed, registration_ids: Sequence[str]) -> dict[str, int]:
    """What counts for some people, by registration."""
    found: dict[str, int] = {}
    for first in range(0, len(registration_ids), ROWS):
        mine = AttendanceRow.registration_id.in_(registration_ids[first : first + ROWS])
        query = _rows(of, Wish()).where(mine).with_only_columns(AttendanceRow.registration_id, _jp())
        found |= dict((await session.execute(query)).tuples().all())
    return found


async def line(session: AsyncSession, of: Reviewed, registration_id: str) -> Line | None:
    """One person's row, or None."""
    return next(iter(await some(session, of, [registration_id])), None)


async def mark(session: AsyncSession, lecture_id: str) -> str:
    """Differs whenever an adjustment or a contest of the lecture was made or decided."""
    last = select(func.max(AdjustmentRow.number)).where(AdjustmentRow.lecture_id == lecture_id)
    opened = select(func.count(), func.sum(case((ContestRow.state == "open", 1), else_=0))).where(
        ContestRow.lecture_id == lecture_id
    )
    count, still = (await session.execute(opened)).one()
    return f"{(await session.execute(last)).scalar() or 0}.{count}.{still or 0}"


# --- what the statements are made of -----------------------------------------------------------


def _rows(of: Reviewed, wish: Wish) -> Select[Any]:
    latest = newest(of.lecture.id)
    contest = and_(ContestRow.registration_id == AttendanceRow.registration_id, ContestRow.state == "open")
    return (
        select(AttendanceRow)
        .join(RegistrationRow, RegistrationRow.id == AttendanceRow.registration_id)
        .join(PersonRow, PersonRow.id == AttendanceRow.person_id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .outerjoin(latest, latest.c.registration_id == AttendanceRow.registration_id)
        .outerjoin(AdjustmentRow, AdjustmentRow.number == latest.c.number)
        .outerjoin(ContestRow, contest)
        .where(AttendanceRow.lecture_id == of.lecture.id, *_shown(of, wish))
    )


def _lines(of: Reviewed, wish: Wish) -> Any:
    """With all that a row shows; authors are people, or programs by the name of their key."""
    author = aliased(PersonRow)
    return (
        _rows(of, wish)
        .outerjoin(author, author.id == AdjustmentRow.author_id)
        .outerjoin(ApiKeyRow, ApiKeyRow.id == AdjustmentRow.author_id)
        .with_only_columns(
            AttendanceRow, PersonRow.name, PersonRow.nip, PersonRow.email, UnitRow.name, UnitRow.path,
            RegistrationRow.role, ContestRow.id, AdjustmentRow, func.coalesce(author.name, ApiKeyRow.name),
        )
    )  # fmt: skip


def _shown(of: Reviewed, wish: Wish) -> list[ColumnElement[bool]]:
    came = AttendanceRow.seconds > 0
    groups: Mapping[Show, Sequence[ColumnElement[bool]]] = {
        Show.ABSENT: [AttendanceRow.seconds == 0],
        Show.BELOW: [came, _jp() < _most(of)],
        # Whoever was adjusted was looked at.
        Show.DOUBTFUL: [AttendanceRow.state == "doubtful", AdjustmentRow.id.is_(None)],
        Show.CONTESTED: [ContestRow.id.is_not(None)],
    }
    return [
        *groups.get(wish.show, ()),
        *(_matches(of.scope, word) for word in wish.text.split()[:MOST_WORDS]),
    ]


def _matches(scope: Scope, word: str) -> ColumnElement[bool]:
    """A word of the name, the address, the unit; the beginning of a NIP, for those who may see it."""
    either = [
        PersonRow.sort_name.contains(sort_name(word), autoescape=True),
        PersonRow.email.contains(word.lower(), autoescape=True),
        func.lower(UnitRow.name).contains(word.lower(), autoescape=True),
    ]
    digits = normal_nip(word)
    if digits.isascii() and digits.isdigit():
        private = in_subtrees(UnitRow.path, scope.paths(Role.ORGANISER, Role.UNIT_MANAGER))
        either.append(and_(private, PersonRow.nip.startswith(digits, autoescape=True)))
    return or_(*either)


def _jp() -> ColumnElement[int]:
    return func.coalesce(AdjustmentRow.after_jp, AttendanceRow.jp)


def _most(of: Reviewed) -> ColumnElement[int]:
    most = most_jp(of.policy, of.lecture.jp)
    others = [(RegistrationRow.role == seat.value, most[seat]) for seat in (Seat.LECTURER, Seat.ORGANISER)]
    return case(*others, else_=most[Seat.PARTICIPANT])


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    total: ColumnElement[int] = func.sum(case((condition, 1), else_=0))
    return total


def _order(session: AsyncSession, wish: Wish) -> list[ColumnElement[Any]]:
    """Whatever is sorted by, the name and the registration decide between equals; nobody is last of all."""
    name: list[ColumnElement[Any]] = [
        AttendanceRow.sort_name.expression,
        AttendanceRow.registration_id.expression,
    ]
    unit: ColumnElement[Any] = func.lower(UnitRow.name)
    if session.get_bind().dialect.name == "postgresql":
        unit = collate(unit, "C")
    by: Mapping[Sort, list[ColumnElement[Any]]] = {
        Sort.NAME: [],
        Sort.UNIT: [unit],
        Sort.MINUTES: [AttendanceRow.seconds.expression],
        Sort.JP: [_jp()],
        Sort.JOINED: [AttendanceRow.first_join.expression],
    }
    if wish.sort is Sort.NAME:
        return [one.desc() for one in name] if wish.descending else name
    first = by[wish.sort][0]
    order = first.desc() if wish.descending else first.asc()
    return [order.nulls_last(), *name]


def _line(scope: Scope, row: Any) -> Line:
    kept, name, nip, email, unit_name, unit_path, role, contest, adjusted, author = row
    one = attendances.stored(kept)
    private = may_see_private(scope, kept.person_id, unit_path)
    return Line(
        registration_id=one.registration_id,
        person_id=kept.person_id,
        name=name,
        nip=nip if private else None,
        email=email,
        unit_name=unit_name,
        role=Seat(role),
        presence=one.presence,
        seconds=one.seconds,
        uncertainty_s=one.uncertainty_s,
        computed_jp=one.jp,
        state=one.state,
        why=one.why,
        reconnects=one.reconnects,
        devices=one.devices,
        checks_answered=one.checks_answered,
        contested=contest is not None,
        adjusted=_adjusted(adjusted, author) if adjusted is not None else None,
    )


def _adjusted(row: AdjustmentRow, author: str | None) -> Adjusted:
    return Adjusted(
        id=row.id,
        before_jp=row.before_jp,
        after_jp=row.after_jp,
        reason=row.reason,
        author_id=row.author_id,
        author=author or "",
        at=row.at,
        batch_id=row.batch_id,
    )
