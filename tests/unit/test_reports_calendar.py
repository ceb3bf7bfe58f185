"""The month ahead: weeks from Monday on, days in the reader's zone."""

from datetime import UTC, date, datetime

import pytest

from tests.unit.reports_build import NINE, ZONE, a_lecture
from webinar.reports.calendar_rules import month, wished


def test_a_month_has_whole_weeks_from_monday_on() -> None:
    found = month(date(2026, 11, 25), [], ZONE, NINE)
    assert [len(week) for week in found.weeks] == [7] * len(found.weeks)
    assert (found.weeks[0][0].date, found.weeks[-1][-1].date) == (date(2026, 10, 26), date(2026, 12, 6))
    assert [day.date for week in found.weeks for day in week if day.today] == [date(2026, 11, 25)]
    assert sum(day.inside for week in found.weeks for day in week) == 30


def test_a_lecture_stands_on_its_day_in_the_readers_zone() -> None:
    # 30 November 2026, 23.30 in Jakarta, is 1 December in Jayapura.
    late = a_lecture(starts_at=round(datetime(2026, 11, 30, 16, 30, tzinfo=UTC).timestamp() * 1000))
    jakarta = month(date(2026, 11, 1), [late], "Asia/Jakarta", NINE)
    jayapura = month(date(2026, 11, 1), [late], "Asia/Jayapura", NINE)
    assert (jakarta.lectures, jayapura.lectures) == ((late,), ())
    assert month(date(2026, 12, 1), [late], "Asia/Jayapura", NINE).lectures == (late,)


def test_a_month_knows_its_neighbours_over_the_turn_of_the_year() -> None:
    december, january = month(date(2026, 12, 9), [], ZONE, NINE), month(date(2027, 1, 9), [], ZONE, NINE)
    assert (december.before, december.after) == (date(2026, 11, 1), date(2027, 1, 1))
    assert (january.before, january.after) == (date(2026, 12, 1), date(2027, 2, 1))


@pytest.mark.parametrize(
    "wish", ["", "2026", "2026-13", "2026-00", "0001-01", "٢٠٢٦-11", "2026-1", "x-y", "2026-11-1"]
)
def test_no_month_is_no_month(wish: str) -> None:
    assert wished(wish) is None
    assert wished("2026-12") == date(2026, 12, 1)
