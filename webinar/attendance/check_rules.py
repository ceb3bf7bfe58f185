"""Presence checks: who was asked, who answered, and whether that is enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webinar.attendance.interval_rules import Span, covers
from webinar.evidence.rules import Check
from webinar.lectures.rules import Seat
from webinar.policies.rules import Policy

# Who holds the lecture is not asked whether they are there.
HOSTS = frozenset({Seat.LECTURER, Seat.ORGANISER})


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a lecture, and when one person answered which of them, by the check's id."""

    asked: Sequence[Check] = ()
    answered: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One check as one person met it; `answered_at` is None for a miss. Instants in Unix ms."""

    number: int
    asked_at: int
    closes_at: int
    answered_at: int | None


NONE_ASKED = Checks()


def asked_of(checks: Checks, there: Sequence[Span], role: Seat) -> tuple[Asked, ...]:
    """The checks that somebody was asked: there for all of its time, or else the answer shows it.

    Args:
        there: when the person was in the room, a union.
    """
    if role in HOSTS or not checks.asked:
        return ()
    return tuple(
        Asked(check.number, check.asked_at, check.closes_at, answered_at)
        for check in sorted(checks.asked, key=lambda c: (c.asked_at, c.number))
        if (answered_at := checks.answered.get(check.id)) is not None
        or covers(there, (check.asked_at, check.closes_at))
    )


def needed_answers(policy: Policy, asked: Sequence[Asked]) -> int:
    """How many answers are needed of somebody who was asked so often."""
    return min(policy.checks_needed, len(asked))


def answers(asked: Sequence[Asked]) -> int:
    return sum(one.answered_at is not None for one in asked)


def enough(policy: Policy, asked: Sequence[Asked]) -> bool:
    """Whether somebody answered often enough to earn anything."""
    return answers(asked) >= needed_answers(policy, asked)
