"""Arrays equal rules on random input."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.attendance_build import NINE, beats
from webinar.attendance import bulk
from webinar.attendance.check_rules import Checks
from webinar.attendance.connection_rules import Connection
from webinar.attendance.credit_rules import Credit, credit, presence
from webinar.attendance.interval_rules import union
from webinar.attendance.log_rules import Person, one_by_one
from webinar.attendance.many import at_once
from webinar.attendance.rules import cut
from webinar.evidence.rules import Beats, Check
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Kind, Policy

S = 1_000
# Milliseconds, dense where things meet.
times = st.integers(0, 40).map(lambda n: NINE + n * 5 * S + (n % 3) * 400)
people = st.integers(0, 4)
stay = st.tuples(
    people, times, st.integers(0, 20).map(lambda n: n * 4_100), st.sampled_from([0, 0, 1_000, 15_000])
)
watched = st.tuples(people, times, st.integers(0, 20_000))
checks = st.lists(st.tuples(times, st.integers(1, 30_000)), max_size=3)
windows = (
    st.lists(st.tuples(times, st.integers(S, 90 * S)), min_size=1, max_size=3)
    .map(lambda spans: union((at, at + long) for at, long in spans))
    .map(lambda spans: Window(tuple(spans)))
)
policies = st.builds(
    Policy,
    id=st.just("p"),
    version=st.just(1),
    institution_id=st.just("i"),
    name=st.just("x"),
    kind=st.sampled_from(Kind),
    threshold_percent=st.integers(1, 100),
    minutes_per_jp=st.just(1),
    tolerance_s=st.integers(0, 20),
    grace_s=st.integers(0, 20),
    lecturer_percent=st.sampled_from([0, 33, 100]),
    organiser_percent=st.sampled_from([0, 50]),
    checks=st.just(3),
    checks_needed=st.integers(0, 3),
    replay_percent=st.sampled_from([0, 33, 100]),
)
Row = tuple[int, int, int, int]


def array(values: Sequence[int]) -> bulk.Ints:
    return np.array(values, np.int64)


def credits(
    policy: Policy,
    window: Window,
    roles: Sequence[Seat],
    stays: Sequence[Row],
    seen: Sequence[tuple[int, int, int]],
    asked: Sequence[Check],
    said: set[tuple[int, int]],
) -> list[tuple[object, ...]]:
    answers = np.zeros((len(roles), len(asked)), np.bool_)
    for person, number in said:
        answers[person, number] = True
    found = bulk.credits(
        policy,
        150,
        window,
        roles,
        bulk.Stays(
            array([p for p, *_ in stays]),
            array([at for _, at, *_ in stays]),
            array([at + long for _, at, long, _ in stays]),
            array([unsure for *_, unsure in stays]),
        ),
        bulk.Watched(
            array([p for p, *_ in seen]),
            array([at for _, at, _ in seen]),
            array([at + n for _, at, n in seen]),
        ),
        bulk.Answered(asked, answers),
    )
    columns = (
        found.seconds,
        found.uncertainty_s,
        found.jp,
        found.replay_seconds,
        found.checks_asked,
        found.checks_answered,
    )
    states = [bulk.STATES[n] for n in found.state.tolist()]
    return [(*row, state) for *row, state in zip(*(c.tolist() for c in columns), states, strict=True)]


def figures(found: Credit) -> tuple[object, ...]:
    return (
        found.seconds,
        found.uncertainty_s,
        found.jp,
        found.replay_seconds,
        found.checks_asked,
        found.checks_answered,
        found.state,
    )


any_lecture = given(
    policies,
    windows,
    st.lists(stay, max_size=14),
    st.lists(watched, max_size=6),
    checks,
    st.sets(st.tuples(people, st.integers(0, 2)), max_size=5),
    st.lists(st.sampled_from(Seat), min_size=5, max_size=5),
)


def crowd(
    stays: Sequence[Row],
    seen: Sequence[tuple[int, int, int]],
    asked: tuple[Check, ...],
    said: set[tuple[int, int]],
    roles: Sequence[Seat],
) -> list[Person]:
    """People of these roles with what was drawn for each; an answer to a check that was not asked is none."""
    found = []
    for person, role in enumerate(roles):
        connections = [
            Connection("room", "RM", f"PA{n}", "seat.tab", at, at + long, ("webhook",), unsure)
            for n, (whose, at, long, unsure) in enumerate(stays)
            if whose == person
        ]
        shown = tuple(union((at, at + long) for whose, at, long in seen if whose == person))
        told = {f"c{n}": NINE for whose, n in said if whose == person and n < len(asked)}
        found.append(Person(presence(connections, shown), role, Checks(asked, told)))
    return found


@any_lecture
@settings(deadline=None, max_examples=120)
def test_bulk_equals_rules(
    policy: Policy,
    window: Window,
    stays: list[Row],
    seen: list[tuple[int, int, int]],
    asked_at: list[tuple[int, int]],
    said: set[tuple[int, int]],
    roles: list[Seat],
) -> None:
    asked = tuple(Check(f"c{n}", n, at, at + long) for n, (at, long) in enumerate(asked_at))
    said = {(person, number) for person, number in said if number < len(asked)}
    by_rules = [
        figures(credit(policy, 150, window, one.presence, one.role, one.checks))
        for one in crowd(stays, seen, asked, said, roles)
    ]
    assert credits(policy, window, roles, stays, seen, asked, said) == by_rules


@any_lecture
@settings(deadline=None, max_examples=120)
def test_all_at_once_earn_what_each_earns_for_the_same_reasons(
    policy: Policy,
    window: Window,
    stays: list[Row],
    seen: list[tuple[int, int, int]],
    asked_at: list[tuple[int, int]],
    said: set[tuple[int, int]],
    roles: list[Seat],
) -> None:
    asked = tuple(Check(f"c{n}", n, at, at + long) for n, (at, long) in enumerate(asked_at))
    each = crowd(stays, seen, asked, said, roles)
    # Everybody twice: then the second of two who are alike takes the sentence of the first.
    twice = [*each, *each]
    assert at_once(policy, 150, window, twice) == one_by_one(policy, 150, window, twice)


def test_an_identity_is_the_person_of_its_seat_and_a_stranger_is_nobody() -> None:
    found = bulk.people_of(["b.tab", "a.tab", "b.phone", "x.tab", "b.tab"], ["a", "b"])
    assert found.tolist() == [1, 0, 1, -1, 1]


def test_nobody_and_nothing_are_fine() -> None:
    window, policy = Window(((NINE, NINE + 60 * S),)), Policy("p", 1, "i", "x", Kind.PROPORTIONAL)
    assert credits(policy, window, [], [], [], [], set()) == []
    (alone,) = credits(policy, window, [Seat.PARTICIPANT], [], [], [], set())
    assert alone[:3] == (0, 0, 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["CLIENT_INITIATED", "CONNECTION_TIMEOUT", "DUPLICATE_IDENTITY", "ROOM_DELETED"]),
            st.integers(0, 200),
            st.lists(st.integers(0, 200), max_size=4),
            st.none() | st.integers(0, 200),
        ),
        max_size=8,
    )
)
@settings(deadline=None)
def test_cutting_tails_in_bulk_equals_rules(
    told: list[tuple[str, int, list[int], int | None]],
) -> None:
    pages: list[list[Beats]] = [
        beats(*heard, left_at=bye) if heard or bye is not None else [] for _, _, heard, bye in told
    ]
    signs = [
        [at for row in page for at in (row.first_at, row.last_at, row.left_at) if at and at <= NINE + end * S]
        for page, (_, end, _, _) in zip(pages, told, strict=True)
    ]
    last = [max(of, default=bulk.NEVER) for of in signs]
    found = bulk.stays(
        bulk.Ended(
            np.arange(len(told), dtype=np.int64),
            array([NINE] * len(told)),
            array([NINE + end * S for _, end, _, _ in told]),
            array([bulk.REASON.get(reason, bulk.SAID) for reason, *_ in told]),
            array(last),
            np.array(
                [any(row.left_at == at for row in page) for page, at in zip(pages, last, strict=True)],
                np.bool_,
            ),
        )
    )
    by_rules = [
        cut(NINE, NINE + end * S, reason, page) for (reason, end, _, _), page in zip(told, pages, strict=True)
    ]
    assert list(zip(found.end.tolist(), found.uncertainty.tolist(), strict=True)) == by_rules
