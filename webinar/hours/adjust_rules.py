"""Values that people changed, and what counts in the end. JP in hundredths, instants in Unix ms.

Nothing is rewritten: an adjustment says what was and what counts from now on, and taking it back is another
one. What counts is the newest that was not taken back; without any, what was computed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webinar.core import reason_rules
from webinar.core.errors import IllegalMove, Invalid, Refused, Stale
from webinar.lectures.rules import Lecture, LectureState, Seat
from webinar.policies.rules import Policy, earned, role_jp

ADJUSTMENT = "adjustment"
# From its end on a lecture's values may be adjusted.
ADJUSTABLE = frozenset({LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED})
# So many names are told where somebody else was faster.
MOST_NAMES = 5


class ValuesChanged(Stale):
    """What somebody decided about is no longer what they saw."""

    code = "values_changed"
    message = "Somebody else changed these values in the meantime: %(names)s. Look again, then decide."


class NotNewest(Refused):
    """Only what still counts can be taken back."""

    code = "not_newest"
    message = "This no longer counts, so that it cannot be taken back: %(names)s. Adjust the value instead."


class NothingToDo(Refused):
    code = "nothing_to_adjust"
    message = "Nobody's value would change."


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One value that was changed; see `hours/tables.py`. Without an author it was the policy."""

    number: int
    id: str
    institution_id: str
    lecture_id: str
    registration_id: str
    person_id: str
    before_jp: int
    after_jp: int
    reason: str
    author_id: str | None
    at: int
    batch_id: str
    undoes: str | None = None
    list_id: str | None = None
    contest_id: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One adjustment as the ledger adds it up: from what counted to what counts after it."""

    adjustment: Adjustment
    before: int
    after: int


class Kind(StrEnum):
    """How an organiser says what shall count."""

    VALUE = "value"
    # All that the role can earn in this lecture.
    FULL = "full"
    # What the policy gives to somebody who was there during the whole official window.
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class To:
    """What shall count; `jp` is looked at for a value only."""

    kind: Kind
    jp: int = 0


def value(jp: int) -> To:
    return To(Kind.VALUE, jp)


FULL = To(Kind.FULL)
PRESENT = To(Kind.PRESENT)


def value_of(to: To, lecture: Lecture, policy: Policy, window_s: int, role: Seat) -> int:
    """What it is worth for somebody in a role.

    Raises:
        Invalid: less than nothing, or more than the lecture is worth.
    """
    if to.kind is Kind.VALUE:
        if not 0 <= to.jp <= lecture.jp:
            raise Invalid.at("jp", "Give a value from 0 to %(jp_most)s JP.", jp_most=jp_text(lecture.jp))
        return to.jp
    most = role_jp(policy, lecture.jp, role)
    return most if to.kind is Kind.FULL else earned(policy, most, window_s, window_s)


def jp_text(jp: int) -> str:
    """Hundredths as people write them: "2", "1.5"."""
    return f"{jp / 100:g}"


def checked_reason(reason: str, field: str = "reason") -> str:
    """The reason without idle space.

    Raises:
        Invalid: none, or a very long one.
    """
    said = reason_rules.tidied(reason)
    if wrong := reason_rules.problems(said, field):
        raise Invalid(wrong)
    return said


def require_adjustable(lecture: Lecture) -> None:
    """Raise IllegalMove before the end of a lecture, and for one that has no hours."""
    if lecture.trial or lecture.state not in ADJUSTABLE:
        raise IllegalMove(state=lecture.state.value, move="adjust")


def by_registration(adjustments: Iterable[Adjustment]) -> Mapping[str, list[Adjustment]]:
    """The history of each registration, oldest first."""
    found: dict[str, list[Adjustment]] = defaultdict(list)
    for one in sorted(adjustments, key=lambda one: one.number):
        found[one.registration_id].append(one)
    return found


def standing(history: Sequence[Adjustment]) -> Adjustment | None:
    """The newest of one registration that was not taken back; `history` oldest first."""
    undone = {one.undoes for one in history if one.undoes}
    return next((one for one in reversed(history) if not one.undoes and one.id not in undone), None)


def effective(computed: int, history: Sequence[Adjustment]) -> int:
    """What counts for one registration."""
    one = standing(history)
    return computed if one is None else one.after_jp


def steps(computed: int, history: Sequence[Adjustment]) -> list[Step]:
    """The history of one registration from what was computed on: each step begins where the one before ended.

    An adjustment of a provisional value says what it was then; in the ledger it begins at what was computed
    in the end.
    """
    made, before = [], computed
    for count, one in enumerate(history, 1):
        after = effective(computed, history[:count])
        made.append(Step(one, before, after))
        before = after
    return made


def adjustment_key(adjustment_id: str) -> str:
    """An adjustment is added to the ledger once, whatever happens twice."""
    return f"adjustment:{adjustment_id}"


def named(names: Sequence[str]) -> str:
    """Some names for a sentence, and how many more there are."""
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} (+{len(names) - MOST_NAMES})" if len(names) > MOST_NAMES else shown
