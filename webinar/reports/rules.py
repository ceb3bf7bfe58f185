"""The life of a report that is made in the background, and which files are short enough to wait for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webinar.core.errors import IllegalMove

# A longer list is made in the background.
DIRECT_ROWS = 1_000
# How long a file can be fetched, in ms.
KEPT_MS = 7 * 24 * 60 * 60_000
# One person's files that are not made yet.
WAITING_MOST = 5


class FileKind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class ReportState(StrEnum):
    WANTED = "wanted"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


_S = ReportState
REPORT_MOVES: Mapping[tuple[ReportState, str], ReportState] = {
    (_S.WANTED, "begin"): _S.MAKING,
    # Whoever made it died; it is made again from the start.
    (_S.MAKING, "begin"): _S.MAKING,
    (_S.MAKING, "complete"): _S.READY,
    (_S.MAKING, "fail"): _S.FAILED,
    (_S.WANTED, "fail"): _S.FAILED,
}
BUSY = frozenset({ReportState.WANTED, ReportState.MAKING})


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: the list of a lecture (people of a unit, if one is named), or a unit's year."""

    kind: FileKind
    language: str
    lecture_id: str | None = None
    unit_id: str = ""
    year: int = 0

    @property
    def row(self) -> dict[str, object]:
        return {"language": self.language, "unit": self.unit_id, "year": self.year}


@dataclass(frozen=True, slots=True)
class Report:
    """A file that is or was made; `done` of `total` rows. Instants in Unix ms."""

    id: str
    institution_id: str
    wish: Wish
    asked_by: str | None
    state: ReportState
    done: int
    total: int
    file_name: str
    created_at: int
    finished_at: int | None
    expires_at: int


def after(state: ReportState, move: str) -> ReportState:
    """The state that the move leads to.

    Raises:
        IllegalMove: the state does not allow it.
    """
    found = REPORT_MOVES.get((state, move))
    if found is None:
        raise IllegalMove(state=state.value, move=move)
    return found


def file_name(*parts: str) -> str:
    """kehadiran-2026-11-25-abcdefgh.xlsx: letters, digits, hyphens; the last part is its ending."""
    words = [re.sub(r"[^A-Za-z0-9-]+", "-", part).strip("-") for part in parts[:-1]]
    return "-".join(word for word in words if word)[:120] + f".{parts[-1]}"
