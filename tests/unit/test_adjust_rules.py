"""What counts after people changed values, and how the ledger adds it up."""

import pytest

from tests.unit.lecture_build import a_lecture
from webinar.core.errors import IllegalMove, Invalid
from webinar.hours.adjust_rules import (
    FULL,
    PRESENT,
    Adjustment,
    by_registration,
    checked_reason,
    effective,
    named,
    require_adjustable,
    standing,
    steps,
    value,
    value_of,
)
from webinar.lectures.rules import LectureState, Seat
from webinar.policies.rules import Kind, Policy


def one(
    number: int, after: int, *, before: int = 0, undoes: int | None = None, seat: str = "r"
) -> Adjustment:
    return Adjustment(
        number=number, id=f"a{number}", institution_id="i", lecture_id="l", registration_id=seat,
        person_id="p", before_jp=before, after_jp=after, reason="Sakit", author_id="o", at=number,
        batch_id=f"b{number}", undoes=f"a{undoes}" if undoes else None,
    )  # fmt: skip


def test_without_adjustments_what_was_computed_counts() -> None:
    assert effective(150, []) == 150
    assert standing([]) is None


def test_the_newest_adjustment_counts() -> None:
    assert effective(150, [one(1, 200), one(2, 0)]) == 0


def test_taking_back_the_newest_brings_back_the_one_before() -> None:
    assert effective(150, [one(1, 200), one(2, 0), one(3, 200, undoes=2)]) == 200


def test_taking_back_the_only_one_brings_back_what_is_computed_by_now() -> None:
    """Not what was computed when it was taken back: evidence may have come since."""
    assert effective(200, [one(1, 100), one(2, 0, undoes=1)]) == 200


def test_what_was_taken_back_twice_over_leaves_nothing() -> None:
    history = [one(1, 200), one(2, 0), one(3, 200, undoes=2), one(4, 0, undoes=1)]
    assert (standing(history), effective(50, history)) == (None, 50)


def test_steps_begin_at_what_was_computed_in_the_end_and_hang_together() -> None:
    history = [one(1, 200, before=0), one(2, 100, before=200), one(3, 200, before=100, undoes=2)]
    assert [(s.before, s.after) for s in steps(150, history)] == [(150, 200), (200, 100), (100, 200)]


def test_steps_add_up_to_what_counts() -> None:
    history = [one(1, 200), one(2, 0, undoes=1), one(3, 50)]
    assert 120 + sum(s.after - s.before for s in steps(120, history)) == effective(120, history) == 50


def test_histories_are_told_apart_by_registration_oldest_first() -> None:
    found = by_registration([one(3, 1), one(1, 2), one(2, 3, seat="other")])
    assert {seat: [a.number for a in of] for seat, of in found.items()} == {"r": [1, 3], "other": [2]}


POLICY = Policy("p", 1, "i", "Hadir", Kind.THRESHOLD, threshold_percent=80, organiser_percent=0)
HOURS = Policy("p", 1, "i", "Per 45", Kind.PROPORTIONAL, minutes_per_jp=45, tolerance_s=0)


@pytest.mark.parametrize("jp", [0, 1, 200])
def test_a_value_is_taken_as_it_is(jp: int) -> None:
    assert value_of(value(jp), a_lecture(jp=200), POLICY, 5400, Seat.PARTICIPANT) == jp


@pytest.mark.parametrize("jp", [-1, 201])
def test_a_value_that_the_lecture_is_not_worth_is_refused(jp: int) -> None:
    with pytest.raises(Invalid) as refused:
        value_of(value(jp), a_lecture(jp=200), POLICY, 5400, Seat.PARTICIPANT)
    assert (refused.value.errors[0].field, refused.value.errors[0].fields) == ("jp", {"jp_most": "2"})


def test_all_jp_is_what_the_role_can_earn() -> None:
    lecture = a_lecture(jp=200)
    assert value_of(FULL, lecture, POLICY, 5400, Seat.PARTICIPANT) == 200
    assert value_of(FULL, lecture, POLICY, 5400, Seat.ORGANISER) == 0


def test_present_all_the_time_is_what_the_policy_gives_for_the_whole_window() -> None:
    """A lecture of 3 JP that was cut to an hour gives one JP for each full 45 minutes."""
    lecture = a_lecture(jp=300)
    assert value_of(PRESENT, lecture, HOURS, 3600, Seat.PARTICIPANT) == 100
    assert value_of(FULL, lecture, HOURS, 3600, Seat.PARTICIPANT) == 300


def test_a_reason_is_required_and_not_too_long() -> None:
    assert checked_reason("  sakit \n kepala ") == "sakit kepala"
    for reason in ("", " \n\t", "x" * 501):
        with pytest.raises(Invalid):
            checked_reason(reason)


@pytest.mark.parametrize("state", LectureState)
def test_values_are_adjusted_from_the_end_on_and_never_of_a_trial(state: LectureState) -> None:
    over = state in {LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED}
    if over:
        require_adjustable(a_lecture(state=state))
    else:
        with pytest.raises(IllegalMove):
            require_adjustable(a_lecture(state=state))
    with pytest.raises(IllegalMove):
        require_adjustable(a_lecture(state=state, trial=True))


def test_of_many_names_some_are_told() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named(list("abcdefgh")) == "a, b, c, d, e (+3)"
