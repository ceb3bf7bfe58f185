"""A person's year of learning on paper, with what counted, why, and what was adjusted."""

import json
from collections.abc import Mapping
from typing import Any

from webinar.core.language import Language, day_short, jp, moment, times, translator
from webinar.hours.rules import Head, YearEntry, YearOfHours
from webinar.people.rules import Person
from webinar.reports.files import File
from webinar.reports.rules import FileKind, file_name
from webinar.reports.typeset import pdf

TEMPLATE = "year.typ"


async def year_pdf(
    year: YearOfHours, person: Person, institution: str, head: Head, now: int, language: Language
) -> File:
    """Raises TypesettingFailed when the typesetter gives up."""
    said = _said(year, person, institution, head, now, language)
    name = file_name("jam-belajar", str(year.year), FileKind.PDF)
    return File(name, FileKind.PDF, await pdf(TEMPLATE, json.dumps(said)))


def _said(
    year: YearOfHours, person: Person, institution: str, head: Head, now: int, language: Language
) -> Mapping[str, Any]:
    _ = translator(language)
    facts = [
        (_("Name"), person.name),
        (_("NIP"), person.nip or ""),
        (_("Unit"), person.unit_name),
        (_("Target"), _("%(jp)s JP", jp=jp(language, year.target)) if year.target else ""),
        (_("on record"), _("%(jp)s JP", jp=jp(language, year.total))),
        (_("provisional"), _("%(jp)s JP", jp=jp(language, year.provisional)) if year.provisional else ""),
        (_("Beyond the limit"), _("%(jp)s JP", jp=jp(language, year.beyond)) if year.beyond else ""),
        (_("Printed"), moment(language, now, year.zone)),
    ]
    return {
        "language": language,
        "institution": institution,
        "title": _("Learning hours %(year)s", year=year.year),
        "facts": [[label, value] for label, value in facts if value],
        "digest": head.digest,
        "rows": [_row(one, language) for one in year.entries],
        "words": {
            "columns": [_("No."), _("Day"), _("Lecture"), _("JP"), _("State")],
            "ledger": _("Ledger of hours: entry %(number)s, digest", number=head.number),
            "nobody": _("Nothing is counted in %(year)s yet", year=year.year),
            "page": _("Page"),
            "of": _("of"),
        },
    }


def _row(entry: YearEntry, language: Language) -> Mapping[str, str]:
    _ = translator(language)
    adjusted = ""
    if because := entry.adjusted:
        adjusted = _(
            "Adjusted from %(before_jp)s to %(jp)s JP by %(author)s, because: %(reason)s",
            before_jp=jp(language, because.before_jp),
            jp=jp(language, entry.jp),
            author=because.author or _("the service"),
            reason=because.reason,
        )
    return {
        "day": day_short(language, entry.starts_at, entry.zone),
        "times": times(language, entry.starts_at, entry.ends_at, entry.zone),
        "title": entry.title,
        "why": " ".join(part for part in (entry.why, adjusted) if part),
        "jp": jp(language, entry.jp),
        "state": _("Provisional") if entry.provisional else _("Final"),
    }
