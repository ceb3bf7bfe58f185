"""What the scheduler decides for one lecture, without a database or a media server."""

from dataclasses import replace
from typing import Any

import pytest

from recordings.rules import Recording, RecordingState
from scheduler.plan import MARGIN_S, Action, Deed, Plan, Seen, compare, plan, room_timeouts
from tests.build import HOUR, MINUTE, NINE
from tests.unit.lecture_build import a_lecture as a_built_lecture
from tests.unit.lecture_build import a_room as a_built_room
from webinar.core.ids import new_id
from webinar.lectures.rules import Lecture, LectureState, Room, RoomKind, RoomState, main_room_name, room_name
from webinar.lectures.upcoming_rules import Step, upcoming

LECTURE_ID = "l" * 26
QUIET_S = 24 * 3_600
OPENS_AT = NINE - 15 * MINUTE
ENDS_AT = NINE + 90 * MINUTE
LATEST_END_AT = ENDS_AT + 10 * MINUTE


def a_room(state: str = "open", *, number: int = 0, **more: Any) -> Room:
    """The main room, or with a number a breakout room."""
    kind = RoomKind.BREAKOUT if number else RoomKind.MAIN
    name = room_name(LECTURE_ID, kind, number) if number else main_room_name(LECTURE_ID)
    return a_built_room(
        RoomState(state), **({"id": name, "kind": kind, "position": number, "name": name} | more)
    )


def a_lecture(state: str = "scheduled", **more: Any) -> Lecture:
    return a_built_lecture(state=LectureState(state), **more)


def a_recording(state: str) -> Recording:
    return Recording(
        new_id(), new_id(), new_id(), RecordingState(state), 0, None, None, 0, 0, None, published_at=None
    )


def seen(lecture: Lecture, *rooms: Room, recording: str | None = None) -> Seen:
    return Seen(lecture, rooms, a_recording(recording) if recording else None, QUIET_S)


def actions(what: Plan) -> list[Action]:
    return [deed.action for deed in what.deeds]


def opens(number: int = 0) -> Deed:
    return Deed(Action.OPEN_ROOM, a_room(number=number).name)


def closes(number: int = 0) -> Deed:
    return Deed(Action.CLOSE_ROOM, a_room(number=number).name)


def test_nothing_happens_before_the_room_is_due() -> None:
    assert plan(seen(a_lecture()), OPENS_AT - 1) == Plan((), OPENS_AT)


def test_the_room_opens_a_quarter_of_an_hour_before_the_start() -> None:
    assert plan(seen(a_lecture()), OPENS_AT).deeds == (opens(),)


def test_a_room_that_is_late_but_still_useful_opens_at_once() -> None:
    assert plan(seen(a_lecture()), LATEST_END_AT - 1).deeds == (opens(),)


def test_a_lecture_that_was_over_before_anybody_looked_gets_no_room() -> None:
    assert plan(seen(a_lecture()), LATEST_END_AT).deeds == (Deed(Action.MISS),)


def test_an_open_lecture_goes_live_at_its_official_start() -> None:
    lecture = a_lecture("open")
    assert plan(seen(lecture, a_room()), NINE - 1) == Plan((), NINE)
    assert plan(seen(lecture, a_room()), NINE).deeds == (Deed(Action.GO_LIVE),)


def test_a_lecture_that_its_host_starts_does_not_go_live_by_itself() -> None:
    lecture = a_lecture("open", live_by="host")
    assert plan(seen(lecture, a_room()), NINE) == Plan((), LATEST_END_AT)


def test_a_lecture_goes_live_on_time_though_its_room_is_lost() -> None:
    what = plan(seen(a_lecture("open"), a_room("lost")), NINE)
    assert what.deeds == (Deed(Action.GO_LIVE), opens())


@pytest.mark.parametrize("state", ["lost", "wanted", "closing", "closed"])
def test_a_room_that_is_not_open_in_a_live_lecture_is_opened(state: str) -> None:
    assert plan(seen(a_lecture("live"), a_room(state)), NINE).deeds == (opens(),)


def test_a_lecture_that_its_host_started_before_any_room_gets_one() -> None:
    assert plan(seen(a_lecture("live")), NINE).deeds == (opens(),)


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
    what = plan(seen(a_lecture("live", recorded=True), a_room(), recording=recording), NINE)
    assert (Action.WANT_RECORDING in actions(what)) is wanted


def test_a_live_lecture_ends_by_itself_after_its_overrun() -> None:
    lecture = a_lecture("live")
    assert plan(seen(lecture, a_room()), LATEST_END_AT - 1) == Plan((), LATEST_END_AT)
    assert plan(seen(lecture, a_room()), LATEST_END_AT).deeds == (Deed(Action.END),)


def test_an_extended_lecture_ends_later() -> None:
    lecture = a_lecture("live", closes_at=ENDS_AT + 15 * MINUTE)
    assert plan(seen(lecture, a_room()), LATEST_END_AT) == Plan((), LATEST_END_AT + 15 * MINUTE)


def test_an_ended_lecture_stops_its_recording_and_closes_its_room() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    what = plan(seen(lecture, a_room(), recording="recording"), ENDS_AT)
    assert what == Plan((Deed(Action.STOP_RECORDING), closes()), ENDS_AT + 24 * HOUR)


def test_hours_are_settled_when_the_quiet_period_is_over() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    assert plan(seen(lecture, a_room("closed")), ENDS_AT + 24 * HOUR - 1) == Plan((), ENDS_AT + 24 * HOUR)
    assert plan(seen(lecture, a_room("closed")), ENDS_AT + 24 * HOUR).deeds == (Deed(Action.FINALISE),)


def test_hours_are_settled_though_the_media_server_does_not_let_the_room_be_closed() -> None:
    what = plan(seen(a_lecture("ended", ended_at=ENDS_AT), a_room("closing")), ENDS_AT + 24 * HOUR)
    assert what.deeds == (closes(), Deed(Action.FINALISE))


def test_hours_are_not_settled_while_a_contest_waits_for_a_decision() -> None:
    lecture = a_lecture("ended", ended_at=ENDS_AT)
    waits = replace(seen(lecture, a_room("closed")), open_contests=1)
    assert plan(waits, ENDS_AT + 400 * 24 * HOUR) == Plan((), None)
    assert plan(replace(waits, open_contests=0), ENDS_AT + 24 * HOUR).deeds == (Deed(Action.FINALISE),)


@pytest.mark.parametrize("state", ["final", "archived"])
def test_nothing_happens_to_a_settled_lecture(state: str) -> None:
    assert plan(seen(a_lecture(state), a_room("closed"), recording="ready"), ENDS_AT) == Plan((), None)


def test_a_cancelled_lecture_closes_its_room() -> None:
    assert plan(seen(a_lecture("cancelled"), a_room(), recording="recording"), NINE).deeds == (
        Deed(Action.STOP_RECORDING),
        closes(),
    )


def test_a_lecture_moved_to_a_later_day_closes_the_room_it_had() -> None:
    lecture = a_lecture(starts_at=NINE + 48 * HOUR, closes_at=ENDS_AT + 48 * HOUR)
    assert plan(seen(lecture, a_room()), NINE) == Plan((closes(),), OPENS_AT + 48 * HOUR)


def test_a_try_room_is_over_once_it_is_left() -> None:
    lecture = a_lecture("live", trial=True)
    assert plan(seen(lecture, a_room()), NINE).deeds == ()
    assert plan(seen(lecture, a_room("lost")), NINE).deeds == (Deed(Action.END),)


def test_every_room_that_is_needed_opens_with_the_lecture_the_main_one_first() -> None:
    rooms = a_room("closed", number=1), a_room("closed", number=2, needed=False), a_room("closed", number=3)
    assert plan(seen(a_lecture(), *rooms), OPENS_AT).deeds == (opens(), opens(1), opens(3))


def test_a_room_that_is_booked_stands_nowhere_before_the_lecture_opens() -> None:
    assert plan(seen(a_lecture(), a_room("closed", number=1)), OPENS_AT - 1) == Plan((), OPENS_AT)


def test_a_room_that_is_lost_or_was_added_opens_beside_those_that_stand() -> None:
    rooms = a_room(), a_room("lost", number=1), a_room(number=2), a_room("closed", number=3)
    assert plan(seen(a_lecture("live"), *rooms), NINE).deeds == (opens(1), opens(3))


@pytest.mark.parametrize("state", ["open", "lost", "wanted", "closing"])
def test_a_room_that_is_needed_no_longer_closes_while_the_lecture_goes_on(state: str) -> None:
    rooms = a_room(), a_room(state, number=1, needed=False), a_room("closed", number=2, needed=False)
    assert plan(seen(a_lecture("live"), *rooms), NINE) == Plan((closes(1),), LATEST_END_AT)


def test_all_rooms_close_with_the_lecture_whoever_needs_them() -> None:
    rooms = a_room(), a_room(number=1), a_room("lost", number=2), a_room("closed", number=3)
    what = plan(seen(a_lecture("ended", ended_at=ENDS_AT), *rooms), ENDS_AT)
    assert what.deeds == (closes(), closes(1), closes(2))


def test_a_lecture_that_goes_on_after_its_end_opens_the_rooms_it_had() -> None:
    rooms = a_room("closed"), a_room("closed", number=1), a_room("closed", number=2, needed=False)
    assert plan(seen(a_lecture("live"), *rooms), NINE).deeds == (opens(), opens(1))


EMPTY_S = 600
LEFT_AT = ENDS_AT - 20 * MINUTE
END_IF_EMPTY = (Deed(Action.END_IF_EMPTY),)


def test_a_lecture_whose_rooms_stand_empty_ends_at_its_planned_end_and_not_before() -> None:
    lecture = a_lecture("live", empty_after_s=EMPTY_S)
    rooms = a_room(left_at=LEFT_AT), a_room("closed", number=1, needed=False)
    assert plan(seen(lecture, *rooms), ENDS_AT - 1) == Plan((), ENDS_AT)
    assert plan(seen(lecture, *rooms), ENDS_AT).deeds == END_IF_EMPTY


def test_who_leaves_late_is_waited_for_as_long_as_the_rule_says() -> None:
    lecture, left_at = a_lecture("live", empty_after_s=EMPTY_S, overrun_s=7_200), ENDS_AT + MINUTE
    rooms = a_room(left_at=left_at)
    assert plan(seen(lecture, rooms), left_at + EMPTY_S * 1000 - 1) == Plan((), left_at + EMPTY_S * 1000)
    assert plan(seen(lecture, rooms), left_at + EMPTY_S * 1000).deeds == END_IF_EMPTY


def test_a_lecture_ends_early_only_where_its_organiser_chose_so_and_somebody_had_come() -> None:
    lecture, due = a_lecture("live", empty_after_s=EMPTY_S, empty_early=True), LEFT_AT + EMPTY_S * 1000
    assert plan(seen(lecture, a_room(left_at=LEFT_AT)), due).deeds == END_IF_EMPTY
    assert plan(seen(lecture, a_room()), due).deeds == ()
    assert plan(seen(lecture, a_room()), ENDS_AT + EMPTY_S * 1000).deeds == (Deed(Action.END),)


@pytest.mark.parametrize(
    "other", [{"occupied": True}, {"state": "lost", "left_at": NINE}, {"state": "closed", "left_at": NINE}]
)
def test_a_room_with_somebody_in_it_or_of_which_nothing_is_known_keeps_the_lecture_going(other: Any) -> None:
    lecture = a_lecture("live", empty_after_s=EMPTY_S, overrun_s=7_200)
    rooms = a_room(left_at=NINE), a_room(**{"state": "open"} | other, number=1)
    what = plan(seen(lecture, *rooms), ENDS_AT + 30 * MINUTE)
    assert not {Action.END_IF_EMPTY, Action.END} & set(actions(what))


def test_a_room_that_is_needed_no_longer_keeps_nothing_going() -> None:
    lecture = a_lecture("live", empty_after_s=EMPTY_S)
    rooms = a_room(left_at=NINE), a_room("closed", number=1, needed=False, occupied=True)
    assert plan(seen(lecture, *rooms), ENDS_AT).deeds == END_IF_EMPTY


def test_without_the_rule_empty_rooms_stay_until_the_latest_end() -> None:
    rooms = a_room(left_at=NINE), a_room(number=1, left_at=NINE)
    assert plan(seen(a_lecture("live"), *rooms), LATEST_END_AT - 1) == Plan((), LATEST_END_AT)


def test_a_breakout_room_closes_at_any_time_once_it_was_left_for_long_enough() -> None:
    lecture, due = a_lecture("live", empty_after_s=EMPTY_S), NINE + EMPTY_S * 1000
    rooms = a_room(occupied=True), a_room(number=1, left_at=NINE), a_room(number=2)
    assert plan(seen(lecture, *rooms), due - 1) == Plan((), due)
    closing = Deed(Action.CLOSE_IF_EMPTY, a_room(number=1).name)
    assert plan(seen(lecture, *rooms), due).deeds == (closing,)


def test_every_state_of_a_lecture_has_a_plan_that_comes_to_rest() -> None:
    for state in LectureState:
        what = plan(seen(a_lecture(state.value, ended_at=ENDS_AT), a_room("closed")), OPENS_AT - 1)
        assert what.deeds or what.next_at is None or what.next_at > OPENS_AT - 1


def test_a_room_is_kept_by_the_media_server_until_after_the_latest_end() -> None:
    lasts_s = (LATEST_END_AT - OPENS_AT) // 1000
    assert room_timeouts(a_lecture(), OPENS_AT) == (lasts_s + MARGIN_S, lasts_s + MARGIN_S)
    assert room_timeouts(a_lecture(), LATEST_END_AT + HOUR) == (MARGIN_S, MARGIN_S)


def test_a_room_that_is_absent_or_has_another_sid_is_lost() -> None:
    there, absent, renewed = a_room(), a_room(number=1), a_room(number=2)
    present = [(there.name, "RM_1"), (renewed.name, "RM_2")]
    assert compare([there, absent, renewed], present).lost == (absent, renewed)


def test_a_room_that_is_wanted_or_closing_is_not_lost() -> None:
    assert (
        compare([a_room("wanted", sid=None), a_room("closing", number=1), a_room("lost", number=2)], []).lost
        == ()
    )


def test_a_room_of_ours_that_nobody_owes_is_strange_and_one_of_others_is_not() -> None:
    strange = [room_name(new_id(), kind, 12) for kind in (RoomKind.BREAKOUT, RoomKind.SECOND)]
    strange.append(main_room_name(new_id()))
    present = [(name, "RM_1") for name in strange] + [("somebody-elses-room", "RM_2")]
    assert compare([], present).strange == tuple(strange)


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


def test_a_rule_for_empty_rooms_is_told_where_it_can_come_before_the_latest_end() -> None:
    steps = [(s.at, s.step) for s in upcoming(a_lecture("live", empty_after_s=300), QUIET_S)]
    assert steps[0] == (ENDS_AT, Step.ENDS_EMPTY)
    without = upcoming(a_lecture("live", empty_after_s=900), QUIET_S)
    assert Step.ENDS_EMPTY not in [s.step for s in without]


def test_what_has_happened_is_not_to_come() -> None:
    assert [s.step for s in upcoming(a_lecture("live"), QUIET_S)] == [
        Step.ENDED,
        Step.ROOM_CLOSED,
        Step.FINAL,
    ]
    assert [s.step for s in upcoming(a_lecture("ended", ended_at=ENDS_AT), QUIET_S)] == [Step.FINAL]
    assert upcoming(replace(a_lecture("final"), ended_at=ENDS_AT), QUIET_S) == []
