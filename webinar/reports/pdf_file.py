"""The attendance list on paper: numbered rows with a place to sign, and one for the official.

A long list comes in parts that are set one after the other, so that it takes no more memory than its part.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pypdf import PdfReader, PdfWriter

from webinar.core.language import Language, clock, day_short, jp, number, translator, zone_name
from webinar.reports.list_rules import AttendanceList, Listed
from webinar.reports.typeset import pdf
from webinar.reports.wording import ROLES, facts

TEMPLATE = "attendance_list.typ"
PART_ROWS = 2_000
# What stands above the table; counts stand below it, the ledger on each page.
_ABOVE = ("Lecturers", "Scheduled", "Official time", "JP", "Rule", "Values of")


async def attendance_pdf(
    attendance: AttendanceList, language: Language, tell: Callable[[int], None] = lambda rows: None
) -> bytes:
    """The list of everybody registered, absentees too.

    Args:
        tell: is called with the number of rows set so far.

    Raises:
        TypesettingFailed: the typesetter gave up.
    """
    people = attendance.people
    firsts = range(0, max(len(people), 1), PART_ROWS)
    parts = []
    for part, first in enumerate(firsts, 1):
        said = _said(attendance, language, first, (part, len(firsts)))
        parts.append(await pdf(TEMPLATE, json.dumps(said)))
        tell(min(first + PART_ROWS, len(people)))
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: Sequence[bytes]) -> bytes:
    writer = PdfWriter()
    for part in parts:
        writer.append(PdfReader(io.BytesIO(part)))
    content = io.BytesIO()
    writer.write(content)
    return content.getvalue()


def _said(
    attendance: AttendanceList, language: Language, first: int, part: tuple[int, int]
) -> Mapping[str, Any]:
    _ = translator(language)
    lecture, zone = attendance.log.lecture, attendance.zone
    about = dict(facts(attendance, language))
    people = attendance.people[first : first + PART_ROWS]
    return {
        "language": language,
        "institution": attendance.institution,
        "unit": attendance.unit,
        "title": lecture.title,
        "facts": [[_(label), about[_(label)]] for label in _ABOVE if _(label) in about],
        "provisional": attendance.log.provisional,
        "digest": attendance.head.digest,
        "part": _("Part %(part)s of %(parts)s", part=part[0], parts=part[1]) if part[1] > 1 else "",
        "first": part[0] == 1,
        "last": part[0] == part[1],
        "rows": [_row(attendance, one, first + n, language) for n, one in enumerate(people, 1)],
        "totals": _totals(attendance, language),
        "changes": _changes(attendance, language),
        "place": "………………………, " + day_short(language, attendance.made_at, zone),
        "words": {
            **_words(language),
            "ledger": _("Ledger of hours: entry %(number)s, digest", number=attendance.head.number),
        },
    }


def _words(language: Language) -> dict[str, Any]:
    _ = translator(language)
    return {
        "heading": _("Attendance list"),
        "columns": [
            _("No."), _("Name"), _("NIP"), _("Unit"), _("Minutes"), _("JP"), _("Signature"),
        ],
        "provisional": _("Provisional: these values can still change until the lecture is final."),
        "nobody": _("Nobody is registered."),
        "changes": _("Adjusted by hand"),
        "official": _("The official in charge,"),
        "official_name": _("Name:"),
        "official_nip": _("NIP:"),
        "page": _("Page"),
        "of": _("of"),
    }  # fmt: skip


def _row(attendance: AttendanceList, person: Listed, place: int, language: Language) -> Mapping[str, object]:
    _ = translator(language)
    seat, credit = person.entry.registration, person.credit
    notes = [_(ROLES[seat.role])] if seat.role.value != "participant" else []
    if person.presence.first_join is not None and person.presence.last_leave is not None:
        start, end = (
            clock(language, at, attendance.zone)
            for at in (person.presence.first_join, person.presence.last_leave)
        )
        notes.append(f"{start}–{end} {zone_name(attendance.zone, person.presence.first_join)}")
    return {
        "number": place,
        "name": seat.name,
        "note": " · ".join(notes),
        "nip": person.nip or "",
        "unit": seat.unit_name,
        "minutes": number(language, credit.seconds // 60) if credit.seconds else "–",
        "jp": jp(language, person.jp) + ("*" if person.change else ""),
    }


def _totals(attendance: AttendanceList, language: Language) -> str:
    _ = translator(language)
    counted = len(attendance.people)
    return _(
        "%(registered)s registered, %(came)s came, %(absent)s absent, %(credited)s credited.",
        registered=number(language, counted),
        came=number(language, attendance.came),
        absent=number(language, counted - attendance.came),
        credited=number(language, attendance.credited),
    )


def _changes(attendance: AttendanceList, language: Language) -> list[str]:
    """A line for each adjusted value, under the number of its row."""
    _ = translator(language)
    lines = []
    for place, person in enumerate(attendance.people, 1):
        if change := person.change:
            said = _(
                "No. %(number)s: %(before)s → %(after)s JP, by %(author)s on %(day)s: %(reason)s",
                number=place,
                before=jp(language, person.credit.jp),
                after=jp(language, change.jp),
                author=change.author or _("the service"),
                day=day_short(language, change.at, attendance.zone),
                reason=change.reason,
            )
            lines.append(said)
    return lines
