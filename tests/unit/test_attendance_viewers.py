"""Those who watch without being in the room: a page says so, and segments confirm it."""

from tests.unit.attendance_build import at, beats, event, every, evidence, joined, left, seen, segments, sweep
from webinar.attendance.connection_rules import Connection
from webinar.attendance.credit_rules import State, credit, presence
from webinar.attendance.rules import connections
from webinar.evidence.rules import Beats, Event, Segments, Sweep
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Kind, Policy
from webinar.policies.wording import joined as as_sentence

LATER = 7200.0
WINDOW = Window(((at(0), at(5400)),))
POLICY = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, tolerance_s=0)


def page(start: float, end: float, *, left_at: float | None = None) -> list[Beats]:
    return beats(*every(15, start, end), sid="", left_at=left_at)


def found(*facts: Event | Sweep | Beats | Segments, now: float = LATER) -> list[Connection]:
    return connections(evidence(*facts), at(now))


def test_what_segments_confirm_is_presence() -> None:
    (one,) = found(*page(0, 600), *segments(2, 600))
    assert (one.start, one.end, one.sources) == (at(0), at(585), ("heartbeat", "segments"))
    assert (one.uncertainty_ms, one.open, one.seat) == (15_000, False, "seat")


def test_what_only_the_page_says_counts_nothing_and_is_in_doubt() -> None:
    stays = found(*page(0, 5400))
    assert [(one.start, one.end, one.uncertainty_ms) for one in stays] == [(at(0), at(0), 5_385_000)]
    got = credit(POLICY, 200, WINDOW, presence(stays), Seat.PARTICIPANT)
    assert (got.seconds, got.jp, got.state) == (0, 0, State.DOUBTFUL)
    assert as_sentence("en", got.why, "UTC").startswith("The page was open, but nothing proves that")


def test_a_short_claim_that_could_not_earn_anything_is_no_doubt() -> None:
    got = credit(POLICY, 200, WINDOW, presence(found(*page(0, 600))), Seat.PARTICIPANT)
    assert got.state is State.ABSENT


def test_a_page_whose_segments_stop_is_present_until_then() -> None:
    stays = found(*page(0, 600), *segments(0, 300))
    assert [(one.start, one.end) for one in stays] == [(at(0), at(356)), (at(356), at(356))]
    assert stays[1].uncertainty_ms == at(585) - at(356)


def test_segments_without_a_page_are_nobodys_presence() -> None:
    assert found(*segments(0, 600)) == []


def test_segments_of_somebody_else_confirm_nothing() -> None:
    (one,) = found(*page(0, 600), *segments(0, 600, "other"))
    assert one.start == one.end


def test_a_viewer_who_goes_and_comes_back_has_a_gap() -> None:
    stays = found(*page(0, 300), *page(600, 900), *segments(0, 300), *segments(600, 900))
    assert [(one.start, one.end) for one in stays] == [(at(0), at(285)), (at(600), at(885))]


def test_one_missed_beat_is_no_gap() -> None:
    (one,) = found(*page(0, 100), *page(120, 300), *segments(0, 300))
    assert (one.start, one.end) == (at(0), at(285))


def test_a_viewer_who_is_still_there_is_there_until_now() -> None:
    (one,) = found(*page(0, 300), *segments(0, 300), now=300)
    assert (one.end, one.open, one.uncertainty_ms) == (at(300), True, 15_000)
    (gone,) = found(*page(0, 300), *segments(0, 300), now=318)
    assert not gone.open


def test_a_page_is_silent_after_two_beats_and_two_seconds_and_not_before() -> None:
    facts = [*page(0, 300), *segments(0, 300)]
    assert found(*facts, now=285 + 32)[0].open
    assert not found(*facts, now=285 + 32.001)[0].open


def test_a_pause_of_two_beats_and_two_seconds_is_no_gap_and_a_longer_one_is() -> None:
    confirmed = segments(0, 600)
    assert len(found(*beats(0), *beats(32), *confirmed)) == 1
    assert len(found(*beats(0, 15), *beats(47.001, 62), *confirmed)) == 2


def test_a_viewer_is_in_no_room_and_no_participant() -> None:
    (one,) = found(*page(0, 600), *segments(0, 600))
    assert (one.room_name, one.room_sid, one.participant_sid, one.identity) == ("hls", "", "", "seat.tab")


def test_a_page_that_says_goodbye_is_left_there() -> None:
    (one,) = found(*page(0, 300, left_at=290), *segments(0, 300), now=295)
    assert (one.end, one.open, one.uncertainty_ms) == (at(290), False, 1_000)


def test_who_said_goodbye_and_came_back_left_the_first_time_for_sure() -> None:
    stays = found(*page(0, 300, left_at=290), *page(600, 900), *segments(0, 900))
    told = [(one.identity, one.end, one.uncertainty_ms) for one in stays]
    assert told == [("seat.tab", at(290), 1_000), ("seat.tab", at(885), 15_000)]


def test_beats_of_somebody_in_the_room_add_no_viewer() -> None:
    stays = found(joined(0), *page(0, 600), left(600), *segments(0, 600))
    assert [one.participant_sid for one in stays] == ["PA_1"]


def test_a_beat_on_its_way_when_the_room_was_left_adds_no_viewer() -> None:
    stays = found(joined(0), *beats(*every(15, 0, 600)), left(590), *beats(605, sid=""))
    assert [one.participant_sid for one in stays] == ["PA_1"]


def test_who_changes_from_the_room_to_watching_is_both_one_after_the_other() -> None:
    facts = [joined(0), left(600), *page(600, 1200), *segments(600, 1200)]
    together = presence(found(*facts))
    assert sum(i.end - i.start for i in together.intervals) >= at(1200) - at(0) - 60_000
    assert [one.room_name for one in found(*facts)] == ["lecture.main", "hls"]


def test_a_page_in_a_room_that_the_media_server_never_told_of_is_in_doubt() -> None:
    """Hooks and sweeps both away: the page names a participant that nobody else knows."""
    (one,) = found(*beats(*every(15, 0, 600), sid="PA_lost"))
    assert (one.start == one.end, one.uncertainty_ms) == (True, 585_000)


def test_beats_of_an_aborted_connection_are_no_viewer() -> None:
    aborted = event("participant_connection_aborted", 12, born=10)
    assert found(aborted, *beats(15, 30, 45)) == []


def test_a_page_whose_clock_is_ahead_of_ours_is_not_there_before_its_time() -> None:
    assert found(*page(900, 1200), *segments(900, 1200), now=600) == []
    (one,) = found(*page(300, 900), *segments(300, 900), now=600)
    assert (one.end, one.open) == (at(600), True)


def test_two_devices_of_a_viewer_are_one_presence() -> None:
    other = beats(*every(15, 200, 900), sid="", identity="seat.other")
    stays = found(*page(0, 600), *other, *segments(0, 900))
    assert [(i.start, i.end) for i in presence(stays).intervals] == [(at(0), at(890))]


def test_a_list_with_the_viewer_in_the_room_is_stronger_than_the_page() -> None:
    stays = found(sweep(30, seen()), sweep(60, seen()), *page(0, 60))
    assert [one.participant_sid for one in stays] == ["PA_1"]
