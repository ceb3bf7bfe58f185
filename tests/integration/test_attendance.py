"""From stored evidence to the attendance log, its CSV and its final state, on both databases."""

from dataclasses import dataclass

import pytest
from sqlalchemy import event, update

from tests.build import (
    DAY,
    MINUTE,
    NINE,
    a_window,
)
from tests.integration.attendance_scene import Scene, scene
from webinar.attendance import service
from webinar.attendance.credit_rules import State
from webinar.core.errors import NotFound
from webinar.evidence import store as evidence
from webinar.lectures.tables import RegistrationRow
from webinar.people.access import Scope

__all__ = ["scene"]


@dataclass(frozen=True)
class Listed:
    """As the media server lists a participant."""

    identity: str
    sid: str
    joined_at_ms: int
    kind: str = "STANDARD"
    state: str = "ACTIVE"


async def test_everybody_registered_has_a_row_absentees_too(scene: Scene) -> None:
    await scene.stayed("budi", NINE - 5 * MINUTE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 31 * MINUTE)
    await scene.stayed("siti", NINE + 70 * MINUTE, NINE + 90 * MINUTE, sid="PA_again")
    log = await scene.log(NINE + 2 * DAY)
    rows = {e.registration.seat: (e.credit.seconds, e.credit.jp, e.credit.state) for e in log.entries}
    assert rows == {
        "budi": (5400, 200, State.CREDITED),
        "siti": (51 * 60, 0, State.NOT_CREDITED),
        "agus": (0, 0, State.ABSENT),
        "ani": (0, 0, State.ABSENT),
    }
    assert (log.provisional, log.summary.registered, log.summary.came, log.summary.absent) == (True, 4, 2, 2)
    assert log.high_water["webhooks"] > 0


async def test_a_sweep_finds_what_webhooks_lost(scene: Scene) -> None:
    listed = [
        Listed("budi.tab", "PA_budi", NINE),
        Listed("recorder", "PA_r", NINE, kind="EGRESS"),
        Listed("siti.tab", "PA_siti", NINE, state="JOINING"),
    ]
    async with scene.db.writing() as session:
        for minute in range(91):
            at = NINE + minute * MINUTE
            await evidence.record_sweep(
                session, room_name=scene.room, room_sid="RM_1", participants=listed, at=at
            )
    log = await scene.log(NINE + 90 * MINUTE)
    came = {e.registration.seat: e for e in log.entries if e.credit.seconds}
    assert list(came) == ["budi"]
    assert came["budi"].credit.seconds == 5400
    assert came["budi"].presence.intervals[0].sources == ("sweep",)
    assert log.strangers == ()


async def test_heartbeats_are_one_row_a_connection_and_minute_in_any_order(scene: Scene) -> None:
    told = [(NINE + 45_000, True), (NINE, True), (NINE + 15_000, False), (NINE + 61_000, True)]
    async with scene.db.writing() as session:
        for at, visible in told:
            await evidence.record_heartbeat(
                session,
                lecture_id=scene.lecture.id,
                registration_id=scene.seats["budi"].id,
                identity="budi.tab",
                participant_sid="PA_budi",
                visible=visible,
                leaving=at == NINE + 45_000,
                at=at,
            )
    async with scene.db.reading() as session:
        found = await evidence.evidence_of(session, scene.lecture.id, [scene.room])
    rows = sorted((b.first_at, b.last_at, b.beats, b.visible, b.left_at) for b in found.beats)
    assert rows == [
        (NINE, NINE + 45_000, 3, 2, NINE + 45_000),
        (NINE + 61_000, NINE + 61_000, 1, 1, None),
    ]
    assert found.high_water["heartbeats"] == NINE + 61_000


async def test_the_window_that_an_organiser_fixed_is_the_one_that_counts(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    async with scene.db.writing() as session:
        await a_window(session, scene.lecture, (NINE + 30 * MINUTE, NINE + 90 * MINUTE))
    log = await scene.log(NINE + 2 * DAY)
    assert next(e for e in log.entries if e.registration.seat == "budi").credit.seconds == 3600


async def test_who_came_without_a_seat_is_listed_apart(scene: Scene) -> None:
    await scene.stayed("forwarded", NINE, NINE + 10 * MINUTE)
    async with scene.db.writing() as session:
        await session.execute(
            update(RegistrationRow)
            .where(RegistrationRow.id == scene.seats["agus"].id)
            .values(state="cancelled")
        )
    await scene.stayed("agus", NINE, NINE + 20 * MINUTE)
    log = await scene.log(NINE + 2 * DAY)
    assert [(s.seat, s.name, s.seconds) for s in log.strangers] == [
        ("agus", "=Agus", 1200),
        ("forwarded", None, 600),
    ]
    assert len(log.entries) == 3


async def test_what_is_final_stays_whatever_evidence_comes_later(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 72 * MINUTE)
    before = await scene.log(NINE + 2 * DAY)
    await scene.finalise(NINE + 2 * DAY)
    await scene.stayed("siti", NINE, NINE + 90 * MINUTE)
    await scene.finalise(NINE + 3 * DAY)
    after = await scene.log(NINE + 4 * DAY)
    assert not after.provisional
    assert after.computed_at == NINE + 2 * DAY
    assert after.entries == before.entries


async def test_only_who_manages_the_lecture_sees_its_log(scene: Scene) -> None:
    nobody = Scope(scene.lecture.institution_id, scene.people["budi"].id)
    async with scene.db.reading() as session:
        with pytest.raises(NotFound):
            await service.log(session, nobody, scene.lecture.id, NINE)


async def test_a_log_costs_the_same_number_of_statements_for_one_person_and_for_four(scene: Scene) -> None:
    async def statements() -> int:
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(scene.db.engine.sync_engine, "before_cursor_execute", counted)
        await scene.log(NINE + 2 * DAY)
        event.remove(scene.db.engine.sync_engine, "before_cursor_execute", counted)
        return count

    few = await statements()
    for seat in scene.seats:
        await scene.stayed(seat, NINE, NINE + 90 * MINUTE)
    assert await statements() == few


async def test_the_own_entry_is_the_one_of_the_log(scene: Scene) -> None:
    await scene.stayed("budi", NINE - 5 * MINUTE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 31 * MINUTE)
    await scene.told("participant_joined", "agus", NINE + 5 * MINUTE, born=NINE + 5 * MINUTE)
    listed = [Listed("agus.tab", "PA_agus", NINE + 5 * MINUTE), Listed("ani.tab", "PA_ani", NINE)]
    for minute in (10, 11, 12):
        async with scene.db.writing() as session:
            await evidence.record_sweep(
                session,
                room_name=scene.room,
                room_sid="RM_1",
                participants=listed,
                at=NINE + minute * MINUTE,
            )
    now = NINE + 2 * DAY
    log = await scene.log(now)
    for entry in log.entries:
        async with scene.db.reading() as session:
            lecture = log.lecture
            assert await service.of_person(session, lecture, entry.registration.person_id, now) == entry
    await scene.finalise(now)
    final = await scene.log(now)
    for entry in final.entries:
        async with scene.db.reading() as session:
            assert await service.of_person(session, final.lecture, entry.registration.person_id, now) == entry
