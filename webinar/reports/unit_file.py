"""A unit's year as a table: everybody in it by unit and name, with what is missing and where they stand."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from webinar.core.language import Language, date_long, marked, number, percent, translator
from webinar.core.language import jp as jp_in_words
from webinar.reports import csv_file, xlsx_file
from webinar.reports.columns import SUMMARY_COLUMNS
from webinar.reports.files import File, Tell
from webinar.reports.rules import FileKind, file_name
from webinar.reports.table_rules import Cell, Column, Kind, Table
from webinar.reports.unit_rules import Standing, standing
from webinar.reports.unit_service import UnitHours
from webinar.reports.unit_store import Learner

COLUMNS = (
    Column("person_id", marked("Person"), for_programs=True),
    Column("nip", marked("NIP"), width=20),
    Column("name", marked("Name"), width=28),
    Column("unit", marked("Unit"), width=32),
    Column("employment", marked("Employment"), width=10),
    Column("year", marked("Year"), Kind.WHOLE, 8),
    Column("jp", marked("JP"), Kind.JP, 8),
    Column("target", marked("Target"), Kind.JP, 8),
    Column("expected", marked("Expected by now"), Kind.JP),
    Column("missing", marked("Missing"), Kind.JP, 8),
    Column("beyond", marked("Beyond the limit"), Kind.JP),
    Column("standing", marked("State"), width=18),
    Column("lectures", marked("Entries"), Kind.WHOLE, 10),
    Column("ledger_entry", marked("Entry of the ledger"), Kind.WHOLE, for_programs=True),
    Column("ledger_digest", marked("Digest of the ledger"), for_programs=True),
)
STANDINGS = {
    Standing.REACHED: marked("Target reached"),
    Standing.ON_PACE: marked("On pace"),
    Standing.BEHIND: marked("Behind"),
    Standing.EXEMPT: marked("Exempt"),
    Standing.NO_TARGET: marked("No target"),
}


async def unit_file(
    found: UnitHours,
    people: Sequence[Learner],
    kind: FileKind,
    language: Language,
    tell: Tell = lambda rows: None,
) -> File:
    """CSV for programs, or a workbook with a summary; made beside the event loop."""
    name = file_name("jam-belajar", found.unit.code, str(found.goals.year), kind)
    make = _csv if kind is FileKind.CSV else _xlsx
    return File(name, kind, await asyncio.to_thread(make, found, people, language, tell))


def _csv(found: UnitHours, people: Sequence[Learner], language: Language, tell: Tell) -> bytes:
    content = b"".join(csv_file.chunks(_table(found, people, language, in_words=False)))
    tell(len(people))
    return content


def _xlsx(found: UnitHours, people: Sequence[Learner], language: Language, tell: Tell) -> bytes:
    tables = [_table(found, people, language, in_words=True), _summary(found, language)]
    return xlsx_file.workbook(tables, language, lambda rows: tell(min(rows, len(people))))


def _table(found: UnitHours, people: Sequence[Learner], language: Language, *, in_words: bool) -> Table:
    rows = _rows(found, people, language, in_words=in_words)
    return Table(marked("Participants"), COLUMNS, rows, found.zone, _at(found))


def _at(found: UnitHours) -> int:
    """The day that the figures are of, as an instant."""
    day = found.goals.day
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(found.zone)).timestamp() * 1000)


def _rows(
    found: UnitHours, people: Sequence[Learner], language: Language, *, in_words: bool
) -> Iterator[list[Cell]]:
    _ = translator(language)
    for one in people:
        goal = found.goals.of(one.employment)
        where = standing(goal, one.jp, exempt=one.exempt)
        counts = where in {Standing.REACHED, Standing.ON_PACE, Standing.BEHIND}
        yield [
            one.id,
            one.nip or "",
            one.name,
            one.unit_name,
            one.employment.upper() if in_words else one.employment,
            found.goals.year,
            one.jp,
            goal.target if counts else None,
            goal.expected if counts else None,
            max(0, goal.target - one.jp) if counts else None,
            max(0, one.jp - goal.most) if goal.most is not None else 0,
            _(STANDINGS[where]) if in_words else where.value,
            one.entries,
            found.head.number,
            found.head.digest,
        ]


def _summary(found: UnitHours, language: Language) -> Table:
    _, tally = translator(language), found.tally
    rows = [
        (_("Institution"), found.institution),
        (_("Unit"), found.unit.name),
        (_("Year"), str(found.goals.year)),
        (_("Values of"), date_long(language, found.goals.day)),
        (_("People"), number(language, tally.people)),
        (_("Target reached"), number(language, tally.reached)),
        (_("On pace"), number(language, tally.on_pace)),
        (_("Behind"), f"{number(language, tally.behind)} ({percent(language, tally.share(tally.behind))})"),
        (_("No hours yet"), number(language, tally.none)),
        (_("Exempt"), number(language, tally.exempt)),
        (_("Median"), jp_in_words(language, tally.median) if tally.median is not None else "–"),
        (_("Entry of the ledger"), number(language, found.head.number)),
        (_("Digest of the ledger"), found.head.digest),
    ]
    return Table(marked("Summary"), SUMMARY_COLUMNS, [list(row) for row in rows], found.zone, _at(found))
