"""The attendance log as CSV, a row a person, for spreadsheets and for programs."""

import csv
import io
from collections.abc import Iterator

from webinar.attendance.credit_rules import State
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.core.clock import to_datetime
from webinar.core.language import Language, marked
from webinar.policies.wording import joined

COLUMNS = (
    "person_id",
    "name",
    "email",
    "unit",
    "role",
    "first_join",
    "last_leave",
    "seconds",
    "jp",
    "state",
    "uncertainty_seconds",
    "final",
    "why",
)
LABELS = {
    State.CREDITED: marked("Credited"),
    State.NOT_CREDITED: marked("Not credited"),
    State.ABSENT: marked("Absent"),
    State.DOUBTFUL: marked("Doubtful"),
}
# Excel takes bytes for UTF-8 only behind this mark.
BOM = "\ufeff"
ROWS_A_CHUNK = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_chunks(log: AttendanceLog, language: Language = "en") -> Iterator[bytes]:
    """UTF-8 with a byte order mark, comma, CRLF (RFC 4180); times in the lecture's zone (RFC 3339)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(BOM)
    writer.writerow(COLUMNS)
    for number, entry in enumerate(log.entries, 1):
        writer.writerow(_row(log, entry, language))
        if number % ROWS_A_CHUNK == 0:
            yield _taken(text)
    yield _taken(text)


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_FORMULA) else cell


def moment(at: int | None, zone: str) -> str:
    """RFC 3339 with the zone's offset, whole seconds; empty for nothing."""
    return to_datetime(at, zone).isoformat(timespec="seconds") if at is not None else ""


def decimal_jp(hundredths: int) -> str:
    """2, 1.5, 1.33: for programs, with a point in every language."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)


def _row(log: AttendanceLog, entry: Entry, language: Language) -> list[str]:
    person, credit, zone = entry.registration, entry.credit, log.lecture.zone
    cells = (
        person.person_id,
        person.name,
        person.email or "",
        person.unit_name,
        person.role.value,
        moment(entry.presence.first_join, zone),
        moment(entry.presence.last_leave, zone),
        str(credit.seconds),
        decimal_jp(credit.jp),
        credit.state.value,
        str(credit.uncertainty_s),
        "no" if log.provisional else "yes",
        joined(language, credit.why, zone),
    )
    return [harmless(cell) for cell in cells]


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content
