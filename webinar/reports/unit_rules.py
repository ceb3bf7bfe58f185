"""Who is behind for this time of the year, and what a unit adds up to. JP in hundredths. Pure.

By a day of the year somebody should have the share of the year's target that has passed of the year,
floored to whole JP: with a target of 20 JP that is nothing until 18 January, 10 JP from 2 July on and
18 JP on 26 November. Lectures are worth whole hours, so nobody is behind by a fraction of one. Before a
year nothing is expected, after it all of the target. Who is exempt on that day, and who has no
target, is in no denominator.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

WHOLE_JP = 100


class Standing(StrEnum):
    REACHED = "reached"
    ON_PACE = "on_pace"
    BEHIND = "behind"
    EXEMPT = "exempt"
    NO_TARGET = "no_target"


@dataclass(frozen=True, slots=True)
class Goal:
    """What people of one kind of employment have to learn in the year, and what is expected by the day."""

    target: int
    expected: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Goals:
    """By employment, on a day in the institution's zone; `day` is the last of the year for past years."""

    year: int
    day: date
    by_employment: Mapping[str, Goal]

    def of(self, employment: str) -> Goal:
        return self.by_employment.get(employment, Goal(0, 0))

    @property
    def main(self) -> Goal:
        """What the page says of most people: that of the permanent ones."""
        return self.of("pns")


@dataclass(frozen=True, slots=True)
class Tally:
    """A unit with everybody below it; `median` is of those who count, None where nobody does."""

    people: int = 0
    exempt: int = 0
    no_target: int = 0
    reached: int = 0
    on_pace: int = 0
    behind: int = 0
    none: int = 0
    jp: int = 0
    median: int | None = None

    @property
    def counted(self) -> int:
        """The denominator."""
        return self.reached + self.on_pace + self.behind

    def share(self, number: int) -> float:
        """Of those who count, 0 to 1."""
        return number / self.counted if self.counted else 0.0


@dataclass(slots=True)
class Spread:
    """How many people have how much, by (employment, JP)."""

    all: Counter[tuple[str, int]] = field(default_factory=Counter)
    exempt: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, other: "Spread") -> None:
        self.all.update(other.all)
        self.exempt.update(other.exempt)


def expected(target: int, year: int, day: date) -> int:
    """What somebody should have by the end of the day."""
    if day.year != year:
        return target if day.year > year else 0
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    passed = (day - first).days + 1
    return target * passed // (after - first).days // WHOLE_JP * WHOLE_JP


def goals(year: int, today: date, targets: Mapping[str, tuple[int, int | None]]) -> Goals:
    """The goals of a year as they stand today; `targets` are (target, most) by employment."""
    day = min(today, date(year, 12, 31))
    made = {
        employment: Goal(target, expected(target, year, day), most)
        for employment, (target, most) in targets.items()
    }
    return Goals(year, day, made)


def standing(goal: Goal, jp: int, *, exempt: bool) -> Standing:
    if exempt:
        return Standing.EXEMPT
    if not goal.target:
        return Standing.NO_TARGET
    if jp >= goal.target:
        return Standing.REACHED
    return Standing.ON_PACE if jp >= goal.expected else Standing.BEHIND


def tally(spread: Spread, goals: Goals) -> Tally:
    numbers = dict.fromkeys(Standing, 0)
    by_jp: Counter[int] = Counter()
    exempt = 0
    for (employment, jp), people in spread.all.items():
        free = spread.exempt.get((employment, jp), 0)
        where = standing(goals.of(employment), jp, exempt=False)
        exempt += free
        numbers[where] += people - free
        if where is not Standing.NO_TARGET:
            by_jp[jp] += people - free
    return Tally(
        people=spread.all.total(),
        exempt=exempt,
        no_target=numbers[Standing.NO_TARGET],
        reached=numbers[Standing.REACHED],
        on_pace=numbers[Standing.ON_PACE],
        behind=numbers[Standing.BEHIND],
        none=by_jp[0],
        jp=sum(jp * people for jp, people in by_jp.items()),
        median=median(by_jp),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a list in the order of JP: of those with `low` to `high` JP, `take` after `skip`."""

    low: int
    high: int
    skip: int
    take: int


def runs(spread: Spread, goals: Goals, show: str, *, most_first: bool, first: int, limit: int) -> list[Run]:
    """Where the page of a list lies that is ordered by JP.

    Who has no JP stands apart, since no row says so: there are two runs at most.
    """
    numbers = shown(spread, goals, show)
    found: list[Run] = []
    place = 0
    for jp in sorted(numbers, reverse=most_first):
        skip = max(0, first - place)
        take = min(numbers[jp] - skip, limit - sum(run.take for run in found))
        place += numbers[jp]
        if take <= 0:
            continue
        if found and jp and found[-1].low:
            last = found[-1]
            found[-1] = Run(min(last.low, jp), max(last.high, jp), last.skip, last.take + take)
        else:
            found.append(Run(jp, jp, skip, take))
    return found


def shown(spread: Spread, goals: Goals, show: str) -> Counter[int]:
    """How many people a filter shows, by JP: a Standing, "none" (no JP, and counted), or "" for all."""
    numbers: Counter[int] = Counter()
    for (employment, jp), people in spread.all.items():
        exempt = spread.exempt.get((employment, jp), 0)
        where = standing(goals.of(employment), jp, exempt=False)
        if not show:
            numbers[jp] += people
        elif show == Standing.EXEMPT:
            numbers[jp] += exempt
        elif show == where or (show == "none" and not jp and where is not Standing.NO_TARGET):
            numbers[jp] += people - exempt
    return +numbers


def median(by_jp: Mapping[int, int]) -> int | None:
    """The middle one's JP; of an even number the lower of the two, so that it is somebody's value."""
    middle = (sum(by_jp.values()) + 1) // 2
    seen = 0
    for jp, people in sorted(by_jp.items()):
        seen += people
        if middle and seen >= middle:
            return jp
    return None


def child_of(path: str, top: str) -> str:
    """The id of the unit right below `top` that a path leads through; "" for the top itself."""
    return path.removeprefix(top).partition("/")[0]
