"""The oracle of the schedulers can fail: with a service that is wrong it says so."""

from dataclasses import replace
from typing import Any

import pytest

from recordings import service as recordings
from scheduler import lecture as reconciler
from scheduler.watch import Watch
from tests.build import MINUTE, SECOND
from tests.simulation.scenario import Fault
from tests.simulation.schedulers import recorders
from tests.simulation.schedulers.faults import MEDIA, plan
from tests.simulation.schedulers.plan import Booked, Deed, Plan, Visit
from tests.simulation.schedulers.simulate import simulate
from webinar.classroom import service as classroom
from webinar.core import effects_claims
from webinar.lectures import placement
from webinar.media import pool_rules

SEED = 3
DIES = Fault(30 * SECOND, "crash", MEDIA + "a", 100 * SECOND)


def a_lecture(**fields: Any) -> Booked:
    smooth: dict[str, Any] = {
        "booked_at": -MINUTE, "starts_at": 0, "minutes": 3, "open_before_s": 30, "overrun_s": 0,
        "quiet_s": 5, "live_by": "schedule", "recorded": False, "checks": 0, "people": 2,
        "empty_after_s": None, "empty_early": False,
    }  # fmt: skip
    return Booked(**(smooth | fields))


def a_plan(*lectures: Booked, **fields: Any) -> Plan:
    """Two schedulers, two media servers, and nothing that breaks."""
    smooth: dict[str, Any] = {
        "lectures": lectures or (a_lecture(),), "skews": (20_000, -20_000), "servers": ("a", "b"),
        "recorder_skews": (), "deeds": (), "visits": (), "faults": (), "broken": frozenset(), "deaf": 0.0,
        "refused": frozenset(), "mail_takes_s": 0.05,
    }  # fmt: skip
    return replace(plan(SEED), **(smooth | fields))


def a_visit(at_s: int, stays_s: int, *, loyal: bool = False) -> Visit:
    return Visit(at_s * SECOND, 0, 0, stays_s * SECOND, vanishes=False, loyal=loyal)


def violations(planned: Plan) -> str:
    return "\n".join(simulate(SEED, planned=planned).violations)


RECORDED = a_plan(a_lecture(recorded=True), recorder_skews=(9_000,))
MOVED = a_plan(faults=(DIES,), visits=(a_visit(10, 160),))
SHOWN_OUT = a_plan(visits=(a_visit(0, 150),), deeds=(Deed(40 * SECOND, "remove", 0),))
EMPTIED = a_plan(a_lecture(empty_after_s=10, empty_early=True), visits=(a_visit(0, 50),))


@pytest.mark.parametrize("planned", [a_plan(), RECORDED, MOVED, SHOWN_OUT, EMPTIED])
def test_a_right_service_satisfies_it(planned: Plan) -> None:
    assert violations(planned) == ""


def test_rooms_are_moved_people_follow_and_recordings_are_made() -> None:
    moved, recorded = simulate(SEED, planned=MOVED).verdict, simulate(SEED, planned=RECORDED).verdict
    assert (moved.moves, moved.stays > 1, recorded.segments > 20) == (1, True, True)


def test_it_sees_a_lecture_without_a_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement.pool_rules, "deserted", lambda *_: set())
    assert "main is missing" in violations(MOVED)


def test_it_sees_a_room_without_a_lecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watch, "_close_strange", _nothing)
    assert "stands on a, too" in violations(replace(MOVED, visits=(a_visit(10, 160, loyal=True),), faults=(
        DIES._replace(what="away", lasts=60 * SECOND),
    )))  # fmt: skip


def test_it_sees_somebody_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webinar.classroom.heartbeats.moved", lambda *_: False)
    monkeypatch.setattr(Watch, "_close_strange", _nothing)
    away = DIES._replace(what="away", lasts=60 * SECOND)
    assert "is not in its room" in violations(replace(MOVED, faults=(away,)))


def test_it_sees_somebody_who_was_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(classroom, "devices_of", nobody)
    assert "is in though shown out" in violations(SHOWN_OUT)


def test_it_sees_that_an_empty_lecture_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.plan.empty_rules.lecture_due", lambda *_: None)
    assert "does not end though empty" in violations(EMPTIED)


def test_it_sees_that_people_are_taken_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.occupancy.people_of", lambda _: [])
    stayed = replace(EMPTIED, lectures=(a_lecture(empty_after_s=10, minutes=2),), visits=(a_visit(0, 200),))
    stayed = replace(stayed, lectures=(replace(stayed.lectures[0], overrun_s=60),))
    assert "ended as empty" in violations(stayed)


def test_it_sees_a_recording_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "finished", _nothing)
    assert "the recording of" in violations(RECORDED)


def test_it_sees_a_file_that_was_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def loses(self: recorders.Shelf, key: str, data: bytes) -> Any:
        return None

    monkeypatch.setattr(recorders.Shelf, "put", loses)
    assert "is not what was kept" in violations(RECORDED)


def test_it_sees_rooms_opened_on_a_server_that_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_rules.Load, "rank", 0)
    drains = Fault(-100 * SECOND, "drain", MEDIA + "a", 200 * SECOND)
    assert "opened on a, which drains" in violations(a_plan(faults=(drains,)))


def test_it_sees_a_server_condemned_by_one_that_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webinar.media.pool_store.ANSWERED_LATELY_MS", -MINUTE)
    monkeypatch.setattr(Watch, "_is_there", _nothing)
    cut = Fault(20 * SECOND, "cut", "scheduler0", 120 * SECOND, 0)
    assert "is taken for silent" in violations(a_plan(faults=(cut,)))


def test_it_sees_an_effect_that_two_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects_claims, "_EXPIRED", "state = 'claimed' AND kind = :kind ORDER BY lease_until")
    monkeypatch.setattr(effects_claims.Ahead, "expired", lambda *_: True)
    assert "at once" in violations(a_plan())


def test_it_sees_a_lecture_that_is_never_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler, "plan", lambda seen, now: reconciler.Plan((), now + MINUTE))
    assert "is missing" in violations(a_plan())


async def _nothing(*_: Any) -> None:
    """In place of what is to be done."""
