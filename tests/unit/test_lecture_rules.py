"""The life of a lecture, and its times."""

from dataclasses import replace

import pytest

from tests.unit.lecture_build import NINE, a_lecture, a_room
from webinar.core.errors import IllegalMove, Invalid
from webinar.lectures.rules import (
    LECTURE_MOVES,
    ROOM_MOVES,
    Lecture,
    LectureState,
    RoomState,
    agreed_times,
    checked_spans,
    extended,
    instant_of,
    link_digest,
    link_token,
    wall_of,
)

MINUTE = 60_000
KEY = b"k" * 32


@pytest.mark.parametrize("state", list(LectureState))
@pytest.mark.parametrize("move", sorted({move for _, move in LECTURE_MOVES}))
def test_only_the_moves_of_the_table_are_possible(state: LectureState, move: str) -> None:
    lecture = a_lecture(state=state)
    wanted = LECTURE_MOVES.get((state, move))
    if wanted is None:
        with pytest.raises(IllegalMove):
            lecture.after(move)
    else:
        assert lecture.after(move) == replace(lecture, state=wanted)


@pytest.mark.parametrize("state", list(RoomState))
@pytest.mark.parametrize("move", sorted({move for _, move in ROOM_MOVES}))
def test_only_the_moves_of_the_room_table_are_possible(state: RoomState, move: str) -> None:
    room = a_room(state)
    wanted = ROOM_MOVES.get((state, move))
    if wanted is None:
        with pytest.raises(IllegalMove):
            room.after(move)
    else:
        assert room.after(move) == replace(room, state=wanted)


def test_a_cancelled_lecture_cannot_be_opened() -> None:
    with pytest.raises(IllegalMove) as refused:
        a_lecture(state=LectureState.CANCELLED).after("open")
    assert refused.value.fields["state"] == "cancelled"


def test_wall_time_and_zone_give_the_instant() -> None:
    assert agreed_times("2026-11-25T09:00", "2026-11-25T10:30", "Asia/Makassar").starts_at == NINE
    # The same wall time in Jakarta is an hour later.
    assert instant_of("2026-11-25T09:00", "Asia/Jakarta", "starts_wall") == NINE + 60 * MINUTE
    assert wall_of(NINE, "Asia/Jayapura") == "2026-11-25T10:00"


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "field"),
    [
        ("2026-02-30T09:00", "2026-03-01T10:00", "Asia/Jakarta", "starts_wall"),
        ("2026-03-01T25:00", "2026-03-01T26:00", "Asia/Jakarta", "starts_wall"),
        ("", "2026-03-01T10:00", "Asia/Jakarta", "starts_wall"),
        ("2026-03-01T10:00", "2026-03-01T10:00", "Asia/Jakarta", "ends_wall"),
        ("2026-03-01T10:00", "2026-03-01T09:00", "Asia/Jakarta", "ends_wall"),
        ("2026-03-01T10:00", "2026-03-03T09:00", "Asia/Jakarta", "ends_wall"),
        ("2026-03-01T10:00", "2026-03-01T11:00", "Asia/Atlantis", "zone"),
        ("2026-03-01T10:00", "2026-03-01T11:00", "../../etc/passwd", "zone"),
        # Clocks in Berlin jump from 02.00 to 03.00 on this day: half past two never comes.
        ("2026-03-29T02:30", "2026-03-29T04:00", "Europe/Berlin", "starts_wall"),
    ],
)
def test_a_time_that_cannot_be_is_refused_at_its_field(starts: str, ends: str, zone: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        agreed_times(starts, ends, zone)
    assert refused.value.errors[0].field == field


def test_extending_moves_the_end_and_not_the_schedule() -> None:
    live = a_lecture(state=LectureState.LIVE)
    longer = extended(live, 15, now=live.ends_at - MINUTE, quiet_period_s=3600)
    assert (longer.ends_at, longer.closes_at) == (live.ends_at, live.ends_at + 15 * MINUTE)


def test_extending_during_the_overrun_counts_from_now() -> None:
    live = a_lecture(state=LectureState.LIVE)
    late = live.ends_at + 5 * MINUTE
    assert extended(live, 15, now=late, quiet_period_s=3600).closes_at == late + 15 * MINUTE


def test_a_lecture_that_has_ended_goes_on_while_its_quiet_period_lasts() -> None:
    ended = a_lecture(state=LectureState.ENDED, live_at=NINE, ended_at=NINE + 90 * MINUTE)
    again = extended(ended, 15, now=NINE + 100 * MINUTE, quiet_period_s=3600)
    assert (again.state, again.ended_at) == (LectureState.LIVE, None)
    with pytest.raises(IllegalMove):
        extended(ended, 15, now=NINE + 151 * MINUTE, quiet_period_s=3600)


@pytest.mark.parametrize("state", [LectureState.SCHEDULED, LectureState.FINAL, LectureState.CANCELLED])
def test_a_lecture_that_is_not_on_cannot_be_extended(state: LectureState) -> None:
    with pytest.raises(IllegalMove):
        extended(a_lecture(state=state), 15, now=NINE, quiet_period_s=3600)


def test_a_window_has_spans_in_order_and_apart() -> None:
    window = checked_spans([(NINE, NINE + 45 * MINUTE), (NINE + 60 * MINUTE, NINE + 105 * MINUTE)])
    assert (window.seconds, window.starts_at, window.ends_at) == (5400, NINE, NINE + 105 * MINUTE)
    for spans in ([], [(2, 1)], [(1, 5), (5, 9)], [(1, 5), (4, 9)], [(6, 9), (1, 5)]):
        with pytest.raises(Invalid):
            checked_spans(spans)


def test_each_generation_of_a_link_is_another_secret() -> None:
    tokens = {link_token(KEY, "a" * 26, generation) for generation in range(1, 50)}
    assert len(tokens) == 49
    assert all(len(token) * 4 >= 128 for token in tokens)
    assert link_token(KEY, "a" * 26, 1) == link_token(KEY, "a" * 26, 1)
    assert link_token(b"x" * 32, "a" * 26, 1) not in tokens
    assert link_digest(next(iter(tokens))) not in tokens


def test_a_lecture_opens_before_its_start_and_ends_after_its_overrun() -> None:
    lecture: Lecture = a_lecture()
    assert lecture.opens_at == NINE - 15 * MINUTE
    assert lecture.latest_end_at == NINE + 100 * MINUTE
