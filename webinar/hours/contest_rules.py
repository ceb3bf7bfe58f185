"""The life of a contest: a participant does not agree with a value, an organiser decides.

The state diagram is drawn from `CONTEST_MOVES` in docs/architecture.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from webinar.core.errors import IllegalMove, Invalid, Refused
from webinar.hours.adjust_rules import ADJUSTABLE
from webinar.lectures.rules import Lecture

DAY_MS = 86_400_000
# So long after a lecture became final its values may be contested.
CONTEST_DAYS = 30
LONGEST_TEXT = 2_000


class ContestState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_C = ContestState
CONTEST_MOVES: Mapping[tuple[ContestState, str], ContestState] = {
    (_C.OPEN, "accept"): _C.ACCEPTED,
    (_C.OPEN, "refuse"): _C.REFUSED,
    (_C.OPEN, "withdraw"): _C.WITHDRAWN,
}


class ContestTooLate(Refused):
    code = "contest_too_late"
    message = "These hours were settled more than %(days)s days ago and can no longer be contested."


class ContestOpen(Refused):
    code = "contest_open"
    message = "You have contested this value already. An organiser will decide."


class ContestClosed(Refused):
    """Somebody was faster."""

    code = "contest_closed"
    message = "This contest is no longer open: somebody decided it, or it was withdrawn."


@dataclass(frozen=True, slots=True)
class Contest:
    """See `hours/tables.py`; `jp` is the value that was not agreed with."""

    id: str
    institution_id: str
    lecture_id: str
    registration_id: str
    person_id: str
    text: str
    state: ContestState
    jp: int
    opened_at: int
    decided_at: int | None = None
    decided_by: str | None = None
    decision: str | None = None

    def after(self, move: str) -> "Contest":
        """This contest in the state that the move leads to.

        Raises:
            ContestClosed: it is decided or withdrawn.
        """
        state = CONTEST_MOVES.get((self.state, move))
        if state is None:
            raise ContestClosed
        return replace(self, state=state)


def contest_until(lecture: Lecture) -> int | None:
    """The last instant at which the values of a lecture may be contested; None while it is not settled."""
    return None if lecture.final_at is None else lecture.final_at + CONTEST_DAYS * DAY_MS


def contestable(lecture: Lecture, now: int) -> bool:
    """Whether values of this lecture may be contested now."""
    until = contest_until(lecture)
    return not lecture.trial and lecture.state in ADJUSTABLE and (until is None or now <= until)


def require_contestable(lecture: Lecture, now: int) -> None:
    """Raise IllegalMove before the end of a lecture, ContestTooLate long after it was settled."""
    if lecture.trial or lecture.state not in ADJUSTABLE:
        raise IllegalMove(state=lecture.state.value, move="contest")
    if not contestable(lecture, now):
        raise ContestTooLate(days=CONTEST_DAYS)


def checked_text(text: str) -> str:
    """What the participant says, trimmed; lines are kept.

    Raises:
        Invalid: nothing, or very much.
    """
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise Invalid.at("text", "Say what is not right, so that an organiser can look into it.")
    if len(said) > LONGEST_TEXT:
        raise Invalid.at("text", "At most %(most)s characters.", most=LONGEST_TEXT)
    return said
