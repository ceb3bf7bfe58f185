"""Presence checks and replay: what they add to the time in the room, and what they take from it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.attendance_build import NINE, at
from tests.unit.test_attendance_credit import THRESHOLD, WINDOW, ZONE, there
from webinar.attendance.check_rules import Asked, Checks, asked_of
from webinar.attendance.counted_rules import counted, replay_deadline, watched_before
from webinar.attendance.credit_rules import Credit, Presence, State, credit
from webinar.evidence.rules import Check, Replay
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Kind
from webinar.policies.wording import joined as as_sentence

CHECKED = replace(THRESHOLD, checks=3, checks_needed=2)
REPLAYED = replace(THRESHOLD, replay_percent=50, replay_days=7)
THREE = tuple(Check(f"c{n}", n, at(1200 * n), at(1200 * n + 120)) for n in (1, 2, 3))
ALL_OF_IT = there((0, 5400))


def answered(*numbers: int) -> Checks:
    return Checks(THREE, {f"c{n}": at(1200 * n + 30) for n in numbers})


def worth(checks: Checks, stay: Presence = ALL_OF_IT, role: Seat = Seat.PARTICIPANT) -> Credit:
    return credit(CHECKED, 200, WINDOW, stay, role, checks)


def said(found: Credit) -> str:
    return as_sentence("en", found.why, ZONE)


def watched(stay: Presence, *spans: tuple[float, float]) -> Presence:
    return replace(stay, watched=tuple((at(s), at(e)) for s, e in spans))


def replayed(began: int, *spans: tuple[float, float]) -> Replay:
    shown = tuple((at(s), at(e)) for s, e in spans)
    return Replay("r", "player", began // 60_000, "rec", shown, began, began + 45_000, 4)


def test_who_answers_as_often_as_the_policy_asks_earns_by_time() -> None:
    found = worth(answered(1, 3))
    assert (found.jp, found.state, found.checks_asked, found.checks_answered) == (200, State.CREDITED, 3, 2)
    assert said(found) == "90 of 90 minutes, where 72 were needed; answered 2 of 3 presence checks."


def test_who_answers_too_few_earns_nothing_and_is_told_why() -> None:
    found = worth(answered(2))
    assert (found.jp, found.state) == (0, State.NOT_CREDITED)
    assert said(found).endswith("; answered 1 of 3 presence checks, too few for the 2 needed.")


def test_only_who_was_there_for_all_of_a_check_was_asked() -> None:
    late, gone = (1201, 5400), (0, 3719)
    assert [one.number for one in asked_of(answered(), [(at(late[0]), at(late[1]))], Seat.PARTICIPANT)] == [
        2,
        3,
    ]
    assert [one.number for one in asked_of(answered(), [(at(gone[0]), at(gone[1]))], Seat.PARTICIPANT)] == [
        1,
        2,
    ]
    whole = [(at(1200), at(1320))]
    assert asked_of(answered(1), whole, Seat.PARTICIPANT) == (Asked(1, at(1200), at(1320), at(1230)),)


def test_an_answer_shows_that_somebody_was_asked() -> None:
    assert [one.number for one in asked_of(answered(2), [], Seat.PARTICIPANT)] == [2]


def test_who_was_asked_less_often_than_the_policy_needs_answers_what_was_asked() -> None:
    short = there((0, 1300), (1330, 2500), (2600, 5400))
    assert (worth(answered(3), short).jp, worth(answered(3), short).checks_asked) == (200, 1)
    assert worth(answered(), short).jp == 0


def test_nobody_is_asked_where_no_check_was_asked() -> None:
    found = worth(Checks())
    assert (found.jp, found.checks_asked) == (200, 0)
    assert "presence checks" not in said(found)


def test_hosts_are_not_asked() -> None:
    assert worth(answered(), role=Seat.LECTURER).jp == 200
    assert asked_of(answered(1), [(at(0), at(5400))], Seat.ORGANISER) == ()


def test_checks_that_the_policy_does_not_need_are_counted_and_not_held_against_anybody() -> None:
    found = credit(THRESHOLD, 200, WINDOW, ALL_OF_IT, Seat.PARTICIPANT, answered())
    assert (found.jp, found.checks_asked, found.checks_answered) == (200, 3, 0)


def test_whether_somebody_was_asked_can_be_in_doubt() -> None:
    """The first stay may have lasted to the end of the second check, or only to its middle."""
    first, last = there((1300, 2400), (3660, 5400)).intervals
    unsure = Presence((replace(first, uncertainty_ms=120_000), last))
    easy = replace(CHECKED, threshold_percent=20, checks_needed=1)
    assert credit(easy, 200, WINDOW, unsure, Seat.PARTICIPANT, answered()).state is State.DOUBTFUL


@given(st.sets(st.sampled_from([1, 2, 3])), st.sampled_from([1, 2, 3]), st.integers(0, 5400))
@settings(deadline=None)
def test_answering_once_more_never_earns_less(numbers: set[int], more: int, leaves: int) -> None:
    stay = there((0, leaves))
    assert worth(answered(*numbers, more), stay).jp >= worth(answered(*numbers), stay).jp


def test_what_was_only_watched_counts_for_the_policys_share_of_it() -> None:
    stay = watched(there((0, 1800)), (1800, 5400))
    found = credit(REPLAYED, 200, WINDOW, stay, Seat.PARTICIPANT)
    assert (found.seconds, found.replay_seconds, found.jp) == (3600, 1800, 0)
    full = credit(replace(REPLAYED, replay_percent=100), 200, WINDOW, stay, Seat.PARTICIPANT)
    assert (full.seconds, full.jp, full.state) == (5400, 200, State.CREDITED)
    assert said(full) == "90 of 90 minutes, where 72 were needed; 60 of them by the replay."


def test_watching_what_was_attended_counts_once() -> None:
    stay = watched(there((0, 5400)), (0, 5400), (600, 1200))
    assert credit(REPLAYED, 200, WINDOW, stay, Seat.PARTICIPANT).seconds == 5400


def test_live_and_replay_are_joined_before_they_are_floored() -> None:
    stay = watched(there((0, 0.6)), (10, 10.8))
    assert credit(REPLAYED, 200, WINDOW, stay, Seat.PARTICIPANT).seconds == 1


def test_the_replay_of_a_break_counts_nothing() -> None:
    breaks = Window(((at(0), at(600)), (at(900), at(1500))))
    found = counted([], [(at(-100), at(2000))], breaks, replace(REPLAYED, replay_percent=100))
    assert found.seconds == 1200


def test_a_policy_without_replay_counts_none() -> None:
    stay = watched(there(), (0, 5400))
    found = credit(THRESHOLD, 200, WINDOW, stay, Seat.PARTICIPANT)
    assert (found.seconds, found.state) == (0, State.ABSENT)


def test_what_was_watched_after_the_deadline_counts_no_more() -> None:
    deadline = replay_deadline(REPLAYED, WINDOW)
    assert deadline == WINDOW.ends_at + 7 * 86_400_000
    rows = [replayed(deadline - 1, (0, 60), (50, 90)), replayed(deadline, (90, 120))]
    assert watched_before(rows, deadline) == ((at(0), at(90)),)


def test_the_longest_absence_is_one_that_the_replay_did_not_fill() -> None:
    stay = watched(there((0, 1200)), (1200, 3000))
    per_jp = replace(REPLAYED, kind=Kind.PROPORTIONAL)
    found = credit(per_jp, 200, WINDOW, stay, Seat.PARTICIPANT)
    assert said(found).endswith("; 15 of them by the replay; left 40 minutes before the end.")


SPANS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), max_size=6)


@given(SPANS, SPANS, st.integers(0, 100))
@settings(deadline=None)
def test_live_and_replay_equal_looking_at_each_second(
    live: list[tuple[int, int]], shown: list[tuple[int, int]], percent: int
) -> None:
    window = Window(((NINE + 10_000, NINE + 50_000), (NINE + 60_000, NINE + 100_000)))
    policy = replace(REPLAYED, replay_percent=percent)
    lived, seen = (
        {s for start, long in spans for s in range(start, start + long)} for spans in (live, shown)
    )
    official = {*range(10, 50), *range(60, 100)}
    found = counted(
        [(at(s), at(s + n)) for s, n in live], [(at(s), at(s + n)) for s, n in shown], window, policy
    )
    truth = len(lived & official) * 100 + len((seen - lived) & official) * percent
    assert found.seconds == truth // 100
    assert found.seconds <= window.seconds
