"""What is expected by a day of the year, who is behind, and what a unit adds up to."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.reports.unit_rules import (
    Goal,
    Goals,
    Spread,
    Standing,
    Tally,
    child_of,
    expected,
    goals,
    median,
    runs,
    shown,
    standing,
    tally,
)
from webinar.reports.unit_service import number_of

TARGETS = {"pns": (2_000, None), "pppk": (2_000, 2_400), "other": (0, None)}
AIMS = goals(2026, date(2026, 11, 26), TARGETS)


@pytest.mark.parametrize(
    ("day", "jp"),
    [
        (date(2026, 1, 1), 0),
        (date(2026, 1, 18), 0),
        (date(2026, 1, 19), 100),
        (date(2026, 7, 1), 900),
        (date(2026, 7, 2), 1_000),
        (date(2026, 11, 26), 1_800),
        (date(2026, 12, 30), 1_900),
        (date(2026, 12, 31), 2_000),
        (date(2025, 12, 31), 0),
        (date(2027, 1, 1), 2_000),
    ],
)
def test_expected_is_the_share_of_the_year_that_has_passed_in_whole_jp(day: date, jp: int) -> None:
    assert expected(2_000, 2026, day) == jp


@given(st.integers(2000, 2100), st.integers(0, 364), st.integers(0, 5_000))
def test_expected_never_falls_and_never_passes_the_target(year: int, number: int, target: int) -> None:
    day = date(year, 1, 1) + timedelta(days=number)
    now, tomorrow = expected(target, year, day), expected(target, year, day + timedelta(days=1))
    assert 0 <= now <= tomorrow <= target
    assert now % 100 == 0


def test_a_past_year_is_looked_at_on_its_last_day_and_a_coming_one_expects_nothing() -> None:
    past, coming = goals(2025, date(2026, 3, 1), TARGETS), goals(2027, date(2026, 3, 1), TARGETS)
    assert (past.day, past.main.expected) == (date(2025, 12, 31), 2_000)
    assert coming.main.expected == 0


@pytest.mark.parametrize(
    ("employment", "jp", "exempt", "where"),
    [
        ("pns", 2_000, False, Standing.REACHED),
        ("pns", 1_800, False, Standing.ON_PACE),
        ("pns", 1_799, False, Standing.BEHIND),
        ("pns", 0, True, Standing.EXEMPT),
        ("pns", 2_500, True, Standing.EXEMPT),
        ("other", 0, False, Standing.NO_TARGET),
        ("unheard of", 500, False, Standing.NO_TARGET),
        ("pppk", 2_500, False, Standing.REACHED),
    ],
)
def test_a_person_stands_somewhere(employment: str, jp: int, exempt: bool, where: Standing) -> None:
    assert standing(AIMS.of(employment), jp, exempt=exempt) is where


def test_exempt_people_and_those_without_a_target_are_in_no_denominator() -> None:
    spread = Spread(
        Counter({("pns", 0): 3, ("pns", 1_900): 2, ("pppk", 2_500): 1, ("other", 400): 5}),
        Counter({("pns", 0): 2}),
    )
    assert tally(spread, AIMS) == Tally(
        people=11, exempt=2, no_target=5, reached=1, on_pace=2, behind=1, none=1,
        jp=2 * 1_900 + 2_500, median=1_900,
    )  # fmt: skip
    assert tally(spread, AIMS).counted == 4


def test_nobody_adds_up_to_nothing() -> None:
    assert tally(Spread(), AIMS) == Tally()
    assert Tally().share(0) == 0.0


@given(st.lists(st.integers(0, 30), max_size=40))
def test_the_median_is_the_lower_middle_value(values: list[int]) -> None:
    found = median(Counter(values))
    assert found == (sorted(values)[(len(values) - 1) // 2] if values else None)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["pns", "pppk", "other"]), st.integers(0, 30)), st.integers(1, 9)
    )
)
def test_everybody_stands_in_exactly_one_place(people: dict[tuple[str, int], int]) -> None:
    all_ = Counter({(kind, jp * 100): number for (kind, jp), number in people.items()})
    found = tally(Spread(all_, Counter(dict.fromkeys(all_, 1))), AIMS)
    assert found.counted + found.exempt + found.no_target == found.people == all_.total()


def test_a_path_leads_through_one_unit_below() -> None:
    assert [child_of(path, "a/") for path in ("a/", "a/b/", "a/b/c/")] == ["", "b", "b"]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["pns", "pppk", "other"]), st.integers(0, 30)),
        st.integers(1, 9),
        max_size=20,
    ),
    st.sampled_from(["", "behind", "none", "on_pace", "reached", "exempt", "no_target"]),
    st.booleans(),
    st.integers(0, 60),
    st.integers(1, 12),
)
def test_the_runs_of_a_page_are_what_a_sorted_list_would_show(
    people: dict[tuple[str, int], int], show: str, most_first: bool, first: int, limit: int
) -> None:
    all_ = Counter({(kind, jp * 100): number for (kind, jp), number in people.items()})
    spread = Spread(all_, Counter(dict.fromkeys(list(all_)[::2], 1)))
    every = sorted(shown(spread, AIMS, show).elements(), reverse=most_first)
    found = runs(spread, AIMS, show, most_first=most_first, first=first, limit=limit)
    page = []
    for run in found:
        within = [jp for jp in every if run.low <= jp <= run.high]
        page += within[run.skip : run.skip + run.take]
        # Who has no JP has no row that says so.
        assert run.low > 0 or run.high == 0
    assert page == every[first : first + limit]
    assert len(found) <= 2


def test_a_filter_shows_as_many_as_the_tally_says() -> None:
    spread = Spread(
        Counter({("pns", 0): 3, ("pns", 1_900): 2, ("pppk", 2_500): 1, ("other", 400): 5}),
        Counter({("pns", 0): 2}),
    )
    found = tally(spread, AIMS)
    for show in ("", "behind", "none", "on_pace", "reached", "exempt", "no_target"):
        assert shown(spread, AIMS, show).total() == number_of(found, show)


def test_the_goal_of_an_unknown_employment_is_none() -> None:
    assert Goals(2026, date(2026, 1, 1), {}).main == Goal(0, 0)
