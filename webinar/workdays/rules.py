"""Office hours and days off: what is worth a warning about a time. Nothing here forbids anything.

Wall times are "2026-11-25T09:00" on the institution's own clock, times of day are minutes since
midnight, weekdays count from 0 for Monday.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from webinar.core.errors import FieldError, Invalid

DAY_MINUTES = 24 * 60
WEEK = 7
_CLOCK = re.compile(r"([01]\d|2[0-3])[:.]([0-5]\d)")

# From and until, in minutes of the day.
Span = tuple[int, int]
NameOf = Callable[[date], str]


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Monday to Sunday; None for a day off."""

    days: tuple[Span | None, ...]

    def on(self, day: date) -> Span | None:
        return self.days[day.weekday()]


# 37.5 hours a week, as Peraturan Presiden 21/2023 asks for: Monday to Thursday 07.30-16.00 and Friday
# 07.30-16.30, breaks included.
USUAL = OfficeHours(((450, 960), (450, 960), (450, 960), (450, 960), (450, 990), None, None))


class Reason(StrEnum):
    HOLIDAY = "holiday"
    DAY_OFF = "day_off"
    OUTSIDE = "outside_office_hours"


@dataclass(frozen=True, slots=True)
class Caution:
    """Why a time may be a bad one: `name` is the holiday's, `hours` the office hours of that day."""

    reason: Reason
    day: date
    name: str = ""
    hours: Span | None = None


def cautions(starts_wall: str, ends_wall: str, office: OfficeHours, holiday: NameOf) -> list[Caution]:
    """What to say of a time; at most one thing a day, the weightiest.

    Args:
        holiday: the name of the holiday that a day is, or "".
    """
    found = []
    for day, start, end in _by_day(starts_wall, ends_wall):
        hours = office.on(day)
        if name := holiday(day):
            found.append(Caution(Reason.HOLIDAY, day, name))
        elif hours is None:
            found.append(Caution(Reason.DAY_OFF, day))
        elif start < hours[0] or end > hours[1]:
            found.append(Caution(Reason.OUTSIDE, day, hours=hours))
    return found


def _by_day(starts_wall: str, ends_wall: str) -> Iterable[tuple[date, int, int]]:
    """The days that a time touches, with its minutes of each."""
    first, last = date.fromisoformat(starts_wall[:10]), date.fromisoformat(ends_wall[:10])
    start, end = minutes(starts_wall[11:]), minutes(ends_wall[11:])
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        from_, until = (start if day == first else 0), (end if day == last else DAY_MINUTES)
        if until > from_:
            yield day, from_, until


def minutes(clock: str) -> int:
    """07:30 or 07.30 as minutes of the day.

    Raises:
        ValueError: it is no time of day.
    """
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise ValueError(clock)
    return int(found[1]) * 60 + int(found[2])


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def office_hours(typed: Sequence[tuple[str, str]]) -> OfficeHours:
    """Office hours as they were typed, from and until for each weekday; two empty texts are a day off.

    Raises:
        Invalid: at `from_0` … `until_6`.
    """
    wrong: list[FieldError] = []
    days = [_typed_day(number, *pair, wrong) for number, pair in enumerate(typed)]
    if wrong:
        raise Invalid(wrong)
    if not any(days):
        raise Invalid.at("from_0", "At least one day needs office hours.")
    return OfficeHours(tuple(days))


def _typed_day(number: int, from_: str, until: str, wrong: list[FieldError]) -> Span | None:
    if not from_ and not until:
        return None
    found: dict[str, int] = {}
    for name, text in (("from", from_), ("until", until)):
        try:
            found[name] = minutes(text[:5])
        except ValueError:
            wrong.append(FieldError(f"{name}_{number}", "This is not a time of day, for example 07.30.", {}))
    if len(found) < 2:
        return None
    if found["until"] <= found["from"]:
        wrong.append(FieldError(f"until_{number}", "The end has to come after the start.", {}))
        return None
    return found["from"], found["until"]
