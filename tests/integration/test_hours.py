"""The ledger and the year, on both databases."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text, update

from tests.build import DAY, MINUTE, NINE, a_lecture, a_person, a_registration, an_institution
from tests.integration.attendance_scene import EVERYTHING, Scene, scene
from webinar.core.database import Database
from webinar.core.errors import NotFound
from webinar.hours import ledger, service
from webinar.hours.rules import GENESIS, Draft, Head, YearOfHours
from webinar.hours.tables import LedgerRow
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope

__all__ = ["scene"]
LATER = NINE + 2 * DAY


async def settle(scene: Scene, now: int = LATER) -> None:
    async with scene.db.writing() as session:
        lecture = await lectures.get(session, EVERYTHING, scene.lecture.id)
        await service.settle(session, lecture, now)
        await session.execute(
            update(LectureRow).where(LectureRow.id == lecture.id).values(state="final", final_at=now)
        )


async def year(scene: Scene, seat: str, number: int = 2026) -> YearOfHours:
    async with scene.db.reading() as session:
        return await service.year_of(session, EVERYTHING, scene.people[seat].id, number, LATER)


async def test_who_earned_something_is_credited_once_whatever_happens_twice(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 10 * MINUTE)
    await settle(scene)
    await settle(scene)
    async with scene.db.reading() as session:
        rows = (await session.scalars(select(LedgerRow))).all()
    assert [(r.person_id, r.jp, r.year, r.number) for r in rows] == [(scene.people["budi"].id, 200, 2026, 1)]


async def test_a_year_adds_up_what_the_ledger_has_and_shows_the_provisional_apart(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    before = await year(scene, "budi")
    assert (before.total, before.provisional, before.target, before.missing) == (0, 200, 2000, 2000)
    assert before.entries[0].provisional
    await settle(scene)
    after = await year(scene, "budi")
    assert (after.total, after.provisional, after.missing, after.share) == (200, 0, 1800, 0.1)
    assert [(e.jp, e.worth, e.state, e.provisional) for e in after.entries] == [(200, 200, "credited", False)]
    assert after.entries[0].why == "90 dari 90 menit, yang diperlukan 72 menit."


async def test_a_lecture_that_earned_nothing_is_in_the_year_with_its_reason(scene: Scene) -> None:
    await settle(scene)
    (entry,) = (await year(scene, "siti")).entries
    assert (entry.jp, entry.state, entry.why) == (0, "absent", "Tidak hadir di ruang.")


async def test_a_lecture_counts_in_the_year_of_its_start_in_the_institutions_zone(
    database: Database,
) -> None:
    """23.30 UTC on 31 December is the morning of New Year in Makassar."""
    starts_at = round(datetime(2026, 12, 31, 23, 30, tzinfo=UTC).timestamp() * 1000)
    async with database.writing() as session:
        unit = await an_institution(session)
        person = await a_person(session, unit)
        lecture = await a_lecture(session, unit, starts_at=starts_at, state="ended")
        await a_registration(session, lecture, person)
    async with database.reading() as session:
        years = [await service.year_of(session, EVERYTHING, person.id, y, starts_at) for y in (2026, 2027)]
    assert [len(y.entries) for y in years] == [0, 1]


async def test_another_persons_year_is_not_found(scene: Scene) -> None:
    nosy = Scope(scene.lecture.institution_id, scene.people["siti"].id)
    async with scene.db.reading() as session:
        own = await service.year_of(session, nosy, scene.people["siti"].id, 2026, LATER)
        assert own.person_id == scene.people["siti"].id
        with pytest.raises(NotFound):
            await service.year_of(session, nosy, scene.people["budi"].id, 2026, LATER)


async def test_the_chain_holds_and_shows_each_change(scene: Scene) -> None:
    for seat in ("budi", "siti", "agus"):
        await scene.stayed(seat, NINE, NINE + 90 * MINUTE)
    await settle(scene)
    institution = scene.lecture.institution_id
    async with scene.db.reading() as session:
        good = await service.verify(session, institution)
    assert (good.holds, good.entries, good.head.number) == (True, 3, 3)
    tampering = [
        "UPDATE ledger SET jp = 400 WHERE number = 2",
        "UPDATE ledger SET previous_digest = digest WHERE number = 2",
        "DELETE FROM ledger WHERE number = 2",
        "DELETE FROM ledger WHERE number = 3",
        "UPDATE ledger_heads SET number = 7",
    ]
    for statement in tampering:
        async with scene.db.reading() as session:
            await session.execute(text(statement))
            assert not (await service.verify(session, institution)).holds, statement


async def test_a_changed_body_does_not_hold(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await settle(scene)
    async with scene.db.writing() as session:
        row = (await session.scalars(select(LedgerRow))).one()
        row.body, row.jp = {**row.body, "jp": 400}, 400
    async with scene.db.reading() as session:
        found = await service.verify(session, scene.lecture.institution_id)
    assert found.problems == ("entry 1 is not what was signed into the chain",)


async def test_an_empty_chain_holds(database: Database) -> None:
    async with database.writing() as session:
        unit = await an_institution(session)
    async with database.reading() as session:
        found = await service.verify(session, unit.id)
    assert (found.holds, found.head) == (True, Head(0, GENESIS))


async def test_many_who_append_at_once_make_one_chain_without_a_hole(database: Database) -> None:
    async with database.writing() as session:
        unit = await an_institution(session)
        person = await a_person(session, unit)
        lecture = await a_lecture(session, unit)

    async def append(number: int) -> None:
        draft = Draft(unit.id, f"credit:{number % 10}", person.id, lecture.id, 2026, "credit", 100, {})
        async with database.writing() as session:
            await ledger.append(session, [draft], NINE)

    await asyncio.gather(*(append(number) for number in range(20)))
    async with database.reading() as session:
        found = await service.verify(session, unit.id)
        entries = await session.scalar(select(func.count()).select_from(LedgerRow))
    assert (found.holds, found.head.number, entries) == (True, 10, 10)
