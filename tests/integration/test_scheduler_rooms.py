"""Several rooms of one lecture, each with its own life; on both databases."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from scheduler.runner import own_handlers
from scheduler.watch import Watch
from tests.build import MINUTE, NINE, SECOND, a_room
from tests.integration.test_scheduler import KEY, LATEST_END_AT, OPENS_AT, SECRET, World
from tests.integration.test_scheduler import world as world
from tests.pools import alone
from webinar.core.clock import ManualClock
from webinar.core.effects_runner import Runner
from webinar.evidence.tables import SweepRow
from webinar.lectures import service, store
from webinar.lectures.rules import LectureState, Room, RoomKind, room_name
from webinar.lectures.tables import LectureRow, RoomRow
from webinar.media.fake import FakeMedia
from webinar.media.port import MediaUnavailable, ParticipantState, RoomState
from webinar.media.servers import MAIN
from webinar.media.tokens import mint

ENDS_AT = NINE + 90 * MINUTE


class Choosy(FakeMedia):
    """Refuses to open or close the rooms of some names."""

    refused: frozenset[str] = frozenset()

    async def open_room(self, name: str, **wanted: Any) -> RoomState:
        self._ask(name)
        return await super().open_room(name, **wanted)

    async def close_room(self, name: str) -> None:
        self._ask(name)
        await super().close_room(name)

    def _ask(self, name: str) -> None:
        if name in self.refused:
            raise MediaUnavailable()


def choosy(world: World) -> Choosy:
    media = Choosy(world.clock, KEY, SECRET)
    of(world, media)
    return media


def of(world: World, media: FakeMedia) -> None:
    """Have the world's scheduler work with this media server."""
    world.media = media
    world.watch = Watch(world.db, alone(media), MAIN, world.clock)
    world.runner = Runner(world.db, own_handlers(world.db, alone(media), world.clock), world.clock)


async def book(world: World, rooms: int, **fields: object) -> str:
    """A lecture with breakout rooms."""
    id = await world.book(**fields)
    for number in range(1, rooms + 1):
        await add(world, id, number)
    return id


async def add(world: World, id: str, number: int) -> None:
    async with world.db.writing() as session:
        lecture = await session.get_one(LectureRow, id)
        name = room_name(id, RoomKind.BREAKOUT, number)
        await a_room(
            session, lecture, state="closed", kind="breakout", position=number, name=name, title=f"{number}"
        )
        await service.owe_reconciling(session, id, world.clock.now())


async def need(world: World, id: str, needed: bool, *numbers: int) -> None:
    names = [room_name(id, RoomKind.BREAKOUT, number) for number in numbers]
    async with world.db.writing() as session:
        await session.execute(update(RoomRow).where(RoomRow.name.in_(names)).values(needed=needed))
        await service.owe_reconciling(session, id, world.clock.now())
    await world.settle()


async def rooms_of(world: World, id: str) -> Mapping[str, Room]:
    async with world.db.reading() as session:
        return {room.name.partition(".")[2]: room for room in await store.rooms_of(session, id)}


async def states(world: World, id: str) -> dict[str, str]:
    return {name: room.state.value for name, room in (await rooms_of(world, id)).items()}


async def test_all_rooms_open_with_the_lecture_and_close_with_it(world: World) -> None:
    id = await book(world, 2)
    await world.at(OPENS_AT - 1)
    assert await world.rooms() == []
    await world.at(OPENS_AT)
    assert await world.rooms() == [f"{id}.b1", f"{id}.b2", f"{id}.main"]
    assert (await world.lecture(id)).state is LectureState.OPEN
    await world.at(LATEST_END_AT)
    assert await world.rooms() == []
    assert await states(world, id) == {"main": "closed", "b1": "closed", "b2": "closed"}


async def test_a_room_added_to_a_live_lecture_opens_at_once_and_one_not_needed_closes(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    await add(world, id, 1)
    await world.settle()
    assert await states(world, id) == {"main": "open", "b1": "open"}
    await need(world, id, False, 1)
    assert await states(world, id) == {"main": "open", "b1": "closed"}
    assert await world.rooms() == [f"{id}.main"]
    await need(world, id, True, 1)
    assert await world.rooms() == [f"{id}.b1", f"{id}.main"]


async def test_a_room_that_is_refused_keeps_neither_the_others_nor_the_lecture_from_going_on(
    world: World,
) -> None:
    media = choosy(world)
    id = await book(world, 2)
    media.refused = frozenset({f"{id}.b1"})
    await world.at(OPENS_AT)
    assert await world.rooms() == [f"{id}.b2", f"{id}.main"]
    await world.at(NINE)
    assert (await world.lecture(id)).live_at == NINE
    rooms = await rooms_of(world, id)
    assert (rooms["b1"].state.value, rooms["b1"].last_error) == ("wanted", "media_unavailable")
    assert rooms["b1"].attempts > 1
    media.refused = frozenset()
    await world.at(NINE + 10 * SECOND)
    assert await states(world, id) == {"main": "open", "b1": "open", "b2": "open"}


async def test_a_lecture_whose_main_room_is_refused_begins_in_the_others(world: World) -> None:
    media = choosy(world)
    id = await book(world, 1)
    media.refused = frozenset({f"{id}.main"})
    await world.at(OPENS_AT)
    await world.at(NINE)
    assert (await world.lecture(id)).live_at == NINE
    assert await states(world, id) == {"main": "wanted", "b1": "open"}


async def test_a_room_that_cannot_be_closed_keeps_no_other_open(world: World) -> None:
    media = choosy(world)
    id = await book(world, 2)
    await world.at(NINE)
    media.refused = frozenset({f"{id}.main"})
    await world.at(LATEST_END_AT)
    assert await states(world, id) == {"main": "closing", "b1": "closed", "b2": "closed"}


async def test_each_room_is_looked_into_while_it_stands_and_once_more_at_its_end(world: World) -> None:
    id = await book(world, 1)
    await world.at(NINE)
    room = f"{id}.b1"
    world.media.join(mint(KEY, SECRET, identity="seat.tab", name="Siti", room=room, now=world.clock.now()))
    await world.at(NINE + MINUTE)
    await need(world, id, False, 1)
    async with world.db.reading() as session:
        looks = list(await session.scalars(_sweeps(room)))
    inside = [[person[0] for person in row.participants] for row in looks]
    assert inside[-3:] == [["seat.tab"], ["seat.tab"], []]
    assert looks[-1].room_sid is None
    await world.at(NINE + 5 * MINUTE)
    async with world.db.reading() as session:
        assert len(list(await session.scalars(_sweeps(room)))) == len(looks)


def _sweeps(room: str) -> Any:
    return select(SweepRow).where(SweepRow.room_name == room).order_by(SweepRow.id)


async def test_a_room_that_the_media_server_lost_comes_back_alone(world: World) -> None:
    id = await book(world, 2)
    await world.at(NINE)
    before = await rooms_of(world, id)
    await world.media.close_room(f"{id}.b1")
    await world.watch.look()
    assert await states(world, id) == {"main": "open", "b1": "lost", "b2": "open"}
    await world.settle()
    after = await rooms_of(world, id)
    assert after["b1"].sid != before["b1"].sid
    assert (after["main"], after["b2"]) == (before["main"], before["b2"])


async def test_what_somebody_decides_while_a_room_is_opened_is_kept(world: World) -> None:
    id = await book(world, 1)
    await world.at(NINE)
    room = (await rooms_of(world, id))["b1"]
    await need(world, id, False, 1)
    async with world.db.writing() as session:
        changed = (await rooms_of(world, id))["b1"]
        again = replace(room.after("lose"), attempts=0)
        assert not await store.change_room(session, room, again)
        assert await store.change_room(session, changed, replace(changed.after("want"), closed_at=None))
    assert not (await rooms_of(world, id))["b1"].needed


async def come(world: World, room: str) -> None:
    token = mint(KEY, SECRET, identity="seat.tabtabta", name="Siti", room=room, now=world.clock.now())
    world.media.join(token)


async def until(world: World, at: int) -> None:
    """Every half minute, so that each look happens when it is due."""
    while world.clock.now() < at:
        await world.at(min(at, world.clock.now() + 30 * SECOND))


async def test_a_lecture_that_everybody_has_left_ends_after_its_end_once_it_was_empty_for_long_enough(
    world: World,
) -> None:
    id = await world.book(empty_after_s=120, overrun_s=3_600)
    main = f"{id}.main"
    await world.at(NINE)
    await come(world, main)
    await until(world, ENDS_AT + 5 * MINUTE)
    assert (await rooms_of(world, id))["main"].occupied
    await world.media.remove(main, "seat.tabtabta")
    await until(world, ENDS_AT + 6 * MINUTE)
    left_at = (await rooms_of(world, id))["main"].left_at
    assert left_at is not None
    await until(world, left_at + 2 * MINUTE - 1)
    assert (await world.lecture(id)).state is LectureState.LIVE
    await world.at(left_at + 2 * MINUTE)
    assert (await world.lecture(id)).ended_at == left_at + 2 * MINUTE
    assert (await world.told(id))[-3:] == ["left_empty", "ended", "room_closed"]


async def test_somebody_who_came_since_the_last_look_keeps_the_lecture_going(world: World) -> None:
    id = await world.book(empty_after_s=120, overrun_s=3_600)
    await world.at(NINE)
    await come(world, f"{id}.main")
    await until(world, ENDS_AT)
    await world.media.remove(f"{id}.main", "seat.tabtabta")
    await until(world, ENDS_AT + MINUTE)
    left_at = (await rooms_of(world, id))["main"].left_at
    assert left_at is not None
    await until(world, left_at + 2 * MINUTE - 1)
    await come(world, f"{id}.main")
    await world.at(left_at + 2 * MINUTE)
    assert (await world.lecture(id)).state is LectureState.LIVE
    assert (await rooms_of(world, id))["main"].occupied


class Overtaken(FakeMedia):
    """Whoever asks who is inside stands still with the answer in hand, and then somebody comes."""

    comes: str | None = None

    async def list_participants(self, room: str) -> list[ParticipantState]:
        found = await super().list_participants(room)
        if self.comes is not None:
            token, self.comes = self.comes, None
            assert isinstance(self._clock, ManualClock)
            self._clock.at += 20 * SECOND
            self.join(token)
        return found


async def test_a_scheduler_that_stood_still_after_its_look_sends_nobody_out(world: World) -> None:
    media = Overtaken(world.clock, KEY, SECRET)
    of(world, media)
    id = await world.book(empty_after_s=135, overrun_s=3_600)
    await world.at(NINE)
    due = ENDS_AT + 135 * SECOND
    await until(world, due - 1)
    media.comes = mint(
        KEY, SECRET, identity="seat.tabtabta", name="Siti", room=f"{id}.main", now=world.clock.now()
    )
    await world.at(due)
    assert media.comes is None
    assert (await world.lecture(id)).state is LectureState.LIVE
    assert "left_empty" not in await world.told(id)
    assert (await rooms_of(world, id))["main"].occupied


async def test_a_media_server_that_is_away_ends_no_lecture_for_being_empty(world: World) -> None:
    id = await world.book(empty_after_s=120, overrun_s=3_600)
    await world.at(NINE)
    await come(world, f"{id}.main")
    await until(world, ENDS_AT - 5 * MINUTE)
    await world.media.remove(f"{id}.main", "seat.tabtabta")
    await until(world, ENDS_AT - MINUTE)
    world.media.go_away()
    await world.at(ENDS_AT)
    assert (await world.lecture(id)).state is LectureState.LIVE
    world.media.come_back()
    await world.at(ENDS_AT + 10 * SECOND)
    assert (await world.lecture(id)).state is LectureState.ENDED


async def test_a_breakout_room_that_was_left_closes_and_one_that_nobody_found_yet_stays(world: World) -> None:
    id = await book(world, 2, empty_after_s=120)
    await world.at(NINE)
    await come(world, f"{id}.b1")
    await until(world, NINE + 5 * MINUTE)
    assert await states(world, id) == {"main": "open", "b1": "open", "b2": "open"}
    await world.media.remove(f"{id}.b1", "seat.tabtabta")
    await until(world, NINE + 9 * MINUTE)
    assert await states(world, id) == {"main": "open", "b1": "closed", "b2": "open"}
    assert not (await rooms_of(world, id))["b1"].needed
    # Opened again, it waits for somebody anew.
    await need(world, id, True, 1)
    await until(world, NINE + 15 * MINUTE)
    assert await states(world, id) == {"main": "open", "b1": "open", "b2": "open"}


async def test_an_occupied_room_is_written_when_that_changes_and_not_with_each_look(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    await come(world, f"{id}.main")
    await until(world, NINE + MINUTE)
    before = (await rooms_of(world, id))["main"]
    assert before.occupied
    await until(world, NINE + 3 * MINUTE)
    assert (await rooms_of(world, id))["main"] == before
