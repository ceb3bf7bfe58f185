"""What a policy asks for."""

from dataclasses import replace

import pytest

from webinar.core.errors import Invalid
from webinar.policies.rules import (
    Kind,
    Policy,
    checked,
    default,
    earned,
    full_seconds,
    needed_seconds,
    sentence,
    settling_seconds,
)
from webinar.policies.wording import promise, told

NINETY = 90 * 60
THRESHOLD = default("p", "i")
PROPORTIONAL = replace(THRESHOLD, kind=Kind.PROPORTIONAL, threshold_percent=None)


def test_the_first_policy_of_an_institution_asks_for_eighty_percent() -> None:
    assert needed_seconds(THRESHOLD, NINETY) == 72 * 60
    assert checked(THRESHOLD) == THRESHOLD


def test_a_participant_reads_what_to_do_in_one_sentence() -> None:
    assert told("id", sentence(THRESHOLD, 200, NINETY)) == (
        "Hadir paling sedikit 72 dari 90 menit untuk mendapat 2 JP."
    )
    assert told("en", sentence(THRESHOLD, 150, NINETY)) == (
        "Attend at least 72 of 90 minutes to earn 1.5 JP."
    )
    assert told("id", sentence(PROPORTIONAL, 200, NINETY)) == (
        "Setiap 45 menit kehadiran bernilai 1 JP, paling banyak 2 JP dalam 90 menit."
    )


@pytest.mark.parametrize(
    ("checks", "needed", "text_id", "text_en"),
    [
        (
            3,
            2,
            "Jawab paling sedikit 2 dari 3 cek kehadiran yang muncul tanpa pemberitahuan.",
            "Answer at least 2 of 3 presence checks that are asked unannounced.",
        ),
        (
            3,
            3,
            "Jawab semua 3 cek kehadiran yang muncul tanpa pemberitahuan.",
            "Answer all 3 presence checks that are asked unannounced.",
        ),
        (
            1,
            1,
            "Jawab cek kehadiran yang muncul tanpa pemberitahuan.",
            "Answer the presence check that is asked unannounced.",
        ),
    ],
)
def test_the_promise_says_how_often_to_answer(checks: int, needed: int, text_id: str, text_en: str) -> None:
    asking = replace(THRESHOLD, checks=checks, checks_needed=needed)
    assert promise("id", asking, 200, NINETY).endswith("untuk mendapat 2 JP. " + text_id)
    assert promise("en", asking, 200, NINETY).endswith("to earn 2 JP. " + text_en)


def test_the_promise_says_what_the_replay_is_worth_and_nothing_that_does_not_count() -> None:
    replayed = replace(THRESHOLD, replay_percent=50, replay_days=7, checks=2)
    assert promise("id", replayed, 200, NINETY) == (
        "Hadir paling sedikit 72 dari 90 menit untuk mendapat 2 JP."
        " Menit yang terlewat dihitung 50 % jika Anda menonton rekamannya dalam 7 hari."
    )
    assert promise("en", replayed, 200, NINETY) == (
        "Attend at least 72 of 90 minutes to earn 2 JP."
        " Minutes of the replay that you missed count 50 % if you watch them within 7 days."
    )
    assert "within one day." in promise("en", replace(replayed, replay_days=1), 200, NINETY)
    assert "dalam satu hari." in promise("id", replace(replayed, replay_days=1), 200, NINETY)
    assert promise("id", replayed, 0, NINETY) == ""


def test_a_share_that_is_no_whole_minute_is_rounded_up_in_the_sentence() -> None:
    assert sentence(replace(THRESHOLD, threshold_percent=75), 200, 50 * 60).fields["needed"] == 38


def test_a_lecture_of_a_jp_and_a_half_can_be_earned_in_full() -> None:
    assert earned(PROPORTIONAL, 150, 4050, 4050) == 150
    assert earned(PROPORTIONAL, 150, 4050, 2700) == 100


def test_after_the_time_of_all_jp_there_is_no_more_to_earn() -> None:
    assert full_seconds(THRESHOLD, 200, NINETY) == 72 * 60
    assert full_seconds(PROPORTIONAL, 150, NINETY) == 4050
    # Two JP cannot be earned in an hour.
    assert full_seconds(PROPORTIONAL, 200, 3600) == 3600


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold_percent", 0),
        ("threshold_percent", 101),
        ("threshold_percent", None),
        ("minutes_per_jp", 0),
        ("tolerance_s", -1),
        ("grace_s", 99_999),
        ("name", " "),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_its_field(field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        checked(replace(Policy("p", 1, "i", "x", Kind.THRESHOLD, 80), **{field: value}))  # type: ignore[arg-type]
    assert [error.field for error in refused.value.errors] == [field]


def test_hours_are_not_settled_while_watching_the_replay_still_counts() -> None:
    assert settling_seconds(replace(THRESHOLD, replay_days=7)) == 86_400
    assert settling_seconds(replace(THRESHOLD, replay_percent=50, replay_days=7)) == 7 * 86_400
    long = replace(THRESHOLD, replay_percent=50, replay_days=1, quiet_period_s=2 * 86_400)
    assert settling_seconds(long) == 2 * 86_400
