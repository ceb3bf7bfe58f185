"""What imported tables look like in offices, and what is told about them."""

import zipfile
from io import BytesIO
from xml.sax.saxutils import escape

import pytest

from webinar.core.errors import Invalid
from webinar.people.importing import files, rules
from webinar.people.importing.rules import Known, Options, Reading, Seen, UnitIndex
from webinar.people.rules import PersonDraft, Unit

EDUCATION = Unit("edu", "i", "i", "i/edu/", "disdik", "Dinas Pendidikan")
HEALTH = Unit("hea", "i", "i", "i/hea/", "dinkes", "Dinas Kesehatan")
NIP = "198503122010012003"


def a_workbook(*table: list[object]) -> bytes:
    """The least that an XLSX file is: strings inline, numbers as numbers."""

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    rows = "".join(f"<row>{''.join(map(cell, cells))}</row>" for cells in table)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="ASN" '
        'sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }  # fmt: skip
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def table(content: bytes, name: str = "asn.csv") -> list[tuple[int, list[str]]]:
    return list(files.rows(content, name))


def reading(
    *cells: str, header: str = "nama;nip;email;unit;jenis", options: Options | None = None
) -> Reading:
    columns = rules.columns_of(header.split(";"))
    return rules.read_row(columns, 2, cells, UnitIndex([EDUCATION, HEALTH]), options or Options())


def told(found: Reading) -> list[tuple[str, str]]:
    return [(problem.column, problem.message % problem.fields) for problem in found.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_way_that_offices_save_a_table_is_read_alike(encoding: str, delimiter: str):
    text = f"Nama{delimiter}Surel\r\nRené D’Almeida{delimiter}rene@kota.example\r\n"
    assert table(text.encode(encoding)) == [
        (1, ["Nama", "Surel"]),
        (2, ["René D’Almeida", "rene@kota.example"]),
    ]


def test_row_numbers_are_those_of_the_spreadsheet_also_past_empty_rows():
    assert [row for row, _ in table(b"nama;email\n\n;\nSiti;s@kota.example\n")] == [1, 4]


def test_the_hint_of_excel_is_no_row_of_the_table():
    assert table(b"sep=;\r\nnama;email\r\nSiti;s@kota.example\r\n")[0] == (2, ["nama", "email"])


def test_a_comma_within_quotes_does_not_split():
    assert table(b'nama,email\n"Siti, S.Pd",s@kota.example\n')[1][1] == ["Siti, S.Pd", "s@kota.example"]


def test_a_workbook_is_read_with_text_and_numbers():
    content = a_workbook(["Nama", "NIP", "No HP"], ["Siti", NIP, 81234567890])
    assert table(content, "asn.xlsx") == [(1, ["Nama", "NIP", "No HP"]), (2, ["Siti", NIP, "81234567890"])]


def test_a_nip_that_excel_kept_as_a_number_is_told_as_damaged():
    cells = table(a_workbook(["nama", "nip"], ["Siti", 198503122010012003]), "asn.xlsx")[1][1]
    found = reading(cells[0], cells[1], "", "disdik", "PNS")
    assert told(found) == [
        ("nip", "The spreadsheet kept this NIP as a number and lost digits. Format the column as text.")
    ]
    assert told(reading("Siti", "1,98503E+17", "", "disdik", "PNS"))[0][0] == "nip"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x03\x04 nonsense", "asn.xlsx"),
        (b"PK\x03\x04 nonsense", "asn.csv"),
        (b"nama;email\n", "asn.xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "asn.xls"),
        (b"\x89PNG\x00\x00", "asn.csv"),
        (b"", "asn.csv"),
        (b"  \n", "asn.csv"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, name: str):
    with pytest.raises(Invalid) as refused:
        table(content, name)
    assert [error.field for error in refused.value.errors] == ["file"]


def test_a_table_without_names_or_with_a_field_twice_is_refused():
    with pytest.raises(Invalid):
        rules.columns_of(["nip", "email"])
    with pytest.raises(Invalid):
        rules.columns_of(["nama", "email", "surel"])


def test_headings_are_known_in_both_languages_and_others_are_told_as_ignored():
    columns = rules.columns_of(["No.", "NAMA LENGKAP", "Perangkat Daerah", "E-mail", "Jenis Pegawai"])
    assert set(columns.at) == {"name", "unit", "email", "employment"}
    assert columns.ignored == ("No.",)


def test_a_right_row_has_no_problems():
    found = reading("Siti Rahma", NIP, "siti@kota.example", "dinas pendidikan", "PNS")
    assert not found.problems
    assert found.draft.unit_id == "edu"


def test_everything_wrong_in_a_row_is_told_by_its_column():
    found = reading("", "123", "siti@", "Dinas Pendidikn", "honorer")
    assert told(found) == [
        ("nama", "The name is missing."),
        ("email", "This is not an e-mail address."),
        ("nip", "A NIP has 18 digits, this one has 3."),
        ("unit", "This unit does not exist. Do you mean “Dinas Pendidikan”?"),
        ("jenis", "Choose one of: PNS, PPPK, lainnya."),
    ]


def test_somebody_without_nip_and_address_is_refused_since_nobody_could_know_them_again():
    assert [column for column, _ in told(reading("Siti", "", "", "disdik", ""))] == ["email"]


def test_missing_units_are_made_only_when_asked_for():
    found = reading("Siti", NIP, "", "Dinas  Sosial", "PNS", options=Options(create_units=True))
    assert (found.new_unit, found.problems) == ("Dinas Sosial", ())
    assert reading("Siti", NIP, "", "Dinas Sosial", "PNS").problems


def test_two_units_of_one_name_ask_for_the_code():
    twin = Unit("x", "i", "i", "i/x/", "disdik2", "Dinas Pendidikan")
    found = UnitIndex([EDUCATION, twin]).find("Dinas Pendidikan")
    assert not isinstance(found, str) and "code" in found.message
    assert UnitIndex([EDUCATION, twin]).find("disdik2") == "x"


def test_a_formula_stays_text():
    found = reading('=HYPERLINK("http://x")', NIP, "", "disdik", "PNS")
    assert found.draft.name == '=HYPERLINK("http://x")'


def test_the_second_of_two_equal_rows_is_told_with_the_number_of_the_first():
    columns = rules.columns_of(["nama", "nip", "email"])
    units, options = UnitIndex([EDUCATION]), Options(default_unit_id="edu")
    seen = Seen()
    first = rules.read_row(columns, 2, ["Siti", NIP, "S@kota.example"], units, options)
    second = rules.read_row(columns, 9, ["Siti", NIP, "s@kota.example"], units, options)
    assert not seen.repeated(first, columns)
    assert [(p.column, p.fields) for p in seen.repeated(second, columns)] == [
        ("nip", {"row": 2}),
        ("email", {"row": 2}),
    ]


def known(**more: object) -> Known:
    draft = PersonDraft(name="Siti", unit_id="edu", email="siti@kota.example", nip=NIP, phone="0812345678")
    return Known("p1", 3, draft, **more)  # type: ignore[arg-type]  # flags only


COLUMNS = rules.columns_of(["nama", "nip", "email", "unit", "jenis"])


def test_an_empty_cell_changes_nothing():
    found = reading("Siti Rahma", NIP, "", "dinkes", "")
    after = rules.merged(found, known())
    assert rules.changed_fields(known().draft, after) == {
        "name": ("Siti", "Siti Rahma"),
        "unit_id": ("edu", "hea"),
    }


def test_a_nip_of_one_and_an_address_of_another_is_told():
    other = Known("p2", 1, PersonDraft(name="Budi", unit_id="edu"))
    assert isinstance(
        rules.matched(reading("Siti", NIP, "b@kota.example", "disdik"), known(), other, COLUMNS),
        rules.Problem,
    )


@pytest.mark.parametrize("flags", [{"mine": False}, {"active": False}])
def test_people_of_other_units_and_deactivated_ones_are_not_changed(flags: dict[str, bool]):
    assert isinstance(
        rules.matched(reading("Siti", NIP, "", "disdik"), known(**flags), None, COLUMNS), rules.Problem
    )


def test_the_address_of_somebody_with_a_role_is_not_the_organisers_to_change():
    found = reading("Siti", NIP, "evil@kota.example", "disdik", "PNS")
    changed = rules.changed_fields(known().draft, rules.merged(found, known()))
    assert rules.power_problem(found, known(powerful=True), changed, COLUMNS) is not None
    assert rules.power_problem(found, known(), changed, COLUMNS) is None


def test_batches_shrink_on_slow_disks_and_grow_on_fast_ones():
    pace = rules.pace(one_writer=True)
    assert pace.next(200, 2 * pace.held_ms) == 100
    assert pace.next(100, 5) == 150
    assert pace.next(60, 1_000) == pace.least
