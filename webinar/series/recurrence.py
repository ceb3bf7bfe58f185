"""The days of a recurrence rule, in wall time; the one home of `dateutil`.

Wall times have no zone: a lecture at nine stays at nine, whatever its zone's clocks do in between.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import islice, takewhile

from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from webinar.core.errors import Invalid
from webinar.lectures.rules import WALL_FORMAT
from webinar.series.recurrence_rules import MOST_EDITIONS, MOST_YEARS, Ending, Frequency, Recurrence

_FREQUENCIES = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}
# How many days may be looked at for one that is no holiday.
MOST_LOOKED_AT = 4 * MOST_EDITIONS

LeftOut = Callable[[date], bool]


def first_slots(rule: Recurrence, first_wall: str, ending: Ending, left_out: LeftOut) -> list[str]:
    """The wall times of a new series, in order.

    Args:
        left_out: days that are passed over; a COUNT is reached all the same.

    Raises:
        Invalid: the first day is none of the rule's, or the series would be too long.
    """
    days = _days(rule, first_wall)
    first = next(days, None)
    if first is None or first.strftime(WALL_FORMAT) != first_wall:
        raise Invalid.at("rule", "The first day does not fit the rule.")
    return _taken([first], days, first, ending, left_out)


def further_slots(
    rule: Recurrence, first_wall: str, last_slot: str, ending: Ending, left_out: LeftOut
) -> list[str]:
    """The next wall times of a series behind its last one, as many as the ending says."""
    last = _read(last_slot)
    days = (day for day in _days(rule, first_wall) if day > last)
    return _taken([], days, _read(first_wall), ending, left_out)


def passed_over(rule: Recurrence, first_wall: str, last_slot: str, left_out: LeftOut) -> list[date]:
    """The days of a series, up to its last slot, on which it has no edition."""
    last = _read(last_slot)
    days = takewhile(lambda day: day <= last, _days(rule, first_wall))
    return [day.date() for day in islice(days, MOST_LOOKED_AT) if left_out(day.date())]


def _taken(
    found: list[datetime], days: Iterator[datetime], first: datetime, ending: Ending, left_out: LeftOut
) -> list[str]:
    horizon = first.year + MOST_YEARS
    kept = [day for day in found if not left_out(day.date())]
    for day in islice(days, MOST_LOOKED_AT):
        if ending.count is not None and len(kept) >= ending.count:
            break
        if ending.until is not None and day.date() > ending.until:
            break
        if day.year > horizon or (day.year == horizon and day.replace(year=first.year) > first):
            raise Invalid.at(
                "rule", "The last edition may be at most %(years)s years after the first.", years=MOST_YEARS
            )
        if not left_out(day.date()):
            kept.append(day)
        if len(kept) > MOST_EDITIONS:
            raise Invalid.at("count", "A series has from 1 to %(most)s editions.", most=MOST_EDITIONS)
    if not kept:
        raise Invalid.at("rule", "No edition would be left.")
    return [day.strftime(WALL_FORMAT) for day in kept]


def _days(rule: Recurrence, first_wall: str) -> Iterator[datetime]:
    return iter(
        rrule(
            _FREQUENCIES[rule.frequency],
            dtstart=_read(first_wall),
            interval=rule.interval,
            byweekday=[weekday(day, which or None) for which, day in rule.weekdays] or None,
            bymonthday=list(rule.month_days) or None,
            bysetpos=list(rule.positions) or None,
            wkst=MO,
        )
    )


def _read(wall: str) -> datetime:
    return datetime.strptime(wall, WALL_FORMAT)  # noqa: DTZ007 - a wall time has no zone
