"""Tables as files take them: typed columns, raw cells, and texts that no spreadsheet takes for a formula."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

Cell = str | int | float | None

# Signs of full width, too: some spreadsheets fold them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Kind(StrEnum):
    """What a cell holds: a text, a whole number, hundredths of a JP, a share from 0 to 1, Unix ms."""

    TEXT = "text"
    WHOLE = "whole"
    JP = "jp"
    SHARE = "share"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it for programs, `title` (a gettext source) for people; `width` in characters.

    Columns `for_programs` stand in CSV only.
    """

    key: str
    title: str
    kind: Kind = Kind.TEXT
    width: int = 12
    for_programs: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows have a cell for each column. `name` is a gettext source; instants are told in `zone`.

    `at` is one of them, for zones whose offset changes over the year.
    """

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    zone: str
    at: int


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def decimal_jp(hundredths: int) -> str:
    """2, 1.5, 1.33, -0.5: for programs, with a point in every language."""
    whole, rest = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    return sign + (f"{whole}.{rest:02}".rstrip("0") if rest else str(whole))


def wall(at: int, zone: str) -> datetime:
    """The wall time of an instant, aware of its zone, whole seconds."""
    return datetime.fromtimestamp(at // 1000, ZoneInfo(zone))
