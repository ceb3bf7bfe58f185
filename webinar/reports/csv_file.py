"""A table as CSV, for spreadsheets and for programs."""

import csv
import io
from collections.abc import Iterator

from webinar.reports.table_rules import Cell, Column, Kind, Table, decimal_jp, harmless, wall

# Excel takes bytes for UTF-8 only behind this mark.
BOM = "\ufeff"
ROWS_A_CHUNK = 200


def chunks(table: Table) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, comma, CRLF (RFC 4180); instants with their offset (RFC 3339)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write(BOM)
    writer.writerow([column.key for column in table.columns])
    for number, row in enumerate(table.rows, 1):
        cells = zip(table.columns, row, strict=True)
        writer.writerow([_written(column, cell, table.zone) for column, cell in cells])
        if number % ROWS_A_CHUNK == 0:
            yield _taken(text)
    yield _taken(text)


def _written(column: Column, cell: Cell, zone: str) -> str:
    if cell is None:
        return ""
    match column.kind:
        case Kind.JP:
            return decimal_jp(int(cell))
        case Kind.SHARE:
            return f"{float(cell):.4f}"
        case Kind.INSTANT:
            return wall(int(cell), zone).isoformat(timespec="seconds")
        case Kind.WHOLE:
            return str(int(cell))
        case _:
            return harmless(str(cell))


def _taken(text: io.StringIO) -> bytes:
    content = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return content
