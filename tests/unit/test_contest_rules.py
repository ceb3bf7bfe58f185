"""When a value may be contested, and how a contest ends."""

import pytest

from tests.unit.lecture_build import NINE, a_lecture
from webinar.core.errors import IllegalMove, Invalid
from webinar.hours.contest_rules import (
    CONTEST_MOVES,
    Contest,
    ContestClosed,
    ContestState,
    ContestTooLate,
    checked_text,
    contest_until,
    contestable,
    require_contestable,
)
from webinar.lectures.rules import LectureState

DAY = 86_400_000


def a_contest(state: ContestState = ContestState.OPEN) -> Contest:
    return Contest("c", "i", "l", "r", "p", "Saya hadir.", state, 0, NINE)


@pytest.mark.parametrize("state", ContestState)
@pytest.mark.parametrize("move", ["accept", "refuse", "withdraw", "open"])
def test_only_an_open_contest_is_decided_or_withdrawn(state: ContestState, move: str) -> None:
    if (state, move) in CONTEST_MOVES:
        assert a_contest(state).after(move).state is CONTEST_MOVES[state, move]
        assert state is ContestState.OPEN
    else:
        with pytest.raises(ContestClosed):
            a_contest(state).after(move)


@pytest.mark.parametrize("state", LectureState)
def test_values_are_contested_from_the_end_on(state: LectureState) -> None:
    over = state in {LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED}
    assert contestable(a_lecture(state=state), NINE) is over
    assert not contestable(a_lecture(state=state, trial=True), NINE)
    if not over:
        with pytest.raises(IllegalMove):
            require_contestable(a_lecture(state=state), NINE)


def test_thirty_days_after_they_were_settled_values_are_contested_no_more() -> None:
    lecture = a_lecture(state=LectureState.FINAL, final_at=NINE)
    assert contest_until(lecture) == NINE + 30 * DAY
    require_contestable(lecture, NINE + 30 * DAY)
    with pytest.raises(ContestTooLate):
        require_contestable(lecture, NINE + 30 * DAY + 1)


def test_until_they_are_settled_there_is_no_last_day() -> None:
    lecture = a_lecture(state=LectureState.ENDED)
    assert contest_until(lecture) is None
    assert contestable(lecture, NINE + 400 * DAY)


def test_a_contest_says_something_and_not_too_much() -> None:
    assert checked_text("  Saya\r\nhadir. ") == "Saya\nhadir."
    for text in ("", " \n ", "x" * 2001):
        with pytest.raises(Invalid):
            checked_text(text)
