"""The hours of a unit and of everybody below it, for those who hold an office in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.clock import to_datetime
from webinar.core.errors import NotFound
from webinar.hours import service as hours
from webinar.hours.rules import Head
from webinar.hours.targets import targets_of
from webinar.people import store as people
from webinar.people.access import Role, Scope
from webinar.people.rules import DEFAULT_ZONE, Unit
from webinar.reports import unit_store
from webinar.reports.unit_rules import Goals, Spread, Standing, Tally, goals, tally
from webinar.reports.unit_store import Learner, Wanted


@dataclass(frozen=True, slots=True)
class Part:
    """A unit right below, with everybody in it."""

    id: str
    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class UnitHours:
    """What a unit's page says. `own` are its own people where it has parts, too; `crumbs` lead down to it."""

    unit: Unit
    institution: str
    zone: str
    goals: Goals
    tally: Tally
    own: Tally
    parts: tuple[Part, ...]
    crumbs: tuple[tuple[str, str], ...]
    head: Head
    spread: Spread


async def tops(session: AsyncSession, scope: Scope) -> list[Unit]:
    """The topmost units that the scope holds an office in, by the tree."""
    paths = scope.paths(Role.ORGANISER, Role.UNIT_MANAGER)
    return [unit for unit in await people.units(session, scope, below=paths) if unit.path in paths]


async def reached(session: AsyncSession, scope: Scope, unit_id: str) -> Unit:
    """A unit that the scope holds an office in or above.

    Raises:
        NotFound: it does not.
    """
    unit = await people.unit(session, scope, unit_id)
    if not any(unit.path.startswith(top) for top in scope.paths(Role.ORGANISER, Role.UNIT_MANAGER)):
        raise NotFound
    return unit


async def goals_of(session: AsyncSession, unit: Unit, year: int | None, now: int) -> tuple[Goals, Unit]:
    """The goals of a year (the present one without) in the institution's zone, and the institution."""
    home = await people.institution(session, unit.institution_id)
    today = to_datetime(now, home.zone or DEFAULT_ZONE).date()
    found = goals(year or today.year, today, await targets_of(session, home))
    return found, home


async def unit_hours(
    session: AsyncSession, scope: Scope, unit_id: str, year: int | None, now: int
) -> UnitHours:
    """A unit's year: what everybody in it adds up to, and each part of it.

    Raises:
        NotFound: the scope holds no office in it.
    """
    unit = await reached(session, scope, unit_id)
    aims, home = await goals_of(session, unit, year, now)
    by_child = await unit_store.spreads(session, unit, aims)
    names = await unit_store.children(session, unit)
    total = Spread()
    for spread in by_child.values():
        total.add(spread)
    return UnitHours(
        unit=unit,
        institution=home.name,
        zone=home.zone or DEFAULT_ZONE,
        goals=aims,
        tally=tally(total, aims),
        own=tally(by_child.get("", Spread()), aims),
        parts=tuple(Part(id, name, tally(by_child.get(id, Spread()), aims)) for id, name in names),
        crumbs=await _crumbs(session, scope, unit),
        head=await hours.head_of(session, unit.institution_id),
        spread=total,
    )


async def page(
    session: AsyncSession, scope: Scope, found: UnitHours, wanted: Wanted
) -> tuple[Sequence[Learner], bool]:
    """Some of the unit's people, and whether there are more."""
    people_ = await unit_store.learners(session, scope, found.unit, found.goals, wanted, found.spread)
    return people_[: wanted.limit], len(people_) > wanted.limit


async def everybody(session: AsyncSession, scope: Scope, found: UnitHours) -> Sequence[Learner]:
    """All of a unit's people by unit and name, for files."""
    rows = await session.execute(unit_store.everybody(found.unit, found.goals))
    return [unit_store.learner(scope, row) for row in rows]


async def count(session: AsyncSession, scope: Scope, unit_id: str) -> int:
    """How many people a unit has with everybody below it.

    Raises:
        NotFound: the scope holds no office in it.
    """
    return await unit_store.count(session, await reached(session, scope, unit_id))


def number_of(tally: Tally, show: str) -> int:
    """How many people a filter shows."""
    numbers: Mapping[str, int] = {
        Standing.REACHED: tally.reached,
        Standing.ON_PACE: tally.on_pace,
        Standing.BEHIND: tally.behind,
        Standing.EXEMPT: tally.exempt,
        Standing.NO_TARGET: tally.no_target,
        "none": tally.none,
    }
    return numbers.get(show, tally.people)


async def _crumbs(session: AsyncSession, scope: Scope, unit: Unit) -> tuple[tuple[str, str], ...]:
    """(id, name) of the units above, from the topmost one that the scope reaches down to the unit itself."""
    names = await unit_store.above(session, unit)
    held = scope.paths(Role.ORGANISER, Role.UNIT_MANAGER)
    top = next(path for path in held if unit.path.startswith(path))
    ids = unit.path.removeprefix(top).split("/")
    first = top.rstrip("/").rpartition("/")[2]
    return tuple((id, names[id]) for id in [first, *ids] if id in names)
