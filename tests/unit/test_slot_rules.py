"""Find a time: what is proposed, and in which order, from who is busy when."""

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import DAY, HOUR, MINUTE, NINE, ZONE
from webinar.lectures.rules import wall_of
from webinar.lectures.slot_rules import A_DAY, Candidate, Engagement, Proposal, candidates, proposals
from webinar.workdays import national
from webinar.workdays.rules import USUAL, minutes

WEDNESDAY = date(2026, 11, 25)
LENGTH = 90


@cache
def times(days: int = 14, *, length: int = LENGTH, not_before: int = NINE) -> list[Candidate]:
    return candidates(WEDNESDAY, days, length, USUAL, ZONE, national.is_holiday, not_before)


def walls(found: list[Proposal]) -> list[str]:
    return [wall_of(one.starts_at, ZONE) for one in found]


def test_with_everybody_free_the_next_times_are_proposed_two_a_day() -> None:
    found = proposals(times(), [], [], 4)
    assert walls(found) == ["2026-11-25T09:00", "2026-11-25T10:30", "2026-11-26T07:30", "2026-11-26T09:00"]
    assert {one.busy for one in found} == {0}


def test_a_later_time_with_more_people_free_comes_first() -> None:
    all_wednesday = Engagement(NINE - HOUR, NINE + 8 * HOUR, frozenset({"a", "b"}))
    thursday = Engagement(NINE - 2 * HOUR + DAY, NINE + 8 * HOUR + DAY, frozenset({"a"}))
    found = proposals(times(3), [], [all_wednesday, thursday], 6)
    assert [(wall[:10], one.busy) for wall, one in zip(walls(found), found, strict=True)] == [
        ("2026-11-27", 0), ("2026-11-27", 0), ("2026-11-26", 1), ("2026-11-26", 1),
        ("2026-11-25", 2), ("2026-11-25", 2),
    ]  # fmt: skip


def test_somebody_with_two_lectures_at_once_is_one_busy_person() -> None:
    twice = [Engagement(NINE, NINE + 7 * HOUR, frozenset({"a"}))] * 2
    assert [one.busy for one in proposals(times(1), [], twice, 1)] == [1]


def test_holidays_and_days_off_are_left_out() -> None:
    eve = candidates(date(2026, 12, 24), 5, LENGTH, USUAL, ZONE, national.is_holiday, NINE)
    assert {one.day for one in eve} == {date(2026, 12, 28)}  # joint leave, Christmas, the weekend


def test_a_time_as_long_as_the_day_fits_once_and_a_longer_one_never() -> None:
    assert len(times(1, length=510, not_before=0)) == 1
    assert times(1, length=511, not_before=0) == []


# --- for any busy people -------------------------------------------------------------------------

SPANS = st.tuples(st.integers(-4, 24 * 7), st.integers(1, 12)).map(
    lambda one: (NINE + one[0] * HOUR + 15 * MINUTE, NINE + (one[0] + one[1]) * HOUR)
)
ENGAGED = st.lists(
    st.builds(
        lambda span, people: Engagement(*span, frozenset(people)), SPANS, st.sets(st.sampled_from("abcde"))
    ),
    max_size=25,
)
LECTURERS = st.lists(SPANS, max_size=8)


def busy_at(start: int, end: int, engaged: list[Engagement]) -> int:
    return len({p for one in engaged if one.starts_at < end and start < one.ends_at for p in one.person_ids})


@settings(deadline=None)
@given(LECTURERS, ENGAGED, st.integers(1, 12), st.sampled_from([30, 45, 90, 240]))
def test_each_proposal_is_a_time_when_the_lecturer_is_free_in_office_hours(
    lecturers: list[tuple[int, int]], engaged: list[Engagement], count: int, length: int
) -> None:
    for one in proposals(times(length=length), lecturers, engaged, count):
        assert not any(one.starts_at < end and start < one.ends_at for start, end in lecturers)
        assert one.busy == busy_at(one.starts_at, one.ends_at, engaged)
        assert one.starts_at >= NINE
        start, end = wall_of(one.starts_at, ZONE), wall_of(one.ends_at, ZONE)
        hours = USUAL.on(date.fromisoformat(start[:10]))
        assert hours is not None
        assert hours[0] <= minutes(start[11:]) < minutes(end[11:]) <= hours[1]
        assert start[:10] == end[:10]


@settings(deadline=None)
@given(LECTURERS, ENGAGED, st.integers(1, 12))
def test_proposals_are_in_order_apart_and_never_crowd_a_day(
    lecturers: list[tuple[int, int]], engaged: list[Engagement], count: int
) -> None:
    found = proposals(times(), lecturers, engaged, count)
    assert found == sorted(found, key=lambda one: (one.busy, one.starts_at))
    assert len(found) <= count
    by_time = sorted(found, key=lambda one: one.starts_at)
    assert all(a.ends_at <= b.starts_at for a, b in pairwise(by_time))
    days = [wall[:10] for wall in walls(found)]
    assert all(days.count(day) <= A_DAY for day in days)


@settings(deadline=None)
@given(LECTURERS, ENGAGED, st.integers(1, 12))
def test_no_time_that_is_left_out_is_better_than_one_that_is_proposed(
    lecturers: list[tuple[int, int]], engaged: list[Engagement], count: int
) -> None:
    found = proposals(times(), lecturers, engaged, count)
    for time in times():
        if any(time.meets(span) for span in lecturers):
            continue
        rank = (busy_at(time.starts_at, time.ends_at, engaged), time.starts_at)
        better = [one for one in found if (one.busy, one.starts_at) <= rank]
        that_day = [one for one in better if wall_of(one.starts_at, ZONE)[:10] == str(time.day)]
        met = any(time.meets((one.starts_at, one.ends_at)) for one in that_day)
        assert met or len(that_day) == A_DAY or len(better) == count


@settings(deadline=None)
@given(LECTURERS, ENGAGED, st.integers(1, 11))
def test_asking_for_more_only_adds_at_the_end(
    lecturers: list[tuple[int, int]], engaged: list[Engagement], count: int
) -> None:
    fewer = proposals(times(), lecturers, engaged, count)
    assert proposals(times(), lecturers, engaged, count + 1)[: len(fewer)] == fewer


@settings(deadline=None)
@given(LECTURERS, ENGAGED, SPANS)
def test_one_more_lecture_of_somebody_else_never_moves_anybody_ahead_into_it(
    lecturers: list[tuple[int, int]], engaged: list[Engagement], span: tuple[int, int]
) -> None:
    more = [*engaged, Engagement(*span, frozenset({"new"}))]
    for one in proposals(times(), lecturers, more, 6):
        met = one.starts_at < span[1] and span[0] < one.ends_at
        assert one.busy == busy_at(one.starts_at, one.ends_at, engaged) + met


def test_the_days_that_are_looked_at_are_those_asked_for() -> None:
    days = {time.day for time in times(2, not_before=0)}
    assert days == {WEDNESDAY, WEDNESDAY + timedelta(days=1)}
