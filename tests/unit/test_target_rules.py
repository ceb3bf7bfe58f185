"""What is expected of whom in a year, and who is exempt on which day."""

import pytest

from webinar.core.errors import Invalid
from webinar.hours.target_rules import MOST, Target, checked, chosen_or_usual
from webinar.people.exemption_rules import Exemption
from webinar.people.exemption_rules import checked as exemption
from webinar.people.rules import Employment

PNS, PPPK, OTHER = Employment.PNS, Employment.PPPK, Employment.OTHER


def test_a_pns_has_twenty_a_pppk_at_most_twenty_four_and_others_none() -> None:
    assert chosen_or_usual({}, None) == {PNS: Target(2000), PPPK: Target(2000, 2400), OTHER: Target(0)}


def test_the_older_target_of_the_institution_stays_that_of_a_pns() -> None:
    assert chosen_or_usual({}, 3000)[PNS] == Target(3000)
    assert chosen_or_usual({"pns": (2500, None)}, 3000)[PNS] == Target(2500)


def test_what_was_chosen_replaces_what_is_usual_also_the_limit() -> None:
    found = chosen_or_usual({"pppk": (1000, None), "other": (500, 600)}, None)
    assert (found[PPPK], found[OTHER]) == (Target(1000), Target(500, 600))


def test_what_lies_beyond_the_limit_is_told_apart() -> None:
    assert [Target(2000, 2400).beyond(total) for total in (0, 2400, 2401)] == [0, 0, 1]
    assert Target(2000).beyond(9000) == 0


@pytest.mark.parametrize("target", [Target(-1), Target(MOST + 1), Target(100, 99), Target(0, MOST + 1)])
def test_a_target_that_makes_no_sense_is_refused(target: Target) -> None:
    with pytest.raises(Invalid):
        checked(target)


def test_a_target_at_the_edges_is_taken() -> None:
    for target in (Target(0), Target(MOST, MOST), Target(100, 100)):
        assert checked(target) == target


def test_an_exemption_holds_on_its_days_both_included_unless_it_was_taken_back() -> None:
    one = Exemption("e", "p", "Sakit", "2026-03-01", "2026-03-31", None, 0)
    days = ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")
    assert [one.holds_on(day) for day in days] == [False, True, True, False]
    gone = Exemption("e", "p", "Sakit", "2026-03-01", "2026-03-31", None, 0, "o", 1)
    assert not any(gone.holds_on(day) for day in days)


@pytest.mark.parametrize(
    ("reason", "first", "last", "field"),
    [
        (" ", "2026-03-01", "2026-03-02", "reason"),
        ("x" * 501, "2026-03-01", "2026-03-02", "reason"),
        ("Sakit", "2026-02-30", "2026-03-02", "starts_on"),
        ("Sakit", "2026-03-01", "kapan-kapan", "ends_on"),
        ("Sakit", "2026-03-02", "2026-03-01", "ends_on"),
    ],
)
def test_an_exemption_needs_a_reason_and_days_that_exist(
    reason: str, first: str, last: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        exemption(reason, first, last)
    assert [error.field for error in refused.value.errors] == [field]


def test_an_exemption_of_one_day_is_taken() -> None:
    assert exemption(" Sakit  keras ", "2026-03-01", "2026-03-01") == (
        "Sakit keras", "2026-03-01", "2026-03-01",
    )  # fmt: skip
