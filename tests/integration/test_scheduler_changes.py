"""What the scheduler makes of a lecture that is changed while its room stands open; on both databases."""

from datetime import timedelta

from tests.build import MINUTE, NINE, ZONE
from tests.integration.test_scheduler import OPENS_AT, World
from tests.integration.test_scheduler import world as world
from webinar.core.audit import SYSTEM
from webinar.core.clock import to_datetime
from webinar.lectures import changes, editing, service, store
from webinar.lectures.editing import Change
from webinar.lectures.rules import LectureState, RoomState, agreed_times
from webinar.people.access import Scope


def walls(by_minutes: int) -> tuple[str, str]:
    """Start and end of the lecture, so many minutes later."""
    starts = to_datetime(NINE, ZONE) + timedelta(minutes=by_minutes)
    return starts.strftime("%Y-%m-%dT%H:%M"), (starts + timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M")


async def move(world: World, id: str, by_minutes: int) -> None:
    starts, ends = walls(by_minutes)
    async with world.db.writing() as session:
        lecture = await store.find(session, id)
        assert lecture is not None
        await editing.change(
            session,
            Scope.system(lecture.institution_id),
            lecture,
            Change(starts_wall=starts, ends_wall=ends),
            version=lecture.version,
            now=world.clock.now(),
            actor=SYSTEM,
        )
    await world.settle()


async def test_a_lecture_moved_a_little_keeps_its_room_and_begins_at_the_new_time(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT + MINUTE)
    before = await world.room(id)
    await move(world, id, 10)
    assert (await world.lecture(id)).state is LectureState.OPEN
    assert await world.room(id) == before
    await world.at(NINE + 9 * MINUTE)
    assert (await world.lecture(id)).state is LectureState.OPEN
    await world.at(NINE + 10 * MINUTE)
    assert (await world.lecture(id)).live_at == NINE + 10 * MINUTE


async def test_a_lecture_moved_to_a_later_hour_closes_its_room_and_opens_it_again(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT + MINUTE)
    await move(world, id, 180)
    assert await world.rooms() == []
    await world.at(OPENS_AT + 180 * MINUTE)
    assert await world.rooms() == [f"{id}.main"]


async def test_a_lecture_cancelled_and_restored_at_once_goes_on_in_the_room_that_still_stands(
    world: World,
) -> None:
    id = await world.book()
    await world.at(NINE + 5 * MINUTE)
    await world.by_hand(id, service.cancel, "salah tekan")
    await restore(world, id)
    await world.settle()
    lecture = await world.lecture(id)
    assert (lecture.state, lecture.live_at) == (LectureState.LIVE, NINE + 5 * MINUTE)
    assert await world.rooms() == [f"{id}.main"]
    assert (await world.told(id)).count("room_opened") == 1


async def test_a_room_that_is_wanted_again_and_never_made_was_closed_once(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    await world.by_hand(id, service.cancel, "gempa")
    await world.at(NINE + MINUTE)
    world.media.go_away()
    await restore(world, id)
    await world.at(NINE + 2 * MINUTE)
    assert (await world.room(id)).state is RoomState.WANTED
    world.media.come_back()
    await world.by_hand(id, service.cancel, "gempa susulan")
    await world.at(NINE + 3 * MINUTE)
    assert (await world.room(id)).state is RoomState.CLOSED
    assert (await world.told(id)).count("room_closed") == 1


async def test_a_lecture_cancelled_while_it_runs_puts_everybody_out_and_comes_back_when_restored(
    world: World,
) -> None:
    id = await world.book()
    await world.at(NINE + 5 * MINUTE)
    await world.by_hand(id, service.cancel, "gempa")
    await world.settle()
    assert await world.rooms() == []
    await world.at(NINE + 10 * MINUTE)
    await restore(world, id)
    await world.settle()
    assert (await world.lecture(id)).state is LectureState.LIVE
    assert await world.rooms() == [f"{id}.main"]


async def restore(world: World, id: str) -> None:
    async with world.db.writing() as session:
        lecture = await store.find(session, id)
        assert lecture is not None
        times = agreed_times(lecture.starts_wall, lecture.ends_wall, lecture.zone)
        await changes.restore(session, lecture, times, now=world.clock.now(), actor=SYSTEM)
