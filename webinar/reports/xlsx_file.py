"""Tables as a workbook: a sheet a table, typed cells, a header that stays, a filter over each column."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import xlsxwriter

from webinar.core.language import Language, translator, zone_name
from webinar.reports.table_rules import Cell, Column, Kind, Table, harmless, wall

TEXT_MOST = 32_000
# Spreadsheets take no more characters for the name of a sheet.
NAME_MOST = 31
ROWS_A_STEP = 250
_FORMATS = {Kind.WHOLE: "#,##0", Kind.JP: "0.##", Kind.SHARE: "0.0%", Kind.INSTANT: "yyyy-mm-dd hh:mm:ss"}
_OPTIONS = {
    # Rows go to disk as they come, so that a long list costs no memory.
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def workbook(
    tables: Sequence[Table], language: Language, tell: Callable[[int], None] = lambda rows: None
) -> bytes:
    """The file.

    Args:
        tell: is called with the number of rows written so far, over all sheets.
    """
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, _OPTIONS)
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
    done = 0
    for table in tables:
        done = _sheet(book, table, language, head, formats, done, tell)
    book.close()
    tell(done)
    return content.getvalue()


def _sheet(
    book: Any,
    table: Table,
    language: Language,
    head: Any,
    formats: dict[Kind, Any],
    done: int,
    tell: Callable[[int], None],
) -> int:
    _ = translator(language)
    columns = [column for column in table.columns if not column.for_programs]
    places = [n for n, column in enumerate(table.columns) if not column.for_programs]
    sheet = book.add_worksheet(_(table.name)[:NAME_MOST])
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, _title(column, table, _), head)
    sheet.freeze_panes(1, 0)
    last = 0
    for last, row in enumerate(table.rows, 1):
        for place, (column, source) in enumerate(zip(columns, places, strict=True)):
            _write(sheet, last, place, column, row[source], table.zone, formats.get(column.kind))
        if last % ROWS_A_STEP == 0:
            tell(done + last)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    return done + last


def _title(column: Column, table: Table, _: Callable[..., str]) -> str:
    """A column of instants names the zone that they are told in."""
    return (
        f"{_(column.title)} ({zone_name(table.zone, table.at)})"
        if column.kind is Kind.INSTANT
        else _(column.title)
    )


def _write(sheet: Any, row: int, place: int, column: Column, cell: Cell, zone: str, form: Any) -> None:
    if cell is None or cell == "":
        return
    match column.kind:
        case Kind.TEXT:
            sheet.write_string(row, place, harmless(str(cell))[:TEXT_MOST])
        case Kind.INSTANT:
            # Spreadsheets know no zones: the wall time stands there, the header names the zone.
            sheet.write_datetime(row, place, wall(int(cell), zone).replace(tzinfo=None), form)
        case Kind.JP:
            sheet.write_number(row, place, int(cell) / 100, form)
        case _:
            sheet.write_number(row, place, cell, form)
