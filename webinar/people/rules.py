"""People and units: what a name, an e-mail address, a NIP may look like, and who may act on whom.

A NIP is the birth date YYYYMMDD, the month of appointment YYYYMM, sex 1 or 2, serial 001-999. The
number of a PPPK has the same length and another middle, so that only its birth date is checked.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

from webinar.core.errors import FieldError, Invalid

NAME_LENGTH = 200
EMAIL_LENGTH = 254
PHONE_LENGTH = 32
NIP_LENGTH = 18
UNIT_CODE_LENGTH = 40
UNIT_DEPTH = 12
DEFAULT_ZONE = "Asia/Jakarta"
DEFAULT_LANGUAGE = "id"
DEFAULT_YEAR_TARGET = 2000  # hundredths of a JP: 20 JP (PP 11/2017)

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
# The dot-atoms of RFC 5321 in ASCII and a domain with a dot; the same that `mail.build` can send to.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"(?=.{{3,254}}$)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_PHONE = re.compile(r"\+?[0-9]{6,15}")
_NIP_SEPARATORS = re.compile(r"[\s.'’\-\u200b]")
_PHONE_SEPARATORS = re.compile(r"[\s.()'’\-]")


class Role(StrEnum):
    """What somebody may do in a unit and everything below it."""

    ADMINISTRATOR = "administrator"
    ORGANISER = "organiser"
    UNIT_MANAGER = "unit_manager"
    LECTURER = "lecturer"
    PARTICIPANT = "participant"


class Employment(StrEnum):
    PNS = "pns"
    PPPK = "pppk"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree; `path` is the ids from the root down, each followed by a slash.

    `zone` and `year_target` (hundredths of a JP) are the root's only.
    """

    id: str
    institution_id: str
    parent_id: str | None
    path: str
    code: str
    name: str
    zone: str | None = None
    year_target: int | None = None

    @property
    def depth(self) -> int:
        """0 for the institution itself."""
        return self.path.count("/") - 1

    @property
    def is_root(self) -> bool:
        return self.parent_id is None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as the asking scope may see them: `nip` and `phone` are None where it may not.

    `deactivated_at` and `created_at` are Unix ms.
    """

    id: str
    institution_id: str
    unit_id: str
    unit_name: str
    unit_path: str
    name: str
    email: str | None
    phone: str | None
    nip: str | None
    employment: Employment
    zone: str
    language: str
    version: int
    created_at: int
    deactivated_at: int | None = None
    has_password: bool = False
    # Whether the NIP and the telephone number may be seen; None then means that there is none.
    private_seen: bool = True

    @property
    def active(self) -> bool:
        return self.deactivated_at is None

    def without_private(self) -> "Person":
        """The same person as those see it who may not know NIP and telephone."""
        return replace(self, nip=None, phone=None, private_seen=False)


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """What was typed or imported about a person, before any check; "" where there is nothing."""

    name: str = ""
    unit_id: str = ""
    email: str = ""
    phone: str = ""
    nip: str = ""
    employment: str = Employment.PNS
    zone: str = DEFAULT_ZONE
    language: str = DEFAULT_LANGUAGE


@dataclass(frozen=True, slots=True)
class PersonFields:
    """A person's fields, checked and in their one form."""

    name: str
    sort_name: str
    unit_id: str
    email: str | None
    phone: str | None
    nip: str | None
    employment: Employment
    zone: str
    language: str


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person, as pages show it."""

    role: Role
    unit_id: str
    unit_name: str
    unit_path: str
    granted_at: int


def checked(draft: PersonDraft) -> PersonFields:
    """The draft in its one form.

    Raises:
        Invalid: with every field that is wrong, not only the first.
    """
    errors = list(problems(draft))
    if errors:
        raise Invalid(errors)
    return as_fields(draft)


def as_fields(draft: PersonDraft) -> PersonFields:
    """The one form of a draft that has no problems."""
    name = tidy(draft.name)
    return PersonFields(
        name=name,
        sort_name=sort_name(name),
        unit_id=draft.unit_id,
        email=normal_email(draft.email) or None,
        phone=normal_phone(draft.phone) or None,
        nip=normal_nip(draft.nip) or None,
        employment=Employment(draft.employment),
        zone=draft.zone,
        language=draft.language,
    )


def problems(draft: PersonDraft) -> Iterable[FieldError]:
    """What is wrong with the draft, in the order of the form."""
    yield from name_problems(draft.name)
    if not draft.unit_id:
        yield FieldError("unit_id", "Choose a unit.", {})
    yield from email_problems(draft.email)
    yield from phone_problems(draft.phone)
    if draft.employment not in set(Employment):
        yield FieldError("employment", "Choose one of: %(choices)s.", {"choices": ", ".join(Employment)})
    yield from nip_problems(draft.nip, draft.employment)
    if draft.zone not in zones():
        yield FieldError("zone", "This time zone is not known.", {})
    if draft.language not in {"id", "en"}:
        yield FieldError("language", "Choose one of: %(choices)s.", {"choices": "id, en"})


def name_problems(name: str, field: str = "name", most: int = NAME_LENGTH) -> Iterable[FieldError]:
    if _CONTROLS.search(name):
        yield FieldError(field, "There are characters in it that cannot be shown.", {})
    elif not tidy(name):
        yield FieldError(field, "The name is missing.", {})
    elif len(tidy(name)) > most:
        yield FieldError(field, "At most %(most)s characters fit.", {"most": most})


def email_problems(email: str) -> Iterable[FieldError]:
    if not email.strip():
        return
    if len(email.strip()) > EMAIL_LENGTH:
        yield FieldError("email", "At most %(most)s characters fit.", {"most": EMAIL_LENGTH})
    elif not _EMAIL.fullmatch(email.strip()):
        yield FieldError("email", "This is not an e-mail address.", {})


def phone_problems(phone: str) -> Iterable[FieldError]:
    if phone.strip() and not _PHONE.fullmatch(normal_phone(phone)):
        yield FieldError("phone", "This is not a telephone number.", {})


def nip_problems(nip: str, employment: str) -> Iterable[FieldError]:
    number = normal_nip(nip)
    if not number:
        return
    problem = _nip_shape(number) or (_nip_of_pns(number) if employment == Employment.PNS else None)
    if problem:
        yield FieldError("nip", problem, {"count": len(number)})


def _nip_shape(number: str) -> str | None:
    if not (number.isascii() and number.isdigit()):
        return "A NIP has digits only."
    if len(number) != NIP_LENGTH:
        return "A NIP has 18 digits, this one has %(count)s."
    if not 1900 <= int(number[:4]) <= 2099 or not _is_date(number[:8]):
        return "The first 8 digits of the NIP are not a date of birth."
    return None


def _nip_of_pns(number: str) -> str | None:
    year, month = int(number[8:12]), int(number[12:14])
    if not 1 <= month <= 12 or not int(number[:4]) + 14 <= year <= int(number[:4]) + 70:
        return "Digits 9 to 14 of the NIP are not a month of appointment."
    if number[14] not in "12":
        return "Digit 15 of the NIP is neither 1 nor 2."
    if number[15:] == "000":
        return "The last 3 digits of the NIP are not between 001 and 999."
    return None


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def has_controls(text: str) -> bool:
    """Whether there are characters in it that cannot be shown, line ends and tabs among them."""
    return bool(_CONTROLS.search(text))


def tidy(text: str) -> str:
    """One line in Unicode's composed form, without control characters and runs of blanks."""
    return " ".join(_CONTROLS.sub(" ", unicodedata.normalize("NFC", text)).split())


def sort_name(name: str) -> str:
    """The form that is searched and ordered by: folded, so that it is the same on every database."""
    folded = unicodedata.normalize("NFKD", tidy(name).casefold())
    return "".join(c for c in folded if not unicodedata.combining(c))[:NAME_LENGTH]


def normal_email(email: str) -> str:
    return email.strip().lower()


def normal_phone(phone: str) -> str:
    return _PHONE_SEPARATORS.sub("", phone)


def normal_nip(nip: str) -> str:
    """Without the blanks and dots that people put between its parts."""
    return _NIP_SEPARATORS.sub("", nip)


@cache
def zones() -> frozenset[str]:
    """The names of the IANA time zones."""
    return frozenset(available_timezones())


def child_path(parent: str, unit_id: str) -> str:
    """The path of a new unit below `parent` ("" for an institution)."""
    return f"{parent}{unit_id}/"


def path_ids(path: str) -> tuple[str, ...]:
    """The ids of a path from the root down."""
    return tuple(part for part in path.split("/") if part)


def subtree_range(path: str) -> tuple[str, str]:
    """Bounds [low, high) of the paths in a unit's subtree; "0" is what follows "/" in ASCII."""
    return path, path[:-1] + "0"


@dataclass(frozen=True, slots=True)
class Page:
    """Some people of a list, and the cursor that leads to the next ones (None at the end)."""

    people: tuple[Person, ...]
    next: str | None


def tree_order(units: Iterable[Unit]) -> list[Unit]:
    """Each unit before those below it, siblings by name."""
    known = list(units)
    names = {unit.id: (sort_name(unit.name), unit.id) for unit in known}
    missing = ("", "")
    return sorted(known, key=lambda unit: [names.get(id, missing) for id in path_ids(unit.path)])
