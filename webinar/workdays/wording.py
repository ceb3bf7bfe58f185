"""Warnings about a time, written out."""

from datetime import date

from webinar.core.language import Language, date_pattern, translator
from webinar.workdays.rules import Caution, Reason, Span, clock


def told(language: Language, caution: Caution) -> str:
    """One warning as a sentence: a holiday by its name, office hours with their times."""
    _ = translator(language)
    day = date_pattern(language, caution.day, "EEEE, d MMMM y")
    if caution.reason is Reason.HOLIDAY:
        return _("%(day)s is a national holiday: %(name)s.", day=day, name=caution.name)
    if caution.hours is None:
        return _("%(day)s is a day off.", day=day)
    return _(
        "Outside office hours: on %(weekday)s they are %(hours)s.",
        weekday=weekday(language, caution.day),
        hours=span(language, caution.hours),
    )


def weekday(language: Language, day: date) -> str:
    return date_pattern(language, day, "EEEE")


def span(language: Language, hours: Span) -> str:
    """07.30–16.00."""
    dot = "." if language == "id" else ":"
    return "–".join(clock(minute).replace(":", dot) for minute in hours)
