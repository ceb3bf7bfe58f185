"""Named queries on the hours of whole units: the same number of statements over any number of people."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.hours.tables import HourTotalRow
from webinar.people import store as people
from webinar.people.access import Scope, in_subtrees
from webinar.people.exemptions import hold_on
from webinar.people.rules import Unit, normal_nip, sort_name
from webinar.people.tables import ExemptionRow, PersonRow, UnitRow
from webinar.reports.unit_rules import Goals, Spread, Standing, child_of, runs

SORTS = ("name", "least", "most")


@dataclass(frozen=True, slots=True)
class Learner:
    """One person in the list of a unit. `nip` is None where the reader may not see it."""

    id: str
    name: str
    nip: str | None
    employment: str
    unit_id: str
    unit_name: str
    jp: int
    entries: int
    exempt: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people of a unit, and in which order; a Standing, "none" (no hours yet), or "" for all."""

    show: str = ""
    text: str = ""
    sort: str = "name"
    first: int = 0
    limit: int = 50


async def spreads(session: AsyncSession, unit: Unit, goals: Goals) -> Mapping[str, Spread]:
    """How much the active people have, by the part of the unit they are in: the id of a unit right below
    it, "" for its own people.

    One row a unit comes back, with a word for each person: the quickest way out of both databases.
    """
    paths = await session.execute(
        select(UnitRow.id, UnitRow.path).where(in_subtrees(UnitRow.path, [unit.path]))
    )
    parts = {unit_id: child_of(path, unit.path) for unit_id, path in paths}
    rows = await session.execute(
        select(PersonRow.unit_id, func.aggregate_strings(_word(), " "))
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(*_inside(unit))
        .group_by(PersonRow.unit_id)
    )
    everybody = _by_part(parts, rows)
    exempt = _by_part(parts, await session.execute(_exempt_words(unit, goals)))
    return {
        part: Spread(_counted(words), _counted(exempt.get(part, []))) for part, words in everybody.items()
    }


def _word() -> ColumnElement[str]:
    """`pns1950` is a permanent one with 19.5 JP."""
    return PersonRow.employment + cast(func.coalesce(HourTotalRow.jp, 0), String)


def _exempt_words(unit: Unit, goals: Goals) -> Any:
    """Unit and word of each exempt person. From the exemptions on: they are few, the people are many."""
    return (
        select(PersonRow.unit_id, _word(), PersonRow.id)
        .select_from(ExemptionRow)
        .join(PersonRow, PersonRow.id == ExemptionRow.person_id)
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(_holding(unit, goals), *_inside(unit)[1:])
        .distinct()
    )


def _by_part(parts: Mapping[str, str], rows: Iterable[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for unit_id, words, *_more in rows:
        found.setdefault(parts[unit_id], []).append(words)
    return found


def _counted(texts: Sequence[str]) -> Counter[tuple[str, int]]:
    """How many there are of each word, by (employment, JP)."""
    counted: Counter[tuple[str, int]] = Counter()
    for word, number in Counter(" ".join(texts).split()).items():
        employment = word.rstrip("-0123456789")
        counted[employment, int(word[len(employment) :])] += number
    return counted


async def children(session: AsyncSession, unit: Unit) -> list[tuple[str, str]]:
    """(id, name) of the units right below, by name."""
    rows = await session.execute(
        select(UnitRow.id, UnitRow.name)
        .where(UnitRow.parent_id == unit.id)
        .order_by(UnitRow.name, UnitRow.id)
    )
    return [(ident, name) for ident, name in rows]


async def above(session: AsyncSession, unit: Unit) -> Mapping[str, str]:
    """Names of the units above, by id."""
    ids = [part for part in unit.path.split("/") if part]
    rows = await session.execute(select(UnitRow.id, UnitRow.name).where(UnitRow.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def learners(
    session: AsyncSession, scope: Scope, unit: Unit, goals: Goals, wanted: Wanted, spread: Spread
) -> list[Learner]:
    """One page of the unit's people and of those below it, and one more if there is a next page.

    Args:
        spread: that of the whole unit; it says where a page of a list ordered by JP begins.
    """
    limit = wanted.limit + 1
    if wanted.text or wanted.sort == "name":
        ids = await _ids(session, _matching(scope, unit, goals, wanted), wanted, wanted.first, limit)
        return await _by_ids(session, scope, unit, goals, ids)
    ids = []
    most_first = wanted.sort == "most"
    for run in runs(spread, goals, wanted.show, most_first=most_first, first=wanted.first, limit=limit):
        query = select(PersonRow.id).where(*_inside(unit), *_shown(unit, goals, wanted.show))
        if run.high:
            within = [
                HourTotalRow.institution_id == unit.institution_id,
                HourTotalRow.jp.between(run.low, run.high),
            ]
            query = query.join(HourTotalRow, _total(goals.year)).where(*within)
        else:
            query = query.outerjoin(HourTotalRow, _total(goals.year)).where(_jp() == 0)
        ids += await _ids(session, query, wanted if run.high else Wanted(), run.skip, run.take)
    return await _by_ids(session, scope, unit, goals, ids)


async def count(session: AsyncSession, unit: Unit) -> int:
    """Active people of the unit and of those below it."""
    query = select(func.count()).select_from(PersonRow).where(*_inside(unit))
    return (await session.execute(query)).scalar_one()


def everybody(unit: Unit, goals: Goals) -> Any:
    """The query of all of a unit's people by unit and name, for files; `learner` reads its rows."""
    query = _learners(unit, goals).where(*_inside(unit))
    return query.order_by(UnitRow.path, PersonRow.sort_name, PersonRow.id)


def _matching(scope: Scope, unit: Unit, goals: Goals, wanted: Wanted) -> Any:
    """Ids of those that are wanted; without a look at hours where nothing asks for them."""
    query = select(PersonRow.id).where(*_inside(unit), *_shown(unit, goals, wanted.show))
    query = query.where(*(_matches(scope, word) for word in wanted.text.split()[:8]))
    if wanted.show or wanted.sort != "name":
        query = query.outerjoin(HourTotalRow, _total(goals.year))
    return query


async def _ids(session: AsyncSession, query: Any, wanted: Wanted, first: int, limit: int) -> list[str]:
    by_name = (PersonRow.sort_name, PersonRow.id)
    order = {"least": (_jp(), *by_name), "most": (_jp().desc(), *by_name)}.get(wanted.sort, by_name)
    return list(await session.scalars(query.order_by(*order).offset(first).limit(limit)))


async def _by_ids(
    session: AsyncSession, scope: Scope, unit: Unit, goals: Goals, ids: Sequence[str]
) -> list[Learner]:
    """In the order of the ids."""
    rows = await session.execute(_learners(unit, goals).where(PersonRow.id.in_(ids)))
    found = {row[0]: learner(scope, row) for row in rows}
    return [found[ident] for ident in ids]


def _learners(unit: Unit, goals: Goals) -> Any:
    return (
        select(
            PersonRow.id, PersonRow.name, PersonRow.nip, PersonRow.employment, UnitRow.id, UnitRow.name,
            UnitRow.path, _jp(), func.coalesce(HourTotalRow.entries, 0), _exempt(unit, goals),
        )
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .outerjoin(HourTotalRow, _total(goals.year))
    )  # fmt: skip


def learner(scope: Scope, row: Any) -> Learner:
    """One row of `everybody`."""
    ident, name, nip, employment, unit_id, unit_name, path, jp, entries, exempt = row
    seen = nip if _sees_nip(scope, ident, path) else None
    return Learner(ident, name, seen, employment, unit_id, unit_name, jp, entries, bool(exempt))


def _jp() -> ColumnElement[int]:
    return func.coalesce(HourTotalRow.jp, 0)


def _total(year: int) -> ColumnElement[bool]:
    return and_(HourTotalRow.person_id == PersonRow.id, HourTotalRow.year == year)


def _inside(unit: Unit) -> list[ColumnElement[bool]]:
    """Active people of the subtree; of a whole institution without a look at its units."""
    conditions = [PersonRow.institution_id == unit.institution_id, PersonRow.deactivated_at.is_(None)]
    if not unit.is_root:
        below = select(UnitRow.id).where(in_subtrees(UnitRow.path, [unit.path]))
        conditions.append(PersonRow.unit_id.in_(below))
    return conditions


def _exempt(unit: Unit, goals: Goals) -> ColumnElement[bool]:
    return exists().where(ExemptionRow.person_id == PersonRow.id, _holding(unit, goals))


def _holding(unit: Unit, goals: Goals) -> ColumnElement[bool]:
    return hold_on(unit.institution_id, goals.day.isoformat())


def _shown(unit: Unit, goals: Goals, show: str) -> list[ColumnElement[bool]]:
    target = _by_employment({name: goal.target for name, goal in goals.by_employment.items()})
    expected = _by_employment({name: goal.expected for name, goal in goals.by_employment.items()})
    exempt = _exempt(unit, goals)
    counts = [~exempt, target > 0]
    match show:
        case Standing.REACHED:
            return [*counts, _jp() >= target]
        case Standing.ON_PACE:
            return [*counts, _jp() >= expected, _jp() < target]
        case Standing.BEHIND:
            return [*counts, _jp() < expected, _jp() < target]
        case Standing.EXEMPT:
            return [exempt]
        case Standing.NO_TARGET:
            return [~exempt, target <= 0]
        case "none":
            return [*counts, _jp() == 0]
    return []


def _by_employment(values: Mapping[str, int]) -> ColumnElement[int]:
    whens = [(PersonRow.employment == name, literal(value)) for name, value in values.items()]
    return case(*whens, else_=literal(0))


def _matches(scope: Scope, word: str) -> ColumnElement[bool]:
    named = PersonRow.sort_name.contains(sort_name(word), autoescape=True)
    digits = normal_nip(word)
    if digits.isascii() and digits.isdigit() and scope.allows("people:read"):
        # Whoever sees the unit's hours holds an office in it, and may see the NIP.
        return named | PersonRow.nip.startswith(digits, autoescape=True)
    return named


def _sees_nip(scope: Scope, person_id: str, unit_path: str) -> bool:
    return scope.allows("people:read") and people.may_see_private(scope, person_id, unit_path)
