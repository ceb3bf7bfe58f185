"""What a row of an imported table says, and whether it is right.

Nothing here knows the database: units and the people who are there already come in as arguments.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from webinar.core.errors import FieldError, Invalid
from webinar.people import rules
from webinar.people.rules import Employment, PersonDraft, Unit, sort_name

# The words that people head their columns with, in Indonesian and English; compared without blanks and marks.
HEADINGS: Mapping[str, Sequence[str]] = {
    "name": ("nama", "name", "namalengkap", "namapegawai", "namapeserta", "fullname"),
    "nip": ("nip", "nipbaru", "nippegawai", "nomorindukpegawai"),
    "email": ("email", "surel", "alamatemail", "alamatsurel", "emailaddress", "mail"),
    "unit": ("unit", "perangkatdaerah", "opd", "skpd", "unitkerja", "satuankerja", "kodeunit"),
    "employment": ("jenis", "employment", "jenispegawai", "jeniskepegawaian", "statuskepegawaian"),
    "phone": ("telepon", "phone", "nohp", "hp", "nomorhp", "notelepon", "nomortelepon", "telephone", "wa"),
    "zone": ("zona", "zone", "zonawaktu", "timezone"),
    "language": ("bahasa", "language"),
}  # fmt: skip
_FIELD_OF = {word: field for field, words in HEADINGS.items() for word in words}
_EMPLOYMENTS = {
    "pns": Employment.PNS, "cpns": Employment.PNS, "pppk": Employment.PPPK, "p3k": Employment.PPPK,
    "other": Employment.OTHER, "lainnya": Employment.OTHER, "lain": Employment.OTHER,
    "nonasn": Employment.OTHER, "umum": Employment.OTHER, "eksternal": Employment.OTHER,
}  # fmt: skip
_ZONES = {"wib": "Asia/Jakarta", "wita": "Asia/Makassar", "wit": "Asia/Jayapura"}
_LANGUAGES = {
    "id": "id",
    "en": "en",
    "indonesia": "id",
    "bahasaindonesia": "id",
    "english": "en",
    "inggris": "en",
}
_DAMAGED = re.compile(r"\d(?:[.,]\d*)?[eE]\+?\d{2}")
VALUE_LENGTH = 60
UNIT_NAME_LENGTH = 200


class ImportState(StrEnum):
    CHECKED = "checked"
    WRITING = "writing"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


# From state to state; an import that was only checked is thrown away as a row, not as a state.
MOVES: Mapping[str, Mapping[ImportState, ImportState]] = {
    "confirm": {ImportState.CHECKED: ImportState.WRITING},
    "finish": {ImportState.WRITING: ImportState.DONE},
    "undo": {ImportState.DONE: ImportState.UNDOING},
    "finish_undo": {ImportState.UNDOING: ImportState.UNDONE},
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows one transaction takes, from `first` on, and the pause after it."""

    first: int
    least: int
    most: int
    held_ms: float
    pause_s: float

    def next(self, rows: int, held_ms: float) -> int:
        """The size of the next batch, so that one lasts about as long as it should on fast and slow disks."""
        factor = min(1.5, max(0.5, self.held_ms / max(held_ms, 1.0)))
        return max(self.least, min(self.most, round(rows * factor)))


def pace(*, one_writer: bool) -> Pace:
    """Where all writers share one lock, each has to get it in between.

    The pause is longer than SQLite's waiting writers sleep between two looks (25 ms at first).
    """
    return Pace(100, 50, 400, 25.0, 0.028) if one_writer else Pace(300, 100, 500, 100.0, 0.002)


@dataclass(frozen=True, slots=True)
class Options:
    """What the author chose at the upload."""

    # For rows that name no unit.
    default_unit_id: str = ""
    create_units: bool = False
    default_zone: str = rules.DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell: its row as the spreadsheet numbers it, its heading, and the value."""

    row: int
    column: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    value: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands, under which heading, and which headings mean nothing to us."""

    at: Mapping[str, int]
    titles: Mapping[str, str]
    ignored: tuple[str, ...] = ()

    def title(self, name: str) -> str:
        """The heading as the author wrote it; the field's own name where the file has no such column."""
        return self.titles.get({"unit_id": "unit"}.get(name, name), name)


@dataclass(frozen=True, slots=True)
class Reading:
    """One row, understood. `given` are the fields with something in their cell."""

    row: int
    draft: PersonDraft
    given: frozenset[str]
    new_unit: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is there already.

    `mine` says whether the author may change them at all, `powerful` whether they hold a role beyond the
    author's reach, so that their address is not the author's to change.
    """

    id: str
    version: int
    draft: PersonDraft
    active: bool = True
    mine: bool = True
    powerful: bool = False


class UnitIndex:
    """Finds the unit that a cell names, by code or by name."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._by_code: dict[str, Unit] = {}
        self._by_name: dict[str, list[Unit]] = {}
        self._cache: dict[str, str | FieldError] = {}
        for unit in units:
            self._by_code[unit.code.lower()] = unit
            self._by_name.setdefault(sort_name(unit.name), []).append(unit)

    def find(self, cell: str) -> str | FieldError:
        """The unit's id, or what is wrong."""
        if cell not in self._cache:
            self._cache[cell] = self._look(cell)
        return self._cache[cell]

    def _look(self, cell: str) -> str | FieldError:
        wanted = sort_name(cell)
        named = self._by_name.get(wanted, [])
        if len(named) == 1:
            return named[0].id
        if named:
            return FieldError("unit", "Several units have this name. Write the unit's code instead.", {})
        if wanted in self._by_code:
            return self._by_code[wanted].id
        return self._unknown(wanted)

    def _unknown(self, wanted: str) -> FieldError:
        near = get_close_matches(wanted, [*self._by_name, *self._by_code], n=1, cutoff=0.6)
        if not near:
            return FieldError("unit", "This unit does not exist.", {})
        unit = self._by_name[near[0]][0] if near[0] in self._by_name else self._by_code[near[0]]
        return FieldError("unit", "This unit does not exist. Do you mean “%(unit)s”?", {"unit": unit.name})


def columns_of(header: Sequence[str]) -> Columns:
    """What the headings of a table mean.

    Raises:
        Invalid: no column of names, or one field twice.
    """
    at: dict[str, int] = {}
    titles: dict[str, str] = {}
    ignored: list[str] = []
    for index, title in enumerate(header):
        name = _FIELD_OF.get(heading_key(title))
        if name is None:
            ignored += [rules.tidy(title)] if title.strip() else []
        elif name in at:
            raise Invalid.at("file", "Two columns mean the same: “%(first)s” and “%(second)s”.",
                             first=titles[name], second=rules.tidy(title))  # fmt: skip
        else:
            at[name], titles[name] = index, rules.tidy(title)
    if "name" not in at:
        raise Invalid.at(
            "file", "No column is headed “nama” or “name”. The first row has to name the columns."
        )
    return Columns(at, titles, tuple(ignored))


def heading_key(title: str) -> str:
    return "".join(c for c in sort_name(title) if c.isalnum())


def known_headings(cells: Iterable[str]) -> int:
    """How many cells are headings that we know; tells the separator of a CSV file."""
    return sum(heading_key(cell) in _FIELD_OF for cell in cells)


def read_row(columns: Columns, row: int, cells: Sequence[str], units: UnitIndex, options: Options) -> Reading:
    """One row as a draft, with everything that is wrong with it alone."""
    said = {
        name: cells[index].strip(" \u00a0") for name, index in columns.at.items()
        if index < len(cells) and cells[index].strip()
    }  # fmt: skip
    errors: list[FieldError] = []
    unit_id, new_unit = _unit(said.get("unit", ""), units, options, errors)
    draft = PersonDraft(
        name=said.get("name", ""),
        unit_id=unit_id,
        email=said.get("email", ""),
        phone=said.get("phone", ""),
        nip=said.get("nip", ""),
        employment=_employment(said, errors),
        zone=_word(said, "zone", _ZONES, errors) or options.default_zone,
        language=_word(said, "language", _LANGUAGES, errors) or rules.DEFAULT_LANGUAGE,
    )
    errors = [*_row_problems(draft, damaged=bool(_DAMAGED.fullmatch(said.get("nip", "")))), *errors]
    problems = tuple(
        Problem(row, columns.title(e.field), e.message, e.fields, _shown(said, e.field)) for e in errors
    )
    return Reading(row, draft, frozenset(said), new_unit, problems)


def _row_problems(draft: PersonDraft, *, damaged: bool) -> Iterable[FieldError]:
    for error in rules.problems(replace(draft, unit_id=draft.unit_id or "-")):
        if not (damaged and error.field == "nip"):
            yield error
    if damaged:
        yield FieldError(
            "nip", "The spreadsheet kept this NIP as a number and lost digits. Format the column as text.", {}
        )
    if not (draft.email or draft.nip):
        yield FieldError("email", "Give an e-mail address or a NIP: by these a person is known again.", {})


def _unit(cell: str, units: UnitIndex, options: Options, errors: list[FieldError]) -> tuple[str, str]:
    """Its id, or the name of one that is to be made."""
    if not cell:
        if not options.default_unit_id:
            errors.append(FieldError("unit", "The unit is missing.", {}))
        return options.default_unit_id, ""
    found = units.find(cell)
    if isinstance(found, str):
        return found, ""
    if options.create_units and "Several" not in found.message:
        wrong = list(rules.name_problems(cell, "unit", UNIT_NAME_LENGTH))
        errors += wrong
        return "", "" if wrong else rules.tidy(cell)
    errors.append(found)
    return "", ""


def _employment(said: Mapping[str, str], errors: list[FieldError]) -> str:
    if "employment" not in said:
        return Employment.PNS if "nip" in said else Employment.OTHER
    found = _EMPLOYMENTS.get(heading_key(said["employment"]))
    if found is None:
        errors.append(
            FieldError("employment", "Choose one of: %(choices)s.", {"choices": "PNS, PPPK, lainnya"})
        )
    return found or Employment.OTHER


def _word(said: Mapping[str, str], name: str, words: Mapping[str, str], errors: list[FieldError]) -> str:
    cell = said.get(name, "")
    if not cell or cell in rules.zones():
        return cell
    if heading_key(cell) not in words:
        choices = ", ".join(word.upper() for word in words)
        errors.append(FieldError(name, "Choose one of: %(choices)s.", {"choices": choices}))
    return words.get(heading_key(cell), "")


def _shown(said: Mapping[str, str], name: str) -> str:
    value = rules.tidy(said.get({"unit_id": "unit"}.get(name, name), ""))
    return value if len(value) <= VALUE_LENGTH else value[: VALUE_LENGTH - 1] + "…"


class Seen:
    """The NIPs and addresses of the rows so far. Keeps their hashes, not their text, since files are long."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[int, int]] = {"nip": {}, "email": {}}
        self._people: dict[str, int] = {}

    def repeated(self, reading: Reading, columns: Columns) -> list[Problem]:
        """What an earlier row has said already; remembers this row."""
        found: list[Problem] = []
        keys = {"nip": rules.normal_nip(reading.draft.nip), "email": rules.normal_email(reading.draft.email)}
        for name, value in keys.items():
            if not value:
                continue
            first = self._rows[name].setdefault(hash(value), reading.row)
            if first != reading.row:
                message = "The same stands in row %(row)s already."
                shown = value[:VALUE_LENGTH]
                found.append(Problem(reading.row, columns.title(name), message, {"row": first}, shown))
        return found

    def same_person(self, reading: Reading, known: Known, columns: Columns) -> Problem | None:
        """Whether an earlier row was about the same person, by NIP there and by address here."""
        first = self._people.setdefault(known.id, reading.row)
        if first == reading.row:
            return None
        shown = reading.draft.name[:VALUE_LENGTH]
        message = "The same person stands in row %(row)s already."
        return Problem(reading.row, columns.title("name"), message, {"row": first}, shown)


def matched(
    reading: Reading, by_nip: Known | None, by_email: Known | None, columns: Columns
) -> Known | Problem | None:
    """Whom the row is about: by NIP first, then by address; None for somebody new."""
    if by_nip and by_email and by_nip.id != by_email.id:
        return _told(reading, columns, "email", "The NIP belongs to one person and this address to another.")
    found = by_nip or by_email
    if found is None:
        return None
    name = "nip" if by_nip else "email"
    if not found.mine:
        return _told(reading, columns, name, "This person is not in a unit of yours.")
    if not found.active:
        return _told(reading, columns, name, "This person is deactivated. Activate them first.")
    return found


def merged(reading: Reading, known: Known) -> PersonDraft:
    """The person after the row: an empty cell changes nothing."""
    new = {
        name: getattr(reading.draft, name)
        for name in ("name", "email", "phone", "nip", "employment", "zone", "language")
        if name in reading.given
    }
    unit_id = reading.draft.unit_id if "unit" in reading.given else known.draft.unit_id
    return replace(known.draft, unit_id=unit_id, **new)


def changed_fields(before: PersonDraft, after: PersonDraft) -> dict[str, tuple[str, str]]:
    """Field → (before, after), in their one form."""
    old, new = rules.as_fields(before), rules.as_fields(after)
    names = ("name", "unit_id", "email", "phone", "nip", "employment", "zone", "language")
    return {
        name: (str(getattr(old, name) or ""), str(getattr(new, name) or ""))
        for name in names
        if getattr(old, name) != getattr(new, name)
    }


def power_problem(
    reading: Reading, known: Known, changed: Collection[str], columns: Columns
) -> Problem | None:
    """Who changes the address of somebody with a role could sign in as them."""
    if known.powerful and "email" in changed:
        return _told(
            reading, columns, "email", "This person holds a role: only an administrator changes the address."
        )
    return None


def merged_problems(reading: Reading, draft: PersonDraft, columns: Columns) -> list[Problem]:
    """What is wrong only together with what is known already, as a NIP that is none of a PNS."""
    if reading.problems:
        return []
    return [
        Problem(reading.row, columns.title(e.field), e.message, e.fields)
        for e in rules.problems(replace(draft, unit_id=draft.unit_id or "-"))
    ]


def _told(reading: Reading, columns: Columns, name: str, message: str) -> Problem:
    return Problem(
        reading.row, columns.title(name), message, {}, str(getattr(reading.draft, name))[:VALUE_LENGTH]
    )
