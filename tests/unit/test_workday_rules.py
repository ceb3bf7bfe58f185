"""What is worth a warning about a time, without a database; and the national holidays by name."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webinar.core.errors import Invalid
from webinar.workdays import national
from webinar.workdays.rules import USUAL, Caution, OfficeHours, Reason, cautions, minutes, office_hours
from webinar.workdays.wording import told

WEDNESDAY = date(2026, 11, 25)
CHRISTMAS = date(2026, 12, 25)


def said(starts: str, ends: str, office: OfficeHours = USUAL) -> list[Caution]:
    return cautions(starts, ends, office, lambda day: national.holiday("id", day))


def test_a_time_within_office_hours_needs_no_warning() -> None:
    assert said("2026-11-25T07:30", "2026-11-25T16:00") == []
    assert said("2026-11-27T15:00", "2026-11-27T16:30") == []  # Friday


@pytest.mark.parametrize(
    ("starts", "ends"),
    [("2026-11-25T07:29", "2026-11-25T09:00"), ("2026-11-25T15:00", "2026-11-25T16:01")],
)
def test_a_minute_outside_office_hours_is_said_with_the_hours_of_that_day(starts: str, ends: str) -> None:
    assert said(starts, ends) == [Caution(Reason.OUTSIDE, WEDNESDAY, hours=(450, 960))]
    assert told("id", said(starts, ends)[0]) == "Di luar jam kerja: hari Rabu jam kerjanya 07.30–16.00."


def test_a_holiday_is_named_in_the_readers_language() -> None:
    warned = said("2026-12-25T09:00", "2026-12-25T10:00")
    assert warned == [Caution(Reason.HOLIDAY, CHRISTMAS, "Hari Raya Natal")]
    assert told("id", warned[0]) == "Jumat, 25 Desember 2026 adalah hari libur nasional: Hari Raya Natal."
    english = Caution(Reason.HOLIDAY, CHRISTMAS, national.holiday("en", CHRISTMAS))
    assert told("en", english) == "Friday, 25 December 2026 is a national holiday: Christmas Day."


def test_joint_leave_is_a_holiday_of_civil_servants() -> None:
    assert "Cuti Bersama" in national.holiday("id", date(2026, 12, 24))
    assert national.is_holiday(date(2026, 12, 24))
    assert not national.is_holiday(WEDNESDAY)


def test_a_weekend_is_a_day_off_and_a_holiday_weighs_more() -> None:
    assert [c.reason for c in said("2026-11-28T09:00", "2026-11-28T10:00")] == [Reason.DAY_OFF]
    assert [c.name for c in said("2026-02-17T23:00", "2026-02-18T00:00")] == ["Tahun Baru Imlek"]


def test_a_time_over_midnight_is_looked_at_on_both_days_and_one_until_midnight_on_the_first() -> None:
    assert [c.day for c in said("2026-11-25T22:00", "2026-11-26T01:00")] == [WEDNESDAY, date(2026, 11, 26)]
    assert [c.day for c in said("2026-11-25T22:00", "2026-11-26T00:00")] == [WEDNESDAY]


TYPED = [("07:30", "16:00")] * 4 + [("07.30", "16.30"), ("", ""), ("", "")]


def test_what_is_typed_are_the_usual_hours() -> None:
    assert office_hours(TYPED) == USUAL


@pytest.mark.parametrize(
    ("day", "fields"),
    [
        (("7:30", "16:00"), ["from_0"]),
        (("", "16:00"), ["from_0"]),
        (("07:30", "24:00"), ["until_0"]),
        (("x", "y"), ["from_0", "until_0"]),
        (("16:00", "16:00"), ["until_0"]),
    ],
)
def test_hours_that_are_none_are_told_at_their_field(day: tuple[str, str], fields: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        office_hours([day, *TYPED[1:]])
    assert [error.field for error in refused.value.errors] == fields


def test_an_institution_that_never_works_is_refused() -> None:
    with pytest.raises(Invalid):
        office_hours([("", "")] * 7)


TIMES = st.tuples(st.integers(0, 400), st.integers(0, 1439), st.integers(1, 24 * 60))


@settings(deadline=None)
@given(TIMES)
def test_whatever_the_time_each_of_its_days_is_named_at_most_once(time: tuple[int, int, int]) -> None:
    day, start, length = time
    first = date(2026, 1, 1) + timedelta(days=day)
    over, end = divmod(start + length, 1440)
    last = first + timedelta(days=over)
    walls = [f"{d}T{m // 60:02}:{m % 60:02}" for d, m in ((first, start), (last, end))]
    days = [caution.day for caution in said(*walls)]
    assert days == sorted(set(days))
    assert all(first <= one <= last for one in days)
    fits = last == first and (span := USUAL.on(first)) and span[0] <= start and end <= span[1]
    assert (days == []) == bool(fits and not national.is_holiday(first))


def test_a_time_of_day_is_minutes_since_midnight() -> None:
    assert [minutes("07:30"), minutes("00.00"), minutes("23:59")] == [450, 0, 1439]
