"""The evidence of one person as a list: nothing is left out, and what repeats itself is one item."""

from tests.build import NINE
from webinar.attendance.check_rules import Asked
from webinar.attendance.story_rules import Source, What, story
from webinar.evidence.rules import Answer, Beats, Event, Evidence, Replay, Seen, Segments, Sweep

MINUTE = 60_000
ME = "seat.tabone"


def event(name: str, at: int, *, born: int | None = None, who: str | None = ME, why: str = "") -> Event:
    return Event(f"{name}{at}", name, "r.main", "RM_1", "PA_1", who, "standard", born, at // 1000, why, at)


def look(at: int, *identities: str, room: str | None = "RM_1") -> Sweep:
    return Sweep("r.main", room, at, tuple(Seen(one, "PA_1", "standard", NINE) for one in identities))


def beat(minute: int, *, visible: int = 4, left_at: int | None = None, identity: str = ME) -> Beats:
    at = NINE + minute * MINUTE
    return Beats("r", identity, "PA_1", at // MINUTE, at + 3_000, at + 48_000, 4, visible, left_at)


def told(evidence: Evidence, *asked: Asked) -> list[tuple[str, str, int, int, int]]:
    """(source, what, seconds from nine to seconds from nine, count)."""
    return [
        (one.source.value, one.what.value, (one.at - NINE) // 1000, (one.until - NINE) // 1000, one.count)
        for one in story(evidence, "seat", asked)
    ]


def test_events_are_told_one_by_one_a_join_when_the_server_made_it() -> None:
    events = (
        event("room_started", NINE - MINUTE, who=None),
        event("participant_joined", NINE + 1_000, born=NINE + 400),
        event("participant_left", NINE + MINUTE, why="CLIENT_INITIATED"),
        event("participant_connection_aborted", NINE + 2 * MINUTE),
        event("track_published", NINE + 3 * MINUTE),
        # The room's first event is somebody else's: it bounds the room, and is nothing of this person.
        event("participant_joined", NINE - 2 * MINUTE, who="other.tab"),
    )
    assert told(Evidence(events=events)) == [
        ("webhook", "room_began", -60, -60, 1),
        ("webhook", "joined", 0, 0, 1),
        ("webhook", "left", 60, 60, 1),
        ("webhook", "aborted", 120, 120, 1),
    ]


def test_looks_that_saw_the_same_are_one() -> None:
    sweeps = (
        *(look(NINE + number * 30_000, ME) for number in range(4)),
        *(look(NINE + number * 30_000) for number in range(4, 6)),
        look(NINE + 180_000, "seat.tabtwo"),
        look(NINE + 210_000, room=None),
    )
    assert told(Evidence(sweeps=sweeps)) == [
        ("sweep", "seen", 0, 90, 4),
        ("sweep", "not_seen", 120, 150, 2),
        ("sweep", "seen", 180, 180, 1),
        ("sweep", "no_room", 210, 210, 1),
    ]


def test_thousands_of_beats_are_a_stretch_until_the_page_is_hidden_silent_or_closed() -> None:
    beats = (
        *(beat(minute) for minute in range(10)),
        *(beat(minute, visible=1) for minute in range(10, 12)),
        # Three minutes of silence, and another device at the same time.
        *(beat(minute) for minute in range(15, 17)),
        beat(17, left_at=NINE + 17 * MINUTE + 48_000),
        beat(3, identity="seat.tabtwo"),
    )
    assert told(Evidence(beats=beats)) == [
        ("heartbeat", "visible", 3, 588, 40),
        ("heartbeat", "visible", 183, 228, 4),
        ("heartbeat", "hidden", 603, 708, 8),
        ("heartbeat", "visible", 903, 1068, 12),
        ("heartbeat", "goodbye", 1068, 1068, 1),
    ]


def test_checks_are_told_with_their_answer_or_that_there_was_none() -> None:
    asked = (Asked(1, NINE, NINE + 120_000, NINE + 9_000), Asked(2, NINE + 300_000, NINE + 420_000, None))
    answers = (Answer("c1", "r", ME, NINE + 9_000, "click"),)
    assert told(Evidence(answers=answers), *asked) == [
        ("check", "asked", 0, 120, 1),
        ("check", "answered", 9, 9, 1),
        ("check", "asked", 300, 420, 2),
        ("check", "missed", 420, 420, 2),
    ]


def a_replay(minute: int) -> Replay:
    at = NINE + minute * MINUTE
    return Replay("r", "p", at // MINUTE, "rec", ((at, at + MINUTE),), at, at + 50_000, 4)


def test_a_player_is_one_item_with_the_union_of_what_it_showed() -> None:
    (item,) = story(Evidence(replays=tuple(a_replay(minute) for minute in range(3))), "seat", ())
    assert (item.source, item.what, item.spans) == (Source.REPLAY, What.WATCHED, ((NINE, NINE + 3 * MINUTE),))


def test_pieces_of_the_stream_are_added_up() -> None:
    starts = [NINE + minute * MINUTE for minute in range(3)]
    rows = tuple(Segments("r", at // MINUTE, at, at + 50_000, 15, 0, 0) for at in starts)
    assert told(Evidence(segments=rows)) == [("segment", "fetched", 0, 170, 45)]
