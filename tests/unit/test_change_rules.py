"""What a change makes of a lecture and of its official time."""

from dataclasses import replace

import pytest

from tests.unit.lecture_build import NINE, a_lecture
from webinar.core.errors import IllegalMove, Invalid
from webinar.lectures.change_rules import (
    begun,
    breaks_of,
    gone_on,
    lengthened,
    moved_window,
    paused,
    present_break,
    prolonged,
    rescheduled,
    restored,
    stopped,
    with_breaks,
)
from webinar.lectures.rules import LectureState, Times, Window

MINUTE = 60_000
HOUR = 60 * MINUTE
END = NINE + 90 * MINUTE
PLAIN = Window(((NINE, END),))
# 09.30 to 09.45
BREAK = (NINE + 30 * MINUTE, NINE + 45 * MINUTE)
BROKEN = with_breaks(NINE, END, [BREAK])


def times(by: int, longer: int = 0) -> Times:
    return Times("2026-11-25T09:00", "2026-11-25T10:30", "Asia/Makassar", NINE + by, END + by + longer)


def test_an_open_lecture_that_moves_a_little_keeps_its_room() -> None:
    lecture = a_lecture(state=LectureState.OPEN, opened_at=NINE - 900_000)
    moved = rescheduled(lecture, times(10 * MINUTE), NINE - MINUTE)
    assert (moved.state, moved.opened_at) == (LectureState.OPEN, lecture.opened_at)
    assert (moved.starts_at, moved.closes_at, moved.sequence) == (NINE + 10 * MINUTE, END + 10 * MINUTE, 1)


def test_an_open_lecture_that_moves_to_another_day_closes_its_room() -> None:
    lecture = a_lecture(state=LectureState.OPEN, opened_at=NINE - 900_000)
    moved = rescheduled(lecture, times(24 * HOUR), NINE - MINUTE)
    assert (moved.state, moved.opened_at) == (LectureState.SCHEDULED, None)


@pytest.mark.parametrize("state", [LectureState.LIVE, LectureState.ENDED, LectureState.CANCELLED])
def test_what_has_begun_is_over_or_is_off_is_not_moved(state: LectureState) -> None:
    with pytest.raises(IllegalMove):
        rescheduled(a_lecture(state=state), times(HOUR), NINE)


def test_a_restored_lecture_has_a_higher_sequence_and_its_old_time() -> None:
    off = a_lecture(state=LectureState.CANCELLED, sequence=3, live_at=NINE, closes_at=END + 15 * MINUTE)
    back = restored(off, times(0), NINE + HOUR)
    assert back == replace(off, state=LectureState.SCHEDULED, sequence=4)


def test_a_lecture_restored_at_another_time_has_not_begun() -> None:
    off = a_lecture(state=LectureState.CANCELLED, live_at=NINE, opened_at=NINE - MINUTE)
    back = restored(off, times(24 * HOUR), NINE + HOUR)
    assert (back.live_at, back.opened_at, back.closes_at) == (None, None, END + 24 * HOUR)


def test_a_lecture_is_not_restored_at_a_time_that_is_past() -> None:
    with pytest.raises(Invalid) as refused:
        restored(a_lecture(state=LectureState.CANCELLED), times(0), END)
    assert refused.value.errors[0].field == "starts_wall"


def test_only_a_cancelled_lecture_is_restored() -> None:
    with pytest.raises(IllegalMove):
        restored(a_lecture(), times(0), NINE)


def test_the_end_moves_to_an_instant() -> None:
    live = a_lecture(state=LectureState.LIVE)
    longer = prolonged(live, END + 20 * MINUTE, NINE + HOUR, 3600)
    assert longer == replace(live, closes_at=END + 20 * MINUTE)


@pytest.mark.parametrize("until", [END, NINE, NINE + 25 * HOUR])
def test_an_end_that_is_no_later_or_far_too_late_is_refused(until: int) -> None:
    with pytest.raises(Invalid):
        prolonged(a_lecture(state=LectureState.LIVE), until, NINE + HOUR, 3600)


def test_an_ended_lecture_goes_on_to_an_end_before_the_old_one() -> None:
    ended = a_lecture(state=LectureState.ENDED, live_at=NINE, ended_at=NINE + 50 * MINUTE)
    again = prolonged(ended, NINE + 80 * MINUTE, NINE + HOUR, 3600)
    assert (again.state, again.ended_at, again.closes_at) == (LectureState.LIVE, None, NINE + 80 * MINUTE)


def test_breaks_are_the_gaps_of_the_official_time() -> None:
    assert BROKEN.spans == ((NINE, BREAK[0]), (BREAK[1], END))
    assert breaks_of(BROKEN) == [BREAK]
    assert BROKEN.seconds == 75 * 60


@pytest.mark.parametrize(
    "breaks",
    [
        [(NINE, NINE + 5 * MINUTE)],
        [(END - MINUTE, END)],
        [(NINE + 10 * MINUTE, NINE + 5 * MINUTE)],
        [BREAK, (NINE + 40 * MINUTE, NINE + 50 * MINUTE)],
        [(NINE + MINUTE, NINE + MINUTE + 30_000)],
        [(NINE + n * 4 * MINUTE, NINE + (n * 4 + 1) * MINUTE) for n in range(1, 10)],
    ],
    ids=["at the start", "at the end", "backwards", "crossing", "too short", "too many"],
)
def test_breaks_that_cannot_be_are_refused(breaks: list[tuple[int, int]]) -> None:
    with pytest.raises(Invalid):
        with_breaks(NINE, END, breaks)


def test_a_break_is_now_from_its_begin_until_just_before_its_end() -> None:
    instants = (BREAK[0] - 1, BREAK[0], BREAK[1] - 1, BREAK[1])
    assert [present_break(BROKEN, at) for at in instants] == [None, BREAK, BREAK, None]


def test_a_break_put_in_now_leaves_the_others() -> None:
    now = NINE + 60 * MINUTE
    assert breaks_of(paused(BROKEN, now, now + 10 * MINUTE)) == [BREAK, (now, now + 10 * MINUTE)]


def test_a_break_that_runs_into_a_planned_one_takes_its_place() -> None:
    now = NINE + 20 * MINUTE
    assert breaks_of(paused(BROKEN, now, NINE + 40 * MINUTE)) == [(now, NINE + 40 * MINUTE)]


def test_a_break_under_way_gets_another_end() -> None:
    now = NINE + 40 * MINUTE
    assert breaks_of(paused(BROKEN, now, NINE + 50 * MINUTE)) == [(BREAK[0], NINE + 50 * MINUTE)]


def test_going_on_ends_the_break_now() -> None:
    now = NINE + 40 * MINUTE
    assert breaks_of(gone_on(BROKEN, now)) == [(BREAK[0], now)]


def test_a_break_taken_back_at_once_is_none() -> None:
    assert gone_on(BROKEN, BREAK[0] + 20_000) == PLAIN


def test_going_on_without_a_break_changes_nothing() -> None:
    assert gone_on(BROKEN, NINE + 10 * MINUTE) == BROKEN


def test_a_late_start_counts_from_then() -> None:
    assert begun(BROKEN, NINE + 17 * MINUTE).spans == ((NINE + 17 * MINUTE, BREAK[0]), (BREAK[1], END))
    assert begun(BROKEN, BREAK[0] + MINUTE).spans == ((BREAK[1], END),)


def test_an_early_end_counts_until_then() -> None:
    assert stopped(BROKEN, NINE + 50 * MINUTE).spans == ((NINE, BREAK[0]), (BREAK[1], NINE + 50 * MINUTE))
    assert stopped(BROKEN, NINE + 40 * MINUTE).spans == ((NINE, BREAK[0]),)


def test_an_official_time_is_never_cut_to_nothing() -> None:
    for cut in (lambda: begun(PLAIN, END), lambda: stopped(PLAIN, NINE)):
        with pytest.raises(Invalid):
            cut()


def test_a_later_end_lengthens_the_last_span_only() -> None:
    assert lengthened(BROKEN, END + HOUR).spans == ((NINE, BREAK[0]), (BREAK[1], END + HOUR))
    assert lengthened(BROKEN, END - HOUR) == BROKEN


def test_the_official_time_moves_along_with_its_breaks() -> None:
    moved = moved_window(BROKEN, (NINE, END), (NINE + HOUR, END + HOUR))
    assert moved == with_breaks(NINE + HOUR, END + HOUR, [(BREAK[0] + HOUR, BREAK[1] + HOUR)])


def test_the_official_time_ends_with_a_lecture_that_became_longer_or_shorter() -> None:
    longer = moved_window(BROKEN, (NINE, END), (NINE, END + HOUR))
    shorter = moved_window(BROKEN, (NINE, END), (NINE, NINE + 40 * MINUTE))
    assert longer == with_breaks(NINE, END + HOUR, [BREAK])
    assert shorter == Window(((NINE, BREAK[0]),))


def test_nothing_may_be_left_of_an_official_time_that_moves() -> None:
    late = Window(((END - 10 * MINUTE, END - 5 * MINUTE),))
    assert moved_window(late, (NINE, END), (NINE, NINE + 20 * MINUTE)) is None
