"""How what lies ahead of a lecture stands on its timeline."""

from typing import Any

import pytest

from tests.build import HOUR, MINUTE, NINE, SECOND
from tests.unit.lecture_build import a_lecture, a_room
from webinar.core.audit import SYSTEM, Entry
from webinar.core.language import translator
from webinar.lectures.rules import LectureState, RoomState
from webinar.lectures.upcoming_rules import upcoming
from webinar.operations.rules import LATE_AFTER_MS, Standing
from webinar.operations.timeline_rules import Foreseen, OfLecture, Seen, Sort, foreseen
from webinar.web import timeline

QUIET_S = 86_400
OPENS = NINE - 15 * MINUTE


def some(kind: str, state: str = "owed", count: int = 1, **more: Any) -> OfLecture:
    values = {
        "tried": state in {"claimed", "parked"},
        "first_due_at": NINE - HOUR,
        "last_finished_at": None,
        "error": None,
    }
    return OfLecture(kind, state, count=count, **(values | more))


def seen(*effects: OfLecture, lecture: Any = None, **more: Any) -> Seen:
    lecture = lecture or a_lecture()
    return Seen(lecture, upcoming(lecture, QUIET_S), more.pop("rooms", ()), effects, **more)


def stands(lines: list[Foreseen], what: str) -> list[tuple[Standing, int]]:
    return [(line.standing, line.count) for line in lines if line.what == what]


CARE = some("lecture", first_due_at=OPENS)


def test_everything_lies_ahead_in_order_before_the_room_opens() -> None:
    lines = foreseen(seen(CARE), NINE - HOUR)
    assert [(line.at - NINE, line.what) for line in lines] == [
        (-15 * MINUTE, "room_opened"),
        (0, "went_live"),
        (100 * MINUTE, "ended"),
        (100 * MINUTE, "room_closed"),
        (100 * MINUTE + QUIET_S * SECOND, "final"),
    ]
    assert {line.standing for line in lines} == {Standing.AHEAD}


@pytest.mark.parametrize(
    ("care", "after_ms", "expected"),
    [
        (CARE, 0, Standing.DUE),
        (CARE, LATE_AFTER_MS + 1, Standing.LATE),
        (some("lecture", "claimed"), LATE_AFTER_MS + 1, Standing.RUNNING),
        (some("lecture", tried=True, error="KeyError: x"), 0, Standing.FAILING),
        (some("lecture", "parked"), 0, Standing.PARKED),
        (some("lecture", "skipped"), 0, Standing.PARKED),
    ],
)
def test_a_room_that_should_be_open_stands_as_its_lecture_is_looked_after(
    care: OfLecture, after_ms: int, expected: Standing
) -> None:
    assert stands(foreseen(seen(care), OPENS + after_ms), "room_opened") == [(expected, 1)]


def test_a_room_that_the_video_server_does_not_open_is_failing_and_says_why() -> None:
    room = a_room(state=RoomState.WANTED, last_error="media_unavailable", attempts=3)
    [line] = [x for x in foreseen(seen(CARE, rooms=[room]), OPENS) if x.what == "room_opened"]
    assert (line.standing, line.error) == (Standing.FAILING, "media_unavailable")


def test_with_nobody_to_look_after_it_everything_ahead_has_stopped() -> None:
    lines = foreseen(seen(some("lecture", "parked", error="KeyError: x")), NINE - HOUR)
    assert {(line.standing, line.error) for line in lines} == {(Standing.PARKED, "KeyError: x")}


def test_hours_wait_for_contests() -> None:
    ended = a_lecture(state=LectureState.ENDED, ended_at=NINE + 2 * HOUR)
    lines = foreseen(seen(CARE, lecture=ended, open_contests=2), NINE + 3 * HOUR)
    assert stands(lines, "final") == [(Standing.WAITING, 2)]


def test_mails_are_counted_by_how_they_stand_and_those_that_go_now_with_those_that_wait() -> None:
    now = NINE - HOUR
    lines = foreseen(
        seen(
            CARE,
            some("invite", count=296),
            some("invite", "claimed", count=16),
            some("invite", tried=True, count=3, error="451 later"),
            some("invite", "parked", count=2, error="550 no"),
            some("invite", "held", count=5),
            some("invite", "done", count=40, last_finished_at=now - MINUTE),
        ),
        now,
    )
    assert sorted(stands(lines, "invite")) == [
        (Standing.DONE, 40),
        (Standing.FAILING, 3),
        (Standing.HELD, 5),
        (Standing.PARKED, 2),
        (Standing.RUNNING, 312),
    ]


def test_the_moments_of_presence_checks_are_not_given_away() -> None:
    lines = foreseen(seen(CARE, some("check", count=3, first_due_at=NINE + 17 * MINUTE)), NINE - HOUR)
    [checks] = [line for line in lines if line.sort is Sort.CHECKS]
    assert (checks.at, checks.count) == (NINE, 3)


def test_work_behind_the_scenes_shows_only_when_it_goes_wrong() -> None:
    now = NINE - HOUR
    well = (some("sweep", "claimed", first_due_at=now), some("tally", first_due_at=now + MINUTE))
    assert [line for line in foreseen(seen(CARE, *well), now) if line.sort is Sort.WORK] == []
    wrong = some("tally", "parked", error="KeyError: x")
    assert stands(foreseen(seen(CARE, wrong), now), "tally") == [(Standing.PARKED, 1)]


def test_a_recorder_that_does_not_come_is_late() -> None:
    lecture = a_lecture(state=LectureState.LIVE, recorded=True, opened_at=OPENS)
    waits = {"lecture": lecture, "recorder_waits": True}
    soon = foreseen(seen(CARE, **waits), OPENS + 5 * SECOND)
    assert stands(soon, "recording_started") == [(Standing.RUNNING, 1)]
    assert stands(foreseen(seen(CARE, **waits), NINE), "recording_started") == [(Standing.LATE, 1)]


def test_the_timeline_says_it_in_words_and_icons_the_past_first() -> None:
    now = NINE - HOUR
    lines = foreseen(
        seen(
            CARE,
            some("invite", count=312, first_due_at=now),
            some("invite", "done", count=40, last_finished_at=now - MINUTE),
        ),
        now,
    )
    past = [Entry(now - HOUR, SYSTEM, "booked", {}), Entry(now - SECOND, SYSTEM, "changed", {})]
    events = timeline.events(lambda text, **fields: text % fields if fields else text, past, lines, {})
    assert [(event["text"], event["standing"], event["icon"]) for event in events][:5] == [
        ("Booked", "", "calendar-plus"),
        ("40 mails sent", "", "send"),
        ("Details changed", "", "pencil"),
        ("312 mails to send", "due", "send"),
        ("The room opens", "", "door-open"),
    ]


@pytest.mark.parametrize(
    ("fields", "text", "detail"),
    [
        (
            {"error": "media_unavailable"},
            "Tidak ada yang dapat masuk pada waktu itu: server video tidak membuka ruang",
            "dengan sendirinya · Server video tidak menjawab.",
        ),
        (
            {"error": ""},
            "Tidak ada yang dapat masuk pada waktu itu: layanan sedang tidak berjalan",
            "dengan sendirinya",
        ),
        ({}, "Tidak ada yang dapat masuk pada waktu itu: tidak ada ruang", "dengan sendirinya"),
    ],
)
def test_why_nobody_could_be_let_in_is_told_apart(fields: dict[str, Any], text: str, detail: str) -> None:
    missed = Entry(NINE, SYSTEM, "missed", fields)
    [event] = timeline.events(translator("id"), [missed], [], {})
    assert (event["text"], event["detail"]) == (text, detail)
