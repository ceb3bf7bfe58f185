"""What is said before a change of a series is what follows from it: the preview against the deed itself."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update

from tests.build import a_person
from tests.integration.test_series import NOW, World
from tests.integration.test_series import world as world
from webinar.core.errors import Invalid
from webinar.invites import owing
from webinar.invites.news_rules import Forecast, News
from webinar.invites.tables import InviteRow
from webinar.lectures import store as lectures
from webinar.people.tables import PersonRow, UnitRow
from webinar.series import ahead, changes, store
from webinar.series.ahead import Prospect
from webinar.series.rules import Series


async def everybody_was_told(world: World, series: Series) -> None:
    """Every invite of every edition has left the house."""
    async with world.database.writing() as session:
        for one in await store.editions(session, series.id):
            seats = await lectures.registrations(session, one.lecture.id, active=False)
            await owing.write(session, await owing.missing(session, one.lecture, seats, "mail.test"))
        await session.execute(update(InviteRow).values(state="accepted", last_sent_at=NOW))


async def owed_now(world: World, series: Series) -> dict[int, Forecast]:
    """What each edition's people lack, by the code that announces."""
    async with world.database.reading() as session:
        return {
            one.number: await owing.ahead(session, one.lecture)
            for one in await store.editions(session, series.id)
        }


async def said_before(world: World, series: Series, number: int, wanted: Mapping[str, Any]) -> Prospect:
    intent = await world.intend(series, number, **wanted)
    async with world.database.reading() as session:
        return await ahead.of_change(session, intent, NOW)


async def a_told_series(world: World) -> Series:
    """Five editions, three members, one of them without an address; the third is off, the fourth moved."""
    series = await world.book("FREQ=WEEKLY;COUNT=5")
    async with world.database.writing() as session:
        unit = await session.get_one(UnitRow, world.unit_id)
        lonely = await a_person(session, unit, name="Tanpa Surel")
        await session.execute(update(PersonRow).where(PersonRow.id == lonely.id).values(email=None))
    await world.join(series, *world.people[:2], lonely.id)
    await world.kept(series)
    editions = await world.editions(series)
    await world.alone(editions[3], starts_wall="2026-12-17T15:00", ends_wall="2026-12-17T16:30")
    await everybody_was_told(world, series)
    async with world.database.writing() as session:
        await changes.cancel(session, world.author, series, 3, "", following=False)
    return series


CHANGES: list[dict[str, Any]] = [
    {"title": "Forum ASN"},
    {"starts_wall": "2026-12-03T13:00", "ends_wall": "2026-12-03T14:00", "zone": "Asia/Makassar"},
    {"jp": 300, "capacity": 40},
    {"description": "Bawalah satu pertanyaan."},
    {"lecturer_ids": ["budi"]},
    {"lecturer_ids": ["member", "maya"], "title": "Berdua"},
    {"lecturer_ids": []},
]


@pytest.mark.parametrize("wanted", CHANGES, ids=lambda wanted: "-".join(wanted))
async def test_who_will_be_told_is_who_is_told_then(world: World, wanted: dict[str, Any]) -> None:
    series = await a_told_series(world)
    people = {"budi": world.budi, "maya": world.maya, "member": world.people[0]}
    wanted = {
        name: [people[one] for one in value] if name == "lecturer_ids" else value
        for name, value in wanted.items()
    }
    said = await said_before(world, series, 2, wanted)
    assert [fate.number for fate in said.fates] == [3, 4, 5]
    assert said.uncounted == 0
    await world.change(series, 2, **wanted)
    await world.kept(series)
    told = await owed_now(world, series)
    editions = {one.number: one for one in await world.editions(series)}
    for fate in said.fates:
        now = editions[fate.number].lecture
        assert (fate.after.starts_at, fate.after.title, fate.after.state) == (
            now.starts_at, now.title, now.state,
        )  # fmt: skip
        if fate.forecast is not None:
            assert fate.forecast == told[fate.number], fate.number
    assert [fate.begun for fate in said.fates] == [True, False, False]


async def test_of_two_lecturers_nobody_is_told_of_what_an_invite_does_not_say(world: World) -> None:
    """Their names stand in an invite in the order in which they came, and that is no change."""
    series = await world.book("FREQ=WEEKLY;COUNT=6", lecturer_ids=(world.maya, world.budi, world.people[2]))
    await world.join(series, world.people[0])
    await world.kept(series)
    await everybody_was_told(world, series)
    said = await said_before(world, series, 1, {"description": "Bawalah satu pertanyaan."})
    assert [one.gets for one in said.fates] == ["changed"] * 5
    assert not any(one.anybody for one in said.forecasts)


async def test_an_edition_with_a_time_of_its_own_keeps_it_and_is_said_to(world: World) -> None:
    series = await a_told_series(world)
    wanted = {"starts_wall": "2026-12-02T08:00", "ends_wall": "2026-12-02T09:00", "zone": "Asia/Makassar"}
    said = await said_before(world, series, 2, wanted)
    assert [(one.gets, one.keeps) for one in said.fates] == [
        ("nothing", ()), ("nothing", ("starts_wall",)), ("new_time", ()),
    ]  # fmt: skip
    last = said.fates[2].forecast
    assert last is not None
    assert last.participants == {News.MOVED: 2, News.NO_ADDRESS: 1}
    assert [(one.name, one.news) for one in last.lecturers] == [("Maya", News.MOVED)]


async def test_an_edition_with_too_many_people_for_the_seats_is_said_to_stay(world: World) -> None:
    series = await a_told_series(world)
    async with world.database.writing() as session:
        second = (await store.edition(session, series.id, 2)).lecture
        for seat in await lectures.registrations(session, second.id):
            if seat.role == "participant":
                await lectures.change_registration(session, seat.id, state="cancelled")
    said = await said_before(world, series, 2, {"capacity": 1})
    assert [one.gets for one in said.fates] == ["nothing"] * 3
    assert [isinstance(one.refused, Invalid) for one in said.fates] == [False, True, True]
    await world.change(series, 2, capacity=1)
    await world.kept(series)
    assert [one.lecture.capacity for one in await world.editions(series)] == [None, 1, None, None, None]


async def test_who_will_be_told_of_a_cancel_is_who_is_told_then(world: World) -> None:
    series = await a_told_series(world)
    async with world.database.reading() as session:
        said = await ahead.of_cancel(session, series, 1)
    assert [(one.number, one.gets) for one in said.fates] == [
        (2, "cancelled"), (3, "nothing"), (4, "cancelled"), (5, "cancelled"),
    ]  # fmt: skip
    async with world.database.writing() as session:
        now = await store.get(session, world.scope, series.id)
        assert await changes.cancel(session, world.author, now, 1, "", following=True) == 4
    await world.kept(series)
    told = await owed_now(world, series)
    counted = {one.number: one.forecast for one in said.fates if one.forecast is not None}
    assert counted == {number: told[number] for number in (2, 4, 5)}
    assert counted[5].participants == {News.CANCELLED: 2, News.NO_ADDRESS: 1}


async def test_of_very_many_people_the_first_editions_are_counted_and_the_others_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "MOST_SEATS", 4)
    monkeypatch.setattr(ahead, "BATCH", 1)
    series = await a_told_series(world)
    said = await said_before(world, series, 1, {"title": "Baru"})
    assert [one.forecast is not None for one in said.fates] == [True, False, False, False]
    assert said.uncounted == 2


async def test_a_look_ahead_writes_nothing(world: World) -> None:
    series = await a_told_series(world)
    before = await world.editions(series)
    await said_before(world, series, 1, {"title": "Baru"})
    assert await world.editions(series) == before
