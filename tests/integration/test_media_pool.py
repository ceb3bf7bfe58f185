"""What schedulers hear of the media servers and what each has to bear, in the database."""

from typing import Any

import pytest
from sqlalchemy import select, text

from tests.build import a_lecture, a_room, an_institution
from tests.pools import a_server, heard_earlier
from webinar.core.clock import ManualClock
from webinar.core.database import Database, now_sql
from webinar.lectures import placement
from webinar.lectures.placed import PlacedRooms
from webinar.lectures.placement import Borne, Placed
from webinar.lectures.tables import RoomRow
from webinar.media import pool_store
from webinar.media.fake import FakeMedia
from webinar.media.pool import Pool, ServerUnknown
from webinar.media.pool_rules import ANSWERED_LATELY_MS, MOVE_AFTER_MS, RUN_BREAKS_MS, Health, Heard, Load
from webinar.media.tokens import mint
from webinar.operations import servers
from webinar.operations.servers import ServerLine

KEY, SECRET = "key", "s" * 32


async def answers(db: Database, name: str = "a", **more: int) -> None:
    async with db.writing() as session:
        await pool_store.answered(session, name, **{"rooms": 0, "participants": 0} | more)


async def is_silent(db: Database, name: str = "a") -> None:
    async with db.writing() as session:
        await pool_store.unanswered(session, name, "media_unavailable")


async def known(db: Database, name: str = "a") -> tuple[Heard, Health]:
    async with db.reading() as session:
        found = (await pool_store.known(session))[name]
    return found.heard, found.health


async def test_a_server_that_answers_is_known_with_what_it_has(database: Database) -> None:
    await answers(database, rooms=3, participants=40)
    first, how = await known(database)
    await heard_earlier(database, 10_000)
    await answers(database, rooms=2, participants=10)
    second, _ = await known(database)
    assert how is Health.ANSWERS
    assert (first.rooms, first.participants, second.rooms, second.participants) == (3, 40, 2, 10)
    # It has answered since the first time.
    assert 9_000 < second.asked_at - second.since < 60_000
    assert second.asked_at == second.answered_at


async def test_a_scheduler_that_is_cut_off_says_nothing_of_a_server_that_answers_others(
    database: Database,
) -> None:
    await answers(database)
    await is_silent(database)
    assert (await known(database))[1] is Health.ANSWERS
    await heard_earlier(database, ANSWERED_LATELY_MS)
    await is_silent(database)
    assert (await known(database))[1] is Health.SILENT
    await answers(database)
    heard, how = await known(database)
    assert (how, heard.error) == (Health.ANSWERS, None)


async def test_a_server_is_given_up_after_a_run_of_questions_in_vain(database: Database) -> None:
    await answers(database)
    await heard_earlier(database, ANSWERED_LATELY_MS)
    await is_silent(database)
    await heard_earlier(database, MOVE_AFTER_MS - 1_000)
    await is_silent(database)
    assert (await known(database))[1] is Health.SILENT
    await heard_earlier(database, 1_000)
    await is_silent(database)
    assert (await known(database))[1] is Health.GIVEN_UP


async def test_a_run_breaks_where_nobody_asked(database: Database) -> None:
    """The machine of the schedulers and the server's were both restarted: the server gets its time."""
    await is_silent(database)
    await heard_earlier(database, RUN_BREAKS_MS + 1_000)
    assert (await known(database))[1] is Health.SILENT
    await is_silent(database)
    heard, how = await known(database)
    assert (how, heard.asked_at - heard.since) == (Health.SILENT, 0)


async def test_a_server_that_never_answered_is_given_up_as_well(database: Database) -> None:
    await is_silent(database)
    await heard_earlier(database, MOVE_AFTER_MS)
    await is_silent(database)
    heard, how = await known(database)
    assert (how, heard.answered_at) == (Health.GIVEN_UP, None)


async def test_the_time_is_the_databases(database: Database) -> None:
    async with database.writing() as session:
        await pool_store.answered(session, "a", rooms=0, participants=0)
        now = (await session.execute(text(f"SELECT {now_sql(database.dialect)}"))).scalar_one()
    assert abs((await known(database))[0].asked_at - now) < 1_000


async def rooms(db: Database, *fields: dict[str, Any]) -> list[RoomRow]:
    async with db.writing() as session:
        unit = await an_institution(session)
        return [
            await a_room(session, await a_lecture(session, unit), **{"state": "open"} | more)
            for more in fields
        ]


async def test_a_server_bears_what_is_expected_in_rooms_that_are_not_closed(database: Database) -> None:
    await rooms(
        database,
        {"media_server": "a", "expected": 20},
        {"media_server": "a", "expected": 30, "state": "lost"},
        {"media_server": "a", "expected": 500, "state": "closed"},
        {"media_server": "b", "expected": 7, "state": "wanted"},
    )
    async with database.reading() as session:
        assert await placement.borne(session) == {"a": Borne(2, 50), "b": Borne(1, 7)}


async def test_a_server_bears_who_is_there_when_that_is_more(database: Database) -> None:
    await rooms(database, {"media_server": "a", "expected": 20}, {"media_server": "b", "expected": 20})
    await answers(database, "a", participants=90)
    await answers(database, "b", participants=3)
    two = [a_server("a", capacity=100), a_server("b", capacity=100)]
    async with database.reading() as session:
        loads = await placement.loads(session, two)
    assert [(load.name, load.people, load.headroom) for load in loads] == [("a", 90, 10), ("b", 20, 80)]


async def test_where_rooms_are_to_be_is_written_for_many_at_once(database: Database) -> None:
    one, two, three = await rooms(database, {}, {}, {})
    async with database.writing() as session:
        await placement.put(session, [Placed(two.id, "b", 40), Placed(one.id, "a", 0)])
    async with database.reading() as session:
        found = {row.id: (row.media_server, row.expected) for row in await session.scalars(select(RoomRow))}
    assert found == {one.id: ("a", 1), two.id: ("b", 40), three.id: ("main", 1)}


async def test_a_room_is_spoken_to_where_it_is(database: Database, clock: ManualClock) -> None:
    a, b = FakeMedia(clock, KEY, SECRET), FakeMedia(clock, KEY, SECRET)
    [room, gone] = await rooms(database, {"media_server": "b"}, {"media_server": "removed"})
    placed = PlacedRooms(database, Pool((a_server("a"), a), (a_server("b"), b)))
    for media in (a, b):
        await media.open_room(room.name)
    b.join(
        mint(KEY, SECRET, identity="siti.tab", name="Siti", room=room.name, now=clock.now(), can_publish=True)
    )
    b.publish(room.name, "siti.tab", "microphone")
    assert [p.identity for p in await placed.list_participants(room.name)] == ["siti.tab"]
    await placed.send(room.name, "chat", b"halo")
    assert (a.inbox, b.inbox) == ({}, {"siti.tab": [("chat", b"halo")]})
    assert await placed.mute(room.name, "siti.tab") == 1
    await placed.remove(room.name, "siti.tab")
    assert await placed.list_participants(room.name) == []
    await placed.close_room(room.name)
    assert ([r.name for r in await a.list_rooms()], await b.list_rooms()) == ([room.name], [])
    with pytest.raises(ServerUnknown):
        await placed.send(gone.name, "chat", b"halo")


async def test_in_a_room_that_was_never_wanted_is_nobody(database: Database, clock: ManualClock) -> None:
    placed = PlacedRooms(database, Pool((a_server("a"), FakeMedia(clock, KEY, SECRET))))
    assert await placed.list_participants("nowhere") == []
    assert await placed.mute("nowhere", "siti.tab") == 0
    await placed.send("nowhere", "chat", b"halo")


async def test_operators_see_each_server_and_rooms_on_one_that_is_no_longer_there(database: Database) -> None:
    await rooms(database, {"media_server": "a", "expected": 120}, {"media_server": "old"})
    await answers(database, "a", participants=12)
    await is_silent(database, "b")
    pool = [a_server("a", capacity=100), a_server("b", capacity=50), a_server("c", drain=True)]
    async with database.reading() as session:
        found = await servers.lines(session, pool)
    assert [(line.name, line.state, line.rooms, line.participants, line.headroom) for line in found] == [
        ("a", "answers", 1, 12, -20),
        ("b", "silent", 0, 0, None),
        ("c", "unasked", 0, 0, None),
        ("old", "unknown", 1, 0, None),
    ]
    assert servers.full(found)
    assert [line.name for line in found if line.away] == ["b"]


def test_a_server_of_unstated_capacity_is_never_full() -> None:
    line = ServerLine("a", Load("a", Health.ANSWERS, False, 0, 900), None, 0)
    assert not servers.full([line])
    assert not servers.full([])
