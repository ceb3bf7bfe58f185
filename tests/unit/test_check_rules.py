"""Presence checks come at moments that nobody can foresee, and that everybody in the room can answer."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.build import MINUTE, NINE
from webinar.classroom.check_rules import can_be_answered, moments, rest

HALF_PAST_TEN = NINE + 90 * MINUTE
WINDOW = ((NINE, HALF_PAST_TEN),)
WITH_BREAK = ((NINE, NINE + 40 * MINUTE), (NINE + 55 * MINUTE, NINE + 95 * MINUTE))
TWO_MINUTES = 2 * MINUTE


def test_there_are_as_many_as_the_policy_asks_for_in_order_and_apart() -> None:
    found = moments(WINDOW, 3, TWO_MINUTES, random.Random(1).random)
    assert len(found) == 3
    assert all(later - earlier > 5 * MINUTE for earlier, later in pairwise(found))


@given(seed=st.integers(0, 10**6), count=st.integers(1, 20))
def test_none_is_at_the_edges_or_reaches_into_a_break(seed: int, count: int) -> None:
    for at in moments(WITH_BREAK, count, TWO_MINUTES, random.Random(seed).random):
        assert can_be_answered(WITH_BREAK, at, TWO_MINUTES)
        assert NINE + 5 * MINUTE <= at <= WITH_BREAK[-1][1] - 5 * MINUTE - TWO_MINUTES


def test_two_lectures_are_asked_at_different_moments() -> None:
    assert moments(WINDOW, 3, TWO_MINUTES, random.Random(1).random) != moments(
        WINDOW, 3, TWO_MINUTES, random.Random(2).random
    )


def test_a_window_that_is_too_short_has_fewer_or_none() -> None:
    short = ((NINE, NINE + 5 * MINUTE),)
    assert len(moments(short, 3, TWO_MINUTES, lambda: 0.5)) == 1
    assert moments(((NINE, NINE + MINUTE),), 3, TWO_MINUTES, lambda: 0.5) == []


def test_a_lecture_that_began_late_asks_in_what_is_left_of_it() -> None:
    late = NINE + 30 * MINUTE
    assert rest(WITH_BREAK, late) == [(late, NINE + 40 * MINUTE), WITH_BREAK[1]]
    assert rest(WITH_BREAK, NINE + 45 * MINUTE) == [WITH_BREAK[1]]
    assert rest(WITH_BREAK, NINE - MINUTE) == list(WITH_BREAK)
    assert all(at >= late + 5 * MINUTE for at in moments(rest(WINDOW, late), 3, TWO_MINUTES, lambda: 0.0))
    assert moments(rest(WINDOW, HALF_PAST_TEN), 3, TWO_MINUTES, lambda: 0.5) == []


def test_a_check_that_would_reach_beyond_the_end_is_not_asked() -> None:
    assert not can_be_answered(WINDOW, HALF_PAST_TEN - MINUTE, TWO_MINUTES)
    assert not can_be_answered(WINDOW, NINE - MINUTE, TWO_MINUTES)
    assert can_be_answered(WINDOW, HALF_PAST_TEN - TWO_MINUTES, TWO_MINUTES)
