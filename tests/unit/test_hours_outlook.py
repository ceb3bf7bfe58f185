"""Where a year of learning leads."""

from dataclasses import replace

from tests.unit.lecture_build import a_lecture
from webinar.hours.outlook_rules import outlook
from webinar.hours.rules import YearEntry, YearOfHours

YEAR = YearOfHours("p", 2026, "Asia/Makassar", 2_000, 1_400, 0, ())


def test_the_lecture_that_fills_the_target_is_named() -> None:
    ahead = [replace(a_lecture(), id=f"l{n}", jp=400, ends_at=n) for n in (1, 2, 3)]
    found = outlook(YEAR, ahead)
    assert (found.planned, found.reached_at, found.sum_with(YEAR)) == (1_200, 2, 2_600)


def test_a_target_out_of_reach_and_one_that_is_reached_name_no_lecture() -> None:
    one = [replace(a_lecture(), jp=200)]
    assert outlook(YEAR, one).reached_at is None
    assert outlook(replace(YEAR, total=2_000), one).reached_at is None
    assert outlook(YEAR, []).planned == 0


def test_what_a_lecture_under_way_has_earned_is_not_counted_twice() -> None:
    lecture = replace(a_lecture(), jp=400)
    entry = YearEntry(
        lecture.id, "t", 1, 2, "Asia/Makassar", "participant", 400, 100, "credited", 1, "", True
    )
    year = replace(YEAR, provisional=100, entries=(entry,))
    assert outlook(year, [lecture]).sum_with(year) == 1_800
