"""Made-up people of a made-up lecture, credited by the real rules: what a policy means in practice."""

from collections.abc import Iterator
from dataclasses import dataclass

from webinar.attendance.check_rules import Checks
from webinar.attendance.credit_rules import Credit, Interval, Presence, credit
from webinar.attendance.interval_rules import Span
from webinar.evidence.rules import Check
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Policy

MINUTE_MS = 60_000
LENGTH_MINUTES = 90
WORTH = 200


@dataclass(frozen=True, slots=True)
class Example:
    """Somebody's way through the lecture: `case` names it, `credit` is what `presence` earns."""

    case: str
    presence: Presence
    credit: Credit


def lecture_window(starts_at: int) -> Window:
    """The official window of the made-up lecture: an hour and a half."""
    return Window(((starts_at, starts_at + LENGTH_MINUTES * MINUTE_MS),))


def examples(policy: Policy, starts_at: int) -> list[Example]:
    """What people earn by the policy in a lecture of 90 minutes that is worth 2 JP."""
    return list(_examples(policy, starts_at))


def _examples(policy: Policy, starts_at: int) -> Iterator[Example]:
    def at(*minutes: tuple[int, int]) -> tuple[Span, ...]:
        return tuple((starts_at + a * MINUTE_MS, starts_at + b * MINUTE_MS) for a, b in minutes)

    answered = policy.checks
    yield _example(policy, starts_at, "late", at((4, 90)), answered)
    yield _example(policy, starts_at, "early", at((0, 60)), answered)
    yield _example(policy, starts_at, "gap", at((0, 35), (50, 90)), answered)
    if policy.checks_needed:
        yield _example(policy, starts_at, "checks", at((0, 90)), policy.checks_needed - 1)
    if policy.replay_percent:
        yield _example(policy, starts_at, "replay", at((0, 30)), answered, at((30, 90)))
    yield _example(policy, starts_at, "lecturer", at((0, 90)), 0, role=Seat.LECTURER)


def _example(
    policy: Policy,
    starts_at: int,
    case: str,
    there: tuple[Span, ...],
    answered: int,
    watched: tuple[Span, ...] = (),
    role: Seat = Seat.PARTICIPANT,
) -> Example:
    presence = Presence(tuple(Interval(start, end, ("webhook",), 0) for start, end in there), watched=watched)
    checks = _checks(policy, starts_at, answered)
    return Example(case, presence, credit(policy, WORTH, lecture_window(starts_at), presence, role, checks))


def _checks(policy: Policy, starts_at: int, answered: int) -> Checks:
    """All of them early in the lecture, so that everybody of the examples was asked each."""
    asked = tuple(
        Check(str(number), number, at := starts_at + (5 + number) * MINUTE_MS, at + 1)
        for number in range(policy.checks)
    )
    return Checks(asked, {one.id: one.asked_at for one in asked[:answered]})
