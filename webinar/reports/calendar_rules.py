"""A month as weeks of days, Monday first, each with the lectures that begin on it. Pure."""

import calendar
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from webinar.lectures.rules import Lecture

FIRST_YEAR, LAST_YEAR = 2000, 2999


@dataclass(frozen=True, slots=True)
class Day:
    """`inside` says whether the day is one of the month."""

    date: date
    inside: bool
    today: bool
    lectures: tuple[Lecture, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """The month as its first day; `before` and `after` are those of its neighbours."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def before(self) -> date:
        year, month = divmod(self.first.year * 12 + self.first.month - 2, 12)
        return date(year, month + 1, 1)

    @property
    def after(self) -> date:
        year, month = divmod(self.first.year * 12 + self.first.month, 12)
        return date(year, month + 1, 1)

    @property
    def lectures(self) -> tuple[Lecture, ...]:
        """Those of the month, in the order of their start."""
        return tuple(one for week in self.weeks for day in week if day.inside for one in day.lectures)


def month(first: date, lectures: Sequence[Lecture], zone: str, now: int) -> Month:
    """The month of a day in a zone; `lectures` in the order of their start."""
    by_day: dict[date, list[Lecture]] = defaultdict(list)
    for lecture in lectures:
        by_day[day_of(lecture.starts_at, zone)].append(lecture)
    today = day_of(now, zone)
    weeks = calendar.Calendar(calendar.MONDAY).monthdatescalendar(first.year, first.month)
    return Month(
        first.replace(day=1),
        tuple(
            tuple(Day(day, day.month == first.month, day == today, tuple(by_day[day])) for day in week)
            for week in weeks
        ),
    )


def day_of(at: int, zone: str) -> date:
    """The date of an instant in a zone."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()


def wished(text: str) -> date | None:
    """The month of an address, "2026-12"; None where somebody has typed something else."""
    year, dash, number = text.partition("-")
    if not (dash and year.isascii() and year.isdigit() and number.isascii() and number.isdigit()):
        return None
    if len(year) != 4 or len(number) != 2 or not FIRST_YEAR <= int(year) <= LAST_YEAR:
        return None
    return date(int(year), int(number), 1) if 1 <= int(number) <= 12 else None
