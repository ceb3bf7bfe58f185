"""Named queries on the hours of whole units: the same number of statements over any number of people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.hours.tables import HourTotalRow, YearTargetRow
from webinar.people import store as people
from webinar.people.access import Scope, in_subtrees
from webinar.people.rules import DEFAULT_YEAR_TARGET, Unit, normal_nip, sort_name
from webinar.people.tables import ExemptionRow, PersonRow, UnitRow
from webinar.reports.unit_rules import Goals, Spread, Standing

# Targets where the institution has named none: (target, most) in hundredths of a JP (PP 11/2017; PP 49/2018).
DEFAULTS: Mapping[str, tuple[int, int | None]] = {
    "pns": (DEFAULT_YEAR_TARGET, None),
    "pppk": (DEFAULT_YEAR_TARGET, 2_400),
    "other": (0, None),
}
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
    limit: int | None = 50


async def targets(session: AsyncSession, home: Unit) -> Mapping[str, tuple[int, int | None]]:
    """(target, most) by employment."""
    rows = await session.execute(
        select(YearTargetRow.employment, YearTargetRow.target, YearTargetRow.most).where(
            YearTargetRow.institution_id == home.id
        )
    )
    pns = home.year_target if home.year_target is not None else DEFAULT_YEAR_TARGET
    named = {employment: (target, most) for employment, target, most in rows}
    return {**DEFAULTS, "pns": (pns, None), **named}


async def spreads(session: AsyncSession, unit: Unit, goals: Goals) -> list[tuple[str, Spread]]:
    """How much the people of each unit of the subtree have, by the unit's path; active people only.

    One row a unit: a text with a word for each person is the quickest way out of both databases.
    """
    word = PersonRow.employment + cast(func.coalesce(HourTotalRow.jp, 0), String)
    rows = await session.execute(
        select(PersonRow.unit_id, func.aggregate_strings(word, " "))
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(*_inside(unit))
        .group_by(PersonRow.unit_id)
    )
    found = {unit_id: Spread(_counted(words.split(" "))) for unit_id, words in rows}
    for unit_id, word_ in await session.execute(
        select(PersonRow.unit_id, word)
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(*_inside(unit), _exempt(unit, goals))
    ):
        found[unit_id].exempt.update(_counted([word_]))
    paths = await session.execute(
        select(UnitRow.id, UnitRow.path).where(in_subtrees(UnitRow.path, [unit.path]))
    )
    return [(path, found[unit_id]) for unit_id, path in paths if unit_id in found]


def _counted(words: Sequence[str]) -> Counter[tuple[str, int]]:
    """`pns1950` is a permanent one with 19.5 JP."""
    counted: Counter[tuple[str, int]] = Counter()
    for word, people_ in Counter(words).items():
        employment = word.rstrip("-0123456789")
        counted[employment, int(word[len(employment) :])] += people_
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
    session: AsyncSession, scope: Scope, unit: Unit, goals: Goals, wanted: Wanted
) -> list[Learner]:
    """One page of the unit's people and of those below it."""
    jp = func.coalesce(HourTotalRow.jp, 0)
    query: Any = (
        select(
            PersonRow.id, PersonRow.name, PersonRow.nip, PersonRow.employment, UnitRow.id, UnitRow.name,
            UnitRow.path, jp, func.coalesce(HourTotalRow.entries, 0), _exempt(unit, goals),
        )
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(*_inside(unit), *_wanted(scope, unit, goals, wanted))
    )  # fmt: skip
    by_name = (PersonRow.sort_name, PersonRow.id)
    order = {"least": (jp, *by_name), "most": (jp.desc(), *by_name)}.get(wanted.sort, by_name)
    rows = await session.execute(query.order_by(*order).offset(wanted.first).limit(wanted.limit))
    return [
        Learner(
            ident, name, nip if _sees_nip(scope, ident, path) else None, employment, unit_id, unit_name,
            jp_, entries, bool(exempt),
        )
        for ident, name, nip, employment, unit_id, unit_name, path, jp_, entries, exempt in rows
    ]  # fmt: skip


async def count(session: AsyncSession, scope: Scope, unit: Unit, goals: Goals, wanted: Wanted) -> int:
    """How many people `learners` lists over all its pages."""
    query = (
        select(func.count())
        .select_from(PersonRow)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .outerjoin(HourTotalRow, _total(goals.year))
        .where(*_inside(unit), *_wanted(scope, unit, goals, wanted))
    )
    return (await session.execute(query)).scalar_one()


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
    day = goals.day.isoformat()
    return exists().where(
        ExemptionRow.person_id == PersonRow.id,
        ExemptionRow.institution_id == unit.institution_id,
        ExemptionRow.ended_at.is_(None),
        ExemptionRow.starts_on <= day,
        ExemptionRow.ends_on >= day,
    )


def _wanted(scope: Scope, unit: Unit, goals: Goals, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [_matches(scope, word) for word in wanted.text.split()[:8]]
    return [*conditions, *_shown(unit, goals, wanted.show)]


def _shown(unit: Unit, goals: Goals, show: str) -> list[ColumnElement[bool]]:
    jp = func.coalesce(HourTotalRow.jp, 0)
    target = _by_employment({name: goal.target for name, goal in goals.by_employment.items()})
    expected = _by_employment({name: goal.expected for name, goal in goals.by_employment.items()})
    exempt = _exempt(unit, goals)
    counts = [~exempt, target > 0]
    match show:
        case Standing.REACHED:
            return [*counts, jp >= target]
        case Standing.ON_PACE:
            return [*counts, jp >= expected, jp < target]
        case Standing.BEHIND:
            return [*counts, jp < expected, jp < target]
        case Standing.EXEMPT:
            return [exempt]
        case Standing.NO_TARGET:
            return [~exempt, target <= 0]
        case "none":
            return [*counts, jp == 0]
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
