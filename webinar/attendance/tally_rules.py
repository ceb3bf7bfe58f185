"""When stored attendance may be shown as it is, and when it has to be computed again.

A tally is a copy that spares computing: it is thrown away, never mended. `docs/architecture.md` says
who computes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from webinar.attendance.curve_rules import MARGIN_MS, Curve
from webinar.evidence.rules import Marks
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, Window
from webinar.policies.rules import Policy

# What is settled is never computed again.
SETTLED = frozenset({LectureState.FINAL, LectureState.ARCHIVED})
# How old a tally may be while the lecture runs, in ms.
REFRESH_MS = 60_000
# So many people are computed within the request that asks; more are left to the scheduler.
SMALL = 500
# A large lecture is computed at most this share of the time.
LEAST_REST = 10
# What two clocks of ours may be apart.
CLOCKS_MS = 2_000
# `summary` of a tally counts those who are in the room under this name.
HERE = "here"


class Standing(StrEnum):
    FRESH = "fresh"
    # Time has gone on, and nothing else: the effect comes by itself.
    AGED = "aged"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody in the room whose seat is not registered, as a tally keeps it; instants in Unix ms."""

    seat: str
    name: str | None
    first_join: int | None
    last_leave: int | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The header of a lecture's stored attendance; see `attendance/tables.py`."""

    lecture_id: str
    final: bool
    policy_version: int
    rules_version: int
    inputs: str
    high_water: Mapping[str, int]
    window: Window
    summary: Mapping[str, int]
    points: tuple[tuple[int, int], ...]
    strangers: tuple[Stay, ...]
    rows: int
    evidence_sha256: str | None
    computed_at: int

    @property
    def curve(self) -> Curve:
        return Curve(self.window.starts_at - MARGIN_MS, self.window.ends_at + MARGIN_MS, self.points)

    def count(self, name: str) -> int:
        return self.summary.get(name, 0)

    @property
    def tag(self) -> str:
        """Differs whenever something that is shown of it may."""
        return f"{self.computed_at}.{int(self.final)}"


def seat_of(registration_id: str, role: str) -> str:
    """One who is registered, as `inputs_of` takes them; neither word has a space."""
    return f"{registration_id} {role}"


def inputs_of(
    lecture: Lecture, window: Window, policy: Policy, rules_version: int, seats: Iterable[str]
) -> str:
    """A digest of all that a tally follows from, but for the evidence; `seats` as `seat_of` writes them.

    Of one JSON array, at its end [[registration, role], …] in order. That part is written by hand: there are
    ten thousand of them at each look at a large lecture, and JSON writes plain words as they are.
    """
    told = [rules_version, [policy.id, policy.version], lecture.jp, [list(span) for span in window.spans]]
    others = json.dumps(told, separators=(",", ":")).removesuffix("]")
    each = '"],["'.join(sorted(seats)).replace(" ", '","')
    registered = f'[["{each}"]]' if each else "[]"
    return hashlib.sha256(f"{others},{registered}]".encode()).hexdigest()


def standing(tally: Tally, lecture: Lecture, inputs: str, marks: Marks, now: int) -> Standing:
    """Whether a tally is still what computing it now would give, or near enough while the lecture runs."""
    if lecture.state in SETTLED or tally.final:
        return Standing.FRESH
    if tally.inputs != inputs:
        return Standing.STALE
    if not _rests(tally, lecture):
        return Standing.FRESH if now - tally.computed_at < REFRESH_MS else Standing.AGED
    return Standing.FRESH if _covers(tally, marks) else Standing.STALE


def _rests(tally: Tally, lecture: Lecture) -> bool:
    """Nobody is in the room any more, so that time alone changes nothing."""
    return lecture.state not in IN_SESSION and not tally.count(HERE)


def _covers(tally: Tally, marks: Marks) -> bool:
    seen = tally.high_water
    told = (seen.get("webhooks", 0), seen.get("sweeps", 0))
    return told == (marks.webhooks, marks.sweeps) and marks.heard_until + CLOCKS_MS < tally.computed_at


def next_at(tally: Tally, lecture: Lecture, took_ms: int, now: int) -> int | None:
    """When to compute it again by itself; None when there is nothing to wait for."""
    if tally.final or lecture.state in SETTLED or _rests(tally, lecture):
        return None
    return now + max(REFRESH_MS, LEAST_REST * took_ms)
