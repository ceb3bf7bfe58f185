"""Series on both databases: editions, changes of one and of all that follow, members, and crashes between."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.build import LAST_WEEK, a_person, a_policy, a_unit, an_institution
from webinar.core import effects
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Done, Effect
from webinar.core.errors import Forbidden, Invalid, NotFound, Stale
from webinar.core.ids import new_id
from webinar.core.tables import AuditRow, EffectRow
from webinar.lectures import booking, editing
from webinar.lectures import store as lectures
from webinar.lectures.booking import Booking
from webinar.lectures.editing import Change
from webinar.lectures.rules import LectureState
from webinar.people.access import Scope, scope_of
from webinar.series import changes, service, store
from webinar.series.changes import Author, Intent, Outcome
from webinar.series.keeper import SeriesKeeper
from webinar.series.recurrence_rules import Ending, parsed
from webinar.series.rules import Edition, Series
from webinar.series.service import Plan

KEY = b"k" * 32
NOW = LAST_WEEK


@dataclass
class World:
    database: Database
    scope: Scope
    unit_id: str
    maya: str
    budi: str
    people: list[str]
    stranger: Scope

    @property
    def author(self) -> Author:
        return Author(self.scope, self.scope.actor, NOW, KEY)

    async def book(self, rule: str = "FREQ=WEEKLY;COUNT=4", *, skips: bool = False, **more: Any) -> Series:
        recurrence, ending = parsed(rule)
        first = replace(a_first(self), **more)
        async with self.database.writing() as session:
            return await service.book(
                session, self.scope, first, Plan(recurrence, ending, skips),
                now=NOW, actor=self.scope.actor, link_key=KEY,
            )  # fmt: skip

    async def editions(self, series: Series) -> list[Edition]:
        async with self.database.reading() as session:
            return await store.editions(session, series.id)

    async def change(self, series: Series, number: int, *, following: bool = True, **wanted: Any) -> Outcome:
        intent = await self.intend(series, number, following=following, **wanted)
        async with self.database.writing() as session:
            return await changes.change(session, self.author, intent)

    async def intend(self, series: Series, number: int, *, following: bool = True, **wanted: Any) -> Intent:
        async with self.database.reading() as session:
            series = await store.get(session, self.scope, series.id, to_change=True)
            edition = await store.edition(session, series.id, number)
            return await changes.intended(
                session, self.author, series, number, wanted,
                version=edition.lecture.version, following=following,
            )  # fmt: skip

    async def alone(self, edition: Edition, **fields: Any) -> None:
        """As on the lecture's own page, which knows nothing of series."""
        async with self.database.writing() as session:
            lecture = await lectures.find(session, edition.lecture.id)
            assert lecture is not None
            await editing.change(
                session, self.scope, lecture, Change(**fields),
                version=lecture.version, now=NOW, actor=self.scope.actor,
            )  # fmt: skip

    async def kept(self, series: Series) -> None:
        """What the scheduler does next."""
        keeper = SeriesKeeper(self.database, ManualClock(NOW), KEY)
        key = f"series:{series.id}"
        effect = Effect(1, key, "series", key, {}, NOW, 1, 1)
        assert isinstance(await keeper.keep(effect), Done)

    async def join(self, series: Series, *people: str) -> tuple[int, int]:
        async with self.database.writing() as session:
            return await service.join(session, self.scope, series, people, now=NOW, actor=self.scope.actor)

    async def seated(self, series: Series) -> list[set[str]]:
        """Who has a seat in each edition as a participant."""
        async with self.database.reading() as session:
            return [
                {
                    seat.person_id
                    for seat in await lectures.registrations(session, one.lecture.id)
                    if seat.role == "participant"
                }
                for one in await store.editions(session, series.id)
            ]


def a_first(world: World) -> Booking:
    return Booking(
        id=new_id(),
        unit_id=world.unit_id,
        title="Forum Widyaiswara",
        description="",
        starts_wall="2026-11-25T09:00",
        ends_wall="2026-11-25T10:30",
        zone="Asia/Makassar",
        jp=200,
        policy_id="",
        recorded=False,
        lecturer_ids=(world.maya,),
    )


async def two_houses(database: Database) -> World:
    async with database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home)
        await a_policy(session, home)
        rina = await a_person(session, unit, name="Rina", role="organiser")
        maya = await a_person(session, unit, name="Maya")
        budi = await a_person(session, unit, name="Budi")
        people = [await a_person(session, unit, name=f"Person {n}") for n in range(3)]
        elsewhere = await an_institution(session, code="lain")
        stranger = await a_person(session, elsewhere, name="Wayan", role="organiser")
        return World(
            database, await scope_of(session, rina.id), unit.id, maya.id, budi.id,
            [one.id for one in people], await scope_of(session, stranger.id),
        )  # fmt: skip


@pytest.fixture
async def world(database: Database) -> World:
    return await two_houses(database)


def walls(editions: list[Edition]) -> list[str]:
    return [one.lecture.starts_wall for one in editions]


async def test_each_edition_is_a_lecture_of_its_own_with_lecturer_policy_and_effects(world: World) -> None:
    series = await world.book()
    editions = await world.editions(series)
    assert [one.number for one in editions] == [1, 2, 3, 4]
    assert walls(editions) == [
        "2026-11-25T09:00", "2026-12-02T09:00", "2026-12-09T09:00", "2026-12-16T09:00",
    ]  # fmt: skip
    assert {one.lecturer_ids for one in editions} == {(world.maya,)}
    assert {one.own for one in editions} == {()}
    assert len({one.lecture.policy_version for one in editions}) == 1
    async with world.database.reading() as session:
        for one in editions:
            about = await effects.about(session, f"lecture:{one.lecture.id}")
            assert {effect.kind for effect in about} == {"lecture", "announce"}
        booked = await session.scalar(select(func.count()).where(AuditRow.action == "booked"))
    assert booked == 4


async def test_a_double_click_books_one_series(world: World) -> None:
    ident = new_id()
    assert await world.book(id=ident) == await world.book(id=ident)
    async with world.database.reading() as session:
        assert len(await store.page(session, world.scope)) == 1


async def test_holidays_are_left_out_when_that_is_asked_for(world: World) -> None:
    christmas = {"starts_wall": "2026-12-25T09:00", "ends_wall": "2026-12-25T10:00"}
    series = await world.book("FREQ=WEEKLY;COUNT=2", skips=True, **christmas)
    assert walls(await world.editions(series)) == ["2027-01-08T09:00", "2027-01-15T09:00"]


async def test_a_later_time_that_its_zone_skips_is_refused_with_its_day(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.book(
            "FREQ=WEEKLY;COUNT=3", zone="Europe/Berlin",
            starts_wall="2027-03-21T02:30", ends_wall="2027-03-21T04:00",
        )  # fmt: skip
    assert refused.value.errors[0].fields["day"] == "2027-03-28"
    async with world.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(EffectRow)) == 0


async def test_one_edition_alone_leaves_the_others(world: World) -> None:
    series = await world.book()
    await world.change(series, 2, following=False, title="Khusus")
    await world.kept(series)
    editions = await world.editions(series)
    assert [one.lecture.title for one in editions].count("Khusus") == 1
    assert [one.own for one in editions] == [(), ("title",), (), ()]


async def test_this_and_all_that_follow_take_a_change_over(world: World) -> None:
    series = await world.book()
    outcome = await world.change(
        series, 2, title="Forum ASN", capacity=50, lecturer_ids=[world.budi],
        starts_wall="2026-12-03T13:00", ends_wall="2026-12-03T14:00", zone="Asia/Jakarta",
    )  # fmt: skip
    assert (outcome.following, outcome.keeping) == (2, ())
    await world.kept(series)
    editions = await world.editions(series)
    assert walls(editions) == [
        "2026-11-25T09:00", "2026-12-03T13:00", "2026-12-10T13:00", "2026-12-17T13:00",
    ]  # fmt: skip
    assert [one.lecture.title for one in editions] == ["Forum Widyaiswara"] + ["Forum ASN"] * 3
    assert [one.lecture.capacity for one in editions] == [None, 50, 50, 50]
    assert [one.lecturer_ids for one in editions] == [(world.maya,)] + [(world.budi,)] * 3
    assert [one.own for one in editions] == [()] * 4
    assert [one.lecture.sequence for one in editions] == [0, 1, 1, 1]


async def test_what_was_changed_alone_stays_field_by_field(world: World) -> None:
    series = await world.book()
    third = (await world.editions(series))[2]
    await world.alone(third, starts_wall="2026-12-10T15:00", ends_wall="2026-12-10T16:30")
    outcome = await world.change(
        series, 2, title="Baru", starts_wall="2026-12-02T08:00", ends_wall="2026-12-02T09:30"
    )
    assert outcome.keeping == (3,)
    await world.kept(series)
    editions = await world.editions(series)
    assert walls(editions)[1:] == ["2026-12-02T08:00", "2026-12-10T15:00", "2026-12-16T08:00"]
    assert editions[2].lecture.title == "Baru"
    assert editions[2].own == ("starts_wall",)


async def test_two_changes_in_a_row_before_the_scheduler_comes_are_both_carried_out(world: World) -> None:
    series = await world.book()
    await world.change(series, 1, title="Satu", starts_wall="2026-11-26T09:00", ends_wall="2026-11-26T10:30")
    await world.change(series, 2, jp=100, title="Dua")
    await world.kept(series)
    editions = await world.editions(series)
    assert [one.lecture.title for one in editions] == ["Satu", "Dua", "Dua", "Dua"]
    assert walls(editions)[1:] == ["2026-12-03T09:00", "2026-12-10T09:00", "2026-12-17T09:00"]
    assert [one.lecture.jp for one in editions] == [200, 100, 100, 100]


async def test_of_two_who_change_at_once_the_slower_is_told(world: World) -> None:
    series = await world.book()
    async with world.database.reading() as session:
        with pytest.raises(Stale):
            await changes.intended(
                session, world.author, series, 2, {"title": "x"}, version=7, following=True
            )
    # Both have thought of the same version, and one of all that follow.
    slower = await world.intend(series, 2, title="Lambat")
    await world.change(series, 1, title="Cepat")
    async with world.database.writing() as session:
        with pytest.raises(Stale):
            await changes.change(session, world.author, slower)


async def test_a_change_that_a_later_edition_cannot_take_is_refused_at_once(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=2", starts_wall="2027-03-21T09:00",
                              ends_wall="2027-03-21T10:00", zone="Europe/Berlin")  # fmt: skip
    with pytest.raises(Invalid):
        await world.change(series, 1, starts_wall="2027-03-21T02:30", ends_wall="2027-03-21T04:00")
    assert walls(await world.editions(series))[0] == "2027-03-21T09:00"


async def test_calling_off_all_that_follow_leaves_those_before(world: World) -> None:
    series = await world.book()
    async with world.database.writing() as session:
        assert await changes.cancel(session, world.author, series, 3, "sakit", following=True) == 2
    await world.kept(series)
    states = [one.lecture.state for one in await world.editions(series)]
    assert states == [LectureState.SCHEDULED] * 2 + [LectureState.CANCELLED] * 2
    async with world.database.reading() as session:
        line = await session.scalar(
            select(AuditRow).where(AuditRow.action == "cancelled").order_by(AuditRow.id.desc()).limit(1)
        )
    assert line is not None
    assert (line.actor_kind, line.fields["reason"]) == ("person", "sakit")


async def test_a_crash_between_editions_loses_nothing(world: World) -> None:
    series = await world.book()
    await world.change(series, 1, title="Baru")
    keeper = SeriesKeeper(world.database, ManualClock(NOW), KEY)
    assert await keeper._next_change(series.id)
    half = [one.lecture.title for one in await world.editions(series)]
    assert half == ["Baru", "Baru", "Forum Widyaiswara", "Forum Widyaiswara"]
    await world.kept(series)
    assert {one.lecture.title for one in await world.editions(series)} == {"Baru"}


async def test_a_series_grows_like_its_last_edition(world: World) -> None:
    series = await world.book()
    await world.change(series, 3, starts_wall="2026-12-10T13:00", ends_wall="2026-12-10T14:00", title="B")
    async with world.database.writing() as session:
        now = await store.get(session, world.scope, series.id)
        added = await service.extend(
            session, world.scope, now, Ending(count=2),
            version=now.version, now=NOW, actor=world.scope.actor, link_key=KEY,
        )  # fmt: skip
    assert added == 2
    editions = await world.editions(series)
    assert walls(editions)[4:] == ["2026-12-24T13:00", "2026-12-31T13:00"]
    assert [one.number for one in editions] == [1, 2, 3, 4, 5, 6]
    assert editions[5].lecture.title == "B"
    assert editions[5].lecturer_ids == (world.maya,)
    async with world.database.writing() as session:
        with pytest.raises(Stale):
            await service.extend(
                session, world.scope, now, Ending(count=1),
                version=now.version, now=NOW, actor=world.scope.actor, link_key=KEY,
            )  # fmt: skip


async def test_a_series_has_two_hundred_editions_at_most(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=199")
    await world.kept(series)
    async with world.database.writing() as session:
        with pytest.raises(Invalid):
            await service.extend(
                session, world.scope, series, Ending(count=2),
                version=series.version, now=NOW, actor=world.scope.actor, link_key=KEY,
            )  # fmt: skip


# --- members -------------------------------------------------------------------------------------


async def test_a_member_gets_a_seat_in_each_edition_that_comes_and_in_later_ones(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=2")
    siti, ani, _ = world.people
    assert await world.join(series, siti, ani) == (2, 0)
    assert await world.join(series, siti) == (0, 1)
    await world.kept(series)
    assert await world.seated(series) == [{siti, ani}] * 2
    async with world.database.writing() as session:
        now = await store.get(session, world.scope, series.id)
        await service.extend(
            session, world.scope, now, Ending(count=1),
            version=now.version, now=NOW, actor=world.scope.actor, link_key=KEY,
        )  # fmt: skip
    await world.kept(series)
    assert await world.seated(series) == [{siti, ani}] * 3


async def test_who_gave_back_one_seat_does_not_get_it_again_by_itself(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=2")
    siti = world.people[0]
    await world.join(series, siti)
    await world.kept(series)
    async with world.database.writing() as session:
        first = (await store.editions(session, series.id))[0].lecture
        seat = await lectures.registration_of(session, first.id, siti)
        assert seat is not None
        await booking.cancel_registration(session, first, seat, now=NOW, actor=world.scope.actor)
    await world.kept(series)
    assert await world.seated(series) == [set(), {siti}]


async def test_who_leaves_loses_the_seats_that_come_and_who_comes_back_gets_them(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=2")
    siti, ani, _ = world.people
    await world.join(series, siti, ani)
    await world.kept(series)
    async with world.database.writing() as session:
        assert await service.leave(session, series, siti, now=NOW, actor=world.scope.actor)
        assert not await service.leave(session, series, siti, now=NOW, actor=world.scope.actor)
    await world.kept(series)
    assert await world.seated(series) == [{ani}] * 2
    await world.join(series, siti)
    await world.kept(series)
    assert await world.seated(series) == [{siti, ani}] * 2


async def test_an_edition_takes_as_many_members_as_it_has_seats(world: World) -> None:
    series = await world.book("FREQ=WEEKLY;COUNT=2")
    await world.change(series, 2, following=False, capacity=2)
    await world.join(series, *world.people)
    await world.kept(series)
    assert [len(people) for people in await world.seated(series)] == [3, 2]


async def test_nobody_reaches_a_series_of_another_institution_nor_its_people(world: World) -> None:
    series = await world.book()
    async with world.database.writing() as session:
        with pytest.raises(NotFound):
            await store.get(session, world.stranger, series.id)
        assert await store.page(session, world.stranger) == []
        with pytest.raises(Invalid):
            await service.join(
                session, world.scope, series, [world.stranger.person_id or ""],
                now=NOW, actor=world.scope.actor,
            )  # fmt: skip
        with pytest.raises((Forbidden, Invalid)):
            recurrence, ending = parsed("FREQ=WEEKLY;COUNT=2")
            await service.book(
                session, world.stranger, a_first(world), Plan(recurrence, ending),
                now=NOW, actor=world.stranger.actor, link_key=KEY,
            )  # fmt: skip
