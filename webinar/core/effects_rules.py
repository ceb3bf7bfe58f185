"""What an effect is, and when it is tried again. Pure.

    owed ──claim──► claimed ──Done──► done        Again: owed at a new time
     ▲                 │ ├──Skip──► skipped        Retry: owed later, parked after the last try
     └──── Retry ──────┘ └─ last Retry ─► parked   lease lost: claimed by another

A parked effect stays in sight until somebody nudges it or owes it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class EffectState(StrEnum):
    OWED = "owed"
    CLAIMED = "claimed"
    DONE = "done"
    SKIPPED = "skipped"
    PARKED = "parked"
    # Mail that waits because outgoing mail is held; whoever releases it owes it again.
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Effect:
    """A claimed effect. `attempts` counts this try; only who holds `fence` may write back."""

    id: int
    key: str
    kind: str
    subject: str
    payload: Mapping[str, Any]
    due_at: int
    attempts: int
    fence: int


@dataclass(frozen=True, slots=True)
class Owed:
    """An effect that is to be owed, due at an instant in Unix ms."""

    kind: str
    key: str
    subject: str
    due_at: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EffectView:
    """An effect as a page shows it; `last_error` also holds the reason why one was skipped."""

    key: str
    kind: str
    subject: str
    payload: Mapping[str, Any]
    state: EffectState
    due_at: int
    attempts: int
    last_error: str | None
    finished_at: int | None


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits of `first_ms`, doubled up to `cap_ms`; parked after `tries` tries."""

    first_ms: int
    cap_ms: int
    tries: int

    def wait_ms(self, attempts: int) -> int:
        """How long to wait after try number `attempts` (from 1) failed."""
        return int(min(self.cap_ms, self.first_ms * 2 ** min(attempts - 1, 40)))

    def spent(self, attempts: int) -> bool:
        """Whether that was the last try."""
        return attempts >= self.tries


# A mail server that is away for a working day is no reason to give up on a mail.
BACK_OFFS: Mapping[str, BackOff] = {
    "mail": BackOff(first_ms=2_000, cap_ms=15 * 60_000, tries=60),
    "invite": BackOff(first_ms=2_000, cap_ms=15 * 60_000, tries=60),
    "reminder": BackOff(first_ms=2_000, cap_ms=15 * 60_000, tries=60),
    "remove": BackOff(first_ms=500, cap_ms=10_000, tries=60),
    "lecture": BackOff(first_ms=500, cap_ms=60_000, tries=30),
    "sweep": BackOff(first_ms=1_000, cap_ms=30_000, tries=30),
}
OTHERWISE = BackOff(first_ms=1_000, cap_ms=5 * 60_000, tries=20)


# How many effects of a kind one process runs at a time. Each kind has places of its own, so that a mail
# server that takes its time never keeps a room from being opened. A lecture mostly waits: for the media
# server, and for the statement that it shares with others.
PLACES: Mapping[str, int] = {
    "lecture": 256,
    "sweep": 32,
    "remove": 16,
    "check": 16,
    "invite": 16,
    "reminder": 16,
    "mail": 8,
    "tally": 4,
    "announce": 4,
    "remind": 4,
    "import": 2,
    "report": 2,
    "retention": 1,
}
OTHER_PLACES = 4


def back_off(kind: str) -> BackOff:
    """The rule of a kind."""
    return BACK_OFFS.get(kind, OTHERWISE)


def next_try(kind: str, attempts: int, now: int) -> int | None:
    """When to try again after try number `attempts` failed; None when it is to be parked."""
    rule = back_off(kind)
    return None if rule.spent(attempts) else now + rule.wait_ms(attempts)
