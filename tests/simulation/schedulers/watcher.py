"""Looks over everybody's shoulder, at the database's rows and the media server's rooms alone.

After each commit that touched an effect: who took it, from whom, and who wrote it back. Each second: which
lecture has no room, which room no lecture, what is overdue.
"""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.build import SECOND

# A process asks the database for its time and for what is due in two statements.
EARLY_MS = 500
# The net of a scheduler that missed its wake-up, what others hold at this moment, and the way there.
LATE_MS = 8 * SECOND
# Who died or hangs keeps its leases for so long; then somebody else begins, and waits for the media server.
RECOVERS_MS = 15 * SECOND + LATE_MS + 5 * SECOND
MAIL = frozenset({"invite", "mail", "contest"})


class Row(NamedTuple):
    key: str
    kind: str
    state: str
    fence: int
    worker: str | None
    lease_until: int | None
    due_at: int


class Hall(NamedTuple):
    """A lecture, as far as it decides about its room."""

    id: str
    state: str
    starts_at: int
    opens_at: int
    latest_end_at: int
    live_by: str

    def wants_room(self, now: int) -> bool:
        return self.state in {"scheduled", "open", "live"} and self.opens_at <= now < self.latest_end_at

    def wants_none(self, now: int) -> bool:
        if self.state in {"open", "live"}:
            return now >= self.latest_end_at
        return self.state != "scheduled" or not self.opens_at <= now < self.latest_end_at

    def wants_to_begin(self, now: int) -> bool:
        return self.wants_room(now) and self.live_by == "schedule" and now >= self.starts_at


_ROWS = "SELECT id, key, kind, state, fence, worker, lease_until, due_at FROM effects"
_HALLS = """
SELECT id, state, starts_at, starts_at - open_before_s * 1000, closes_at + overrun_s * 1000, live_by
FROM lectures
"""


@dataclass(slots=True)
class Watcher:
    """`violations` in words; `late_ms` by how many ms each claim of something that was owed came late."""

    path: Path
    violations: list[str] = field(default_factory=list)
    late_ms: Counter[int] = field(default_factory=Counter)
    claims: int = 0
    takeovers: int = 0
    _rows: dict[int, Row] = field(default_factory=dict)
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
        rows = {ident: Row(*rest) for ident, *rest in self.eyes.execute(_ROWS)}
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
        else:
            self.late_ms[max(0, now - before.due_at) // 10 * 10] += 1

    # Each second.

    def look(self, now: int, rooms: set[str] | None, calm_ms: int, mail_calm_ms: int) -> None:
        """`rooms` that the media server has, None while it does not answer; for how long nothing broke."""
        wrong = dict(self._overdue(now, mail_calm_ms))
        wrong |= self._out_of_place(now, rooms)
        self._since = {what: self._since.get(what, now) for what in wrong}
        for what, since in self._since.items():
            if now - since > LATE_MS and calm_ms > RECOVERS_MS and what not in self._told:
                self._told.add(what)
                self.say(now, f"{what} for {now - since} ms ({wrong[what]})")

    def _overdue(self, now: int, mail_calm_ms: int) -> dict[str, str]:
        found = {}
        for row in self._rows.values():
            if row.kind in MAIL and mail_calm_ms < RECOVERS_MS:
                continue
            if row.state == "owed" and row.due_at <= now:
                found[f"{row.key} waits"] = f"due {row.due_at}"
            elif row.state == "claimed" and (row.lease_until or 0) < now:
                found[f"{row.key} is held by nobody"] = f"lease of {row.worker} until {row.lease_until}"
        return found

    def _out_of_place(self, now: int, rooms: set[str] | None) -> dict[str, str]:
        found = {}
        halls = {f"{hall[0]}.main": Hall(*hall) for hall in self.eyes.execute(_HALLS)}
        for name, hall in halls.items():
            if rooms is not None and hall.wants_room(now) and name not in rooms:
                found[f"{name} is missing"] = str(hall)
            if rooms is not None and hall.wants_none(now) and name in rooms:
                found[f"{name} stands open"] = str(hall)
            if hall.wants_to_begin(now) and hall.state != "live":
                found[f"{hall.id} does not begin"] = str(hall)
            if hall.state in {"open", "live"} and now >= hall.latest_end_at:
                found[f"{hall.id} does not end"] = str(hall)
        for name in (rooms or set()) - set(halls):
            found[f"{name} belongs to no lecture"] = ""
        return found
