"""What another policy would have made of the same evidence: nothing is stored, nobody is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from webinar.attendance.log_rules import AttendanceLog, Entry, Summary


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody who would have got another value."""

    before: Entry
    after: Entry

    @property
    def gains(self) -> bool:
        return self.after.credit.jp > self.before.credit.jp


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two logs of one lecture; JP in hundredths. `changes`: who loses comes first, then by how much."""

    before: Summary
    after: Summary
    jp_before: int
    jp_after: int
    changes: Sequence[Change]

    @property
    def gain(self) -> int:
        return sum(change.gains for change in self.changes)

    @property
    def lose(self) -> int:
        return len(self.changes) - self.gain


def compared(before: AttendanceLog, after: AttendanceLog) -> Comparison:
    """The same people by two policies."""
    pairs = zip(before.entries, after.entries, strict=True)
    changes = [Change(one, other) for one, other in pairs if one.credit.jp != other.credit.jp]
    return Comparison(
        before.summary,
        after.summary,
        sum(entry.credit.jp for entry in before.entries),
        sum(entry.credit.jp for entry in after.entries),
        sorted(changes, key=lambda c: (c.gains, c.after.credit.jp - c.before.credit.jp)),
    )
