"""How what is owed stands, what may be done about it, and what is mail. Pure.

| standing | an effect that                                                      |
|----------|---------------------------------------------------------------------|
| ahead    | is owed later, and no try of it has failed                          |
| due      | is owed by now                                                      |
| late     | has been owed for more than `LATE_AFTER_MS`                         |
| running  | a process works at                                                  |
| failing  | failed, and is tried again                                          |
| parked   | failed for the last time, and waits for somebody                    |
| held     | is mail, and outgoing mail is held                                  |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webinar.core import reason_rules
from webinar.core.errors import Invalid, Refused

LATE_AFTER_MS = 10_000
SHORTEST_REASON = 3


class Standing(StrEnum):
    AHEAD = "ahead"
    DUE = "due"
    LATE = "late"
    RUNNING = "running"
    FAILING = "failing"
    PARKED = "parked"
    HELD = "held"
    # For somebody's decision; on a lecture's timeline only.
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"


# What the operations page lists, what needs somebody first.
LISTED = (
    *(Standing.PARKED, Standing.FAILING, Standing.LATE),
    *(Standing.DUE, Standing.RUNNING, Standing.HELD),
)
RETRIED = frozenset({Standing.PARKED, Standing.FAILING, Standing.LATE, Standing.DUE})
SKIPPED = frozenset({*RETRIED, Standing.HELD})

_STATES: Mapping[str, Standing] = {
    "claimed": Standing.RUNNING,
    "parked": Standing.PARKED,
    "held": Standing.HELD,
    "done": Standing.DONE,
    "skipped": Standing.SKIPPED,
}


def standing(state: str, attempts: int, due_at: int, now: int) -> Standing:
    """How an effect stands, by its state in the table, the tries that failed, and its due time (Unix ms)."""
    if state in _STATES:
        return _STATES[state]
    if attempts:
        return Standing.FAILING
    if due_at > now:
        return Standing.AHEAD
    return Standing.LATE if now - due_at > LATE_AFTER_MS else Standing.DUE


class Duty(StrEnum):
    """What kind of thing an effect is."""

    # Looked after as long as there is something to look after: it cannot be skipped, only ended by its cause.
    STANDING = "standing"
    # Leaves the house as mail, and waits while mail is held.
    MAIL = "mail"
    # A mail that somebody waits for in front of the sign-in page; nobody could come in while it was held.
    SIGN_IN = "sign_in"
    ONCE = "once"


# A test finds a kind that is missing here.
KINDS: Mapping[str, Duty] = {
    "lecture": Duty.STANDING,
    "sweep": Duty.STANDING,
    "announce": Duty.ONCE,
    "invite": Duty.MAIL,
    "remind": Duty.ONCE,
    "reminder": Duty.MAIL,
    "contest": Duty.MAIL,
    "mail": Duty.SIGN_IN,
    "remove": Duty.ONCE,
    "check": Duty.ONCE,
    "tally": Duty.ONCE,
    "import": Duty.ONCE,
    "report": Duty.ONCE,
    "retention": Duty.STANDING,
    "release": Duty.STANDING,
    "series": Duty.STANDING,
}
HELD_KINDS = frozenset(kind for kind, duty in KINDS.items() if duty is Duty.MAIL)


def skippable(kind: str) -> bool:
    """Whether an effect of this kind may be skipped by somebody."""
    return KINDS.get(kind, Duty.ONCE) is not Duty.STANDING


class NotSkippable(Refused):
    code = "not_skippable"
    message = "This is looked after as long as it lasts and cannot be skipped. End its cause instead."


class RunsNow(Refused):
    code = "runs_now"
    message = "It is being worked at right now. Look again in a moment."


def checked_reason(reason: str) -> str:
    """The reason without blanks around it.

    Raises:
        Invalid: it says nothing, or too much.
    """
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid.at("reason", "Say why; it stays on record.")
    if wrong := reason_rules.too_long(reason):
        raise Invalid(wrong)
    return reason


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many effects of a kind stand how; `oldest_due_at` (Unix ms) of what is due, late or failing."""

    kind: str
    counts: Mapping[Standing, int]
    oldest_due_at: int | None
    last_error: str | None

    def late_ms(self, now: int) -> int:
        """How late the oldest is; 0 when nothing is due."""
        return max(0, now - self.oldest_due_at) if self.oldest_due_at is not None else 0


@dataclass(frozen=True, slots=True)
class Listed:
    """One effect as the operations page lists it."""

    id: int
    key: str
    kind: str
    subject: str
    standing: Standing
    due_at: int
    attempts: int
    last_error: str | None
    finished_at: int | None

    @property
    def skippable(self) -> bool:
        return skippable(self.kind) and self.standing in SKIPPED

    @property
    def retriable(self) -> bool:
        return self.standing in RETRIED


@dataclass(frozen=True, slots=True)
class MailHold:
    """Outgoing mail of an institution is held; `held_by` is None when a command did it."""

    institution_id: str
    reason: str
    held_by: str | None
    held_at: int
