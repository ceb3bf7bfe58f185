"""How a series recurs, what an edition takes over from it, and how it grows; without a database."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webinar.core.errors import IllegalMove, Invalid
from webinar.lectures.rules import WALL_FORMAT, instant_of
from webinar.series.recurrence import first_slots, further_slots
from webinar.series.recurrence_rules import (
    MOST_EDITIONS,
    Ending,
    Frequency,
    Recurrence,
    endless,
    parsed,
)
from webinar.series.rules import (
    CANCELLED,
    LECTURERS,
    Growth,
    MemberState,
    changed,
    days_between,
    followed,
    growth,
    member_after,
    moved,
    on_slot,
)

WEDNESDAY = "2026-11-25T09:00"


def never(_day: date) -> bool:
    return False


def slots(text: str, first: str = WEDNESDAY) -> list[str]:
    rule, ending = parsed(text)
    return first_slots(rule, first, ending, never)


# --- the rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["2026-11-25", "2026-12-02", "2026-12-09"]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2", ["2026-11-25", "2026-12-09"]),
        ("FREQ=WEEKLY;BYDAY=WE,FR;COUNT=3", ["2026-11-25", "2026-11-27", "2026-12-02"]),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=4", ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-30"]),
        ("FREQ=DAILY;INTERVAL=10;UNTIL=20261205", ["2026-11-25", "2026-12-05"]),
        ("FREQ=MONTHLY;COUNT=2", ["2026-11-25", "2026-12-25"]),
        ("FREQ=MONTHLY;BYDAY=-1WE;COUNT=3", ["2026-11-25", "2026-12-30", "2027-01-27"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-4;COUNT=2", ["2026-11-25", "2026-12-28"]),
        ("FREQ=MONTHLY;BYMONTHDAY=25;COUNT=2", ["2026-11-25", "2026-12-25"]),
        ("FREQ=YEARLY;COUNT=2", ["2026-11-25", "2027-11-25"]),
    ],
)
def test_a_rule_gives_its_days_at_the_same_time_of_day(rule: str, days: list[str]) -> None:
    assert slots(rule) == [f"{day}T09:00" for day in days]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ("", "rule"),
        ("FREQ=HOURLY;COUNT=3", "rule"),
        ("FREQ=WEEKLY", "rule"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20270101", "rule"),
        ("FREQ=WEEKLY;COUNT=0", "count"),
        ("FREQ=WEEKLY;COUNT=201", "count"),
        ("FREQ=WEEKLY;COUNT=3;COUNT=4", "rule"),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=3", "interval"),
        ("FREQ=WEEKLY;INTERVAL=53;COUNT=3", "interval"),
        ("FREQ=WEEKLY;INTERVAL=²;COUNT=3", "rule"),
        ("FREQ=WEEKLY;BYDAY=1WE;COUNT=3", "rule"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", "rule"),
        ("FREQ=WEEKLY;BYHOUR=9;COUNT=3", "rule"),
        ("FREQ=WEEKLY;WKST=SU;COUNT=3", "rule"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU;COUNT=3", "rule"),
        ("FREQ=DAILY;BYMONTHDAY=30;COUNT=3", "rule"),
        ("FREQ=MONTHLY;BYDAY=WE;BYMONTHDAY=25;COUNT=3", "rule"),
        ("FREQ=MONTHLY;BYDAY=WE;BYSETPOS=6;COUNT=3", "rule"),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=3", "rule"),
        ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=3", "rule"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3", "rule"),
        ("FREQ=WEEKLY;UNTIL=20270230", "rule"),
        ("FREQ=WEEKLY;COUNT=3;X=" + "Y" * 300, "rule"),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=3", "rule"),  # the first day is a Wednesday
        ("FREQ=YEARLY;COUNT=7", "rule"),  # beyond five years
        ("FREQ=DAILY;UNTIL=20271231", "count"),  # more than two hundred
    ],
)
def test_what_is_no_rule_or_too_long_is_refused_at_its_field(rule: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        slots(rule)
    assert refused.value.errors[0].field == field


def test_a_rule_that_would_never_match_again_ends_with_a_clear_answer() -> None:
    with pytest.raises(Invalid):
        slots("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30;COUNT=3", "2026-02-25T09:00")
    assert slots("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", "2026-10-31T09:00") == [
        "2026-10-31T09:00", "2026-12-31T09:00",
    ]  # fmt: skip


def test_days_that_are_left_out_do_not_count() -> None:
    rule, ending = parsed("FREQ=WEEKLY;COUNT=3")
    off = {date(2026, 11, 25), date(2026, 12, 9)}
    found = first_slots(rule, WEDNESDAY, ending, off.__contains__)
    assert [slot[:10] for slot in found] == ["2026-12-02", "2026-12-16", "2026-12-23"]


def test_a_series_goes_on_where_it_ended() -> None:
    rule, _ = parsed("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=1")
    more = further_slots(rule, WEDNESDAY, "2026-12-02T09:00", Ending(count=2), never)
    assert more == ["2026-12-07T09:00", "2026-12-09T09:00"]


def test_nine_stays_nine_where_clocks_change_and_where_they_do_not() -> None:
    for zone, offsets in (("Asia/Jayapura", {9}), ("Europe/Berlin", {1, 2}), ("Australia/Sydney", {11, 10})):
        found = slots("FREQ=WEEKLY;COUNT=25")
        seen = set()
        for wall in found:
            at = datetime.fromtimestamp(instant_of(wall, zone, "") / 1000, ZoneInfo(zone))
            assert at.strftime(WALL_FORMAT) == wall
            seen.add(round(at.utcoffset().total_seconds() / 3600))  # type: ignore[union-attr]
        assert seen == offsets


RULES = st.one_of(
    st.builds(Recurrence, st.sampled_from([Frequency.DAILY, Frequency.YEARLY]), st.integers(1, 52)),
    st.builds(
        Recurrence,
        st.just(Frequency.WEEKLY),
        st.integers(1, 52),
        st.sets(st.integers(0, 6)).map(lambda days: tuple((0, day) for day in sorted(days))),
    ),
    st.builds(
        Recurrence,
        st.just(Frequency.MONTHLY),
        st.integers(1, 12),
        month_days=st.sets(st.integers(-31, 31).filter(bool)).map(lambda days: tuple(sorted(days))),
    ),
)


@settings(deadline=None)
@given(RULES, st.integers(1, MOST_EDITIONS))
def test_a_rule_reads_as_it_was_written_and_its_days_are_in_order(rule: Recurrence, count: int) -> None:
    assert endless(str(rule)) == rule
    assert parsed(f"{rule};COUNT={count}") == (rule, Ending(count=count))
    try:
        found = first_slots(rule, WEDNESDAY, Ending(count=count), never)
    except Invalid:
        return
    assert found[0] == WEDNESDAY
    assert found == sorted(set(found))
    assert len(found) <= count
    assert {slot[10:] for slot in found} == {"T09:00"}


@given(st.text(max_size=60))
def test_no_text_is_anything_but_a_rule_or_refused(text: str) -> None:
    try:
        rule, _ = parsed(text)
    except Invalid:
        return
    assert endless(str(rule)) == rule


# --- what an edition takes over ----------------------------------------------------------------

GIVEN = {
    "starts_wall": "2026-12-02T09:00", "ends_wall": "2026-12-02T10:30", "zone": "Asia/Makassar",
    "title": "Forum", "capacity": None, "jp": 200, LECTURERS: ["maya"],
}  # fmt: skip


def test_what_was_changed_alone_stays_and_the_rest_follows() -> None:
    present = {**GIVEN, "title": "Forum khusus"}
    wanted = {"title": "Forum ASN", "capacity": 50}
    assert followed(GIVEN, present, wanted) == ({"capacity": 50}, {**GIVEN, **wanted})


def test_the_time_is_one_field() -> None:
    alone = {**GIVEN, "starts_wall": "2026-12-03T09:00", "ends_wall": "2026-12-03T10:30"}
    wanted = {"starts_wall": "2026-12-02T13:00", "ends_wall": "2026-12-02T14:30", "zone": "Asia/Makassar"}
    assert followed(GIVEN, alone, wanted)[0] == {}
    assert followed(GIVEN, GIVEN, wanted)[0] == wanted


def test_an_edition_that_was_set_to_what_all_get_follows_again() -> None:
    own = {**GIVEN, "title": "Forum ASN"}
    _, given = followed(GIVEN, own, {"title": "Forum ASN"})
    assert followed(given, own, {"title": "Forum ke depan"})[0] == {"title": "Forum ke depan"}


def test_calling_off_is_no_field() -> None:
    assert followed(GIVEN, GIVEN, {CANCELLED: "sakit", "by": ["person", "x"]}) == ({}, GIVEN)


def test_a_move_shifts_the_days_of_all_that_follow_and_sets_their_time_of_day() -> None:
    wanted = {"starts_wall": "2026-11-26T22:00", "ends_wall": "2026-11-27T00:30", "zone": "Asia/Jakarta"}
    assert moved(GIVEN, wanted, 1) == {
        "starts_wall": "2026-12-03T22:00", "ends_wall": "2026-12-04T00:30", "zone": "Asia/Jakarta",
    }  # fmt: skip
    assert moved(GIVEN, {"title": "x"}, 5) == {"title": "x"}


def test_the_whole_time_changes_when_one_part_of_it_does() -> None:
    after = {**GIVEN, "ends_wall": "2026-12-02T11:00"}
    assert set(changed(GIVEN, after)) == {"starts_wall", "ends_wall", "zone"}
    assert changed(GIVEN, dict(GIVEN)) == {}


def test_all_that_follow_cannot_be_moved_by_months() -> None:
    with pytest.raises(Invalid):
        days_between(GIVEN, {**GIVEN, "starts_wall": "2027-02-02T09:00"})


def test_a_further_edition_has_the_time_of_the_last_and_the_day_of_the_rule() -> None:
    made = on_slot(GIVEN, "2026-12-09T09:00", 1)
    assert (made["starts_wall"], made["ends_wall"]) == ("2026-12-10T09:00", "2026-12-10T10:30")
    assert made["title"] == "Forum"


# --- members and growth --------------------------------------------------------------------------


def test_who_leaves_may_come_back_and_who_is_in_cannot_join_again() -> None:
    assert member_after(MemberState.LEFT, "join") is MemberState.JOINING
    with pytest.raises(IllegalMove):
        member_after(MemberState.JOINED, "join")


def test_each_edition_stands_beside_the_last_that_was_held() -> None:
    seen = [Growth(1, 10, 8, 6), Growth(2, 99, None, None), Growth(3, 15, 7, 7), Growth(4, 20, None, None)]
    assert growth(seen, frozenset({2})) == [
        seen[0],
        seen[1],
        Growth(3, 15, 7, 7, 5, -1, 1),
        Growth(4, 20, None, None, 5, None, None),
    ]
