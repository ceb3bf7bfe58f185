"""A lecture on its way: later, longer, shorter, with a break, with others; on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import LAST_WEEK, MINUTE, NINE, a_lecture, a_person, a_policy, a_unit, an_institution
from webinar.core import audit
from webinar.core.audit import Actor
from webinar.core.database import Database
from webinar.core.errors import IllegalMove, Invalid, Stale
from webinar.lectures import booking, changes, editing, service, store
from webinar.lectures.change_rules import breaks_of
from webinar.lectures.editing import Change
from webinar.lectures.rules import Lecture, LectureState, Seat, Times, Window, agreed_times
from webinar.people.access import Scope
from webinar.people.tables import UnitRow

KEY = b"k" * 32
ACTOR = Actor("system")
END = NINE + 90 * MINUTE
Deed = Callable[[AsyncSession, Lecture], Awaitable[Lecture]]


@dataclass
class World:
    database: Database
    lecture_id: str
    people: dict[str, str]

    async def lecture(self) -> Lecture:
        async with self.database.reading() as session:
            found = await store.find(session, self.lecture_id)
        assert found is not None
        return found

    async def do(self, deed: Deed, seen: Lecture | None = None) -> Lecture:
        """Do it in a transaction of its own, to the lecture as it is or as it was seen before."""
        lecture = seen or await self.lecture()
        async with self.database.writing() as session:
            return await deed(session, lecture)

    async def go_live(self) -> Lecture:
        return await self.do(lambda session, lecture: service.start_now(session, lecture, NINE, ACTOR))

    async def edit(self, now: int = LAST_WEEK, **wanted: object) -> Lecture:
        def deed(session: AsyncSession, lecture: Lecture) -> Awaitable[Lecture]:
            scope = Scope.system(lecture.institution_id)
            change = Change(**wanted)  # type: ignore[arg-type]
            return editing.change(
                session, scope, lecture, change, version=lecture.version, now=now, actor=ACTOR
            )

        return await self.do(deed)

    async def window(self) -> Window:
        async with self.database.reading() as session:
            return await store.window_of(session, await self.lecture())

    async def actions(self) -> list[str]:
        async with self.database.reading() as session:
            return [entry.action for entry in await audit.of(session, ("lecture", self.lecture_id))]

    async def seats(self) -> dict[str, tuple[Seat, str, int]]:
        async with self.database.reading() as session:
            found = await store.registrations(session, self.lecture_id, active=False)
        return {seat.name: (seat.role, seat.state, seat.link_generation) for seat in found}


@pytest.fixture
async def world(database: Database) -> World:
    async with database.writing() as session:
        institution = await an_institution(session)
        unit = await a_unit(session, institution)
        row = await a_lecture(session, unit, policy=await a_policy(session, institution))
        people = {name: (await a_person(session, unit, name=name)).id for name in ("Maya", "Ani", "Budi")}
        lecture = await store.find(session, row.id)
        assert lecture is not None
        for role, names in ((Seat.LECTURER, ["Maya"]), (Seat.PARTICIPANT, ["Ani", "Budi"])):
            ids = [people[name] for name in names]
            await booking.register(session, lecture, ids, role=role, now=LAST_WEEK, actor=ACTOR, link_key=KEY)
    return World(database, row.id, people)


def extending(until: int, counts: bool = False, now: int = NINE + 80 * MINUTE) -> Deed:
    return lambda session, lecture: changes.extend_until(
        session, lecture, until, counts=counts, now=now, actor=ACTOR
    )


def pausing(until: int, now: int) -> Deed:
    return lambda session, lecture: changes.pause(session, lecture, until, now=now, actor=ACTOR)


def with_lecturers(*ids: str) -> Deed:
    async def deed(session: AsyncSession, lecture: Lecture) -> Lecture:
        return (
            await changes.change_lecturers(session, lecture, ids, now=LAST_WEEK, actor=ACTOR, link_key=KEY)
        )[0]

    return deed


async def test_a_double_click_on_a_new_end_extends_once(world: World) -> None:
    await world.go_live()
    for _ in range(2):
        longer = await world.do(extending(END + 15 * MINUTE))
    assert longer.closes_at == END + 15 * MINUTE
    assert (await world.actions()).count("extended") == 1
    assert await world.window() == Window(((NINE, END),))


async def test_the_time_that_is_added_counts_when_the_organiser_says_so(world: World) -> None:
    await world.go_live()
    await world.do(extending(END + 15 * MINUTE, counts=True))
    assert (await world.window()).ends_at == END + 15 * MINUTE


async def test_of_two_organisers_who_extend_at_once_the_slower_one_is_told(world: World) -> None:
    seen = await world.go_live()
    ends = (END + 15 * MINUTE, END + 30 * MINUTE)
    results = await asyncio.gather(*(world.do(extending(end), seen) for end in ends), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Lecture", "Stale"]
    assert (await world.lecture()).closes_at in ends


async def test_an_early_end_may_end_the_official_time_too(world: World) -> None:
    await world.go_live()
    at = NINE + 70 * MINUTE

    def deed(session: AsyncSession, lecture: Lecture) -> Awaitable[Lecture]:
        return changes.end_early(
            session, lecture, counts_until=at, reason="Selesai lebih cepat", now=at, actor=ACTOR
        )

    for _ in range(2):
        over = await world.do(deed)
    assert (over.state, over.ended_at) == (LectureState.ENDED, at)
    assert await world.window() == Window(((NINE, at),))
    assert (await world.actions()).count("ended") == 1


async def test_a_late_start_is_counted_from_and_on_record(world: World) -> None:
    await world.go_live()
    at = NINE + 17 * MINUTE

    def deed(session: AsyncSession, lecture: Lecture) -> Awaitable[Lecture]:
        return changes.count_from(session, lecture, at, reason="Macet", now=at, actor=ACTOR)

    for _ in range(2):
        await world.do(deed)
    assert await world.window() == Window(((at, END),))
    assert (await world.actions()).count("window_fixed") == 1


async def test_a_break_begins_now_once_and_ends_when_they_go_on(world: World) -> None:
    await world.go_live()
    now = NINE + 30 * MINUTE
    for _ in range(2):
        await world.do(pausing(now + 15 * MINUTE, now))
    assert breaks_of(await world.window()) == [(now, now + 15 * MINUTE)]
    for _ in range(2):
        await world.do(
            lambda session, lecture: changes.go_on(session, lecture, now=now + 5 * MINUTE, actor=ACTOR)
        )
    assert breaks_of(await world.window()) == [(now, now + 5 * MINUTE)]
    assert (await world.actions()).count("breaks_changed") == 2


async def test_of_two_organisers_who_put_in_a_break_at_once_one_does(world: World) -> None:
    seen = await world.go_live()
    now = NINE + 30 * MINUTE
    deeds = (pausing(now + 10 * MINUTE, now), pausing(now + 20 * MINUTE, now))
    results = await asyncio.gather(*(world.do(deed, seen) for deed in deeds), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Lecture", "Stale"]
    assert len(breaks_of(await world.window())) == 1


async def test_planned_breaks_move_along_with_the_lecture(world: World) -> None:
    planned = (NINE + 40 * MINUTE, NINE + 50 * MINUTE)
    await world.do(
        lambda session, lecture: changes.plan_breaks(session, lecture, [planned], now=LAST_WEEK, actor=ACTOR)
    )
    await world.edit(starts_wall="2026-11-26T09:00", ends_wall="2026-11-26T10:30")
    day = 24 * 60 * MINUTE
    assert breaks_of(await world.window()) == [(planned[0] + day, planned[1] + day)]


async def test_settled_hours_take_no_break(world: World) -> None:
    await world.go_live()
    await world.do(lambda session, lecture: service.end_now(session, lecture, END, ACTOR))
    await world.do(lambda session, lecture: service.finalised(session, lecture, END))
    with pytest.raises(IllegalMove):
        await world.do(
            lambda session, lecture: changes.plan_breaks(
                session, lecture, [(NINE + MINUTE, NINE + 5 * MINUTE)], now=END, actor=ACTOR
            )
        )


async def test_another_lecturer_keeps_the_link_of_the_own_seat(world: World) -> None:
    await world.do(with_lecturers(world.people["Ani"]))
    assert await world.seats() == {
        "Maya": (Seat.LECTURER, "cancelled", 1),
        "Ani": (Seat.LECTURER, "registered", 1),
        "Budi": (Seat.PARTICIPANT, "registered", 1),
    }


async def test_a_lecturer_who_comes_back_gets_another_link(world: World) -> None:
    await world.do(with_lecturers(world.people["Budi"]))
    await world.do(with_lecturers(world.people["Maya"]))
    seats = await world.seats()
    assert (seats["Maya"], seats["Budi"]) == (
        (Seat.LECTURER, "registered", 2),
        (Seat.LECTURER, "cancelled", 1),
    )


async def test_a_double_click_on_the_same_lecturers_changes_nothing(world: World) -> None:
    first = await world.do(with_lecturers(world.people["Ani"]))
    assert await world.do(with_lecturers(world.people["Ani"])) == first


async def test_of_two_organisers_who_name_lecturers_at_once_one_does(world: World) -> None:
    seen = await world.lecture()
    deeds = [with_lecturers(world.people[name]) for name in ("Ani", "Budi")]
    results = await asyncio.gather(*(world.do(deed, seen) for deed in deeds), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Lecture", "Stale"]
    lecturers = [s for s in (await world.seats()).values() if s[:2] == (Seat.LECTURER, "registered")]
    assert len(lecturers) == 1


async def test_nobody_becomes_a_lecturer_who_does_not_exist(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.do(with_lecturers("x" * 26))
    assert refused.value.errors[0].field == "lecturer"


async def test_there_are_never_fewer_seats_than_people(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        await world.edit(capacity=1)
    [error] = refused.value.errors
    assert (error.field, error.fields) == ("capacity", {"registered": 2})
    assert (await world.edit(capacity=2)).capacity == 2


async def test_seats_and_people_who_change_at_once_never_cross(world: World) -> None:
    lecture = await world.edit(capacity=3)
    async with world.database.writing() as session:
        person = await a_person_beside(session, lecture)

    async def join() -> object:
        async with world.database.writing() as session:
            fresh = await store.find(session, lecture.id)
            assert fresh is not None
            return await booking.register(session, fresh, [person], now=LAST_WEEK, actor=ACTOR, link_key=KEY)

    await asyncio.gather(join(), world.edit(capacity=2), return_exceptions=True)
    async with world.database.reading() as session:
        count = (await store.count_registrations(session, [lecture.id]))[lecture.id]
    assert count <= ((await world.lecture()).capacity or 0)


async def a_person_beside(session: AsyncSession, lecture: Lecture) -> str:
    unit = await session.get(UnitRow, lecture.unit_id)
    return (await a_person(session, unit, name="Citra")).id


async def test_a_lecture_under_way_takes_more_seats_and_keeps_what_was_agreed(world: World) -> None:
    await world.go_live()
    assert (await world.edit(now=NINE + MINUTE, capacity=500, overrun_s=1200)).capacity == 500
    with pytest.raises(IllegalMove):
        await world.edit(now=NINE + MINUTE, jp=300)


async def test_a_change_to_what_is_so_already_is_none(world: World) -> None:
    before = await world.edit(title="Judul baru")
    assert await world.edit(title="Judul baru") == before


async def cancelled(world: World) -> Lecture:
    return await world.do(
        lambda session, lecture: service.cancel(session, lecture, "Sakit", LAST_WEEK, ACTOR)
    )


def restoring(times: Times, now: int = LAST_WEEK) -> Deed:
    return lambda session, lecture: changes.restore(session, lecture, times, now=now, actor=ACTOR)


OLD = agreed_times("2026-11-25T09:00", "2026-11-25T10:30", "Asia/Makassar")


async def test_a_restored_lecture_keeps_seats_and_links(world: World) -> None:
    before = await world.seats()
    await cancelled(world)
    for _ in range(2):
        back = await world.do(restoring(OLD))
    assert (back.state, back.sequence, await world.seats()) == (LectureState.SCHEDULED, 1, before)
    assert (await world.actions()).count("restored") == 1


async def test_of_two_organisers_one_of_whom_restores_at_another_time_one_does(world: World) -> None:
    off = await cancelled(world)
    other = agreed_times("2026-11-26T09:00", "2026-11-26T10:30", "Asia/Makassar")
    deeds = (restoring(OLD), restoring(other))
    results = await asyncio.gather(*(world.do(deed, off) for deed in deeds), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Lecture", "Stale"]


async def test_cancelling_and_moving_at_once_does_one_of_them(world: World) -> None:
    seen = await world.lecture()

    def moving(session: AsyncSession, lecture: Lecture) -> Awaitable[Lecture]:
        change = Change(starts_wall="2026-11-26T09:00", ends_wall="2026-11-26T10:30")
        return editing.change(
            session,
            Scope.system(lecture.institution_id),
            lecture,
            change,
            version=seen.version,
            now=LAST_WEEK,
            actor=ACTOR,
        )

    results = await asyncio.gather(
        world.do(moving, seen),
        world.do(lambda session, lecture: service.cancel(session, lecture, "", LAST_WEEK, ACTOR), seen),
        return_exceptions=True,
    )
    assert [type(r) for r in results].count(Stale) == 1
