"""The national holidays of Indonesia, with the days of joint leave; the one home of `holidays`.

Days that follow the moon are estimates until the ministers have signed their decree; their names say so.
"""

from datetime import date
from functools import cache

import holidays

from webinar.core.language import Language

_LANGUAGES: dict[Language, str] = {"id": "id", "en": "en_US"}
# National holidays, and the joint leave that civil servants take.
_CATEGORIES = ("public", "government")


def holiday(language: Language, day: date) -> str:
    """The name of the holiday that a day is, in the reader's language; "" for none."""
    return _names(language, day.year).get(day, "")


def is_holiday(day: date) -> bool:
    return bool(holiday("id", day))


def between(language: Language, first: date, last: date) -> list[tuple[date, str]]:
    """The holidays from one day to another, both included, in order."""
    years = range(first.year, last.year + 1)
    found = [pair for year in years for pair in _names(language, year).items()]
    return sorted(pair for pair in found if first <= pair[0] <= last)


@cache
def _names(language: Language, year: int) -> dict[date, str]:
    found = holidays.country_holidays(
        "ID", years=year, language=_LANGUAGES[language], categories=_CATEGORIES, expand=False
    )
    return {day: name.replace(";", " /") for day, name in found.items()}
