"""Looks over everybody's shoulder, at the database's rows and the media servers alone.

After each commit that touched an effect or a recording: who took it, from whom, and who wrote it back. Each
second: what is overdue, and what is out of place (`halls.py`), for longer than it may be.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.build import SECOND
from tests.simulation.schedulers.halls import LATE_MS, Wrong

# A process asks the database for its time and for what is due in two statements.
EARLY_MS = 500
# Who died or hangs keeps its leases for so long; then somebody else begins, and waits for the media server.
RECOVERS_MS = 15 * SECOND + LATE_MS + 5 * SECOND
RECORDING = "recording"
MAIL = frozenset({"invite", "mail", "contest"})


class Row(NamedTuple):
    key: str
    kind: str
    state: str
    fence: int
    worker: str | None
    lease_until: int | None
    due_at: int


_ROWS = "SELECT id, key, kind, state, fence, worker, lease_until, due_at FROM effects"
_REELS = "SELECT id, lecture_id, fence, worker, lease_until FROM recordings"


@dataclass(slots=True)
class Watcher:
    """`violations` in words; `late_ms` by how many ms each claim of something that was owed came late."""

    path: Path
    violations: list[str] = field(default_factory=list)
    late_ms: Counter[int] = field(default_factory=Counter)
    claims: int = 0
    takeovers: int = 0
    _rows: dict[int | str, Row] = field(default_factory=dict)
    _since: dict[str, int] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _eyes: sqlite3.Connection | None = None

    @property
    def eyes(self) -> sqlite3.Connection:
        if self._eyes is None:
            self._eyes = sqlite3.connect(self.path, isolation_level=None)
        return self._eyes

    def close(self) -> None:
        if self._eyes is not None:
            self._eyes.close()

    def say(self, at: int, what: str) -> None:
        self.violations.append(f"{at}: {what}")

    # After each commit.

    def committed(self, who: str, now: int) -> None:
        rows: dict[int | str, Row] = {ident: Row(*rest) for ident, *rest in self.eyes.execute(_ROWS)}
        rows |= {ident: _reel(*rest) for ident, *rest in self.eyes.execute(_REELS)}
        for ident, row in rows.items():
            before = self._rows.get(ident)
            if before is not None and before != row:
                self._changed(before, row, who, now)
        self._rows = rows

    def _changed(self, before: Row, row: Row, who: str, now: int) -> None:
        if row.fence != before.fence:
            self._claimed(before, row, who, now)
        elif before.state == "claimed" and row.state != "claimed" and before.worker != who:
            self.say(now, f"{row.key} is written back by {who}, and {before.worker} holds it")
        elif before.lease_until != row.lease_until and row.state == "claimed" and before.worker != who:
            self.say(now, f"the lease of {row.key} is renewed by {who}, and {before.worker} holds it")

    def _claimed(self, before: Row, row: Row, who: str, now: int) -> None:
        self.claims += 1
        if (row.fence, row.state, row.worker) != (before.fence + 1, "claimed", who):
            self.say(now, f"{row.key} was not claimed in order: {before} and {row}, by {who}")
        if before.state == "claimed":
            self.takeovers += 1
            if (before.lease_until or 0) > now + 1:
                self.say(now, f"{row.key} is held by {before.worker} and {who} at once")
        elif before.state != "owed" or before.due_at > now + EARLY_MS:
            self.say(
                now, f"{row.key} is {before.state}, due in {before.due_at - now} ms, and claimed by {who}"
            )
        elif row.kind != RECORDING:
            self.late_ms[max(0, now - before.due_at) // 10 * 10] += 1

    # Each second.

    def look(self, now: int, *wrong: tuple[Iterable[Wrong], int]) -> None:
        """What is wrong, and for how long nothing has been broken that excuses it."""
        found = {what: (more, within_ms, calm) for some, calm in wrong for what, more, within_ms in some}
        self._since = {what: self._since.get(what, now) for what in found}
        for what, since in self._since.items():
            more, within_ms, calm_ms = found[what]
            if now - since > within_ms and calm_ms > max(RECOVERS_MS, within_ms) and what not in self._told:
                self._told.add(what)
                self.say(now, f"{what} for {now - since} ms ({more})")

    def overdue(self, now: int, *, mail: bool) -> Iterator[Wrong]:
        """Effects that wait, or that nobody holds; those that need the mail server, or the others."""
        for row in self._rows.values():
            if row.kind == RECORDING or (row.kind in MAIL) is not mail:
                continue
            if row.state == "owed" and row.due_at <= now:
                # What was done in the meantime, and is owed anew, has not waited since then.
                yield f"{row.key} waits after {row.fence} claims", f"due {row.due_at}", LATE_MS
            elif row.state == "claimed" and (row.lease_until or 0) < now:
                yield (
                    f"{row.key} is held by nobody",
                    f"lease of {row.worker} until {row.lease_until}",
                    LATE_MS,
                )

    def held_by(self, worker: str) -> list[str]:
        """The kinds of what a process holds."""
        return [row.kind for row in self._rows.values() if row.state == "claimed" and row.worker == worker]


def _reel(lecture: str, fence: int, worker: str | None, lease_until: int | None) -> Row:
    """A recording as what is owed: its holder renews it under one fence, and lets it go for a while."""
    held = "owed" if worker is None else "claimed"
    return Row(f"the recording of {lecture}", RECORDING, held, fence, worker, lease_until, lease_until or 0)
