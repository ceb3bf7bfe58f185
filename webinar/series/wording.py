"""A recurrence rule in words."""

from collections.abc import Iterable
from datetime import date, timedelta

from webinar.core.language import Language, date_pattern, translator
from webinar.series.recurrence_rules import Frequency, Recurrence
from webinar.series.rules import LECTURERS

A_MONDAY = date(2026, 11, 23)
WEEK = 7


def told(language: Language, rule: Recurrence, first_wall: str, shift_days: int = 0) -> str:
    """How often, and on which days; for days that were moved later, the days of now."""
    _ = translator(language)
    day = date.fromisoformat(first_wall[:10]) + timedelta(days=shift_days)
    if rule.frequency is Frequency.DAILY:
        if rule.weekdays:
            return _("On %(days)s", days=_weekdays(language, rule, shift_days))
        return _("Each day") if rule.interval == 1 else _("Every %(count)s days", count=rule.interval)
    if rule.frequency is Frequency.WEEKLY:
        days = _weekdays(language, rule, shift_days) or weekday(language, day.weekday())
        if rule.interval == 1:
            return _("Each week on %(days)s", days=days)
        return _("Every %(count)s weeks on %(days)s", count=rule.interval, days=days)
    if rule.frequency is Frequency.MONTHLY:
        often = _("Each month") if rule.interval == 1 else _("Every %(count)s months", count=rule.interval)
        return f"{often} {_of_month(language, rule, day)}".strip()
    often = _("Each year") if rule.interval == 1 else _("Every %(count)s years", count=rule.interval)
    return f"{often}, {date_pattern(language, day, 'd MMMM')}"


def fields(language: Language, names: Iterable[str]) -> str:
    """Fields of a series, as an edition has them of its own; "starts_wall" stands for the time."""
    _ = translator(language)
    words = {
        "starts_wall": _("time"),
        "title": _("title"),
        "description": _("description"),
        LECTURERS: _("lecturer"),
        "policy_id": _("policy"),
        "jp": _("JP"),
        "capacity": _("seats"),
        "recorded": _("recording"),
        "open_before_s": _("opening"),
        "overrun_s": _("overrun"),
        "live_by": _("start"),
    }
    return ", ".join(words[name] for name in names)


def weekday(language: Language, number: int) -> str:
    return date_pattern(language, A_MONDAY + timedelta(days=number), "EEEE")


def _weekdays(language: Language, rule: Recurrence, shift_days: int) -> str:
    days = sorted((day + shift_days) % WEEK for _, day in rule.weekdays)
    return ", ".join(weekday(language, day) for day in days)


def _of_month(language: Language, rule: Recurrence, day: date) -> str:
    _ = translator(language)
    which = {
        1: _("on the first %(day)s"),
        2: _("on the second %(day)s"),
        3: _("on the third %(day)s"),
        4: _("on the fourth %(day)s"),
        5: _("on the fifth %(day)s"),
        -1: _("on the last %(day)s"),
    }
    if rule.weekdays and not rule.positions and all(number in which for number, _day in rule.weekdays):
        return ", ".join(which[number] % {"day": weekday(language, at)} for number, at in rule.weekdays)
    if rule.month_days and min(rule.month_days) > 0:
        return _("on day %(days)s", days=", ".join(map(str, rule.month_days)))
    if rule.weekdays or rule.month_days:
        return f"({rule})"
    return _("on day %(days)s", days=day.day)
