"""What the review tells of one person, where it follows from the row alone."""

from webinar.attendance.credit_rules import Interval, Presence, State
from webinar.evidence.rules import Check
from webinar.hours.review_rules import Line, met
from webinar.lectures.rules import Seat

MINUTE = 60_000
CHECKS = [Check("c1", 1, 10 * MINUTE, 12 * MINUTE), Check("c2", 2, 40 * MINUTE, 42 * MINUTE)]
THERE = Presence((Interval(0, 90 * MINUTE, ("webhook",), 0),))


def a_line(answered: int, role: Seat = Seat.PARTICIPANT) -> Line:
    return Line(
        "r", "p", "Siti", None, None, "Dinas", role, THERE, 5_400, 0, 200, State.CREDITED, (), 0, 1, answered,
        False, None,
    )  # fmt: skip


def test_a_check_is_told_as_answered_or_missed() -> None:
    assert [one.answered_at for one in met(a_line(1), CHECKS, {"c2": 41 * MINUTE})] == [None, 41 * MINUTE]
    assert [one.answered_at for one in met(a_line(0), CHECKS, {})] == [None, None]
    assert met(a_line(0, Seat.LECTURER), CHECKS, {}) == ()


def test_once_the_answers_are_removed_no_check_is_told_as_missed() -> None:
    assert met(a_line(2), CHECKS, {}) == ()
