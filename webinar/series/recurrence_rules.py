"""How a series recurs: the part of RRULE (RFC 5545, 3.3.10) that lectures need, checked and canonical.

    FREQ=DAILY;INTERVAL=2             every second day
    FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR   each working day
    FREQ=WEEKLY;BYDAY=TU,TH           on Tuesdays and Thursdays
    FREQ=MONTHLY;BYMONTHDAY=15        on the 15th
    FREQ=MONTHLY;BYDAY=-1WE           on the last Wednesday
    FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1   on the first working day
    FREQ=YEARLY                       on the same day each year

with COUNT or UNTIL. What is left out (hours, weeks of the year, …) would let one rule ask for more work than
a calendar of lectures is worth, or match no day at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from webinar.core.errors import Invalid

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_INTERVAL = 52
# A month has each weekday at least so often.
SURE_IN_MONTH = 4
MOST_EDITIONS = 200
MOST_YEARS = 5

_BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_UNTIL = re.compile(r"(\d{4})(\d{2})(\d{2})(T\d{6}Z?)?", re.ASCII)


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


_F = Frequency
# Beside FREQ, INTERVAL, WKST and the end.
_ALLOWED: Mapping[Frequency, frozenset[str]] = {
    _F.DAILY: frozenset({"BYDAY"}),
    _F.WEEKLY: frozenset({"BYDAY"}),
    _F.MONTHLY: frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    _F.YEARLY: frozenset(),
}
_ALWAYS = frozenset({"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL"})


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule without its end. `weekdays` are (which of the month or 0 for each, 0 for Monday)."""

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    def __str__(self) -> str:
        parts = [f"FREQ={self.frequency.value}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(f"{n or ''}{WEEKDAYS[day]}" for n, day in self.weekdays))
        if self.month_days:
            parts.append("BYMONTHDAY=" + ",".join(map(str, self.month_days)))
        if self.positions:
            parts.append("BYSETPOS=" + ",".join(map(str, self.positions)))
        return ";".join(parts)


@dataclass(frozen=True, slots=True)
class Ending:
    """After so many editions, or with the last one that is not after a day; one of the two."""

    count: int | None = None
    until: date | None = None


def parsed(text: str) -> tuple[Recurrence, Ending]:
    """A rule with its end.

    Raises:
        Invalid: at `rule`, with what is wrong.
    """
    parts = _parts(text)
    recurrence = _recurrence(parts)
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise Invalid.at("rule", "Say how the series ends: with COUNT or with UNTIL, one of the two.")
    if "UNTIL" in parts:
        return recurrence, Ending(until=_until(parts["UNTIL"]))
    return recurrence, Ending(count=checked_count(_whole(parts["COUNT"], "COUNT")))


def endless(text: str) -> Recurrence:
    """A rule as it is stored: without its end."""
    return _recurrence(_parts(text))


def checked_count(count: int) -> int:
    if not 1 <= count <= MOST_EDITIONS:
        raise Invalid.at("count", "A series has from 1 to %(most)s editions.", most=MOST_EDITIONS)
    return count


def _parts(text: str) -> dict[str, str]:
    text = text.strip().upper().removeprefix("RRULE:")
    if len(text) > 200:
        raise Invalid.at("rule", "This rule is too long.")
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, sign, value = part.partition("=")
        if not sign or not value or name in parts:
            raise _not_understood(part)
        parts[name] = value
    return parts


def _recurrence(parts: Mapping[str, str]) -> Recurrence:
    try:
        frequency = Frequency(parts.get("FREQ", ""))
    except ValueError:
        raise Invalid.at("rule", "A series recurs DAILY, WEEKLY, MONTHLY or YEARLY.") from None
    for name in parts:
        if name not in _ALWAYS | _ALLOWED[frequency]:
            raise _not_understood(name)
    if parts.get("WKST", "MO") != "MO":
        raise _not_understood("WKST")
    recurrence = Recurrence(
        frequency,
        _interval(parts),
        _weekdays(parts.get("BYDAY", ""), frequency),
        _numbers(parts.get("BYMONTHDAY", ""), "BYMONTHDAY", 31),
        _numbers(parts.get("BYSETPOS", ""), "BYSETPOS", SURE_IN_MONTH * 7),
    )
    _fits_together(recurrence)
    return recurrence


def _interval(parts: Mapping[str, str]) -> int:
    interval = _whole(parts.get("INTERVAL", "1"), "INTERVAL")
    if not 1 <= interval <= MOST_INTERVAL:
        raise Invalid.at("interval", "This is a number from 1 to %(most)s.", most=MOST_INTERVAL)
    return interval


def _fits_together(rule: Recurrence) -> None:
    """Refuse what would never match a day, or match in a way that nobody means."""
    if rule.frequency is Frequency.DAILY and rule.weekdays and rule.interval != 1:
        raise _not_understood("INTERVAL")
    if rule.weekdays and rule.month_days:
        raise _not_understood("BYMONTHDAY")
    if rule.positions:
        each = bool(rule.weekdays) and not any(which for which, _ in rule.weekdays)
        sure = SURE_IN_MONTH * len(rule.weekdays)
        if not each or any(abs(position) > sure for position in rule.positions):
            raise _not_understood("BYSETPOS")


def _weekdays(text: str, frequency: Frequency) -> tuple[tuple[int, int], ...]:
    found = set()
    for part in text.split(",") if text else []:
        day = _BYDAY.fullmatch(part)
        if day is None or (day[1] and frequency is not Frequency.MONTHLY):
            raise _not_understood(part)
        found.add((int(day[1] or 0), WEEKDAYS.index(day[2])))
    return tuple(sorted(found, key=lambda pair: (pair[1], pair[0])))


def _numbers(text: str, name: str, most: int) -> tuple[int, ...]:
    numbers = [_whole(part, name) for part in text.split(",")] if text else []
    if any(not 1 <= abs(number) <= most for number in numbers):
        raise _not_understood(name)
    return tuple(sorted(set(numbers)))


def _whole(text: str, name: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _not_understood(name)
    return int(text)


def _until(text: str) -> date:
    found = _UNTIL.fullmatch(text)
    try:
        return date(*map(int, found.groups()[:3])) if found else date.fromisoformat(text)
    except ValueError:
        raise _not_understood("UNTIL") from None


def _not_understood(part: str) -> Invalid:
    return Invalid.at("rule", "This part of the rule is not understood: %(part)s.", part=part[:40])
