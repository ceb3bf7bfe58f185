"""Where exactly each bound lies: a rule that is off by one or by a sign is another rule."""

import pytest

from tests.unit.attendance_build import at, beats, event, every, evidence, joined, left, seen, sweep
from webinar.attendance.connection_rules import Connection
from webinar.attendance.counted_rules import counted
from webinar.attendance.credit_rules import presence, seconds_in
from webinar.attendance.interval_rules import clipped, covers, missing, union
from webinar.attendance.rules import connections, cut
from webinar.evidence.rules import Beats, Event, Sweep
from webinar.lectures.rules import Window
from webinar.policies.rules import Kind, Policy

LOST, BACK, ENDED = "CONNECTION_TIMEOUT", "DUPLICATE_IDENTITY", "ROOM_DELETED"


def one(*facts: Event | Sweep | Beats, now: float = 7200) -> Connection:
    (found,) = connections(evidence(*facts), at(now))
    return found


@pytest.mark.parametrize(
    ("reason", "told", "last", "end", "unsure"),
    [
        (LOST, 100, 95, 95, 5),
        (LOST, 100, 85, 85, 15),
        (LOST, 100, 75, 80, 15),
        (LOST, 100, 60, 75, 15),
        (LOST, 100, 20, 65, 15),
        (LOST, 10, 0, 0, 10),
        (LOST, 100, 100, 100, 1),
        (LOST, 100, None, 100, 21),
        (LOST, 5, None, 5, 6),
        (BACK, 100, 100, 100, 1),
        (BACK, 100, 85, 100, 15),
        (BACK, 100, 83, 100, 17),
        (BACK, 100, 82, 82, 18),
        (BACK, 100, 50, 80, 20),
        (ENDED, 100, 85, 100, 15),
        (ENDED, 100, 50, 100, 20),
        (ENDED, 100, None, 100, 21),
        ("CLIENT_INITIATED", 100, 20, 100, 1),
    ],
)
def test_a_tail_is_cut_exactly(
    reason: str, told: float, last: float | None, end: float, unsure: float
) -> None:
    page = [] if last is None else beats(last)
    assert cut(at(0), at(told), reason, page) == (at(end), unsure * 1000)


def test_a_goodbye_ends_it_to_the_second_and_by_no_more_than_the_longest_cut() -> None:
    assert cut(at(0), at(100), LOST, beats(80, left_at=90)) == (at(90), 1000)
    assert cut(at(0), at(100), LOST, beats(10, left_at=20)) == (at(65), 1000)


def test_the_latest_sign_counts_in_whatever_row_it_stands() -> None:
    page = beats(10, 70, 130)
    assert cut(at(0), at(140), LOST, page[::-1]) == cut(at(0), at(140), LOST, page) == (at(130), 10_000)


def test_beats_without_a_participant_cut_as_the_others_do() -> None:
    found = one(joined(0), *beats(*every(15, 0, 50), sid=""), left(70, reason=LOST))
    assert (found.end, found.uncertainty_ms) == (at(50), 15_000)


def test_a_connection_is_open_for_65_seconds_after_the_last_sight() -> None:
    assert one(joined(0), now=65).open
    assert not one(joined(0), now=65.001).open


def test_an_open_connection_is_unsure_since_its_last_sight_and_at_least_a_second() -> None:
    assert one(joined(0), now=40).uncertainty_ms == 40_000
    assert one(joined(0), sweep(40, seen()), now=40).uncertainty_ms == 1_000


def test_two_lists_prove_an_absence_from_five_seconds_on() -> None:
    assert not one(joined(0), sweep(30, seen()), sweep(60), sweep(65), now=70).open
    assert one(joined(0), sweep(30, seen()), sweep(60), sweep(64.999), now=70).open


def test_a_look_that_found_no_room_and_one_that_found_somebody_in_it_at_once_prove_nothing() -> None:
    assert one(joined(0), sweep(30, seen()), sweep(30, room_sid=None), sweep(60), now=70).open


def test_joined_alone_is_a_webhook_and_left_alone_too() -> None:
    assert one(joined(0), now=10).sources == ("webhook",)
    assert one(left(50, born=0)).sources == ("webhook",)
    assert one(sweep(30, seen())).sources == ("sweep",)


@pytest.mark.parametrize(
    ("when", "heard"), [(0, True), (50, True), (100.5, True), (101, True), (101.5, False)]
)
def test_a_heartbeat_is_a_source_until_the_end_could_have_been(when: float, heard: bool) -> None:
    assert ("heartbeat" in one(joined(0), left(100), *beats(when)).sources) is heard


def test_a_heartbeat_from_before_is_no_source() -> None:
    assert one(joined(10), left(100), *beats(9)).sources == ("webhook",)


def test_why_it_ended_is_kept() -> None:
    assert one(joined(0), left(100, reason="PARTICIPANT_REMOVED")).reason == "PARTICIPANT_REMOVED"
    assert one(joined(0), now=10).reason is None


def test_a_page_that_was_left_in_the_instant_of_joining_is_gone() -> None:
    found = one(joined(10), *beats(left_at=10), now=20)
    assert (found.end, found.open) == (at(10), False)


def test_a_goodbye_from_before_the_connection_was_made_says_nothing_about_it() -> None:
    assert one(joined(10), *beats(left_at=9), now=20).open


def test_a_goodbye_is_no_proof_when_the_connection_was_seen_afterwards() -> None:
    assert one(joined(0), *beats(0, left_at=21), sweep(30, seen()), now=40).open
    assert one(joined(0), *beats(0, 36, left_at=21), now=40).open


def test_what_was_seen_in_the_instant_of_coming_back_was_seen() -> None:
    first, second = connections(evidence(joined(0), sweep(60, seen()), joined(60, "PA_2")), at(65))
    assert (first.end, first.uncertainty_ms, second.start) == (at(60), 20_000, at(60))


def test_the_first_of_several_proofs_bounds_it() -> None:
    facts = [joined(0), sweep(30, seen()), joined(90, "PA_2"), event("room_finished", 50, None)]
    first, _ = connections(evidence(*facts), at(100))
    assert (first.end, first.uncertainty_ms) == (at(30), 20_999)


def test_the_first_of_several_lefts_ends_it() -> None:
    assert one(joined(0), left(90), left(50)).end == at(50)


# --- what was told, and when ---

HOUR = 3600.0


def test_a_start_that_only_a_list_tells_is_believed_up_to_five_seconds_ahead() -> None:
    assert one(sweep(30, seen(born=28)), now=40).start == at(28)
    assert one(sweep(30, seen(born=35)), now=40).start == at(35)
    assert one(sweep(30, seen(born=35.001)), now=40).start == at(30)


def test_an_event_is_believed_up_to_five_seconds_ahead_and_fifteen_minutes_late() -> None:
    for received, end in ((95, 100), (94.999, 94.999), (100 + 900, 100), (100 + 900.001, 1000.001)):
        found = one(joined(0), left(100, born=0, received_at=at(received)))
        assert abs(found.end - at(end)) <= 1_000, received


def test_the_earliest_start_that_was_told_counts() -> None:
    assert one(joined(10), left(100, born=12)).start == at(10)
    assert one(left(100, born=12), joined(10)).start == at(10)


def test_joined_without_a_time_starts_when_it_was_told() -> None:
    assert one(event("participant_joined", 50), now=60).start == at(50)


def test_a_left_of_a_clock_that_jumped_alone_tells_the_start() -> None:
    early = one(left(600 + HOUR, born=0, received_at=at(600)))
    assert (early.start, early.end) == (at(0), at(600))
    at_once = one(left(600 + HOUR, born=600, received_at=at(600)))
    assert (at_once.start, at_once.end) == (at(600), at(600))


def test_of_two_wrong_clocks_the_one_at_the_joining_tells_the_start() -> None:
    facts = [
        joined(600 - HOUR, received_at=at(600)),
        left(1200 - 2 * HOUR, born=600 - HOUR, received_at=at(1200)),
    ]
    for told in (facts, facts[::-1]):
        assert (one(*told).start, one(*told).end) == (at(600), at(1200))


def test_the_first_end_of_a_room_bounds_it() -> None:
    ends = [event("room_finished", 50, None), event("room_finished", 90, None)]
    for told in (ends, ends[::-1]):
        assert one(joined(0), sweep(30, seen()), *told).uncertainty_ms == 20_999


def test_an_event_of_no_room_hides_nothing_and_is_nobodys_connection() -> None:
    nowhere = event("room_started", 0, None, room_sid="")
    facts = [nowhere, joined(0), sweep(30, seen()), joined(60, "PA_2", room_sid="RM_2")]
    first, _ = connections(evidence(*facts), at(65))
    assert (first.end, first.open) == (at(30), False)
    assert connections(evidence(joined(0, room_sid="")), at(10)) == []


def test_instants_are_whole_milliseconds() -> None:
    for received in (100.3, 130):
        found = one(joined(0), left(100, born=0, reason=None, received_at=at(received)))
        assert isinstance(found.end, int)
        assert found.reason == ""


def test_a_left_that_waited_for_a_quarter_of_a_second_is_dated_to_the_middle_of_its_second() -> None:
    for received, end in ((100.2, 100.2), (101.249, 100.999), (101.25, 100.5), (130, 100.5), (99.9, 100)):
        assert one(joined(0), left(100, born=0, received_at=at(received))).end == at(end), received


# --- people ---


def connection(start: float, end: float, unsure: float = 0, *, is_open: bool = False) -> Connection:
    return Connection(
        "room", "RM_1", "PA", "seat.tab", at(start), at(end), ("webhook",), round(unsure * 1000), is_open
    )


def test_of_overlapping_stays_the_latest_possible_end_counts() -> None:
    for stays, unsure in (
        ([connection(0, 100, 30), connection(50, 110, 5)], 20_000),
        ([connection(0, 100), connection(50, 90, 60)], 50_000),
    ):
        (interval,) = presence(stays).intervals
        assert interval.uncertainty_ms == unsure


def test_somebody_is_here_when_one_connection_is_open() -> None:
    assert presence([connection(0, 10), connection(20, 30, is_open=True)]).here is True
    assert presence([connection(0, 10, is_open=True), connection(20, 30)]).here is True
    assert presence([connection(0, 10)]).here is False
    assert presence([]).here is False


def test_who_certainly_stayed_no_time_was_not_there() -> None:
    assert presence([connection(10, 10)]).intervals == ()
    assert [(i.start, i.end) for i in presence([connection(10, 10, 5)]).intervals] == [(at(10), at(10))]


def test_seconds_of_those_without_a_seat_are_counted_to_the_millisecond() -> None:
    window = Window(((at(0), at(5400)),))
    gap = presence([connection(0, 100), connection(130.02, 200)])
    assert seconds_in(gap, window, 30) == (169, 0)
    assert seconds_in(presence([connection(0, 100, 10)]), window, 0) == (100, 10)
    assert seconds_in(presence([connection(0, 100, 1.001)]), window, 0) == (100, 2)
    assert all(isinstance(n, int) for n in seconds_in(presence([connection(0, 100.5, 1.5)]), window, 0))


# --- intervals ---


def test_intervals_that_touch_are_one_and_empty_ones_are_none() -> None:
    assert union([(0, 10), (10, 20), (30, 30), (25, 25)]) == [(0, 20)]
    assert union([(5, 3)]) == []


def test_what_only_touches_has_nothing_in_common() -> None:
    assert clipped([(0, 5), (10, 12)], [(5, 10)]) == []


def test_what_is_missing_has_no_empty_holes() -> None:
    assert missing([(0, 10)], [(0, 10)]) == []
    assert missing([(0, 4), (6, 10)], [(0, 10)]) == [(4, 6)]
    assert missing([(0, 5), (10, 12)], [(5, 10), (12, 15)]) == [(5, 10), (12, 15)]


def test_a_span_is_covered_up_to_its_very_ends() -> None:
    assert covers([(0, 10)], (0, 10))
    assert not covers([(0, 10)], (0, 11))
    assert not covers([(1, 10)], (0, 10))
    assert not covers([(0, 5), (6, 10)], (0, 10))


def test_the_grace_is_in_seconds_and_exact() -> None:
    policy = Policy("p", 1, "i", "x", Kind.PROPORTIONAL, grace_s=30)
    window = Window(((at(0), at(200)),))
    for back, counts in ((130, 200), (130.02, 169.98)):
        found = counted([(at(0), at(100)), (at(back), at(200))], [(at(0), at(200))], window, policy)
        assert found.percent_ms == round(counts * 100_000)
        assert found.watched == ()
