"""What goes wrong in the field: clocks, second rooms, crashes, forwarded links."""

from tests.unit.attendance_build import (
    at,
    beats,
    event,
    every,
    evidence,
    joined,
    left,
    seen,
    sweep,
)
from tests.unit.lecture_build import a_lecture, a_seat
from webinar.attendance.connection_rules import Connection
from webinar.attendance.credit_rules import presence, seconds_in
from webinar.attendance.log_rules import AttendanceLog, computed
from webinar.attendance.rules import LONGEST_CUT_MS, connections
from webinar.evidence.rules import Beats, Event, Sweep
from webinar.lectures.rules import Window
from webinar.policies.rules import Kind, Policy

Fact = Event | Sweep | Beats
LATER = 7200.0
HOUR = 3600.0
WINDOW = Window(((at(0), at(5400)),))
POLICY = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, tolerance_s=0)
BREAKOUT = {"room_name": "lecture.b1", "room_sid": "RM_b1"}


def found(*facts: Fact, now: float = LATER) -> list[Connection]:
    return connections(evidence(*facts), at(now))


def seconds(*facts: Fact, now: float = LATER) -> int:
    return seconds_in(presence(found(*facts, now=now)), WINDOW, 0)[0]


def log(*facts: Fact, now: float = LATER, **seats: str) -> AttendanceLog:
    people = [a_seat(id=f"r-{seat}", seat=seat, state=state) for seat, state in seats.items()]
    return computed(a_lecture(), WINDOW, POLICY, people, evidence(*facts), at(now))


# --- who was in before, and stayed after ---


def test_who_was_in_before_the_official_start_and_stayed_after_the_end_has_the_window() -> None:
    assert seconds(joined(-900), left(7000, born=-900)) == 5400


def test_who_waits_in_the_room_and_leaves_before_it_starts_has_nothing() -> None:
    assert seconds(joined(-900), left(-1, born=-900)) == 0


# --- several rooms ---


def test_a_breakout_room_is_presence_in_the_lecture() -> None:
    facts = [
        joined(0),
        left(1800),
        joined(1805, "PA_b", **BREAKOUT),
        left(3600, "PA_b", **BREAKOUT),
        joined(3610, "PA_2"),
        left(5400, "PA_2"),
    ]
    assert seconds(*facts) == 5400 - 5 - 10


def test_two_rooms_at_once_are_one_presence() -> None:
    assert seconds(
        joined(0), left(1800), joined(600, "PA_b", **BREAKOUT), left(2400, "PA_b", **BREAKOUT)
    ) == (2400)


def test_joining_a_second_room_does_not_end_the_stay_in_the_first() -> None:
    stays = found(joined(0), sweep(30, seen()), joined(40, "PA_b", **BREAKOUT), now=60)
    assert all(one.open for one in stays)


def test_a_new_sid_of_one_room_ends_nothing_in_another() -> None:
    facts = [joined(0), sweep(30, seen()), joined(5, "PA_b", **BREAKOUT)]
    again = joined(40, "PA_c", room_name="lecture.b1", room_sid="RM_b2", identity="other.tab")
    stays = {one.participant_sid: one for one in found(*facts, again, now=60)}
    assert stays["PA_1"].open
    assert not stays["PA_b"].open


def test_a_list_of_one_room_says_nothing_of_another() -> None:
    lists = [Sweep("lecture.b1", "RM_b1", at(t), ()) for t in (60, 90, 120)]
    gone = [Sweep("lecture.b1", None, at(150), ())]
    (one,) = found(joined(0), sweep(150, seen()), *lists, *gone, now=160)
    assert one.open


def test_reconnects_are_counted_by_device_and_room() -> None:
    facts = [
        joined(0),
        left(100),
        joined(110, "PA_2"),
        left(5400, "PA_2"),
        joined(0, "PA_b", **BREAKOUT),
        joined(0, "PA_t", identity="seat.phone"),
    ]
    (entry,) = log(*facts, seat="registered").entries
    assert (entry.devices, entry.reconnects) == (2, 1)


# --- crashes ---


def test_a_crash_with_half_of_the_lefts_cuts_nobody_short_and_nobody_long() -> None:
    """Three of eight lefts told, no end of the room, everybody back in a room with a new SID at 90."""
    facts: list[Fact] = []
    for n in range(8):
        who = {"identity": f"seat{n}.tab"}
        facts += [
            joined(0, f"PA_{n}", **who),
            *beats(*every(15, n, 80), sid=f"PA_{n}", identity=f"seat{n}.tab"),
        ]
        facts += [joined(90, f"PA_{n}_again", room_sid="RM_2", **who)]
        if n < 3:
            facts.append(left(80, f"PA_{n}", reason="SERVER_SHUTDOWN", **who))
    first = [one for one in found(*facts, now=100) if one.room_sid == "RM_1"]
    assert len(first) == 8
    assert all(at(80) - 15_000 <= one.end <= at(80) for one in first)
    assert all(one.end + one.uncertainty_ms >= at(80) for one in first)


def test_who_does_not_come_back_after_a_crash_was_there_until_the_last_sight() -> None:
    other = joined(90, "PA_2", room_sid="RM_2", identity="other.tab")
    (one,) = [c for c in found(joined(0), sweep(60, seen()), other) if c.seat == "seat"]
    assert (one.end, one.uncertainty_ms, one.open) == (at(60), 30_000, False)


def test_a_room_whose_sids_come_back_in_the_wrong_order_is_ordered_by_what_is_exact() -> None:
    late_start = event("room_started", 200, None, room_sid="RM_1")
    facts = [joined(0), sweep(30, seen()), joined(90, "PA_2", room_sid="RM_2"), late_start]
    first, second = found(*facts, now=100)
    assert (first.open, second.open) == (False, True)


# --- the last seconds ---


def test_an_abrupt_loss_is_never_cut_by_more_than_twenty_seconds_and_a_beat() -> None:
    for silent_since in (0, 40, 60, 90):
        (one,) = found(joined(0), *beats(*every(15, 0, silent_since)), left(100, reason="CONNECTION_TIMEOUT"))
        assert at(100) - LONGEST_CUT_MS <= one.end <= at(100)


def test_a_locked_phone_that_the_lists_still_see_is_there() -> None:
    """Its page sleeps after 30 s; its sound plays on, and the media server lists it."""
    lists = [sweep(t, seen()) for t in every(30, 30, 5400)]
    (one,) = found(joined(0), *beats(0, 15, 30), *lists, now=5400)
    assert (one.end, one.open) == (at(5400), True)


def test_a_locked_phone_whose_left_was_lost_was_there_until_the_last_list() -> None:
    lists = [sweep(t, seen()) for t in every(30, 30, 3000)]
    (one,) = found(joined(0), *beats(0, 15, 30), *lists, sweep(3000), sweep(3030))
    assert one.end == at(2970)


def test_a_resume_without_events_cuts_nothing_though_beats_are_missing() -> None:
    (one,) = found(joined(0), *beats(*every(15, 0, 300)), *beats(*every(15, 360, 600)), left(600))
    assert (one.start, one.end) == (at(0), at(600))


def test_an_aborted_connection_and_a_second_try_is_one_stay() -> None:
    aborted = event("participant_connection_aborted", 12, born=10)
    (one,) = found(aborted, joined(20, "PA_2"), left(90, "PA_2"))
    assert (one.participant_sid, one.start, one.end) == ("PA_2", at(20), at(90))


# --- clocks ---


def test_a_left_told_for_later_than_it_was_received_ends_when_it_was_received() -> None:
    """The media server's clock jumped an hour ahead while somebody was in."""
    (one,) = found(joined(0), left(600 + HOUR, born=0, received_at=at(600)))
    assert (one.start, one.end) == (at(0), at(600))
    assert one.uncertainty_ms >= 30_000


def test_a_left_told_for_long_before_it_was_received_ends_when_it_was_received() -> None:
    """The clock jumped an hour back while somebody was in."""
    (one,) = found(joined(HOUR), left(600, born=HOUR, received_at=at(HOUR + 600)))
    assert (one.start, one.end) == (at(HOUR), at(HOUR + 600))


def test_a_clock_that_is_wrong_all_the_time_neither_gives_nor_takes_time() -> None:
    for off in (HOUR, -HOUR):
        facts = [
            joined(600 + off, received_at=at(600)),
            left(1200 + off, born=600 + off, received_at=at(1200)),
        ]
        for told in (facts, facts[::-1], [*facts, sweep(700, seen(born=600 + off))]):
            (one,) = found(*told)
            assert (one.start, one.end) == (at(600), at(1200)), off


def test_a_list_told_by_a_clock_that_is_ahead_starts_no_stay_in_the_future() -> None:
    (one,) = found(sweep(30, seen(born=HOUR)), sweep(60, seen(born=HOUR)), now=61)
    assert (one.start, one.end, one.open) == (at(30), at(61), True)


def test_an_event_that_was_delivered_late_is_believed() -> None:
    """The receiver was away for ten minutes: the clock is right, the event is old."""
    (one,) = found(joined(0), left(100, born=0, received_at=at(700)))
    assert (one.end, one.uncertainty_ms) == (at(100.5), 1_000)


def test_clocks_that_differ_by_seconds_are_believed() -> None:
    (one,) = found(joined(3, received_at=at(0)), left(603, born=3, received_at=at(600)))
    assert (one.start, one.end) == (at(3), at(603))


def test_heartbeats_of_a_clock_that_jumps_prolong_nothing_beyond_what_ends_it() -> None:
    wild = beats(5000, -4000, 9000)
    (one,) = found(joined(0), sweep(30, seen()), *wild, sweep(60), sweep(90))
    assert (one.end, one.uncertainty_ms) == (at(30), 30_000)
    (told,) = found(joined(0), left(600), *wild)
    assert (told.start, told.end) == (at(0), at(600))


def test_heartbeats_of_the_future_keep_nobody_in_beyond_now() -> None:
    (one,) = found(joined(0), *beats(5000), now=60)
    assert one.end == at(60)


# --- who came ---


def test_who_came_by_a_forwarded_link_is_listed_apart_with_the_time() -> None:
    stranger = joined(0, "PA_x", identity="nobody.tab")
    found_log = log(
        joined(0), left(600), stranger, left(60, "PA_x", identity="nobody.tab"), seat="registered"
    )
    assert [entry.registration.seat for entry in found_log.entries] == ["seat"]
    assert [(one.seat, one.name, one.seconds) for one in found_log.strangers] == [("nobody", None, 60)]


def test_who_was_taken_off_the_list_is_listed_apart_by_name() -> None:
    found_log = log(joined(0), left(600), seat="cancelled")
    assert found_log.entries == ()
    assert [(one.seat, one.name) for one in found_log.strangers] == [("seat", a_seat().name)]


def test_each_interval_says_its_sources_and_how_unsure_it_is() -> None:
    facts = [
        joined(0),
        *beats(*every(15, 0, 300)),
        *(sweep(t, seen()) for t in every(30, 30, 300)),
        left(300),
    ]
    (interval,) = presence(found(*facts)).intervals
    assert set(interval.sources) == {"webhook", "sweep", "heartbeat"}
    assert interval.uncertainty_ms == 1_000
