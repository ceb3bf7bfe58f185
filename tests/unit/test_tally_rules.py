"""When stored attendance may be shown as it is."""

import hashlib
import json
from dataclasses import replace

import pytest

from tests.unit.lecture_build import MINUTE, NINE, a_lecture
from webinar.attendance.tally_rules import (
    HERE,
    LEAST_REST,
    REFRESH_MS,
    Standing,
    Tally,
    inputs_of,
    next_at,
    seat_of,
    standing,
)
from webinar.evidence.rules import Marks
from webinar.lectures.rules import LectureState, Window, scheduled_window
from webinar.policies.rules import Policy, default

AT = NINE + 95 * MINUTE
POLICY = default("policy", "city")
ENDED = a_lecture(state=LectureState.ENDED)
LIVE = a_lecture(state=LectureState.LIVE)
SEEN = Marks(webhooks=7, sweeps=3, heard_until=NINE + 91 * MINUTE)
TALLY = Tally(
    lecture_id="lecture",
    final=False,
    policy_version=1,
    rules_version=1,
    inputs="same",
    high_water={"webhooks": 7, "sweeps": 3, "heartbeats": NINE + 90 * MINUTE},
    window=scheduled_window(ENDED),
    summary={"registered": 2},
    points=(),
    strangers=(),
    rows=2,
    evidence_sha256=None,
    computed_at=AT,
)


def stands(
    tally: Tally = TALLY, of: object = ENDED, marks: Marks = SEEN, at: int = AT, inputs: str = "same"
) -> str:
    return standing(tally, of, inputs, marks, at).value  # type: ignore[arg-type]


def test_of_a_lecture_that_rests_it_stays_fresh_for_as_long_as_no_evidence_comes() -> None:
    assert stands(at=AT + 30 * 24 * 60 * MINUTE) == "fresh"


@pytest.mark.parametrize(
    "marks",
    [
        replace(SEEN, webhooks=8),
        replace(SEEN, sweeps=4),
        replace(SEEN, heard_until=AT + 1),
        # Heard in the very minute in which it was computed: nobody can say whether before or after.
        replace(SEEN, heard_until=AT),
    ],
)
def test_evidence_that_came_later_makes_it_stale(marks: Marks) -> None:
    assert stands(marks=marks) == "stale"


def test_another_window_policy_or_list_of_people_makes_it_stale_also_while_the_lecture_runs() -> None:
    assert stands(inputs="other") == "stale"
    assert stands(of=LIVE, inputs="other") == "stale"


def test_while_the_lecture_runs_it_is_good_for_a_minute_whatever_is_heard() -> None:
    heard = replace(SEEN, webhooks=99, heard_until=AT + MINUTE)
    assert stands(of=LIVE, marks=heard, at=AT + REFRESH_MS - 1) == "fresh"
    assert stands(of=LIVE, marks=heard, at=AT + REFRESH_MS) == "aged"


def test_somebody_still_inside_after_the_end_keeps_it_moving() -> None:
    inside = replace(TALLY, summary={HERE: 1})
    assert stands(inside, at=AT + REFRESH_MS) == "aged"
    assert next_at(inside, ENDED, 0, AT) == AT + REFRESH_MS


def test_what_is_settled_is_fresh_whatever_comes_later() -> None:
    later = replace(SEEN, webhooks=99, heard_until=AT + 5 * MINUTE)
    for settled in (LectureState.FINAL, LectureState.ARCHIVED):
        assert stands(of=a_lecture(state=settled), marks=later, inputs="other") == "fresh"
    assert stands(replace(TALLY, final=True), marks=later, inputs="other") == "fresh"


def test_it_is_computed_again_while_people_are_in_and_never_takes_more_than_a_tenth_of_the_time() -> None:
    assert next_at(TALLY, LIVE, 100, AT) == AT + REFRESH_MS
    assert next_at(TALLY, LIVE, 20_000, AT) == AT + LEAST_REST * 20_000
    assert next_at(TALLY, ENDED, 100, AT) is None
    assert next_at(TALLY, a_lecture(state=LectureState.FINAL), 100, AT) is None


def test_inputs_are_the_same_in_any_order_of_seats_and_differ_with_each_of_them() -> None:
    seats = [seat_of("a", "participant"), seat_of("b", "lecturer")]
    window = scheduled_window(ENDED)

    def digest(
        *,
        of: object = ENDED,
        window: Window = window,
        policy: Policy = POLICY,
        seats: object = seats,
        rules: int = 1,
    ) -> str:
        return inputs_of(of, window, policy, rules, seats)  # type: ignore[arg-type]

    others = [
        digest(of=a_lecture(jp=300)),
        digest(window=Window(((NINE, NINE + MINUTE),))),
        digest(policy=replace(POLICY, version=2)),
        digest(rules=2),
        digest(seats=seats[:1]),
        digest(seats=[seat_of("a", "lecturer"), seats[1]]),
    ]
    assert digest() == digest(seats=seats[::-1])
    assert len({digest(), *others}) == len(others) + 1


@pytest.mark.parametrize("seats", [[], [("a", "lecturer")], [("b", "participant"), ("a", "organiser")]])
def test_inputs_are_the_digest_of_one_json_array_as_ledgers_have_it(seats: list[tuple[str, str]]) -> None:
    window = scheduled_window(ENDED)
    spans = [list(span) for span in window.spans]
    told = [2, [POLICY.id, POLICY.version], ENDED.jp, spans, sorted(list(seat) for seat in seats)]
    digest = hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
    assert inputs_of(ENDED, window, POLICY, 2, (seat_of(*seat) for seat in seats)) == digest


def test_standing_has_a_word_for_each_state() -> None:
    assert {s.value for s in Standing} == {"fresh", "aged", "stale"}
