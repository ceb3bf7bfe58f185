"""Named queries on series, their editions and members; rows stay here."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance.tables import TallyRow
from webinar.core.errors import NotFound, Stale
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.access import Role, Scope, in_institution, in_subtrees
from webinar.people.tables import PersonRow, UnitRow
from webinar.series.rules import (
    CHANGEABLE,
    EMPTY_ROOMS_STAY,
    Edition,
    Growth,
    MemberState,
    Series,
    Slot,
    growth,
)
from webinar.series.tables import EditionRow, MemberRow, SeriesRow, SlotRow


def _manageable(scope: Scope) -> ColumnElement[bool]:
    return and_(
        in_institution(scope, SeriesRow.institution_id),
        in_subtrees(UnitRow.path, scope.paths(Role.ORGANISER)),
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    """Series that the scope manages, and those with an edition in which it has a seat."""
    if scope.person_id is None:
        return _manageable(scope)
    seats = (
        select(EditionRow.series_id)
        .join(RegistrationRow, RegistrationRow.lecture_id == EditionRow.lecture_id)
        .where(RegistrationRow.person_id == scope.person_id, RegistrationRow.state == "registered")
    )
    return or_(_manageable(scope), SeriesRow.id.in_(seats))


def _series() -> Any:
    return select(SeriesRow, UnitRow.path).join(UnitRow, UnitRow.id == SeriesRow.unit_id)


def _as_series(row: SeriesRow, path: str) -> Series:
    fields = {name: getattr(row, name) for name in Series.__slots__ if name != "unit_path"}
    return Series(unit_path=path, **fields)


async def get(session: AsyncSession, scope: Scope, series_id: str, *, to_change: bool = False) -> Series:
    """One series; `to_change` asks for one that the scope manages.

    Raises:
        NotFound: no such series, or not the scope's.
    """
    allowed = _manageable(scope) if to_change else _visible(scope)
    row = (await session.execute(_series().where(SeriesRow.id == series_id, allowed))).one_or_none()
    if row is None:
        raise NotFound
    return _as_series(*row)


async def find(session: AsyncSession, series_id: str) -> Series | None:
    """One series by id for the service's own processes, or None."""
    row = (await session.execute(_series().where(SeriesRow.id == series_id))).one_or_none()
    return _as_series(*row) if row else None


async def page(
    session: AsyncSession, scope: Scope, *, after: tuple[int, str] | None = None, limit: int = 50
) -> list[Series]:
    """The series of the scope, the newest first; `after` is (created_at, id) of the last one seen."""
    query = _series().where(_visible(scope))
    if after is not None:
        earlier = and_(SeriesRow.created_at == after[0], SeriesRow.id < after[1])
        query = query.where(or_(SeriesRow.created_at < after[0], earlier))
    rows = await session.execute(
        query.order_by(SeriesRow.created_at.desc(), SeriesRow.id.desc()).limit(limit)
    )
    return [_as_series(*row) for row in rows]


async def outlines(session: AsyncSession, series_ids: Sequence[str]) -> Mapping[str, tuple[int, int, int]]:
    """By series: how many editions, and when the first begins and the last ends."""
    rows = await session.execute(
        select(
            EditionRow.series_id,
            func.count(),
            func.min(LectureRow.starts_at),
            func.max(LectureRow.ends_at),
        )
        .join(LectureRow, LectureRow.id == EditionRow.lecture_id)
        .where(EditionRow.series_id.in_(list(series_ids)))
        .group_by(EditionRow.series_id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


async def editions(session: AsyncSession, series_id: str) -> list[Edition]:
    """Every edition with its lecture and lecturers, in order; three statements."""
    rows = (
        await session.execute(
            select(EditionRow).where(EditionRow.series_id == series_id).order_by(EditionRow.number)
        )
    ).scalars()
    return await _with_lectures(session, list(rows))


async def edition(session: AsyncSession, series_id: str, number: int) -> Edition:
    """Raises NotFound."""
    row = (
        await session.execute(
            select(EditionRow).where(EditionRow.series_id == series_id, EditionRow.number == number)
        )
    ).scalar_one_or_none()
    found = await _with_lectures(session, [row]) if row else []
    if not found:
        raise NotFound
    return found[0]


async def count_following(session: AsyncSession, series_id: str, number: int) -> int:
    """How many editions behind this one have not begun."""
    found = await session.scalar(
        select(func.count())
        .select_from(EditionRow)
        .join(LectureRow, LectureRow.id == EditionRow.lecture_id)
        .where(
            EditionRow.series_id == series_id,
            EditionRow.number > number,
            _not_begun(),
        )
    )
    return found or 0


async def lecture_ids(session: AsyncSession, series_id: str) -> frozenset[str]:
    rows = await session.execute(select(EditionRow.lecture_id).where(EditionRow.series_id == series_id))
    return frozenset(rows.scalars())


async def seats_of(session: AsyncSession, series_id: str, person_id: str) -> frozenset[str]:
    """The editions, by lecture, in which somebody has a seat."""
    rows = await session.execute(
        select(EditionRow.lecture_id)
        .join(RegistrationRow, RegistrationRow.lecture_id == EditionRow.lecture_id)
        .where(
            EditionRow.series_id == series_id,
            RegistrationRow.person_id == person_id,
            RegistrationRow.state == "registered",
        )
    )
    return frozenset(rows.scalars())


async def next_owed(session: AsyncSession, series_id: str) -> Edition | None:
    """The first edition that still has to take over a change."""
    row = (
        await session.execute(
            select(EditionRow)
            .where(EditionRow.series_id == series_id, EditionRow.wanted.is_not(None))
            .order_by(EditionRow.number)
            .limit(1)
        )
    ).scalar_one_or_none()
    found = await _with_lectures(session, [row]) if row else []
    return found[0] if found else None


async def place_of(session: AsyncSession, lecture_id: str) -> tuple[str, int, str] | None:
    """(series, number, title of the series) of a lecture that is an edition."""
    row = (
        await session.execute(
            select(EditionRow.series_id, EditionRow.number, SeriesRow.title)
            .join(SeriesRow, SeriesRow.id == EditionRow.series_id)
            .where(EditionRow.lecture_id == lecture_id)
        )
    ).one_or_none()
    return (row[0], row[1], row[2]) if row else None


async def _with_lectures(session: AsyncSession, rows: Sequence[EditionRow]) -> list[Edition]:
    ids = [row.lecture_id for row in rows]
    found = await lectures.by_ids(session, ids)
    lecturers = await lectures.lecturers_of(session, ids)
    return [
        Edition(
            series_id=row.series_id,
            number=row.number,
            slot=row.slot,
            given=EMPTY_ROOMS_STAY | row.given,
            wanted=row.wanted,
            lecture=found[row.lecture_id],
            lecturer_ids=tuple(sorted(seat.person_id for seat in lecturers[row.lecture_id])),
        )
        for row in rows
        if row.lecture_id in found
    ]


async def add(session: AsyncSession, row: SeriesRow) -> None:
    session.add(row)
    await session.flush()


async def add_editions(
    session: AsyncSession, series_id: str, made: Sequence[tuple[int, str, str, Mapping[str, Any]]]
) -> None:
    """(number, lecture, slot, given) of each."""
    session.add_all(
        EditionRow(lecture_id=lecture, series_id=series_id, number=number, slot=slot, given=dict(given))
        for number, lecture, slot, given in made
    )
    await session.flush()


async def owed_to(session: AsyncSession, series_id: str, after: int) -> Mapping[str, Mapping[str, Any]]:
    """By lecture, what the editions behind a number are owed that have not begun."""
    rows = await session.execute(
        select(EditionRow.lecture_id, EditionRow.wanted)
        .join(LectureRow, LectureRow.id == EditionRow.lecture_id)
        .where(EditionRow.series_id == series_id, EditionRow.number > after, _not_begun())
        .order_by(EditionRow.number)
    )
    return {lecture: wanted or {} for lecture, wanted in rows}


def _not_begun() -> ColumnElement[bool]:
    return LectureRow.state.in_([state.value for state in CHANGEABLE])


async def last_edition(session: AsyncSession, series_id: str) -> Edition:
    """The one with the highest number; a series has at least one."""
    row = (
        await session.execute(
            select(EditionRow)
            .where(EditionRow.series_id == series_id)
            .order_by(EditionRow.number.desc())
            .limit(1)
        )
    ).scalar_one()
    return (await _with_lectures(session, [row]))[0]


async def count_editions(session: AsyncSession, series_id: str) -> int:
    found = await session.scalar(
        select(func.count()).select_from(EditionRow).where(EditionRow.series_id == series_id)
    )
    return found or 0


# --- what is still to be made ------------------------------------------------------------------


async def slots(session: AsyncSession, series_id: str) -> list[Slot]:
    """The editions that are still to be made, and those that could not be, in order."""
    rows = await session.execute(
        select(SlotRow).where(SlotRow.series_id == series_id).order_by(SlotRow.number)
    )
    return [_as_slot(row) for row in rows.scalars()]


async def next_slots(session: AsyncSession, series_id: str, limit: int) -> list[Slot]:
    """The first of those that are still to be made."""
    rows = await session.execute(
        select(SlotRow)
        .where(SlotRow.series_id == series_id, SlotRow.refused.is_(None))
        .order_by(SlotRow.number)
        .limit(limit)
    )
    return [_as_slot(row) for row in rows.scalars()]


def _as_slot(row: SlotRow) -> Slot:
    refused = None if row.refused is None else tuple((text, fields) for text, fields in row.refused)
    return Slot(row.number, row.slot, (row.asked_by[0], row.asked_by[1]), refused)


async def counts_to_make(session: AsyncSession, series_ids: Sequence[str]) -> Mapping[str, int]:
    """By series, how many editions are still to be made; those without any are left out."""
    rows = await session.execute(
        select(SlotRow.series_id, func.count())
        .where(SlotRow.series_id.in_(list(series_ids)), SlotRow.refused.is_(None))
        .group_by(SlotRow.series_id)
    )
    return {row[0]: row[1] for row in rows}


async def add_slots(session: AsyncSession, series_id: str, planned: Sequence[Slot]) -> None:
    if planned:
        rows = [
            {
                "series_id": series_id,
                "number": one.number,
                "slot": one.slot,
                "asked_by": list(one.asked_by),
                "refused": None,
            }
            for one in planned
        ]
        await session.execute(insert(SlotRow), rows)


async def remove_slots(session: AsyncSession, series_id: str, numbers: Sequence[int]) -> None:
    await session.execute(
        delete(SlotRow).where(SlotRow.series_id == series_id, SlotRow.number.in_(list(numbers)))
    )


async def refuse_slot(
    session: AsyncSession, series_id: str, number: int, why: Sequence[Sequence[Any]]
) -> None:
    """Keep why an edition could not be made."""
    await session.execute(
        update(SlotRow)
        .where(SlotRow.series_id == series_id, SlotRow.number == number)
        .values(refused=[list(one) for one in why])
    )


async def clear_refusals(session: AsyncSession, series_id: str) -> int:
    """What could not be made is to be made again; how many."""
    done = await session.execute(
        update(SlotRow)
        .where(SlotRow.series_id == series_id, SlotRow.refused.is_not(None))
        .values(refused=None)
    )
    return done.rowcount  # type: ignore[attr-defined,no-any-return]  # a DML result has it


async def remove_refused(session: AsyncSession, series_id: str) -> int:
    """What could not be made is left out; how many."""
    done = await session.execute(
        delete(SlotRow).where(SlotRow.series_id == series_id, SlotRow.refused.is_not(None))
    )
    return done.rowcount  # type: ignore[attr-defined,no-any-return]  # a DML result has it


async def save(session: AsyncSession, series: Series, now: int, **values: object) -> None:
    """Write what changes if nobody was faster; the version rises.

    Raises:
        Stale: somebody was.
    """
    done = await session.execute(
        update(SeriesRow)
        .where(SeriesRow.id == series.id, SeriesRow.version == series.version)
        .values(**values, version=series.version + 1, updated_at=now)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]  # a DML result has it
        raise Stale


async def owe(session: AsyncSession, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """What editions are still to take over, by lecture; one round for all of them."""
    if wanted:
        rows = [{"lecture_id": lecture, "wanted": dict(fields)} for lecture, fields in wanted.items()]
        await session.execute(update(EditionRow), rows)


async def give(
    session: AsyncSession, edition: Edition, given: Mapping[str, Any], wanted: Mapping[str, Any] | None
) -> None:
    """What the series has given an edition, and what it still owes; if that is still what was seen."""
    await session.execute(
        update(EditionRow)
        .where(EditionRow.lecture_id == edition.lecture.id)
        .values(given=dict(given), wanted=dict(wanted) if wanted is not None else None)
    )


async def lock(session: AsyncSession, series_id: str) -> None:
    """Keep everybody else who changes this series waiting until the transaction ends."""
    await session.execute(select(SeriesRow.id).where(SeriesRow.id == series_id).with_for_update())


# --- members -----------------------------------------------------------------------------------

IN = (MemberState.JOINING.value, MemberState.JOINED.value)


async def members(
    session: AsyncSession, series_id: str, *, start: int = 0, limit: int = 100
) -> list[tuple[str, str, str, MemberState]]:
    """(person, name, unit, state) of those registered for the whole series, by name."""
    rows = await session.execute(
        select(PersonRow.id, PersonRow.name, UnitRow.name, MemberRow.state)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(MemberRow.series_id == series_id, MemberRow.state.in_(IN))
        .order_by(PersonRow.sort_name, PersonRow.id)
        .offset(start)
        .limit(limit)
    )
    return [(ident, name, unit, MemberState(state)) for ident, name, unit, state in rows]


async def count_members(session: AsyncSession, series_id: str) -> int:
    found = await session.scalar(
        select(func.count()).where(MemberRow.series_id == series_id, MemberRow.state.in_(IN))
    )
    return found or 0


async def member_states(
    session: AsyncSession, series_id: str, person_ids: Sequence[str]
) -> Mapping[str, MemberState]:
    rows = await session.execute(
        select(MemberRow.person_id, MemberRow.state).where(
            MemberRow.series_id == series_id, MemberRow.person_id.in_(list(person_ids))
        )
    )
    return {person: MemberState(state) for person, state in rows}


async def move_member(
    session: AsyncSession, series_id: str, person_id: str, state: MemberState, now: int
) -> None:
    await session.execute(
        update(MemberRow)
        .where(MemberRow.series_id == series_id, MemberRow.person_id == person_id)
        .values(state=state.value, changed_at=now)
    )


async def without_seat(session: AsyncSession, series_id: str, lecture_id: str, limit: int) -> list[str]:
    """Members who are to have a seat in an edition and have none: those who have just joined again
    get back one that was cancelled, the others keep it so. First come, first served."""
    seat = and_(RegistrationRow.lecture_id == lecture_id, RegistrationRow.person_id == MemberRow.person_id)
    joining = and_(
        MemberRow.state == MemberState.JOINING.value,
        or_(RegistrationRow.id.is_(None), RegistrationRow.state == "cancelled"),
    )
    joined = and_(MemberRow.state == MemberState.JOINED.value, RegistrationRow.id.is_(None))
    rows = await session.execute(
        select(MemberRow.person_id)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .outerjoin(RegistrationRow, seat)
        .where(MemberRow.series_id == series_id, or_(joining, joined), PersonRow.deactivated_at.is_(None))
        .order_by(MemberRow.changed_at, MemberRow.person_id)
        .limit(limit)
    )
    return list(rows.scalars())


async def seats_of_leaving(session: AsyncSession, series_id: str, lecture_id: str, limit: int) -> list[str]:
    """Registrations in an edition of those who leave the series."""
    rows = await session.execute(
        select(RegistrationRow.id)
        .join(MemberRow, MemberRow.person_id == RegistrationRow.person_id)
        .where(
            MemberRow.series_id == series_id,
            MemberRow.state == MemberState.LEAVING.value,
            RegistrationRow.lecture_id == lecture_id,
            RegistrationRow.state == "registered",
            RegistrationRow.role == "participant",
        )
        .limit(limit)
    )
    return list(rows.scalars())


async def coming(session: AsyncSession, series_id: str) -> list[Lecture]:
    """The editions into which people can still be registered, in order."""
    rows = await session.execute(
        select(EditionRow.lecture_id)
        .join(LectureRow, LectureRow.id == EditionRow.lecture_id)
        .where(
            EditionRow.series_id == series_id,
            LectureRow.state.in_(
                [LectureState.SCHEDULED.value, LectureState.OPEN.value, LectureState.LIVE.value]
            ),
        )
        .order_by(EditionRow.number)
    )
    ids = list(rows.scalars())
    found = await lectures.by_ids(session, ids)
    return [found[ident] for ident in ids if ident in found]


async def moving(session: AsyncSession, series_id: str) -> list[tuple[str, MemberState, int]]:
    """(person, state, since) of those whose joining or leaving is not carried out yet."""
    rows = await session.execute(
        select(MemberRow.person_id, MemberRow.state, MemberRow.changed_at)
        .where(
            MemberRow.series_id == series_id,
            MemberRow.state.in_([MemberState.JOINING.value, MemberState.LEAVING.value]),
        )
        .order_by(MemberRow.person_id)
    )
    return [(person, MemberState(state), at) for person, state, at in rows]


async def settle_members(
    session: AsyncSession, series_id: str, settled: Sequence[tuple[tuple[str, MemberState, int], MemberState]]
) -> None:
    """Write what was carried out, as (seen, after), unless something newer is asked for by now."""
    rows = [
        {"person": person, "seen": state.value, "at": at, "after": after.value}
        for (person, state, at), after in settled
    ]
    connection = await session.connection()
    await connection.execute(
        update(MemberRow)
        .where(
            MemberRow.series_id == series_id,
            MemberRow.person_id == bindparam("person"),
            MemberRow.state == bindparam("seen"),
            MemberRow.changed_at == bindparam("at"),
        )
        .values(state=bindparam("after")),
        rows,
    )


# --- figures -----------------------------------------------------------------------------------


async def figures(session: AsyncSession, editions: Sequence[Edition]) -> list[Growth]:
    """How many were registered, came and were credited, each edition beside the last; two statements."""
    ids = [one.lecture.id for one in editions]
    registered = await lectures.count_registrations(session, ids)
    rows = await session.execute(
        select(TallyRow.lecture_id, TallyRow.summary).where(TallyRow.lecture_id.in_(ids))
    )
    tallied = {lecture: summary for lecture, summary in rows if summary}
    held = frozenset({LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED})
    found = []
    for one in editions:
        summary = tallied.get(one.lecture.id, {}) if one.lecture.state in held else {}
        found.append(
            Growth(one.number, registered[one.lecture.id], summary.get("came"), summary.get("credited"))
        )
    off = frozenset(one.number for one in editions if one.lecture.state is LectureState.CANCELLED)
    return growth(found, off)
