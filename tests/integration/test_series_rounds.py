"""A long series is made in rounds: short transactions, killed at any point, every edition once."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.integration.deaths import Death, Fate, MortalDatabase
from tests.integration.test_series import KEY, NOW, World, a_first, walls
from tests.integration.test_series import world as world
from webinar.core import effects
from webinar.core.clock import ManualClock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Again, Done, Effect
from webinar.core.errors import Invalid
from webinar.core.ids import new_id
from webinar.core.tables import AuditRow, EffectRow
from webinar.lectures.rules import LectureState
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.tables import UnitRow
from webinar.series import changes, keeper, service, store
from webinar.series.keeper import SeriesKeeper
from webinar.series.recurrence_rules import Ending, parsed
from webinar.series.rules import Series
from webinar.series.service import ROUND, Plan, StillBooking
from webinar.series.tables import EditionRow, SlotRow

MANY = 2 * ROUND + 3


def effect_of(series: Series) -> Effect:
    key = f"series:{series.id}"
    return Effect(1, key, "series", key, {}, NOW, 1, 1)


async def to_make(world: World, series: Series) -> int:
    async with world.database.reading() as session:
        return (await store.counts_to_make(session, [series.id])).get(series.id, 0)


async def test_the_first_editions_are_there_at_once_and_the_others_soon(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    assert len(await world.editions(series)) == ROUND
    assert await to_make(world, series) == MANY - ROUND
    async with world.database.reading() as session:
        [owed] = await effects.about(session, f"series:{series.id}")
    assert (owed.kind, owed.state) == ("series", "owed")
    await world.kept(series)
    editions = await world.editions(series)
    assert [one.number for one in editions] == list(range(1, MANY + 1))
    assert walls(editions)[-1] == "2026-12-17T09:00"
    assert {one.lecturer_ids for one in editions} == {(world.maya,)}
    assert {one.own for one in editions} == {()}
    assert await to_make(world, series) == 0


async def test_a_short_series_leaves_nothing_for_later(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={ROUND}")
    assert await to_make(world, series) == 0
    async with world.database.reading() as session:
        assert await effects.about(session, f"series:{series.id}") == []


async def test_a_later_time_that_its_zone_skips_is_refused_before_anything_is_booked(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.book(
            f"FREQ=DAILY;COUNT={MANY}", zone="Europe/Berlin",
            starts_wall="2027-03-10T02:30", ends_wall="2027-03-10T04:00",
        )  # fmt: skip
    assert refused.value.errors[0].fields["day"] == "2027-03-28"
    async with world.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(SlotRow)) == 0


async def test_what_all_that_follow_get_waits_until_they_are_made(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    with pytest.raises(StillBooking) as waits:
        await world.change(series, 1, title="Baru")
    assert waits.value.fields == {"count": MANY - ROUND}
    async with world.database.writing() as session:
        with pytest.raises(StillBooking):
            await changes.cancel(session, world.author, series, 1, "", following=True)
        with pytest.raises(StillBooking):
            await service.extend(
                session, world.scope, series, Ending(count=1),
                version=series.version, now=NOW, actor=world.scope.actor, link_key=KEY,
            )  # fmt: skip
    # One alone does not wait, and those that are made later are like the series.
    await world.change(series, ROUND, following=False, title="Khusus")
    await world.kept(series)
    titles = [one.lecture.title for one in await world.editions(series)]
    assert titles.count("Khusus") == 1
    await world.change(series, 1, title="Baru")
    await world.kept(series)
    assert [one.lecture.title for one in await world.editions(series)].count("Baru") == MANY - 1


async def test_a_long_extension_is_made_in_rounds_as_well(world: World) -> None:
    series = await world.book("FREQ=DAILY;COUNT=2")
    async with world.database.writing() as session:
        added = await service.extend(
            session, world.scope, series, Ending(count=ROUND + 5),
            version=series.version, now=NOW, actor=world.scope.actor, link_key=KEY,
        )  # fmt: skip
    assert (added, len(await world.editions(series))) == (ROUND + 5, ROUND + 2)
    await world.kept(series)
    assert [one.number for one in await world.editions(series)] == list(range(1, ROUND + 8))


async def test_members_get_seats_in_editions_that_are_made_after_they_joined(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    await world.join(series, world.people[0])
    await world.kept(series)
    assert await world.seated(series) == [{world.people[0]}] * MANY


# --- what cannot be made ---------------------------------------------------------------------------


async def test_an_edition_that_cannot_be_made_is_told_with_its_reason_and_the_others_are_made(
    world: World,
) -> None:
    """The scheduler comes so late that some of the days are past."""
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    late = ManualClock(NOW)
    late.at = NOW + (ROUND + 12) * 24 * 3_600_000
    assert isinstance(await SeriesKeeper(world.database, late, KEY).keep(effect_of(series)), Done)
    async with world.database.reading() as session:
        slots = await store.slots(session, series.id)
    numbers = [one.number for one in await world.editions(series)]
    refused = [one.number for one in slots]
    assert refused[0] == ROUND + 1
    assert numbers[-1] == MANY
    assert sorted(numbers + refused) == list(range(1, MANY + 1))
    [(why, _)] = slots[0].refused or ()
    assert why == "This time is already past. Choose one that lies ahead."
    # They are no reason to wait, keep their numbers, and can be tried again or left out.
    async with world.database.writing() as session:
        now = await store.get(session, world.scope, series.id)
        await service.extend(
            session, world.scope, now, Ending(count=1),
            version=now.version, now=late.now(), actor=world.scope.actor, link_key=KEY,
        )  # fmt: skip
        await service.try_again(session, series, now=NOW, actor=world.scope.actor)
    assert (await world.editions(series))[-1].number == MANY + 1
    await world.kept(series)
    assert [one.number for one in await world.editions(series)] == list(range(1, MANY + 2))


async def test_what_could_not_be_made_can_be_left_out(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    async with world.database.writing() as session:
        await store.refuse_slot(session, series.id, ROUND + 1, [["You may not do this.", {}]])
        await service.leave_out(session, series, now=NOW, actor=world.scope.actor)
        assert [one.number for one in await store.slots(session, series.id)] == [*range(ROUND + 2, MANY + 1)]
    await world.kept(series)
    assert ROUND + 1 not in [one.number for one in await world.editions(series)]


async def test_a_database_that_is_away_refuses_nothing(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    await world.change(series, 1, following=False, title="x")
    broken = _Away(world.database)
    with pytest.raises(DatabaseAway):
        await SeriesKeeper(broken, ManualClock(NOW), KEY).keep(effect_of(series))  # type: ignore[arg-type]
    async with world.database.reading() as session:
        assert all(one.refused is None for one in await store.slots(session, series.id))


class _Away:
    """Reads, and goes away when something is to be written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reading(self) -> object:
        return self._database.reading()

    def writing(self) -> object:
        raise DatabaseAway


async def test_a_change_is_not_lost_while_the_database_is_away(world: World) -> None:
    series = await world.book()
    await world.change(series, 1, title="Baru")
    with pytest.raises(DatabaseAway):
        await SeriesKeeper(_Away(world.database), ManualClock(NOW), KEY).keep(effect_of(series))  # type: ignore[arg-type]
    await world.kept(series)
    assert {one.lecture.title for one in await world.editions(series)} == {"Baru"}


async def test_a_spell_comes_to_an_end_and_is_owed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SPELL_MS", 0)
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    work = SeriesKeeper(world.database, ManualClock(NOW), KEY)
    made = []
    for _ in range(2):
        assert await work.keep(effect_of(series)) == Again(NOW)
        made.append(len(await world.editions(series)))
    assert made == [2 * ROUND, MANY]


# --- killed at any point ---------------------------------------------------------------------------


@pytest.fixture
async def mortal(database_url: str) -> AsyncIterator[MortalDatabase]:
    db = MortalDatabase(database_url)
    db.fate = Fate()
    yield db
    await db.close()


async def story(world: World, db: MortalDatabase, at: int) -> tuple[bool, Series]:
    """A series, a change of all that follow and a cancel of some, with a death at a commit on the way."""
    db.fate = Fate(at)
    recurrence, ending = parsed(f"FREQ=DAILY;COUNT={MANY}")
    first = replace(a_first(world), id=new_id())
    work = SeriesKeeper(db, ManualClock(NOW), KEY)
    series = None
    died = False

    async def book() -> Series:
        async with db.writing() as session:
            return await service.book(
                session, world.scope, first, Plan(recurrence, ending),
                now=NOW, actor=world.scope.actor, link_key=KEY,
            )  # fmt: skip

    async def off(series: Series) -> None:
        async with db.writing() as session:
            now = await store.get(session, world.scope, series.id, to_change=True)
            await changes.cancel(session, world.author, now, MANY - 1, "libur", following=True)

    try:
        series = await book()
    except Death:
        died, db.fate = True, Fate()
        series = await book()  # the form is sent again
    for deed in (None, off):
        try:
            if deed is not None:
                await deed(series)
            await work.keep(effect_of(series))
        except Death:
            died, db.fate = True, Fate()
            if deed is not None:
                await deed(series)
            await work.keep(effect_of(series))
    return died, series


async def test_killed_at_any_commit_every_edition_is_made_once(world: World, mortal: MortalDatabase) -> None:
    at, died = 0, True
    while died:
        at += 1
        died, series = await story(world, mortal, at)
        editions = await world.editions(series)
        assert [one.number for one in editions] == list(range(1, MANY + 1)), at
        assert len(set(walls(editions))) == MANY
        states = [one.lecture.state for one in editions]
        assert states == [LectureState.SCHEDULED] * (MANY - 2) + [LectureState.CANCELLED] * 2, at
        ids = [one.lecture.id for one in editions]
        async with world.database.reading() as session:
            count = select(func.count())
            assert await to_make(world, series) == 0
            booked = AuditRow.subject_id.in_(ids) & (AuditRow.action == "booked")
            assert await session.scalar(count.where(booked)) == MANY
            seats = RegistrationRow.lecture_id.in_(ids)
            assert await session.scalar(count.select_from(RegistrationRow).where(seats)) == MANY
            subjects = EffectRow.subject.in_([f"lecture:{ident}" for ident in ids])
            assert await session.scalar(count.select_from(EffectRow).where(subjects)) == 2 * MANY
    async with world.database.reading() as session:
        numbered = await session.scalar(select(func.count()).select_from(EditionRow))
        lectures = await session.scalar(select(func.count()).select_from(LectureRow))
    assert numbered == lectures == at * MANY
    assert at > 10


async def test_two_schedulers_that_make_the_same_series_make_it_once(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={MANY}")
    async with world.database.reading() as session:
        wanted = await store.next_slots(session, series.id, ROUND)
    work = SeriesKeeper(world.database, ManualClock(NOW), KEY)
    assert await work._made(series.id, wanted) is None
    assert await work._made(series.id, wanted) is None  # what another has seen before it came
    assert [one.number for one in await world.editions(series)] == list(range(1, 2 * ROUND + 1))


async def test_whatever_keeps_an_edition_from_being_booked_is_told_of_it_alone(world: World) -> None:
    series = await world.book(f"FREQ=DAILY;COUNT={ROUND + 2}")
    async with world.database.writing() as session:
        unit = await session.get_one(UnitRow, world.unit_id)
        elsewhere = await session.scalar(select(UnitRow.id).where(UnitRow.code == "lain"))
        unit.institution_id = elsewhere
    await world.kept(series)
    async with world.database.reading() as session:
        told = [(one.number, one.refused) for one in await store.slots(session, series.id)]
    assert told == [
        (ROUND + 1, (("Choose a unit.", {}),)),
        (ROUND + 2, (("Choose a unit.", {}),)),
    ]
