"""A file about a lecture, of any kind, with its name and type."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from webinar.core.language import Language
from webinar.reports import csv_file, pdf_file, xlsx_file
from webinar.reports.list_rules import AttendanceList
from webinar.reports.rules import FileKind, file_name
from webinar.reports.table_rules import wall
from webinar.reports.wording import intervals_table, people_table, summary_table

CONTENT_TYPES = {
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.PDF: "application/pdf",
}
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class File:
    name: str
    kind: FileKind
    content: bytes

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.kind]


async def attendance_file(
    attendance: AttendanceList, kind: FileKind, language: Language, tell: Tell = lambda rows: None
) -> File:
    """The attendance list as a file; long ones take seconds, so that they run beside the event loop.

    Raises:
        TypesettingFailed: a PDF could not be set.
    """
    day = wall(attendance.log.lecture.starts_at, attendance.zone).strftime("%Y-%m-%d")
    name = file_name("kehadiran", day, attendance.log.lecture.id[:8], kind)
    if kind is FileKind.PDF:
        return File(name, kind, await pdf_file.attendance_pdf(attendance, language, tell))
    make = _csv if kind is FileKind.CSV else _xlsx
    return File(name, kind, await asyncio.to_thread(make, attendance, language, tell))


async def intervals_csv(attendance: AttendanceList) -> File:
    """Each stay of each person, for programs."""
    day = wall(attendance.log.lecture.starts_at, attendance.zone).strftime("%Y-%m-%d")
    name = file_name("interval", day, attendance.log.lecture.id[:8], FileKind.CSV)
    content = await asyncio.to_thread(lambda: b"".join(csv_file.chunks(intervals_table(attendance))))
    return File(name, FileKind.CSV, content)


def _csv(attendance: AttendanceList, language: Language, tell: Tell) -> bytes:
    content = b"".join(csv_file.chunks(people_table(attendance, language, in_words=False)))
    tell(len(attendance.people))
    return content


def _xlsx(attendance: AttendanceList, language: Language, tell: Tell) -> bytes:
    tables = [
        people_table(attendance, language, in_words=True),
        summary_table(attendance, language),
        intervals_table(attendance),
    ]
    most = len(attendance.people)
    return xlsx_file.workbook(tables, language, lambda rows: tell(min(rows, most)))
