"""A clock that follows the database's: the own one may be wrong, and may be set while the process runs."""

import pytest

from tests.build import HOUR, NINE
from webinar.core.clock import DatabaseClock, ManualClock, own_time, put_right


class Passing:
    """Seconds that pass as the test says."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize("off_ms", [-30_000, 0, 30_000])
def test_it_says_the_databases_time_however_wrong_the_own_clock_is(off_ms: int) -> None:
    passing = Passing()
    clock = DatabaseClock(ManualClock(NINE + off_ms), passing)
    put_right(clock, NINE, clock.now())
    passing.s += 2.5
    assert clock.now() == NINE + 2_500


def answered(clock: DatabaseClock, passing: Passing, db_now: int, took_s: float) -> None:
    """The database says `db_now`; the answer is there after so many seconds."""
    asked_at = clock.now()
    passing.s += took_s
    put_right(clock, db_now, asked_at)


@pytest.mark.parametrize("answered_at", [NINE, NINE + 20_000, NINE + 40_000])
def test_an_answer_that_took_long_moves_nothing_that_is_right(answered_at: int) -> None:
    passing = Passing()
    clock = DatabaseClock(ManualClock(NINE), passing)
    answered(clock, passing, NINE, 0)
    answered(clock, passing, answered_at, 40)
    assert clock.now() == NINE + 40_000


@pytest.mark.parametrize(
    ("off_ms", "becomes"),
    [(-10_000, NINE), (10_000, NINE + 400), (200, NINE + 200)],
)
def test_a_clock_that_is_wrong_goes_as_far_as_the_answer_proves(off_ms: int, becomes: int) -> None:
    passing = Passing()
    clock = DatabaseClock(ManualClock(NINE), passing)
    answered(clock, passing, NINE + off_ms - 400, 0)
    answered(clock, passing, NINE, 0.4)
    assert clock.now() == becomes


@pytest.mark.parametrize("off_ms", [-30_000, 30_000])
def test_the_first_answer_makes_nothing_early(off_ms: int) -> None:
    passing = Passing()
    clock = DatabaseClock(ManualClock(NINE + off_ms), passing)
    answered(clock, passing, NINE, 40)
    assert clock.now() == NINE


@pytest.mark.parametrize("jump_ms", [-30_000, 30_000])
def test_setting_the_own_clock_while_it_runs_moves_nothing(jump_ms: int) -> None:
    passing, own = Passing(), ManualClock(NINE)
    clock = DatabaseClock(own, passing)
    put_right(clock, NINE, clock.now())
    own.advance(jump_ms)
    assert clock.now() == NINE
    assert own_time(clock) == NINE + jump_ms


@pytest.mark.parametrize("jump_ms", [-30_000, 30_000])
def test_an_own_clock_that_is_set_while_the_database_is_asked_spoils_no_answer(jump_ms: int) -> None:
    passing, own = Passing(), ManualClock(NINE)
    clock = DatabaseClock(own, passing)
    asked_at = clock.now()
    own.advance(jump_ms)
    put_right(clock, NINE, asked_at)
    assert clock.now() == NINE


def test_another_clock_is_never_put_right() -> None:
    clock = ManualClock(NINE)
    put_right(clock, NINE + HOUR, NINE)
    assert clock.now() == own_time(clock) == NINE
