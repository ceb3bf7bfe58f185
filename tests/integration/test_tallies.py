"""Stored attendance: computed when it has to be, by anybody, never again once it is final; both databases."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from tests.build import DAY, MINUTE, NINE, a_person, a_registration, a_window
from tests.integration.attendance_scene import EVERYTHING, Scene, scene
from webinar.attendance import service, store, tallies
from webinar.attendance.tables import AttendanceRow, TallyRow
from webinar.attendance.tallies import Shown, Tallies
from webinar.core.clock import ManualClock
from webinar.core.effects import Again, Done, Effect
from webinar.core.tables import EffectRow
from webinar.evidence.digest_rules import digest_of
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow, RegistrationRow

__all__ = ["scene"]
LATER = NINE + 2 * DAY


@pytest.fixture
def keeper(scene: Scene) -> Tallies:
    return Tallies(scene.db, ManualClock(LATER))


async def shown(scene: Scene, keeper: Tallies) -> Shown:
    async with scene.db.reading() as session:
        lecture = await lectures.get(session, EVERYTHING, scene.lecture.id)
    return await keeper.shown(lecture)


async def rows(scene: Scene) -> dict[str, tuple[int, int, str]]:
    async with scene.db.reading() as session:
        found = await store.of_lecture(session, scene.lecture.id)
    seats = {row.id: seat for seat, row in scene.seats.items()}
    return {seats[id]: (one.seconds, one.jp, one.state.value) for id, one in found.items() if id in seats}


async def set_state(scene: Scene, state: str) -> None:
    async with scene.db.writing() as session:
        await session.execute(update(LectureRow).where(LectureRow.id == scene.lecture.id).values(state=state))


def counted(scene: Scene) -> list[str]:
    """The statements from here on."""
    seen: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(scene.db.engine.sync_engine, "before_cursor_execute", note)
    return seen


async def test_the_first_look_computes_and_keeps_it(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 51 * MINUTE)
    await scene.stayed("forwarded", NINE, NINE + 10 * MINUTE)
    found = await shown(scene, keeper)
    assert dict(found.tally.summary) == {
        "registered": 4, "came": 2, "absent": 2, "credited": 1, "doubtful": 0, "by_replay": 0, "below": 1,
        "here": 0,
    }  # fmt: skip
    assert [(one.seat, one.name, one.seconds) for one in found.tally.strangers] == [("forwarded", None, 600)]
    assert max(count for _, count in found.tally.points) == 2
    assert await rows(scene) == {
        "budi": (5400, 200, "credited"),
        "siti": (51 * 60, 0, "not_credited"),
        "agus": (0, 0, "absent"),
        "ani": (0, 0, "absent"),
    }


async def test_what_is_stored_is_what_computing_in_full_gives(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("budi", NINE + 2 * MINUTE, NINE + 3 * MINUTE, sid="PA_again")
    await shown(scene, keeper)
    log = await scene.log(LATER)
    async with scene.db.reading() as session:
        kept = await store.of_lecture(session, scene.lecture.id)
    for entry in log.entries:
        one = kept[entry.registration.id]
        assert (one.presence, one.credit, one.devices, one.reconnects) == (
            entry.presence, entry.credit, entry.devices, entry.reconnects,
        )  # fmt: skip


async def test_a_second_look_reads_no_evidence(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    first = await shown(scene, keeper)
    seen = counted(scene)
    assert await shown(scene, keeper) == first
    assert not [one for one in seen if "evidence_webhooks.event_id" in one or "INSERT" in one]


async def test_evidence_that_came_later_is_computed_in(scene: Scene, keeper: Tallies) -> None:
    await shown(scene, keeper)
    await scene.stayed("siti", NINE, NINE + 90 * MINUTE)
    assert (await shown(scene, keeper)).tally.count("came") == 1
    assert (await rows(scene))["siti"] == (5400, 200, "credited")


async def test_a_window_that_is_fixed_is_computed_in(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await shown(scene, keeper)
    async with scene.db.writing() as session:
        await a_window(session, scene.lecture, (NINE + 30 * MINUTE, NINE + 90 * MINUTE))
    await shown(scene, keeper)
    assert (await rows(scene))["budi"] == (3600, 200, "credited")


async def test_people_who_are_registered_or_cancelled_later_come_and_go(scene: Scene) -> None:
    clock = ManualClock(LATER)
    keeper = Tallies(scene.db, clock)
    await shown(scene, keeper)
    clock.advance(1)
    async with scene.db.writing() as session:
        person = await a_person(session, None, name="Dewi")
        scene.seats["dewi"] = await a_registration(session, scene.lecture, person, seat="dewi")
        await session.execute(
            update(RegistrationRow)
            .where(RegistrationRow.id == scene.seats["agus"].id)
            .values(state="cancelled")
        )
    assert (await shown(scene, keeper)).tally.rows == 4
    assert set(await rows(scene)) == {"budi", "siti", "ani", "dewi"}


async def test_while_the_lecture_runs_it_is_computed_once_a_minute(scene: Scene) -> None:
    await set_state(scene, "live")
    clock = ManualClock(NINE + 10 * MINUTE)
    keeper = Tallies(scene.db, clock)
    first = await shown(scene, keeper)
    await scene.told("participant_joined", "budi", NINE + 10 * MINUTE, born=NINE + 10 * MINUTE)
    clock.advance(MINUTE - 1)
    assert await shown(scene, keeper) == first
    clock.advance(1)
    assert (await shown(scene, keeper)).tally.count("came") == 1


async def test_what_is_final_never_changes_whoever_writes_later(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await shown(scene, keeper)
    async with scene.db.reading() as session:
        late = await service.gather(session, await lectures.get(session, EVERYTHING, scene.lecture.id))
    await scene.finalise(LATER)
    before = await rows(scene)
    await scene.stayed("siti", NINE, NINE + 90 * MINUTE)
    # One who began before it became final, and one who comes after.
    log = late.computed(LATER + DAY)
    kept = await keeper._kept(replace(log, entries=log.entries[:1]), late.inputs)
    assert kept.final
    assert (await shown(scene, keeper)).tally == kept
    assert await rows(scene) == before
    assert set(before) == set(scene.seats)


async def test_becoming_final_overwrites_what_was_provisional_even_of_a_clock_ahead(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await shown(scene, Tallies(scene.db, ManualClock(LATER + DAY)))
    await scene.finalise(LATER)
    async with scene.db.reading() as session:
        header = await session.get(TallyRow, scene.lecture.id)
        times = set(await session.scalars(select(AttendanceRow.computed_at)))
    assert header is not None
    assert (header.final, header.computed_at, header.rows, times) == (True, LATER, 4, {LATER})


async def test_who_was_seen_a_moment_before_it_becomes_final_is_not_there_for_good(
    scene: Scene, keeper: Tallies
) -> None:
    """The media server died before the end, the quiet period is short: nothing tells who left when."""
    joined = NINE + 89 * MINUTE
    await scene.told("participant_joined", "budi", joined, born=joined)
    before = (await scene.log(joined + 60_000)).entries
    assert max(entry.credit.seconds for entry in before) == 60
    await scene.finalise(joined + 60_000)
    assert (await rows(scene))["budi"] == (0, 0, "absent")
    # As of an instant from which it can be computed again with the same outcome.
    assert (await shown(scene, keeper)).tally.computed_at > joined + 60_000


async def test_a_final_one_keeps_the_digest_of_the_evidence_that_it_follows_from(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    async with scene.db.reading() as session:
        lecture = await lectures.get(session, EVERYTHING, scene.lecture.id)
        found = await service.gather(session, lecture)
    await scene.finalise(LATER)
    async with scene.db.reading() as session:
        header = await store.tally_of(session, scene.lecture.id)
    assert header is not None
    assert header.evidence_sha256 == digest_of(found.evidence)


async def test_only_what_is_final_counts_as_decided(scene: Scene, keeper: Tallies) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await shown(scene, keeper)
    ids = [row.id for row in scene.seats.values()]
    async with scene.db.reading() as session:
        assert await store.of_registrations(session, ids) == {}
    await scene.finalise(LATER)
    async with scene.db.reading() as session:
        assert set(await store.of_registrations(session, ids)) == set(ids)


async def test_many_who_write_the_same_tally_at_once_do_not_break_each_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "SLICE", 1)
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    async with scene.db.reading() as session:
        found = await service.gather(session, await lectures.get(session, EVERYTHING, scene.lecture.id))
    keepers = [Tallies(scene.db, ManualClock(LATER + number)) for number in range(6)]
    done = await asyncio.gather(
        *(keeper._kept(found.computed(LATER + number), found.inputs) for number, keeper in enumerate(keepers))
    )
    async with scene.db.reading() as session:
        newest = await store.tally_of(session, scene.lecture.id)
        count = (await session.execute(select(func.count()).select_from(AttendanceRow))).scalar_one()
    assert newest is not None
    assert newest.computed_at == max(one.computed_at for one in done)
    assert (newest.rows, count) == (4, 4)
    assert (await rows(scene))["budi"] == (5400, 200, "credited")


async def test_settling_waits_for_who_writes_and_has_the_last_word(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    keepers = [Tallies(scene.db, ManualClock(LATER + 5)) for _ in range(4)]
    await asyncio.gather(scene.finalise(LATER), *(shown(scene, keeper) for keeper in keepers))
    async with scene.db.reading() as session:
        header = await session.get(TallyRow, scene.lecture.id)
        times = set(await session.scalars(select(AttendanceRow.computed_at)))
    assert header is not None
    assert (header.final, times) == (True, {LATER})


async def test_a_large_lecture_is_shown_as_it_is_and_left_to_the_scheduler(
    scene: Scene, keeper: Tallies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "SMALL", 3)
    first = await shown(scene, keeper)
    assert not first.behind
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    assert await shown(scene, keeper) == Shown(first.tally, behind=True)
    async with scene.db.reading() as session:
        owed = (await session.execute(select(EffectRow.key, EffectRow.state, EffectRow.due_at))).all()
    assert [tuple(row) for row in owed] == [(f"tally:{scene.lecture.id}", "owed", LATER)]
    assert isinstance(await keeper(effect(scene)), Done)
    assert (await shown(scene, keeper)).tally.count("came") == 1


async def test_the_effect_comes_back_each_minute_until_everybody_is_gone(scene: Scene) -> None:
    clock = ManualClock(NINE + 10 * MINUTE)
    keeper = Tallies(scene.db, clock)
    await set_state(scene, "live")
    await scene.told("participant_joined", "budi", NINE, born=NINE)
    assert await keeper(effect(scene)) == Again(clock.now() + MINUTE)
    await scene.told("participant_left", "budi", NINE + 90 * MINUTE)
    await set_state(scene, "ended")
    clock.advance(90 * MINUTE)
    assert isinstance(await keeper(effect(scene)), Done)
    assert (await rows(scene))["budi"][0] == 5400


def effect(scene: Scene) -> Effect:
    return Effect(
        id=1, key=f"tally:{scene.lecture.id}", kind="tally", subject=f"lecture:{scene.lecture.id}",
        payload={"lecture": scene.lecture.id}, due_at=NINE, attempts=1, fence=1,
    )  # fmt: skip
