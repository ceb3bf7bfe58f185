"""Who is let in, and what may be said."""

from typing import Any

import pytest

from tests.unit.lecture_build import MINUTE, NINE, a_lecture, a_room, a_seat
from webinar.classroom import rules
from webinar.core.errors import Invalid, Refused
from webinar.lectures.rules import LectureState, RoomState, Seat

KEY = b"k" * 32
OPEN = {"state": LectureState.OPEN}
LIVE = {"state": LectureState.LIVE}


@pytest.mark.parametrize(
    ("lecture", "seat", "room", "now", "refusal"),
    [
        ({}, {}, None, NINE - 16 * MINUTE, rules.TooEarly),
        ({}, {}, None, NINE - 14 * MINUTE, rules.RoomPreparing),
        (OPEN, {"state": "cancelled"}, a_room(), NINE, rules.NotRegistered),
        (OPEN, {"removed_at": NINE}, a_room(), NINE, rules.Removed),
        (LIVE, {"removed_at": NINE, "role": Seat.LECTURER}, a_room(), NINE, rules.Removed),
        ({"state": LectureState.CANCELLED}, {}, a_room(), NINE, rules.Cancelled),
        ({"state": LectureState.ENDED}, {}, a_room(), NINE, rules.Ended),
        ({"state": LectureState.FINAL}, {}, None, NINE, rules.Ended),
        (LIVE, {}, None, NINE, rules.RoomPreparing),
        (LIVE, {}, a_room(RoomState.WANTED), NINE, rules.RoomPreparing),
        (LIVE, {}, a_room(RoomState.LOST), NINE, rules.RoomPreparing),
        (LIVE, {}, a_room(RoomState.LOST, last_error="away"), NINE, rules.MediaAway),
    ],
)
def test_whoever_cannot_come_in_is_told_why(
    lecture: dict[str, Any], seat: dict[str, Any], room: Any, now: int, refusal: type[Refused]
) -> None:
    with pytest.raises(refusal):
        rules.admit(a_lecture(**lecture), a_seat(**seat), room, now)


def test_too_early_says_when_the_room_opens() -> None:
    with pytest.raises(rules.TooEarly) as early:
        rules.admit(a_lecture(), a_seat(), None, NINE - 20 * MINUTE)
    assert early.value.fields == {"opens_at": NINE - 15 * MINUTE, "server_time": NINE - 20 * MINUTE}


@pytest.mark.parametrize("state", [LectureState.OPEN, LectureState.LIVE])
def test_a_host_may_share_the_screen_and_a_participant_may_not(state: LectureState) -> None:
    lecture = a_lecture(state=state)
    host = rules.admit(lecture, a_seat(role=Seat.LECTURER), a_room(), NINE)
    guest = rules.admit(lecture, a_seat(), a_room(), NINE)
    assert "screen_share" in host.sources
    assert guest.sources == ("camera", "microphone")


def test_a_seat_cookie_opens_its_own_seat_only() -> None:
    cookie = rules.seat_cookie(KEY, a_seat(link_generation=3))
    assert rules.opened_seat_cookie(KEY, cookie) == ("r" * 26, 3)
    for forged in (
        "",
        "x",
        cookie[:-1],
        cookie.replace(".3.", ".4."),
        rules.seat_cookie(b"x" * 32, a_seat()),
        cookie.replace("r", "s", 1),
        "é" * 40,
    ):
        assert rules.opened_seat_cookie(KEY, forged) is None


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200e", "\x00\x1b", 7, None, "x" * 2_001])
def test_a_message_without_words_or_without_end_is_refused(text: object) -> None:
    with pytest.raises(Invalid):
        rules.checked_message(text)


def test_a_message_loses_what_only_hides_something() -> None:
    assert rules.checked_message(" a\u202eb\x07\n<b>c</b> ") == "ab\n<b>c</b>"


@pytest.mark.parametrize("tab", ["", "abc", "ABCDEFGH", "abcdefg.", "abcdefghi", 7, None])
def test_a_tab_is_eight_small_letters_or_digits(tab: object) -> None:
    with pytest.raises(Invalid):
        rules.checked_tab(tab)
