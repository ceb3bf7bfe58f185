"""Reads CSV (UTF-8, UTF-16, Windows-1252; comma, semicolon, tab) and XLSX into rows of text, one by one.

Numbers follow the spreadsheet's rows, so that what is told as row 12 is row 12 on the author's screen.
"""

import codecs
import csv
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO, TextIOWrapper
from typing import Any

from charset_normalizer import from_bytes
from python_calamine import CalamineError, CalamineWorkbook

from webinar.core.errors import Invalid
from webinar.people.importing.rules import known_headings

SIZE_MOST = 24 * 1024 * 1024
# A compressed workbook may grow to this; beyond it is a bomb, not a list of people.
UNPACKED_MOST = 256 * 1024 * 1024
ROWS_MOST = 100_000
COLUMNS_MOST = 100
_DELIMITERS = ",;\t|"

Row = tuple[int, list[str]]


def rows(content: bytes, file_name: str) -> Iterator[Row]:
    """Row numbers (from 1) and cells; empty rows are passed over.

    Raises:
        Invalid: at `file`, in words, as soon as it is seen that this is no table that we read.
    """
    if len(content) > SIZE_MOST:
        raise Invalid.at("file", "The file is larger than %(most)s MB.", most=SIZE_MOST // 1024 // 1024)
    if not content.strip():
        raise Invalid.at("file", "The file is empty.")
    ending = file_name.lower().rpartition(".")[2]
    workbook = content.startswith(b"PK\x03\x04")
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid.at(
            "file", "This is a file of an old Excel, or one with a password. Save it as .xlsx or .csv."
        )
    if workbook != (ending in {"xlsx", "xlsm"}):
        raise Invalid.at("file", "The content is not what the file's ending says. Save it as .xlsx or .csv.")
    return _numbered(_workbook(content) if workbook else _text(content))


def _numbered(table: Iterator[list[str]]) -> Iterator[Row]:
    for number, cells in enumerate(table, 1):
        if number > ROWS_MOST:
            raise Invalid.at("file", "The table has more than %(most)s rows. Split it.", most=ROWS_MOST)
        if any(cell.strip() for cell in cells):
            yield number, cells[:COLUMNS_MOST]


def _text(content: bytes) -> Iterator[list[str]]:
    encoding = encoding_of(content)
    first = _first_line(content, encoding)
    stream = TextIOWrapper(BytesIO(content), encoding=encoding, newline="")
    skipped = first.lower().startswith("sep=")  # Excel's own hint, which is no row of the table
    delimiter = first[4:5] if skipped else delimiter_of(first)
    if skipped:
        stream.readline()
        yield []
    try:
        yield from csv.reader(stream, delimiter=delimiter or ",")
    except csv.Error as error:
        raise Invalid.at(
            "file", "The table cannot be read: a cell is too long or a quote is not closed."
        ) from error


def encoding_of(content: bytes) -> str:
    """How the text is written: by its mark, else UTF-8 if it is valid, else Windows-1252, as Excel writes."""
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in content:
        raise Invalid.at("file", "This is not a table of text. Save it as .xlsx or .csv.")
    for encoding in ("utf-8", "cp1252"):
        if _decodes(content, encoding):
            return encoding
    best = from_bytes(content[:200_000]).best()
    if best is None or not _decodes(content, best.encoding):
        raise Invalid.at("file", "The characters of this file cannot be read. Save it as CSV UTF-8.")
    return best.encoding


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(content)
    try:
        for start in range(0, len(view), 65_536):
            decoder.decode(view[start : start + 65_536])
        decoder.decode(b"", final=True)
    except (UnicodeError, LookupError):
        return False
    return True


def _first_line(content: bytes, encoding: str) -> str:
    stream = TextIOWrapper(BytesIO(content), encoding=encoding, errors="replace")
    for line in stream:
        if line.strip():
            return line.strip("\r\n")[:10_000]
    return ""


def delimiter_of(line: str) -> str:
    """What separates the headings: whatever makes us know most of them, then what makes most cells."""

    def merit(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return known_headings(cells), len(cells)

    return max(_DELIMITERS, key=merit)


def _workbook(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > UNPACKED_MOST:
            raise Invalid.at("file", "The workbook is too large. Save the sheet with the people as CSV.")
        sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    except (CalamineError, zipfile.BadZipFile, ValueError, IndexError) as error:
        raise Invalid.at(
            "file", "This workbook cannot be read. Save the sheet with the people as CSV."
        ) from error
    for _ in range(sheet.start[0] if sheet.start else 0):
        yield []
    for cells in sheet.iter_rows():
        yield [cell_text(cell) for cell in cells]


def cell_text(cell: Any) -> str:
    """A cell as text; a whole number without a point, one too large to be exact as 1.98503E+17."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        if abs(cell) >= 1e15:
            return f"{cell:.5E}"
        return str(int(cell)) if cell == int(cell) else str(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
