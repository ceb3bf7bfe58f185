"""Rooms on several media servers: placed by headroom, moved from one given up, closed where stale."""

from collections import Counter
from collections.abc import Sequence

import pytest

from scheduler.runner import own_handlers
from scheduler.watch import Watch
from tests.build import HOUR, MINUTE, NINE, SECOND, a_lecture, a_person, a_registration, an_institution
from tests.integration.scheduled import Scheduled
from tests.pools import a_server, heard_earlier
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_runner import Runner
from webinar.lectures import service, store
from webinar.lectures.rules import LectureState, RoomState
from webinar.media import pool_store
from webinar.media.fake import FakeMedia
from webinar.media.pool import Pool
from webinar.media.pool_rules import ANSWERED_LATELY_MS, MOVE_AFTER_MS, SAY_AGAIN_MS, Heard
from webinar.media.servers import Server
from webinar.media.tokens import mint

KEY, SECRET = "key", "s" * 32
OPENS_AT = NINE - 15 * MINUTE
LATEST_END_AT = NINE + 100 * MINUTE


class World(Scheduled):
    """Media servers, and a scheduler for them whose time the test moves."""

    most_steps = 50

    def __init__(self, database: Database, clock: ManualClock, servers: Sequence[Server]) -> None:
        self.db, self.clock = database, clock
        self.media = {server.name: FakeMedia(clock, KEY, SECRET) for server in servers}
        self.configure(servers)

    def configure(self, servers: Sequence[Server]) -> None:
        """A scheduler with these settings, as after a restart."""
        pool = Pool(*((server, self.media[server.name]) for server in servers))
        self.watches = [Watch(self.db, pool, server.name, self.clock) for server in servers]
        self.runner = Runner(self.db, own_handlers(self.db, pool, self.clock), self.clock)

    async def look(self, after_ms: int = 0) -> None:
        """Each server is looked at, and what follows is done; `after_ms` by the database's clock."""
        if after_ms:
            await heard_earlier(self.db, after_ms)
        for watch in self.watches:
            await watch.look()
        await self.settle()

    async def book(self, *, people: int = 1, times: int = 1, **fields: object) -> list[str]:
        ids = []
        async with self.db.writing() as session:
            unit = await an_institution(session, code=f"i{self.clock.now()}-{people}-{len(fields)}")
            seats = [await a_person(session, unit) for _ in range(people)]
            for _ in range(times):
                row = await a_lecture(session, unit, **fields)  # type: ignore[arg-type]  # names of columns
                for person in seats:
                    await a_registration(session, row, person)
                await service.owe_reconciling(session, row.id, self.clock.now())
                ids.append(str(row.id))
        return ids

    async def there(self, server: str) -> set[str]:
        """The rooms that a server has, asked past its being away."""
        return set(self.media[server]._rooms)

    def join(self, server: str, id: str, seat: str = "siti") -> str:
        room, now = f"{id}.main", self.clock.now()
        token = mint(KEY, SECRET, identity=f"{seat}.tab", name="Siti", room=room, now=now)
        return self.media[server].join(token).sid


@pytest.fixture
def two(database: Database, clock: ManualClock) -> World:
    """Two servers, of which "a" is chosen first."""
    clock.at = NINE - 24 * HOUR
    return World(database, clock, [a_server("a", capacity=110), a_server("b", capacity=100)])


async def a_lecture_on_a(world: World) -> str:
    [id] = await world.book()
    await world.look()
    await world.at(OPENS_AT)
    room = await world.room(id)
    assert (room.state, room.media_server) == (RoomState.OPEN, "a")
    return id


async def test_rooms_that_fall_due_at_once_spread_by_headroom(database: Database, clock: ManualClock) -> None:
    clock.at = NINE - 24 * HOUR
    world = World(database, clock, [a_server("a", capacity=100), a_server("b", capacity=200)])
    ids = await world.book(people=5, times=40)
    await world.look()
    await world.at(OPENS_AT)
    servers = Counter([(await world.room(id)).media_server for id in ids])
    # 200 people: 50 stay free on either.
    assert servers == {"a": 10, "b": 30}
    assert {name: len(await world.there(name)) for name in servers} == dict(servers)


async def test_a_server_that_drains_gets_no_new_rooms_and_keeps_those_it_has(two: World) -> None:
    before = await a_lecture_on_a(two)
    two.configure([a_server("a", capacity=110, drain=True), a_server("b", capacity=100)])
    [after] = await two.book(people=2)
    await two.look()
    assert [(await two.room(id)).media_server for id in (before, after)] == ["a", "b"]


async def test_a_server_that_answers_nobody_gets_no_new_rooms(two: World) -> None:
    await two.look()
    two.media["a"].go_away()
    await two.look(ANSWERED_LATELY_MS)
    [id] = await two.book()
    await two.at(OPENS_AT)
    assert ((await two.room(id)).media_server, (await two.room(id)).attempts) == ("b", 0)


async def test_a_room_that_its_server_does_not_open_is_opened_on_another_at_the_next_try(two: World) -> None:
    [id] = await two.book()
    await two.look()
    # Since the last look: nobody knows it yet.
    two.media["a"].go_away()
    await two.at(OPENS_AT)
    failed = await two.room(id)
    assert (failed.state, failed.media_server) == (RoomState.WANTED, "a")
    assert failed.last_error == "media_unavailable"
    await two.at(OPENS_AT + SECOND)
    room = await two.room(id)
    assert (room.state, room.media_server, room.last_error) == (RoomState.OPEN, "b", None)


async def test_with_no_other_that_answers_a_room_waits_for_its_server(two: World) -> None:
    id = await a_lecture_on_a(two)
    for media in two.media.values():
        media.crash()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS)
    assert (await two.room(id)).state is RoomState.OPEN
    two.media["a"].come_back()
    await two.look()
    room = await two.room(id)
    assert (room.state, room.media_server) == (RoomState.OPEN, "a")
    assert await two.there("a") == {room.name}
    assert "room_moved" not in await two.told(id)


async def test_a_server_that_is_back_in_time_has_its_rooms_again(two: World) -> None:
    id = await a_lecture_on_a(two)
    before = await two.room(id)
    two.media["a"].crash()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS - SECOND)
    waiting = await two.room(id)
    assert (waiting.state, waiting.last_error) == (RoomState.OPEN, "media_unavailable")
    two.media["a"].come_back()
    await two.look()
    after = await two.room(id)
    assert (after.state, after.media_server, after.last_error) == (RoomState.OPEN, "a", None)
    assert after.sid != before.sid
    assert await two.there("b") == set()


async def test_the_rooms_of_a_server_that_is_given_up_are_opened_on_another(two: World) -> None:
    id = await a_lecture_on_a(two)
    two.media["a"].crash()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS)
    room = await two.room(id)
    assert (room.state, room.media_server, room.attempts, room.last_error) == (RoomState.OPEN, "b", 0, None)
    assert await two.there("b") == {room.name}
    assert await two.told(id) == ["room_opened", "room_lost", "room_moved", "room_opened"]
    # From here on it lives as any other.
    await two.at(NINE)
    await two.at(LATEST_END_AT)
    assert await two.there("b") == set()
    assert (await two.room(id)).state is RoomState.CLOSED


async def test_what_is_stale_on_a_server_that_comes_back_later_is_closed(two: World) -> None:
    id = await a_lecture_on_a(two)
    # Cut off from us alone: people are still inside.
    inside = two.join("a", id)
    two.media["a"].go_away()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS)
    two.join("b", id)
    assert await two.there("a") == await two.there("b") == {f"{id}.main"}
    two.media["a"].come_back()
    await two.look()
    assert (await two.there("a"), await two.there("b")) == (set(), {f"{id}.main"})
    assert not two.media["a"].holds(f"{id}.main", inside)
    # It takes part again.
    [new] = await two.book()
    await two.settle()
    assert (await two.room(new)).media_server == "a"


async def test_a_room_that_a_browser_made_anew_on_the_old_server_is_closed_there(two: World) -> None:
    id = await a_lecture_on_a(two)
    two.media["a"].crash()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS)
    two.media["a"].come_back()
    two.join("a", id)
    await two.look()
    assert (await two.there("a"), await two.there("b")) == (set(), {f"{id}.main"})


async def test_a_scheduler_that_is_cut_off_condemns_no_server_that_others_reach(two: World) -> None:
    id = await a_lecture_on_a(two)
    cut_off = Watch(
        two.db, Pool((a_server("a"), _Away(two.clock)), (a_server("b"), two.media["b"])), "a", two.clock
    )
    for _ in range(10):
        await two.look(MOVE_AFTER_MS // 5)
        assert await cut_off.look()
    assert cut_off.error == "media_unavailable"
    room = await two.room(id)
    assert (room.state, room.media_server, room.last_error) == (RoomState.OPEN, "a", None)


class _Away(FakeMedia):
    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, KEY, SECRET)
        self.go_away()


async def test_an_answer_that_another_scheduler_has_just_written_down_is_not_written_again(
    two: World,
) -> None:
    await a_lecture_on_a(two)
    await two.look()
    before = await _heard_of_a(two, said_ms_ago=-HOUR)
    await two.look()
    assert await _heard_of_a(two) == before
    # Somebody came in, or it is time to say again that it answers.
    two.join("a", "0" * 32)
    await two.look()
    assert (await _heard_of_a(two)).participants == 1
    before = await _heard_of_a(two, said_ms_ago=SAY_AGAIN_MS)
    await two.look()
    assert (await _heard_of_a(two)).asked_at > before.asked_at


async def _heard_of_a(world: World, *, said_ms_ago: int = 0) -> Heard:
    await heard_earlier(world.db, said_ms_ago)
    async with world.db.reading() as session:
        return (await pool_store.known(session))["a"].heard


async def test_the_rooms_of_a_server_that_left_the_settings_are_opened_on_another(
    two: World,
) -> None:
    id = await a_lecture_on_a(two)
    two.configure([a_server("b", capacity=100)])
    await two.look()
    # Other schedulers may still have it in theirs.
    assert (await two.room(id)).media_server == "a"
    await two.look(61 * SECOND)
    room = await two.room(id)
    assert (room.state, room.media_server) == (RoomState.OPEN, "b")


async def test_a_room_on_a_server_that_is_gone_is_closed_with_its_lecture(two: World) -> None:
    id = await a_lecture_on_a(two)
    two.configure([a_server("b", capacity=100)])
    two.media["b"].go_away()
    await two.at(LATEST_END_AT)
    assert (await two.room(id)).state is RoomState.CLOSED
    async with two.db.reading() as session:
        lecture = await store.find(session, id)
    assert lecture is not None
    assert lecture.state is LectureState.ENDED


async def test_where_none_has_headroom_the_least_full_takes_the_room_all_the_same(
    database: Database, clock: ManualClock
) -> None:
    clock.at = NINE - 24 * HOUR
    world = World(database, clock, [a_server("a", capacity=4), a_server("b", capacity=8)])
    ids = await world.book(people=6, times=3)
    await world.look()
    await world.at(OPENS_AT)
    assert Counter([(await world.room(id)).media_server for id in ids]) == {"b": 2, "a": 1}


async def test_the_rooms_of_a_crowd_of_lectures_move_together(two: World) -> None:
    ids = await two.book(times=150)
    two.configure([a_server("a", capacity=10_000), a_server("b", capacity=100)])
    await two.look()
    await two.at(OPENS_AT)
    assert len(await two.there("a")) == 150
    two.media["a"].crash()
    await two.look(ANSWERED_LATELY_MS)
    await two.look(MOVE_AFTER_MS)
    assert await two.there("b") == {f"{id}.main" for id in ids}
