"""Whose sign of life counts."""

from dataclasses import replace

import pytest

from tests.build import NINE
from webinar.classroom.heartbeat_rules import GRACE_MS, Beat, heard, refusal
from webinar.classroom.rules import Cancelled, Ended, NoSession, NotRegistered, Removed, TooEarly
from webinar.core.errors import Invalid
from webinar.lectures.rules import LectureState, Standing

LIVE = Standing(
    lecture_id="L",
    seat="siti",
    generation=2,
    active=True,
    removed=False,
    lecture_state=LectureState.LIVE,
    opens_at=NINE,
    ended_at=None,
)
BEAT = Beat("R", 2, "L", "siti.abcdefgh", "PA_1", True, False, NINE)


def why(beat: Beat = BEAT, standing: Standing | None = LIVE) -> type | None:
    refused = refusal(beat, standing)
    return None if refused is None else type(refused)


def test_a_seat_in_a_lecture_that_is_open_or_live_counts() -> None:
    assert why() is None
    assert why(standing=replace(LIVE, lecture_state=LectureState.OPEN)) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lecture_id": "other"}, NoSession),
        ({"generation": 3}, NoSession),
        ({"active": False}, NotRegistered),
        ({"removed": True}, Removed),
        ({"seat": "budi"}, Invalid),
        ({"lecture_state": LectureState.SCHEDULED}, TooEarly),
        ({"lecture_state": LectureState.CANCELLED}, Cancelled),
        ({"lecture_state": LectureState.FINAL, "ended_at": NINE}, Ended),
        ({"lecture_state": LectureState.ARCHIVED, "ended_at": NINE}, Ended),
        ({"lecture_state": LectureState.DRAFT}, Ended),
    ],
)
def test_another_seat_or_another_time_does_not_count(change: dict[str, object], expected: type) -> None:
    assert why(standing=replace(LIVE, **change)) is expected  # type: ignore[arg-type]  # its fields


def test_a_seat_that_does_not_exist_does_not_count() -> None:
    assert why(standing=None) is NoSession


def test_a_page_may_tell_of_its_last_minutes_after_the_end_and_no_longer() -> None:
    over = replace(LIVE, lecture_state=LectureState.ENDED, ended_at=NINE)
    assert why(replace(BEAT, at=NINE + GRACE_MS), over) is None
    assert why(replace(BEAT, at=NINE + GRACE_MS + 1), over) is Ended


def test_words_become_a_beat_and_nothing_of_them_is_too_long() -> None:
    said = {"connection": "siti.abcdefgh", "sid": "P" * 99, "visible": 1, "more": "x"}
    assert heard("R", 2, "L", said, NINE) == replace(BEAT, participant_sid="P" * 40)


@pytest.mark.parametrize("connection", [None, 7, "", "siti", "siti.", ".tab", "a b.tab", ["siti.tab"], {}])
def test_words_without_a_connection_are_none(connection: object) -> None:
    with pytest.raises(Invalid):
        heard("R", 2, "L", {"connection": connection}, NINE)
