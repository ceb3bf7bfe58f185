"""The attendance of a lecture as it is filed: a row a person, what was adjusted and by whom, intervals apart.

JP is in hundredths, instants are Unix ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webinar.attendance.credit_rules import Credit, Presence
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.hours.rules import Head
from webinar.policies.rules import Sentence
from webinar.reports.table_rules import Cell


@dataclass(frozen=True, slots=True)
class Change:
    """The newest adjustment of a registration: `jp` is what counts now."""

    jp: int
    author: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One registered person. `nip` is None where the reader may not see it, or where there is none."""

    entry: Entry
    nip: str | None
    unit_path: str
    change: Change | None = None

    @property
    def credit(self) -> Credit:
        return self.entry.credit

    @property
    def presence(self) -> Presence:
        return self.entry.presence

    @property
    def jp(self) -> int:
        return self.change.jp if self.change else self.entry.credit.jp


@dataclass(frozen=True, slots=True)
class AttendanceList:
    """Everything that a file about a lecture says; `unit` names the part of the tree that it is about."""

    institution: str
    log: AttendanceLog
    rule: Sentence | None
    lecturers: tuple[str, ...]
    people: tuple[Listed, ...]
    head: Head
    made_at: int
    unit: str = ""

    @property
    def zone(self) -> str:
        return self.log.lecture.zone

    @property
    def credited(self) -> int:
        """How many people have any JP, adjustments included."""
        return sum(person.jp > 0 for person in self.people)

    @property
    def came(self) -> int:
        return sum(person.credit.seconds > 0 for person in self.people)

    @property
    def adjusted(self) -> int:
        return sum(person.change is not None for person in self.people)


def share(seconds: int, window_s: int) -> float:
    """Of the official time, 0 to 1."""
    return min(1.0, seconds / window_s) if window_s else 0.0


def interval_rows(listed: Sequence[Listed]) -> Iterator[list[Cell]]:
    """Each stay of each person, also outside the official time."""
    for person in listed:
        seat = person.entry.registration
        for number, one in enumerate(person.presence.intervals, 1):
            yield [
                seat.person_id,
                person.nip or "",
                seat.name,
                number,
                one.start,
                one.end,
                (one.end - one.start) // 1000,
                -(-one.uncertainty_ms // 1000),
                ", ".join(one.sources),
            ]
