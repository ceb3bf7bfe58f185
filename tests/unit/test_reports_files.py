"""What stands in the files, read back by the programs that people read them with."""

import asyncio
import csv
import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from tests.unit.reports_build import DIGEST, MINUTE, NINE, ZONE, a_list, listed
from webinar.lectures.rules import Seat
from webinar.reports import files, pdf_file
from webinar.reports.list_rules import AttendanceList, Change
from webinar.reports.rules import FileKind, file_name
from webinar.reports.table_rules import decimal_jp, harmless

FORMULAS = ("=1+1", "+62811", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", '=cmd|" /C calc"!A0')
MARKUP = (
    '#panic(1) #import "x"',
    "*tebal* _miring_ $x^2$ @ref <label>",
    "\\u{41} // /* komentar */ `kode`",
    "<script>alert(1)</script>",
    "[[kurung]] #[isi]",
    "%(name)s {{ 7 * 7 }}",
)
CHANGED = Change(200, "Rina Kartika", "Bersama di satu layar", NINE + 300 * MINUTE)


def made(attendance: AttendanceList, kind: FileKind, language: Any = "id") -> bytes:
    return asyncio.run(files.attendance_file(attendance, kind, language)).content


def rows_of_csv(attendance: AttendanceList) -> list[dict[str, str]]:
    content = made(attendance, FileKind.CSV)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def text_of_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def fonts_of_pdf(content: bytes) -> dict[str, bool]:
    """The fonts that the pages name, and whether each is in the file."""
    found: dict[str, bool] = {}
    for page in PdfReader(io.BytesIO(content)).pages:
        for font in page["/Resources"]["/Font"].values():
            (inner,) = font.get_object()["/DescendantFonts"]
            told = inner.get_object()["/FontDescriptor"].get_object()
            name = str(told["/FontName"]).partition("+")[2]
            found[name] = bool({"/FontFile", "/FontFile2", "/FontFile3"} & told.keys())
    return found


def test_the_csv_has_a_row_a_person_with_times_in_the_zone_of_the_lecture() -> None:
    siti, budi = rows_of_csv(a_list(listed(), listed(2, name="Budi", minutes=0, nip=None)))
    assert siti["first_join"] == "2026-11-25T09:00:00+08:00"
    assert siti["last_leave"] == "2026-11-25T10:30:00+08:00"
    told = ("nip", "seconds", "share", "jp", "computed_jp", "state", "role", "final", "adjusted_by")
    assert [siti[key] for key in told] == [
        "198503122010012003", "5400", "1.0000", "2", "2", "credited", "participant", "yes", "",
    ]  # fmt: skip
    assert siti["why"] == "90 dari 90 menit, yang diperlukan 72 menit."
    assert [budi[key] for key in ("nip", "first_join", "seconds", "state")] == ["", "", "0", "absent"]


def test_an_adjusted_value_counts_and_says_by_whom_and_why_and_what_was_computed() -> None:
    (row,) = rows_of_csv(a_list(listed(minutes=51, change=CHANGED)))
    told = ("jp", "computed_jp", "adjusted_by", "adjusted_why", "adjusted_at")
    assert [row[key] for key in told] == [
        "2", "0", "Rina Kartika", "Bersama di satu layar", "2026-11-25T14:00:00+08:00",
    ]  # fmt: skip


def test_the_workbook_has_typed_cells_a_header_that_stays_and_a_filter() -> None:
    content = made(a_list(listed(), listed(2, minutes=51, change=CHANGED)), FileKind.XLSX)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Peserta", "Ringkasan", "Interval"]
    people = book["Peserta"]
    assert people.freeze_panes == "A2"
    assert people.auto_filter.ref == people.dimensions
    heads = [cell.value for cell in people[1]]
    first, second = (dict(zip(heads, row, strict=True)) for row in people[2:3])
    assert first["Masuk pertama (WITA)"].value == datetime(2026, 11, 25, 9, 0)
    assert first["Masuk pertama (WITA)"].is_date
    assert (first["Detik dalam waktu resmi"].value, first["JP"].value) == (5400, 2)
    assert first["Bagian dari waktu resmi"].value == 1
    assert first["Bagian dari waktu resmi"].number_format == "0.0%"
    # Eighteen digits are more than a spreadsheet's numbers keep.
    assert (first["NIP"].value, first["NIP"].data_type) == ("198503122010012003", "s")
    assert (second["JP"].value, second["Disesuaikan oleh"].value) == (2, "Rina Kartika")
    facts = {row[0].value: row[1].value for row in book["Ringkasan"].iter_rows(min_row=2)}
    assert (facts["Terdaftar"], facts["Sidik buku jam"]) == ("2", DIGEST)
    stays = list(book["Interval"].iter_rows(min_row=2, values_only=True))
    assert stays[1][3:6] == (datetime(2026, 11, 25, 9, 0), datetime(2026, 11, 25, 9, 51), 51 * 60)


def test_another_reader_finds_the_same_in_the_workbook() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(made(a_list(listed()), FileKind.XLSX, "en")))
    assert book.sheet_names == ["Participants", "Summary", "Intervals"]
    head, row = book.get_sheet_by_name("Participants").to_python()
    assert dict(zip(head, row, strict=True))["Last leave (WITA)"] == datetime(2026, 11, 25, 10, 30)


@pytest.mark.parametrize("text", FORMULAS)
def test_cells_that_could_be_formulas_are_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"
    change = Change(200, text, text, NINE)
    attendance = a_list(listed(name=text, unit=text, change=change), title=text)
    (row,) = rows_of_csv(attendance)
    told = ("name", "unit", "adjusted_by", "adjusted_why")
    assert [row[key] for key in told] == [f"'{text}"] * 4
    book = openpyxl.load_workbook(io.BytesIO(made(attendance, FileKind.XLSX)))
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert [found for found in texts if found != harmless(found) and not found.startswith("'")] == []
    assert sum(found.startswith("'") for found in texts) >= 6


def test_documents_are_set_in_the_font_of_the_pages_and_carry_it_along() -> None:
    fonts = fonts_of_pdf(made(a_list(listed(name="Siti Nurhaliza Éka Ş")), FileKind.PDF))
    assert all(fonts.values())
    assert {name for name in fonts if "Mono" not in name} == {
        f"PlusJakartaSans-{style}" for style in ("Regular", "Medium", "SemiBold", "Bold")
    }


def test_the_list_to_sign_names_everything_that_a_filed_list_needs() -> None:
    people = [listed(n, name=f"Orang Nomor {n}") for n in range(1, 61)]
    people.append(listed(61, name="Yohana Wambrauw", minutes=51, change=CHANGED))
    people.append(listed(62, name="Maya Lestari", role=Seat.LECTURER, nip=None))
    content = made(a_list(*people), FileKind.PDF)
    text = text_of_pdf(content)
    pages = PdfReader(io.BytesIO(content)).pages
    for wanted in (
        "Pemerintah Kota Contoh", "Daftar hadir", "Etika kecerdasan buatan", "Dr. Maya Lestari",
        "Rabu, 25 November 2026, 09.00–10.30 WITA", "72 dari 90 menit", "Tanda tangan",
        "Orang Nomor 60", "198503122010012003", "Dinas Pendidikan", "Pejabat yang bertanggung jawab",
        "No. 61: 0 → 2 JP, oleh Rina Kartika pada 25 Nov 2026: Bersama di satu layar", "2*",
        f"Halaman 1 dari {len(pages)}", "62 terdaftar, 62 hadir, 0 tidak hadir, 62 mendapat JP.",
    ):  # fmt: skip
        assert wanted in " ".join(text.split()), wanted
    assert len(pages) > 2
    assert all(DIGEST in page.extract_text() for page in pages)
    assert "Sementara" not in text
    assert "Sementara" in text_of_pdf(made(a_list(listed(), provisional=True), FileKind.PDF))


def test_texts_on_paper_are_text_and_never_markup() -> None:
    for text in MARKUP:
        change = Change(100, text, text, NINE)
        attendance = a_list(listed(name=text, unit=text, change=change), title=text, institution=text)
        shown = "".join(text_of_pdf(made(attendance, FileKind.PDF)).split())
        # Institution, title, name, unit, author and reason; what is too long for its column is broken.
        assert shown.count("".join(text.split())) >= 4, text


def test_a_long_list_is_set_in_parts_that_number_their_rows_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_file, "PART_ROWS", 3)
    told: list[int] = []
    people = [listed(n, name=f"Orang {n}") for n in range(1, 8)]
    content = asyncio.run(pdf_file.attendance_pdf(a_list(*people), "id", told.append))
    text = text_of_pdf(content)
    assert told == [3, 6, 7]
    assert [f"Bagian {n} dari 3" in text for n in (1, 2, 3)] == [True] * 3
    assert text.count("Daftar hadir") == 1
    assert text.count("Pejabat yang bertanggung jawab") == 1
    assert "7." in text


def test_a_list_without_anybody_is_a_list() -> None:
    assert rows_of_csv(a_list()) == []
    assert "Belum ada yang terdaftar" in text_of_pdf(made(a_list(), FileKind.PDF))
    book = openpyxl.load_workbook(io.BytesIO(made(a_list(), FileKind.XLSX)))
    assert book["Peserta"].max_row == 1


def test_jp_is_written_without_idle_zeros() -> None:
    written = [decimal_jp(h) for h in (0, 200, 150, 133, 105, -50)]
    assert written == ["0", "2", "1.5", "1.33", "1.05", "-0.5"]


def test_a_file_has_a_name_that_every_system_takes() -> None:
    name = file_name("kehadiran", 'a/../b"\r\n', "2026-11-25", "xlsx")
    assert name == "kehadiran-a-b-2026-11-25.xlsx"
    assert ZONE not in name
