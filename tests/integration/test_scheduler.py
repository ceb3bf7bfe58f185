"""The life of a lecture that nobody touches, on a media server in memory and on both databases."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from recordings.tables import RecordingRow
from scheduler.apply import Doer
from scheduler.lecture import Reconciler
from scheduler.observe import observe
from scheduler.plan import Action, Deed, Plan, Seen
from scheduler.runner import own_handlers
from scheduler.watch import Watch
from tests.build import HOUR, MINUTE, NINE, SECOND, a_lecture, a_person, a_registration
from tests.integration.scheduled import Scheduled
from tests.pools import alone, heard_earlier
from webinar.core import audit, effects
from webinar.core.audit import SYSTEM
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Again
from webinar.core.effects_runner import Runner
from webinar.core.errors import Stale
from webinar.evidence.tables import SweepRow
from webinar.lectures import rooms, service, store
from webinar.lectures.rules import Lecture, LectureState, RoomState
from webinar.lectures.tables import LectureRow
from webinar.media.fake import FakeMedia
from webinar.media.pool_rules import ANSWERED_LATELY_MS
from webinar.media.servers import MAIN
from webinar.media.tokens import mint

OPENS_AT = NINE - 15 * MINUTE
LATEST_END_AT = NINE + 100 * MINUTE
KEY, SECRET = "key", "s" * 32


class World(Scheduled):
    """A database, a media server and the handlers of a scheduler, whose time the test moves."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.db = database
        self.clock = clock
        self.media = FakeMedia(clock, KEY, SECRET)
        self.watch = Watch(database, alone(self.media), MAIN, clock)
        self.runner = Runner(database, own_handlers(database, alone(self.media), clock), clock)

    async def book(self, **fields: object) -> str:
        async with self.db.writing() as session:
            row = await a_lecture(session, **fields)  # type: ignore[arg-type]  # names of columns
            await a_registration(session, row, await a_person(session))
            await service.owe_reconciling(session, row.id, self.clock.now())
        return str(row.id)

    async def lecture(self, id: str) -> Lecture:
        async with self.db.reading() as session:
            found = await store.find(session, id)
        assert found is not None
        return found

    async def sweeps(self, id: str) -> list[SweepRow]:
        async with self.db.reading() as session:
            rows = await session.scalars(select(SweepRow).order_by(SweepRow.id))
            return [row for row in rows if row.room_name == f"{id}.main"]

    async def by_hand(self, id: str, deed: Callable[..., Awaitable[object]], *arguments: object) -> None:
        async with self.db.writing() as session:
            lecture = await store.find(session, id)
            await deed(session, lecture, *arguments, self.clock.now(), SYSTEM)

    async def rooms(self) -> list[str]:
        return [room.name for room in await self.media.list_rooms()]


@pytest.fixture
def world(database: Database, clock: ManualClock) -> World:
    clock.at = NINE - 24 * HOUR
    return World(database, clock)


async def test_a_lecture_lives_its_whole_life_by_itself(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT - 1)
    assert await world.rooms() == []
    await world.at(OPENS_AT)
    assert await world.rooms() == [f"{id}.main"]
    assert (await world.lecture(id)).state is LectureState.OPEN
    await world.at(NINE)
    assert (await world.lecture(id)).live_at == NINE
    await world.at(LATEST_END_AT)
    assert (await world.lecture(id)).ended_at == LATEST_END_AT
    assert await world.rooms() == []
    await world.at(LATEST_END_AT + 24 * HOUR)
    assert (await world.lecture(id)).state is LectureState.FINAL
    assert await world.told(id) == ["room_opened", "went_live", "ended", "room_closed", "final"]


async def test_a_scheduler_that_was_away_makes_up_for_what_is_still_useful(world: World) -> None:
    id = await world.book()
    await world.at(NINE + 5 * MINUTE)
    lecture = await world.lecture(id)
    assert (lecture.state, lecture.live_at) == (LectureState.LIVE, NINE + 5 * MINUTE)
    assert await world.rooms() == [f"{id}.main"]


async def test_a_lecture_that_was_over_while_no_scheduler_ran_gets_no_room(world: World) -> None:
    id = await world.book()
    await world.at(LATEST_END_AT + HOUR)
    assert (await world.lecture(id)).state is LectureState.ENDED
    assert world.media.events == []
    assert await world.told(id) == ["missed", "ended"]
    assert await why_missed(world, id) == ""


async def why_missed(world: World, id: str) -> object:
    async with world.db.reading() as session:
        [line] = [entry for entry in await audit.of(session, ("lecture", id)) if entry.action == "missed"]
    return line.fields["error"]


@pytest.mark.parametrize("started", [False, True], ids=["by nobody", "by its host"])
async def test_a_lecture_without_a_media_server_was_missed_for_want_of_a_room_that_is_never_told_as_closed(
    world: World, started: bool
) -> None:
    id = await world.book()
    world.media.go_away()
    await world.at(OPENS_AT)
    if started:
        await world.by_hand(id, service.start_now)
    await world.at(LATEST_END_AT)
    world.media.come_back()
    await world.at(LATEST_END_AT + HOUR)
    assert (await world.room(id)).state is RoomState.CLOSED
    assert await world.told(id) == [*(["went_live"] if started else []), "missed", "ended"]
    assert await why_missed(world, id) == "media_unavailable"


async def test_a_room_that_was_tried_for_is_not_put_down_to_the_service_once_the_server_is_back(
    world: World,
) -> None:
    id = await world.book()
    world.media.go_away()
    await world.at(OPENS_AT)
    async with world.db.writing() as session:
        await rooms.unreachable(session, [await world.room(id)], None)
    await world.at(LATEST_END_AT)
    assert (await world.told(id))[:1] == ["missed"]
    assert await why_missed(world, id) == "media_unavailable"


async def test_a_media_server_that_is_away_is_tried_again_and_the_room_says_so(world: World) -> None:
    id = await world.book()
    world.media.go_away()
    await world.at(OPENS_AT)
    await world.at(OPENS_AT + 2 * SECOND)
    room = await world.room(id)
    assert (room.state, room.attempts, room.last_error) == (RoomState.WANTED, 2, "media_unavailable")
    world.media.come_back()
    await world.at(OPENS_AT + 10 * SECOND)
    room = await world.room(id)
    assert (room.state, room.attempts, room.last_error) == (RoomState.OPEN, 0, None)


async def test_a_room_is_opened_at_once_when_the_media_server_answers_again(world: World) -> None:
    id = await world.book()
    world.media.go_away()
    await world.watch.look()
    assert world.watch.error == "media_unavailable"
    for second in range(12):
        await world.at(OPENS_AT + second * SECOND)
    world.media.come_back()
    await world.watch.look()
    assert world.watch.error is None
    await world.settle()
    assert (await world.room(id)).state is RoomState.OPEN


async def test_a_lecture_in_session_says_so_while_the_media_server_is_away(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    await world.watch.look()
    world.media.go_away()
    await heard_earlier(world.db, ANSWERED_LATELY_MS)
    await world.watch.look()
    room = await world.room(id)
    assert (room.state, room.last_error) == (RoomState.OPEN, "media_unavailable")
    world.media.come_back()
    await world.watch.look()
    await world.settle()
    assert (await world.room(id)).last_error is None
    assert "room_lost" not in await world.told(id)


async def test_one_lecture_that_fails_does_not_delay_the_next(world: World) -> None:
    ids = [await world.book() for _ in range(3)]
    handlers = own_handlers(world.db, alone(world.media), world.clock)

    async def breaks_one(effect: effects.Effect) -> effects.Outcome:
        if effect.subject == f"lecture:{ids[0]}":
            raise ZeroDivisionError
        return await handlers["lecture"](effect)

    world.runner = Runner(world.db, {**handlers, "lecture": breaks_one}, world.clock, concurrency=1)
    await world.at(OPENS_AT)
    assert [(await world.lecture(id)).state for id in ids] == [
        LectureState.SCHEDULED,
        LectureState.OPEN,
        LectureState.OPEN,
    ]


async def test_rooms_are_recreated_after_a_crash_of_the_media_server(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    before = await world.room(id)
    world.media.crash()
    await world.watch.look()
    world.media.come_back()
    await world.watch.look()
    await world.settle()
    after = await world.room(id)
    assert after.state is RoomState.OPEN
    assert after.sid != before.sid
    assert (await world.told(id))[-2:] == ["room_lost", "room_opened"]


async def test_a_room_that_came_back_by_itself_is_taken_under_its_new_sid(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    world.media.crash()
    world.media.come_back()
    world.media.join(
        mint(KEY, SECRET, identity="seat.tab", name="Siti", room=f"{id}.main", now=world.clock.now())
    )
    await world.watch.look()
    await world.settle()
    [present] = await world.media.list_rooms()
    assert (await world.room(id)).sid == present.sid
    assert present.num_participants == 1


async def test_a_room_that_nobody_owes_is_closed_and_that_of_others_is_left_alone(world: World) -> None:
    id = await world.book()
    await world.media.open_room(f"{id}.main")
    await world.media.open_room("somebody-elses")
    await world.watch.look()
    assert await world.rooms() == ["somebody-elses"]


async def test_a_room_that_is_owed_is_never_taken_for_strange(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT)
    await world.watch.look()
    await world.watch.look()
    assert await world.rooms() == [f"{id}.main"]
    assert "room_lost" not in await world.told(id)


async def test_a_lecture_that_is_cancelled_while_live_closes_its_room(world: World) -> None:
    id = await world.book()
    await world.at(NINE)
    async with world.db.writing() as session:
        lecture = await store.find(session, id)
        assert lecture is not None
        await service.cancel(session, lecture, "Narasumber sakit", NINE, SYSTEM)
    await world.settle()
    assert await world.rooms() == []
    assert (await world.lecture(id)).state is LectureState.CANCELLED


async def test_a_scheduler_that_stood_still_opens_no_room_of_a_lecture_that_wants_none_any_more(
    world: World,
) -> None:
    id = await world.book()
    world.clock.at = OPENS_AT
    async with world.db.reading() as session:
        seen = (await observe(session, [id]))[id]
    # Another one takes over meanwhile, and is done with the lecture when the first goes on.
    await world.settle()
    async with world.db.writing() as session:
        lecture = await store.find(session, id)
        assert lecture is not None
        await service.cancel(session, lecture, "Narasumber sakit", OPENS_AT, SYSTEM)
    await world.settle()
    opener = Doer(world.db, alone(world.media), world.clock).opener
    with pytest.raises(Stale):
        await opener.open(seen, f"{id}.main")
    assert await world.rooms() == []
    assert (await world.room(id)).state is RoomState.CLOSED


async def test_a_lecture_that_was_moved_away_since_it_was_seen_gets_no_room_for_now(world: World) -> None:
    id = await world.book()
    world.clock.at = OPENS_AT
    async with world.db.writing() as session:
        row = await session.get_one(LectureRow, id)
        row.starts_at, row.ends_at, row.closes_at = (at + HOUR for at in (NINE, row.ends_at, row.closes_at))
        owed = await store.find(session, id)
    assert owed is not None
    handler = own_handlers(world.db, alone(world.media), world.clock)["lecture"]
    assert isinstance(handler, Reconciler)
    before = replace(owed, starts_at=NINE)
    outcome = await handler._open(
        Plan((Deed(Action.OPEN_ROOM, f"{id}.main"),), OPENS_AT), Seen(before, (), None, 0)
    )
    assert outcome == Again(OPENS_AT)
    assert await world.rooms() == []
    await world.settle()
    async with world.db.reading() as session:
        assert await store.rooms_of(session, id) == []


async def test_start_now_opens_the_room_at_once(world: World) -> None:
    id = await world.book()
    await world.by_hand(id, service.start_now)
    await world.settle()
    assert (await world.lecture(id)).state is LectureState.LIVE
    assert await world.rooms() == [f"{id}.main"]


async def test_a_lecture_that_is_extended_after_its_end_gets_its_room_again(world: World) -> None:
    id = await world.book()
    await world.at(LATEST_END_AT)
    assert await world.rooms() == []
    await world.by_hand(id, service.extend, 15)
    await world.settle()
    assert (await world.lecture(id)).state is LectureState.LIVE
    assert await world.rooms() == [f"{id}.main"]
    await world.at(LATEST_END_AT + 25 * MINUTE)
    assert (await world.lecture(id)).state is LectureState.ENDED
    assert await world.rooms() == []


async def test_each_open_room_is_looked_into_every_half_minute_and_at_the_end(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT)
    world.media.join(
        mint(KEY, SECRET, identity="seat.tab", name="Siti", room=f"{id}.main", now=world.clock.now())
    )
    for second in range(0, 66, 5):
        await world.at(OPENS_AT + second * SECOND)
    assert [row.at for row in await world.sweeps(id)] == [OPENS_AT + s * SECOND for s in (5, 35, 65)]
    await world.by_hand(id, service.end_now)
    await world.settle()
    *_, last, after = await world.sweeps(id)
    assert [person[0] for person in last.participants] == ["seat.tab"]
    assert (after.room_sid, after.participants) == (None, [])
    await world.at(OPENS_AT + 10 * MINUTE)
    assert len(await world.sweeps(id)) == 5


async def test_a_look_that_was_due_while_no_scheduler_ran_happens_when_one_does(world: World) -> None:
    id = await world.book()
    await world.at(OPENS_AT)
    await world.at(OPENS_AT + 10 * MINUTE)
    assert [row.at for row in await world.sweeps(id)] == [OPENS_AT + 10 * MINUTE]


async def test_a_recorded_lecture_wants_its_recording_at_the_opening_and_stops_it_at_the_end(
    world: World,
) -> None:
    id = await world.book(recorded=True)
    await world.at(OPENS_AT)
    assert await recording_of(world, id) == "wanted"
    await world.at(LATEST_END_AT)
    assert await recording_of(world, id) not in {"wanted", "recording"}


async def recording_of(world: World, id: str) -> str | None:
    async with world.db.reading() as session:
        rows = await session.execute(select(RecordingRow.state).where(RecordingRow.lecture_id == id))
        return rows.scalar_one_or_none()


async def test_a_try_room_ends_when_everybody_has_left(world: World) -> None:
    id = await world.book(trial=True, starts_at=world.clock.now(), minutes=60, open_before_s=0)
    await world.settle()
    assert (await world.lecture(id)).state is LectureState.LIVE
    await world.media.close_room(f"{id}.main")
    await world.watch.look()
    await world.settle()
    assert (await world.lecture(id)).state is LectureState.ENDED


async def test_looking_once_more_at_any_time_changes_nothing(world: World) -> None:
    id = await world.book()
    for now in (OPENS_AT, NINE, LATEST_END_AT, LATEST_END_AT + 24 * HOUR):
        await world.at(now)
        before = (await world.lecture(id), await world.told(id))
        async with world.db.writing() as session:
            await service.owe_reconciling(session, id, now)
        await world.settle()
        assert (await world.lecture(id), await world.told(id)) == before
