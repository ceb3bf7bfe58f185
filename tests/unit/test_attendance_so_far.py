"""What somebody in the room reads of the own attendance."""

from dataclasses import replace

import pytest

from webinar.attendance.credit_rules import Credit, State
from webinar.attendance.wording import so_far
from webinar.policies.rules import Kind, Policy, default, role_jp

NINETY = 90 * 60
THRESHOLD = default("p", "i")
PROPORTIONAL = replace(THRESHOLD, kind=Kind.PROPORTIONAL, threshold_percent=None)


def present(minutes: float, asked: int = 0, answered: int = 0) -> Credit:
    seconds = round(minutes * 60)
    return Credit(seconds, 0, 0, State.NOT_CREDITED, (), checks_asked=asked, checks_answered=answered)


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, "0 of 72 minutes for 2 JP."),
        (51.9, "51 of 72 minutes for 2 JP."),
        (71.99, "71 of 72 minutes for 2 JP."),
        (72, "72 minutes, enough for 2 JP."),
        (85, "85 minutes, enough for 2 JP."),
    ],
)
def test_minutes_are_counted_towards_what_is_needed(minutes: float, told: str) -> None:
    assert so_far("en", present(minutes), THRESHOLD, 200, NINETY).text == told


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (44, "44 minutes so far, enough for 0 of 2 JP."),
        (45, "45 minutes so far, enough for 1 of 2 JP."),
        (90, "90 minutes, enough for 2 JP."),
    ],
)
def test_where_each_jp_counts_it_says_how_many_are_reached(minutes: float, told: str) -> None:
    assert so_far("en", present(minutes), PROPORTIONAL, 200, NINETY).text == told


def test_presence_checks_are_named_once_one_was_asked() -> None:
    said = so_far("id", present(51, asked=3, answered=2), THRESHOLD, 200, NINETY)
    assert said == (
        "51 dari 72 menit untuk 2 JP",
        "2 dari 3 cek kehadiran dijawab",
        "51 dari 72 menit untuk 2 JP; 2 dari 3 cek kehadiran dijawab.",
    )


@pytest.mark.parametrize(
    ("policy", "told"),
    [(THRESHOLD, "72 of 72 minutes for 2 JP"), (PROPORTIONAL, "80 of 90 minutes for 2 JP")],
)
def test_minutes_are_not_called_enough_while_answers_are_missing(policy: Policy, told: str) -> None:
    strict = replace(policy, checks=3, checks_needed=2)
    assert so_far("en", present(80, asked=2, answered=1), strict, 200, NINETY).minutes == told
    assert "enough" in so_far("en", present(80, asked=2, answered=2), strict, 200, NINETY).minutes


def test_where_there_is_nothing_to_earn_nothing_is_said() -> None:
    assert so_far("en", present(80), THRESHOLD, 0, NINETY) == ("", "", "")


def test_a_lecturer_reads_what_the_lecturer_can_earn() -> None:
    half = replace(THRESHOLD, lecturer_percent=50)
    worth = role_jp(half, 200, "lecturer")
    assert so_far("en", present(80), half, worth, NINETY).minutes == "80 minutes, enough for 1 JP"
