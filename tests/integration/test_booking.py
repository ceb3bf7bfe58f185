"""Booking, rescheduling and registering, on both databases."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import func, select

from tests.build import LAST_WEEK, MINUTE, NINE, a_person, a_policy, a_unit, an_institution
from webinar.core import audit
from webinar.core.audit import Actor
from webinar.core.database import Database
from webinar.core.errors import Forbidden, IllegalMove, Invalid, NotFound, Stale
from webinar.core.ids import new_id
from webinar.core.tables import EffectRow
from webinar.lectures import booking, clashes, editing, service, store
from webinar.lectures.booking import Booking, LectureFull
from webinar.lectures.editing import Change
from webinar.lectures.rules import Lecture, LectureState, Seat
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope, scope_of

KEY = b"k" * 32
NOW = LAST_WEEK


@dataclass(frozen=True)
class World:
    database: Database
    scope: Scope
    other: Scope
    unit_id: str
    policy_id: str
    lecturer_id: str
    people: tuple[str, ...]

    @property
    def actor(self) -> Actor:
        return self.scope.actor


@pytest.fixture
async def world(database: Database) -> World:
    async with database.writing() as session:
        institution = await an_institution(session)
        unit = await a_unit(session, institution)
        policy = await a_policy(session, institution)
        organiser = await a_person(session, unit, name="Organiser", role="organiser")
        lecturer = await a_person(session, unit, name="Maya")
        people = [await a_person(session, unit, name=f"Person {n}") for n in range(4)]
        elsewhere = await an_institution(session, code="lain")
        stranger = await a_person(session, elsewhere, name="Stranger", role="organiser")
        scopes = [await scope_of(session, person.id) for person in (organiser, stranger)]
        return World(
            database, scopes[0], scopes[1], unit.id, policy.id, lecturer.id, tuple(p.id for p in people)
        )


def a_booking(world: World, **more: object) -> Booking:
    plain = Booking(
        id=new_id(),
        unit_id=world.unit_id,
        title="Etika kecerdasan buatan",
        description="",
        starts_wall="2026-11-25T09:00",
        ends_wall="2026-11-25T10:30",
        zone="Asia/Makassar",
        jp=200,
        policy_id=world.policy_id,
        recorded=True,
        lecturer_ids=(world.lecturer_id,),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


async def booked(world: World, **more: object) -> Lecture:
    async with world.database.writing() as session:
        return await booking.book(
            session, world.scope, a_booking(world, **more), now=NOW, actor=world.actor, link_key=KEY
        )


async def test_a_booking_owes_its_own_opening_and_its_invites(world: World) -> None:
    lecture = await booked(world)
    assert (lecture.state, lecture.starts_at, lecture.jp) == (LectureState.SCHEDULED, NINE, 200)
    async with world.database.reading() as session:
        kinds = set((await session.execute(select(EffectRow.kind))).scalars())
        seats = await store.registrations(session, lecture.id)
    assert kinds == {"lecture", "announce"}
    assert [(seat.person_id, seat.role) for seat in seats] == [(world.lecturer_id, Seat.LECTURER)]


async def test_a_double_click_books_once(world: World) -> None:
    twice = a_booking(world)
    first = await booked(world, id=twice.id)
    second = await booked(world, id=twice.id)
    assert first == second
    async with world.database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(LectureRow))).scalar_one() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"jp": -1}, "jp"),
        ({"capacity": 0}, "capacity"),
        ({"starts_wall": "2026-11-01T09:00", "ends_wall": "2026-11-01T10:00"}, "starts_wall"),
        ({"ends_wall": "2026-11-25T08:00"}, "ends_wall"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"unit_id": "x" * 26}, "unit_id"),
        ({"policy_id": "x" * 26}, "policy_id"),
        ({"lecturer_ids": ("x" * 26,)}, "lecturer"),
        ({"open_before_s": 7_201}, "open_before_s"),
    ],
)
async def test_bad_input_is_told_at_its_field(world: World, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await booked(world, **wrong)
    assert refused.value.errors[0].field == field


async def test_an_organiser_of_another_institution_can_neither_book_nor_look(world: World) -> None:
    lecture = await booked(world)
    async with world.database.writing() as session:
        with pytest.raises((Invalid, Forbidden)):
            await booking.book(
                session, world.other, a_booking(world), now=NOW, actor=world.other.actor, link_key=KEY
            )
        with pytest.raises(NotFound):
            await store.get(session, world.other, lecture.id)


async def test_registering_the_same_people_twice_adds_nobody(world: World) -> None:
    lecture = await booked(world)
    first = await register(world, lecture, world.people)
    again = await register(world, lecture, world.people)
    assert (first.added, again.added, again.already) == (4, 0, 4)


async def register(world: World, lecture: Lecture, people: tuple[str, ...]) -> booking.Registered:
    async with world.database.writing() as session:
        return await booking.register(session, lecture, people, now=NOW, actor=world.actor, link_key=KEY)


async def test_two_organisers_at_once_register_each_person_once(world: World) -> None:
    lecture = await booked(world)
    await asyncio.gather(*(register(world, lecture, world.people) for _ in range(4)))
    async with world.database.reading() as session:
        seats = await store.registrations(session, lecture.id)
    assert sorted(s.person_id for s in seats) == sorted([*world.people, world.lecturer_id])


async def test_nobody_is_added_when_the_seats_do_not_suffice(world: World) -> None:
    lecture = await booked(world, capacity=3)
    with pytest.raises(LectureFull):
        await register(world, lecture, world.people)
    async with world.database.reading() as session:
        assert (await store.count_registrations(session, [lecture.id]))[lecture.id] == 0


async def test_the_last_seats_are_not_given_twice(world: World) -> None:
    lecture = await booked(world, capacity=2)
    pairs = [world.people[:2], world.people[2:]]
    results = await asyncio.gather(*(register(world, lecture, p) for p in pairs), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["LectureFull", "Registered"]


async def test_a_person_of_another_institution_cannot_be_registered(world: World) -> None:
    lecture = await booked(world)
    stranger = world.other.person_id or ""
    with pytest.raises(Invalid):
        await register(world, lecture, (stranger,))


async def test_a_reschedule_raises_the_sequence_and_is_on_the_timeline(world: World) -> None:
    lecture = await booked(world)
    async with world.database.writing() as session:
        moved = await editing.change(
            session,
            world.scope,
            lecture,
            Change(starts_wall="2026-11-26T13:00", ends_wall="2026-11-26T14:30"),
            version=lecture.version,
            now=NOW,
            actor=world.actor,
        )
    assert (moved.sequence, moved.version, moved.closes_at) == (1, 2, moved.ends_at)
    assert moved.starts_at == NINE + 28 * 60 * MINUTE
    async with world.database.reading() as session:
        last = (await audit.of(session, ("lecture", lecture.id)))[-1]
    assert last.action == "rescheduled"
    assert last.fields["changes"]["starts_wall"] == ["2026-11-25T09:00", "2026-11-26T13:00"]


async def test_another_text_leaves_the_sequence(world: World) -> None:
    lecture = await booked(world)
    async with world.database.writing() as session:
        after = await editing.change(
            session, world.scope, lecture, Change(title="Neu"), version=1, now=NOW, actor=world.actor
        )
    assert (after.title, after.sequence, after.starts_at) == ("Neu", 0, NINE)


async def test_of_two_organisers_who_edit_the_slower_one_is_told(world: World) -> None:
    lecture = await booked(world)

    async def edit(title: str) -> Lecture:
        async with world.database.writing() as session:
            return await editing.change(
                session, world.scope, lecture, Change(title=title), version=1, now=NOW, actor=world.actor
            )

    results = await asyncio.gather(edit("A"), edit("B"), return_exceptions=True)
    assert sorted(type(r).__name__ for r in results) == ["Lecture", "Stale"]
    async with world.database.reading() as session:
        kept = await store.find(session, lecture.id)
    assert kept is not None and kept.title in {"A", "B"} and kept.version == 2
    async with world.database.writing() as session:
        with pytest.raises(Stale):
            await editing.change(
                session, world.scope, kept, Change(title="C"), version=1, now=NOW, actor=world.actor
            )


async def test_a_lecture_that_has_begun_is_not_edited(world: World) -> None:
    lecture = await booked(world)
    async with world.database.writing() as session:
        live = await service.start_now(session, lecture, NINE, world.actor)
        with pytest.raises(IllegalMove):
            await editing.change(
                session, world.scope, live, Change(jp=300), version=live.version, now=NINE, actor=world.actor
            )


async def test_a_double_click_on_start_or_end_does_it_once(world: World) -> None:
    lecture = await booked(world)
    for action, wanted in ((service.start_now, "went_live"), (service.end_now, "ended")):
        for _ in range(2):
            async with world.database.writing() as session:
                present = await store.get(session, world.scope, lecture.id)
                await action(session, present, NINE, world.actor)
        async with world.database.reading() as session:
            actions = [entry.action for entry in await audit.of(session, ("lecture", lecture.id))]
        assert actions.count(wanted) == 1


async def test_a_busy_lecturer_is_found_by_the_time(world: World) -> None:
    lecture = await booked(world)
    async with world.database.reading() as session:
        lecturer, scope = clashes.named([world.lecturer_id]), world.scope
        inside = await clashes.clashes(session, scope, lecturer, (NINE + MINUTE, NINE + 2 * MINUTE))
        after = await clashes.clashes(session, scope, lecturer, (lecture.ends_at, lecture.ends_at + 1))
    assert [found.lecture_id for found in inside.shown] == [lecture.id]
    assert (after.shown, after.people) == ((), 0)


async def test_a_pasted_list_finds_people_by_address_and_names_the_rest(world: World) -> None:
    async with world.database.writing() as session:
        unit = await a_unit(session, (await an_institution(session, code="x")))
        await a_person(session, unit, name="Elsewhere", email="elsewhere@example.test")
    async with world.database.reading() as session:
        seats = await store.registrations(session, (await booked(world)).id)
        mine = seats[0].email or ""
        found, missing = await booking.find_by_list(
            session, world.scope, [f" {mine.upper()} ", "", "elsewhere@example.test", "nobody@example.test"]
        )
    assert found == [world.lecturer_id]
    assert missing == ["elsewhere@example.test", "nobody@example.test"]


async def test_a_trial_room_opens_at_once_and_tells_nobody(world: World) -> None:
    async with world.database.writing() as session:
        trial = await booking.try_room(
            session, world.scope, now=NINE, actor=world.actor, link_key=KEY, zone="Asia/Makassar", title="T"
        )
    assert (trial.trial, trial.opens_at, trial.jp) == (True, NINE, 0)
    async with world.database.reading() as session:
        kinds = set((await session.execute(select(EffectRow.kind))).scalars())
        listed = await store.page(session, world.scope)
    assert kinds == {"lecture"}
    assert listed == []


async def test_pages_of_lectures_go_on_where_the_last_one_ended(world: World) -> None:
    ids = [(await booked(world)).id for _ in range(5)]
    seen: list[str] = []
    after = None
    async with world.database.reading() as session:
        while page := await store.page(session, world.scope, after=after, limit=2):
            seen += [lecture.id for lecture in page]
            after = (page[-1].starts_at, page[-1].id)
    assert sorted(seen) == sorted(ids)
