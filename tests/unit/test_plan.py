"""What the scheduler decides for one lecture, without a database or a media server."""

from dataclasses import replace
from typing import Any

import pytest

from recordings.rules import Recording, RecordingState
from scheduler.plan import MARGIN_S, Action, Plan, Seen, compare, plan, room_timeouts
from tests.build import HOUR, MINUTE, NINE
from webinar.core.ids import new_id
from webinar.lectures.rules import Lecture, LectureState, Room, RoomState
from webinar.lectures.upcoming_rules import Step, upcoming

QUIET_S = 24 * 3_600
OPENS_AT = NINE - 15 * MINUTE
ENDS_AT = NINE + 90 * MINUTE
LATEST_END_AT = ENDS_AT + 10 * MINUTE


def a_lecture(state: str = "scheduled", **more: Any) -> Lecture:
    fields: dict[str, Any] = {
        "id": new_id(),
        "institution_id": new_id(),
        "unit_id": new_id(),
        "unit_path": "",
        "title": "Pengelolaan Keuangan Daerah",
        "description": "",
        "starts_wall": "2026-11-25T09:00",
        "ends_wall": "2026-11-25T10:30",
        "zone": "Asia/Makassar",
        "starts_at": NINE,
        "ends_at": ENDS_AT,
        "jp": 200,
        "policy_id": new_id(),
        "policy_version": 1,
        "recorded": False,
        "capacity": None,
        "open_before_s": 900,
        "overrun_s": 600,
        "live_by": "schedule",
        "closes_at": ENDS_AT,
        "opened_at": None,
        "live_at": None,
        "ended_at": None,
        "final_at": None,
        "trial": False,
        "sequence": 0,
        "version": 1,
    }
    return Lecture(**(fields | {"state": LectureState(state)} | more))


def a_room(state: str = "open", *, name: str | None = None, sid: str | None = "RM_1") -> Room:
    lecture = new_id()
    return Room(
        new_id(),
        lecture,
        "main",
        name or f"{lecture}.main",
        RoomState(state),
        "main",
        sid,
        0,
        None,
        NINE,
        None,
    )


def a_recording(state: str) -> Recording:
    return Recording(
        new_id(), new_id(), new_id(), RecordingState(state), 0, None, None, 0, 0, None, published_at=None
    )


def seen(lecture: Lecture, room: Room | None = None, recording: str | None = None) -> Seen:
    return Seen(lecture, room, a_recording(recording) if recording else None, QUIET_S)


def test_nothing_happens_before_the_room_is_due() -> None:
    assert plan(seen(a_lecture()), OPENS_AT - 1) == Plan((), OPENS_AT)


def test_the_room_opens_a_quarter_of_an_hour_before_the_start() -> None:
    assert plan(seen(a_lecture()), OPENS_AT).actions == (Action.OPEN_ROOM,)


def test_a_room_that_is_late_but_still_useful_opens_at_once() -> None:
    assert plan(seen(a_lecture()), LATEST_END_AT - 1).actions == (Action.OPEN_ROOM,)


def test_a_lecture_that_was_over_before_anybody_looked_gets_no_room() -> None:
    assert plan(seen(a_lecture()), LATEST_END_AT).actions == (Action.MISS,)


def test_an_open_lecture_goes_live_at_its_official_start() -> None:
    lecture = a_lecture("open")
    assert plan(seen(lecture, a_room()), NINE - 1) == Plan((), NINE)
    assert plan(seen(lecture, a_room()), NINE).actions == (Action.GO_LIVE,)


def test_a_lecture_that_its_host_starts_does_not_go_live_by_itself() -> None:
    lecture = a_lecture("open", live_by="host")
    assert plan(seen(lecture, a_room()), NINE) == Plan((), LATEST_END_AT)


def test_a_lecture_goes_live_on_time_though_its_room_is_lost() -> None:
    what = plan(seen(a_lecture("open"), a_room("lost")), NINE)
    assert what.actions == (Action.OPEN_ROOM, Action.GO_LIVE)


@pytest.mark.parametrize("state", ["lost", "wanted", "closing", "closed"])
def test_a_room_that_is_not_open_in_a_live_lecture_is_opened(state: str) -> None:
    assert plan(seen(a_lecture("live"), a_room(state)), NINE).actions == (Action.OPEN_ROOM,)


def test_a_lecture_that_its_host_started_before_any_room_gets_one() -> None:
    assert plan(seen(a_lecture("live")), NINE).actions == (Action.OPEN_ROOM,)


@pytest.mark.parametrize(
    ("recording", "wanted"),
    [
        (None, True),
        ("wanted", False),
        ("recording", False),
        ("paused", False),
        ("withdrawn", False),
        ("ready", True),
    ],
)
def test_a_recorded_lecture_in_session_wants_one_recording(recording: str | None, wanted: bool) -> None:
    what = plan(seen(a_lecture("live", recorded=True), a_room(), recording), NINE)
    assert (Action.WANT_RECORDING in what.actions) is wanted


def test_a_live_lecture_ends_by_itself_after_its_overrun() -> None:
    lecture = a_lecture("live")
    assert plan(seen(lecture, a_room()), LATEST_END_AT - 1) == Plan((), LATEST_END_AT)
    assert plan(seen(lecture, a_room()), LATEST_END_AT).actions == (Action.END,)


def test_an_extended_lecture_ends_later() -> None:
    lecture = a_lecture("live", closes_at=ENDS_AT + 15 * MINUTE)
    assert plan(seen(lecture, a_room()), LATEST_END_AT) == Plan((), LATEST_END_AT + 15 * MINUTE)


def test_an_ended_lecture_stops_its_recording_and_closes_its_room() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    what = plan(seen(lecture, a_room(), "recording"), ENDS_AT)
    assert what == Plan((Action.STOP_RECORDING, Action.CLOSE_ROOM), ENDS_AT + 24 * HOUR)


def test_hours_are_settled_when_the_quiet_period_is_over() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    assert plan(seen(lecture, a_room("closed")), ENDS_AT + 24 * HOUR - 1) == Plan((), ENDS_AT + 24 * HOUR)
    assert plan(seen(lecture, a_room("closed")), ENDS_AT + 24 * HOUR).actions == (Action.FINALISE,)


def test_hours_are_settled_though_the_media_server_does_not_let_the_room_be_closed() -> None:
    what = plan(seen(a_lecture("ended", ended_at=ENDS_AT), a_room("closing")), ENDS_AT + 24 * HOUR)
    assert what.actions == (Action.CLOSE_ROOM, Action.FINALISE)


def test_hours_are_not_settled_while_a_contest_waits_for_a_decision() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    waits = replace(seen(lecture, a_room("closed")), open_contests=1)
    assert plan(waits, ENDS_AT + 400 * 24 * HOUR) == Plan((), None)
    assert plan(replace(waits, open_contests=0), ENDS_AT + 24 * HOUR).actions == (Action.FINALISE,)


@pytest.mark.parametrize("state", ["final", "archived"])
def test_nothing_happens_to_a_settled_lecture(state: str) -> None:
    assert plan(seen(a_lecture(state), a_room("closed"), "ready"), ENDS_AT) == Plan((), None)


def test_a_cancelled_lecture_closes_its_room() -> None:
    assert plan(seen(a_lecture("cancelled"), a_room(), "recording"), NINE).actions == (
        Action.STOP_RECORDING,
        Action.CLOSE_ROOM,
    )


def test_a_lecture_moved_to_a_later_day_closes_the_room_it_had() -> None:
    lecture = a_lecture(starts_at=NINE + 48 * HOUR, closes_at=ENDS_AT + 48 * HOUR)
    assert plan(seen(lecture, a_room()), NINE) == Plan((Action.CLOSE_ROOM,), OPENS_AT + 48 * HOUR)


def test_a_try_room_is_over_once_it_is_left() -> None:
    lecture = a_lecture("live", trial=True)
    assert plan(seen(lecture, a_room()), NINE).actions == ()
    assert plan(seen(lecture, a_room("lost")), NINE).actions == (Action.END,)


def test_every_state_of_a_lecture_has_a_plan_that_comes_to_rest() -> None:
    for state in LectureState:
        what = plan(seen(a_lecture(state.value, ended_at=ENDS_AT), a_room("closed")), OPENS_AT - 1)
        assert what.actions or what.next_at is None or what.next_at > OPENS_AT - 1


def test_a_room_is_kept_by_the_media_server_until_after_the_latest_end() -> None:
    lasts_s = (LATEST_END_AT - OPENS_AT) // 1000
    assert room_timeouts(a_lecture(), OPENS_AT) == (lasts_s + MARGIN_S, lasts_s + MARGIN_S)
    assert room_timeouts(a_lecture(), LATEST_END_AT + HOUR) == (MARGIN_S, MARGIN_S)


def test_a_room_that_is_absent_or_has_another_sid_is_lost() -> None:
    there, absent, renewed = a_room(), a_room(), a_room()
    present = [(there.name, "RM_1"), (renewed.name, "RM_2")]
    assert compare([there, absent, renewed], present).lost == (absent, renewed)


def test_a_room_that_is_wanted_or_closing_is_not_lost() -> None:
    assert compare([a_room("wanted", sid=None), a_room("closing"), a_room("lost")], []).lost == ()


def test_a_room_of_ours_that_nobody_owes_is_strange_and_one_of_others_is_not() -> None:
    strange = a_room().name
    assert compare([], [(strange, "RM_1"), ("somebody-elses-room", "RM_2")]).strange == (strange,)


def test_what_is_to_come_is_told_in_order() -> None:
    steps = upcoming(a_lecture(recorded=True), QUIET_S)
    assert [(step.at, step.step) for step in steps] == [
        (OPENS_AT, Step.ROOM_OPENED),
        (OPENS_AT, Step.RECORDING_STARTED),
        (NINE, Step.WENT_LIVE),
        (LATEST_END_AT, Step.ENDED),
        (LATEST_END_AT, Step.ROOM_CLOSED),
        (LATEST_END_AT + 24 * HOUR, Step.FINAL),
    ]


def test_what_has_happened_is_not_to_come() -> None:
    assert [s.step for s in upcoming(a_lecture("live"), QUIET_S)] == [
        Step.ENDED,
        Step.ROOM_CLOSED,
        Step.FINAL,
    ]
    assert [s.step for s in upcoming(a_lecture("ended", ended_at=ENDS_AT), QUIET_S)] == [Step.FINAL]
    assert upcoming(replace(a_lecture("final"), ended_at=ENDS_AT), QUIET_S) == []
