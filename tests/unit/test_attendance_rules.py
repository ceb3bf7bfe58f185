"""What the media server does and does not say, and what it means for presence."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.attendance_build import at, beats, event, every, evidence, joined, left, seen, sweep
from webinar.attendance.rules import LONGEST_CUT_MS, Connection, connections
from webinar.evidence.rules import Beats, Event, Sweep

Fact = Event | Sweep | Beats
LATER = 7200.0


def one(*facts: Fact, now: float = LATER) -> Connection:
    (found,) = connections(evidence(*facts), at(now))
    return found


def span(connection: Connection) -> tuple[int, int]:
    return connection.start, connection.end


def test_a_connection_lasts_from_joined_to_left() -> None:
    found = one(joined(10), left(100))
    assert span(found) == (at(10), at(100))
    assert (found.sources, found.uncertainty_ms, found.open) == (("webhook",), 1000, False)


def test_left_that_arrives_before_joined_changes_nothing() -> None:
    assert connections(evidence(left(100, born=10), joined(10)), at(LATER)) == connections(
        evidence(joined(10), left(100, born=10)), at(LATER)
    )


def test_left_without_joined_starts_when_the_participant_was_made() -> None:
    assert span(one(left(100, born=10))) == (at(10), at(100))


def test_left_without_joined_and_without_a_time_counts_nothing() -> None:
    assert one(left(100)).end == one(left(100)).start


def test_an_end_is_told_in_whole_seconds_and_when_it_was_received_sharpens_it() -> None:
    assert one(joined(10), left(100.7)).end == at(100.7)
    assert one(joined(10), left(100.7, received_at=at(101.1))).end == at(100.999)


def test_an_end_that_was_told_late_is_in_the_middle_of_its_second() -> None:
    assert one(joined(10), left(100.7, received_at=at(140))).end == at(100.5)
    assert one(joined(10), left(100.7, received_at=at(101.25))).end == at(100.5)
    assert one(joined(10), left(100.7, received_at=at(101.249))).end == at(100.999)


def test_a_receiver_whose_clock_is_behind_moves_no_end_out_of_its_second() -> None:
    assert one(joined(10), left(100.7, received_at=at(98))).end == at(100)


def test_left_in_the_same_second_as_joined_is_never_negative() -> None:
    found = one(joined(10.9), left(10.95, received_at=at(10)))
    assert span(found) == (at(10.9), at(10.9))


def test_an_aborted_connection_counts_as_nothing() -> None:
    aborted = event("participant_connection_aborted", 12, born=10)
    assert connections(evidence(aborted), at(LATER)) == []
    assert connections(evidence(aborted, sweep(11, seen(born=10))), at(LATER)) == []


def test_recorders_ingress_and_agents_never_count_and_telephones_do() -> None:
    kinds = ["standard", "sip", "egress", "ingress", "agent", "EGRESS"]
    facts: list[Fact] = [joined(1, f"PA_{kind}", kind=kind, identity=f"{kind}.tab") for kind in kinds]
    found = connections(evidence(*facts), at(2))
    assert sorted(c.participant_sid for c in found) == ["PA_sip", "PA_standard"]


def test_a_new_room_sid_closes_the_open_connections_of_the_old_one() -> None:
    facts: list[Fact] = [joined(0), sweep(30, seen()), sweep(60, seen()), joined(80, "PA_2", room_sid="RM_2")]
    first, second = connections(evidence(*facts), at(85))
    assert span(first) == (at(0), at(60))
    assert (first.uncertainty_ms, first.open) == (20_000, False)
    assert (second.start, second.open) == (at(80), True)


def test_a_server_that_dies_and_is_back_within_a_second_closes_what_was_open() -> None:
    started = [event("room_started", 10.1, None, room_sid=sid) for sid in ("RM_9", "RM_1")]
    facts: list[Fact] = [joined(10.2, room_sid="RM_9"), joined(10.8, "PA_2", room_sid="RM_1"), *started]
    first, second = connections(evidence(*facts), at(11))
    assert (first.room_sid, first.open, second.open) == ("RM_9", False, True)


def test_after_a_crash_presence_ends_at_the_last_beat() -> None:
    facts: list[Fact] = [
        joined(0),
        sweep(30, seen()),
        *beats(*every(15, 1, 72)),
        joined(80, "PA_2", room_sid="RM_2"),
    ]
    first, _ = connections(evidence(*facts), at(85))
    assert (first.end, first.uncertainty_ms) == (at(61), 19_000)


def test_a_late_event_of_an_earlier_room_sid_does_not_close_the_later_one() -> None:
    facts: list[Fact] = [
        joined(80, "PA_2", room_sid="RM_2"),
        sweep(100, seen("PA_2", 80), room_sid="RM_2"),
        joined(0),
    ]
    old, new = connections(evidence(*facts, left(75, born=0)), at(110))
    assert span(old) == (at(0), at(75))
    assert new.open


def test_a_left_that_a_hung_server_tells_after_its_room_stood_elsewhere_does_not_say_since_when() -> None:
    """It hung at 35, the room was opened on another at 60, and it woke up at 100."""
    moved: list[Fact] = [
        joined(0),
        *beats(*every(15, 1, 35)),
        event("room_started", 60, None, room_sid="RM_2"),
        joined(70, "PA_2", room_sid="RM_2"),
    ]
    first, second = connections(evidence(*moved, left(100, reason="ROOM_DELETED")), at(105))
    assert (first.end, first.uncertainty_ms, first.reason) == (at(31), 39_000, None)
    assert span(second) == (at(70), at(105))


def test_a_left_that_somebody_made_counts_also_after_the_room_stood_elsewhere() -> None:
    """Only the service could not reach the server: its people stayed until their pages learnt of it."""
    moved = [joined(0), event("room_started", 60, None, room_sid="RM_2"), joined(72, "PA_2", room_sid="RM_2")]
    first, _ = connections(evidence(*moved, left(71)), at(80))
    assert (first.end, first.reason) == (at(71), "CLIENT_INITIATED")


@pytest.mark.parametrize("second", [60.9, 61.0])
def test_a_left_of_the_second_in_which_the_next_room_began_is_believed(second: float) -> None:
    facts = [joined(0), event("room_started", 60, None, room_sid="RM_2"), left(second, reason="ROOM_DELETED")]
    assert one(*facts).end == at(second)


def test_a_room_that_lists_go_on_to_show_was_not_replaced_by_one_made_elsewhere() -> None:
    """A browser that was left behind made a room of that name on the old server."""
    stale = [
        event("room_started", 100, None, room_sid="RM_3"),
        joined(100, "PA_3", room_sid="RM_3", identity="x.y"),
    ]
    facts: list[Fact] = [joined(0), *beats(*every(15, 0, 200)), *stale]
    kept = connections(evidence(*facts, sweep(90, seen()), sweep(120, seen())), at(130))[0]
    assert (kept.start, kept.end, kept.open) == (at(0), at(130), True)
    # A list that may be from before it proves nothing.
    for listed in (104.9, 105):
        lost = connections(evidence(*facts, sweep(90, seen()), sweep(listed, seen())), at(130))[0]
        assert (lost.open, lost.end) == (False, at(90))


def test_a_connection_that_only_a_sweep_saw_starts_when_it_was_made() -> None:
    found = one(sweep(30, seen(born=12)), now=40)
    assert (found.start, found.open, found.sources) == (at(12), True, ("sweep",))


def test_absence_in_two_lists_ends_a_connection_whose_left_was_lost() -> None:
    found = one(joined(0), sweep(30, seen()), sweep(60), sweep(90), now=100)
    assert (found.end, found.open, found.uncertainty_ms) == (at(30), False, 30_000)


def test_absence_in_one_list_is_no_proof() -> None:
    assert one(joined(0), sweep(30, seen()), sweep(60), now=70).open


def test_two_lists_within_a_moment_are_no_proof() -> None:
    assert one(joined(0), sweep(30, seen()), sweep(60), sweep(61), now=70).open


def test_a_list_taken_a_moment_after_somebody_came_may_be_from_before() -> None:
    """However much later another one agrees: the page beat in between."""
    found = one(joined(0), sweep(2), *beats(*every(15, 15, 60)), sweep(110), sweep(140), now=150)
    assert (found.end, found.uncertainty_ms) == (at(45), 65_000)


def test_a_room_that_is_gone_says_so_from_then_on_and_not_since_a_list_before() -> None:
    found = one(joined(0), sweep(2), *beats(*every(15, 15, 60)), sweep(60, room_sid=None), now=150)
    assert (found.end, found.uncertainty_ms) == (at(45), 15_000)


def test_a_room_whose_end_was_received_by_a_clock_behind_ends_when_it_was_told() -> None:
    over = event("room_finished", 79, None, received_at=at(67))
    found = one(joined(0), sweep(30, seen()), sweep(78.9, seen()), over, now=90)
    assert found.end == at(78.9)


def test_a_room_that_a_list_shows_after_its_end_was_told_by_a_clock_behind_ends_with_that_list() -> None:
    over = event("room_finished", 93, None, received_at=at(114))
    assert one(joined(0), sweep(70, seen()), sweep(100, seen()), over, now=120).end == at(100)
    # One that is a moment later may simply be old.
    assert one(joined(0), sweep(70, seen()), sweep(98, seen()), over, now=120).end == at(70)


def test_a_list_that_was_stale_is_corrected_by_the_next_one() -> None:
    found = one(joined(0), sweep(30), sweep(60, seen()), now=70)
    assert (found.end, found.open) == (at(70), True)


def test_lists_of_another_room_sid_do_not_prove_absence_there() -> None:
    facts: list[Fact] = [joined(0), sweep(30, seen()), sweep(60, room_sid="RM_0"), sweep(90, room_sid="RM_0")]
    found = next(c for c in connections(evidence(*facts), at(95)) if c.room_sid == "RM_1")
    assert found.end >= at(30)


def test_a_room_that_is_gone_ends_its_connections_at_the_last_look() -> None:
    found = one(joined(0), sweep(30, seen()), sweep(40, room_sid=None), now=45)
    assert (found.end, found.open, found.uncertainty_ms) == (at(30), False, 20_000)


def test_a_list_shows_who_vanished_for_twenty_seconds_more_and_a_heartbeat_does_not() -> None:
    """The "left" was lost; the list of 30 saw somebody whose page was last heard of at 15, or at 29."""
    silent = one(joined(0), *beats(0, 15), sweep(30, seen()), sweep(31, room_sid=None), now=45)
    alive = one(joined(0), *beats(0, 29), sweep(30, seen()), sweep(31, room_sid=None), now=45)
    assert (silent.end, silent.uncertainty_ms) == (at(30), 15_000)
    assert (alive.end, alive.uncertainty_ms) == (at(30), 1_000)


def test_a_stale_list_after_left_does_not_prolong() -> None:
    assert one(joined(0), left(50), sweep(60, seen())).end == at(50)


def test_a_connection_nobody_saw_for_long_ends_at_the_last_sight() -> None:
    found = one(joined(0), sweep(30, seen()), now=1000)
    assert (found.end, found.open, found.uncertainty_ms) == (at(30), False, 970_000)


def test_the_end_of_the_room_bounds_what_has_no_left() -> None:
    found = one(joined(0), sweep(30, seen()), event("room_finished", 40, None), now=45)
    assert (found.end, found.open, found.uncertainty_ms) == (at(30), False, 20_000)


def test_a_list_of_the_second_in_which_the_room_ended_still_counts() -> None:
    """The last look is taken just before the room is closed, and the end is told in whole seconds."""
    found = one(joined(0), sweep(30, seen()), sweep(40.2, seen()), event("room_finished", 40, None), now=45)
    assert found.end == at(40.2)


def test_the_same_identity_joining_again_ends_the_first_connection() -> None:
    first, second = connections(evidence(joined(0), *beats(15, 30), joined(40, "PA_2")), at(50))
    assert (first.end, first.open) == (at(30), False)
    assert second.open


def test_an_abrupt_loss_is_counted_to_when_it_happened() -> None:
    """Lost at 50; the server notices at 70; beats at 0, 15, 30, 45."""
    found = one(joined(0), *beats(*every(15, 0, 50)), left(70, reason="CONNECTION_TIMEOUT"))
    assert abs(found.end - at(50)) <= found.uncertainty_ms <= 15_000


def test_without_beats_the_late_notice_stands_and_says_how_unsure_it_is() -> None:
    found = one(joined(0), left(70, reason="CONNECTION_TIMEOUT"))
    assert (found.end, found.uncertainty_ms) == (at(70), 21_000)


def test_a_return_within_twenty_seconds_does_not_count_the_absence() -> None:
    """Beats stop at 45, the same identity is back at 68."""
    facts: list[Fact] = [
        joined(0),
        *beats(*every(15, 0, 50)),
        left(68, reason="DUPLICATE_IDENTITY"),
        joined(68, "PA_2"),
    ]
    first, _ = connections(evidence(*facts), at(70))
    assert (first.end, first.uncertainty_ms) == (at(48), 20_000)


def test_a_return_while_the_site_was_away_takes_off_no_more_than_the_server_needs_to_notice() -> None:
    """The site kept no beats from 30 on; lost at 60, back at 68."""
    facts: list[Fact] = [
        joined(0),
        *beats(0, 15, 30),
        left(68, reason="DUPLICATE_IDENTITY"),
        joined(68, "PA_2"),
    ]
    first, _ = connections(evidence(*facts), at(70))
    assert abs(first.end - at(60)) <= first.uncertainty_ms <= 20_000


@pytest.mark.parametrize("reason", ["ROOM_DELETED", "PARTICIPANT_REMOVED"])
def test_who_is_put_out_was_there_but_for_what_the_server_had_not_noticed_yet(reason: str) -> None:
    """Silent from 45 on; the room is closed at 62, before a loss would have been noticed."""
    found = one(joined(0), *beats(*every(15, 0, 50)), left(62, reason=reason))
    assert (found.end, found.uncertainty_ms) == (at(62), 17_000)


def test_a_sleeping_phone_is_there_until_the_room_is_closed() -> None:
    found = one(joined(0), *beats(0, 15), left(3000, reason="ROOM_DELETED"))
    assert (found.end, found.uncertainty_ms) == (at(3000), 20_000)


def test_a_reload_without_a_missed_beat_cuts_nothing() -> None:
    first, _ = connections(
        evidence(
            joined(0),
            *beats(*every(15, 0, 50)),
            left(55, reason="DUPLICATE_IDENTITY"),
            joined(55, "PA_2"),
            *beats(56, 71, sid="PA_2"),
        ),
        at(72),
    )
    assert first.end == at(55)


def test_beats_of_the_next_connection_do_not_hide_when_the_first_fell_silent() -> None:
    """Both within one minute under one identity; only the connection's own beats count."""
    facts: list[Fact] = [joined(0), *beats(0, 15), left(40, reason="DUPLICATE_IDENTITY"), joined(40, "PA_2")]
    first, _ = connections(evidence(*facts, *beats(41, 56, sid="PA_2")), at(57))
    assert first.end == at(20)


def test_beats_that_do_not_name_their_connection_cut_only_what_is_certain() -> None:
    facts: list[Fact] = [
        joined(0),
        left(40, reason="DUPLICATE_IDENTITY"),
        joined(40, "PA_2"),
        *beats(0, 15, 41, 56, sid=""),
    ]
    first, _ = connections(evidence(*facts), at(57))
    assert first.end == at(40)


def test_a_sleeping_phone_is_cut_by_no_more_than_twenty_seconds_and_a_beat() -> None:
    found = one(joined(0), *beats(0, 15), left(3000, reason="CONNECTION_TIMEOUT"))
    assert at(3000) - found.end <= LONGEST_CUT_MS


def test_a_sleeping_phone_that_says_goodbye_is_not_cut() -> None:
    assert one(joined(0), *beats(0, 15), left(3000)).end == at(3000)


def test_a_page_that_said_it_is_left_ends_there_when_the_left_was_lost() -> None:
    found = one(joined(0), *beats(0, 15, left_at=21), now=30)
    assert (found.end, found.open) == (at(21), False)


def test_a_page_that_was_left_and_timed_out_ends_where_it_was_left() -> None:
    found = one(joined(0), *beats(0, 15, left_at=21), left(41, reason="CONNECTION_TIMEOUT"))
    assert found.end == at(21)


def test_a_resume_without_events_is_one_connection() -> None:
    found = one(joined(0), *(sweep(t, seen()) for t in every(30, 30, 300)), left(300))
    assert span(found) == (at(0), at(300))


def test_two_devices_are_two_connections_of_one_seat() -> None:
    found = connections(evidence(joined(0), joined(5, "PA_2", identity="seat.other")), at(10))
    assert {c.seat for c in found} == {"seat"}
    assert all(c.open for c in found)


SIDS = ["PA_1", "PA_2", "PA_3"]
IDENTITY = {"PA_1": "seat.a", "PA_2": "seat.a", "PA_3": "seat.b"}
moments = st.integers(0, 600)


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    sid, when = draw(st.sampled_from(SIDS)), draw(moments)
    room = draw(st.sampled_from(["RM_1", "RM_2"]))
    off = draw(st.sampled_from([0, 0, 0, 3_600_000, -3_600_000]))
    more = {"identity": IDENTITY[sid], "room_sid": room, "received_at": at(when) + off}
    kind = draw(st.sampled_from(["joined", "left", "lost", "sweep", "beats", "finished"]))
    if kind == "joined":
        return joined(when, sid, **more)
    if kind in {"left", "lost"}:
        born = draw(st.none() | st.integers(0, when))
        reason = "CONNECTION_TIMEOUT" if kind == "lost" else "CLIENT_INITIATED"
        return left(when, sid, born=born, reason=reason, **more)
    if kind == "sweep":
        people = draw(st.sets(st.sampled_from(SIDS)))
        return sweep(when, *(seen(p, 0, IDENTITY[p]) for p in sorted(people)), room_sid=room)
    if kind == "beats":
        return beats(when, sid=draw(st.sampled_from([sid, ""])), identity=IDENTITY[sid])[0]
    return event("room_finished", when, None, room_sid=room)


@given(st.lists(facts(), max_size=25), st.integers(0, 2**32))
@settings(deadline=None)
def test_order_and_repetition_of_evidence_change_nothing(told: list[Fact], seed: int) -> None:
    again = told + [f for f in told if hash(f) % 2]
    random.Random(seed).shuffle(again)
    assert connections(evidence(*again), at(700)) == connections(evidence(*told), at(700))


@given(st.lists(facts(), max_size=25))
@settings(deadline=None)
def test_a_connection_never_ends_before_it_starts_nor_after_now(told: list[Fact]) -> None:
    for found in connections(evidence(*told), at(4300)):
        assert found.start <= found.end <= at(4300)
        assert found.uncertainty_ms >= 0
