"""The scheduler with the real media server: on time by itself, and through every kill."""

import asyncio
import itertools
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from scheduler.runner import Scheduler
from tests.build import SECOND, a_lecture, a_policy, an_institution
from tests.pools import alone
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core import audit, processes
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.lectures import service, store
from webinar.lectures.rules import Lecture, LectureState, Room, RoomState
from webinar.media.livekit import LiveKit

CLOCK = SystemClock()


async def book(db: Database, *starts_in_s: float, lasts_s: float = 60, **fields: object) -> list[str]:
    """Lectures that open and start so many seconds from now, and end without overrun."""
    ids = []
    async with db.writing() as session:
        unit = await an_institution(session)
        policy = await a_policy(session, unit, quiet_period_s=0)
        now = CLOCK.now()
        for wait_s in starts_in_s:
            starts_at = now + round(wait_s * SECOND)
            ends_at = starts_at + round(lasts_s * SECOND)
            more = {"ends_at": ends_at, "open_before_s": 0, "overrun_s": 0} | fields
            row = await a_lecture(session, unit, starts_at=starts_at, policy=policy, **more)  # type: ignore[arg-type]  # names of columns
            await service.owe_reconciling(session, row.id, now)
            ids.append(str(row.id))
    return ids


async def lecture_of(db: Database, id: str) -> Lecture:
    async with db.reading() as session:
        found = await store.find(session, id)
    assert found is not None
    return found


async def room_of(db: Database, id: str) -> Room | None:
    async with db.reading() as session:
        return next(iter(await store.rooms_of(session, id)), None)


async def told(db: Database, id: str) -> list[str]:
    async with db.reading() as session:
        return [entry.action for entry in await audit.of(session, ("lecture", id))]


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    """Wait for something that another process or task does."""
    async with asyncio.timeout(within_s):
        while not await true():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def scheduling(db: Database, media: LiveKit) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(Scheduler(db, alone(media), CLOCK, watch_s=0.5).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def test_a_room_opens_by_itself_and_on_time(database: Database, livekit: RunningLiveKit) -> None:
    async with livekit.media() as media, scheduling(database, media):
        await asyncio.sleep(1)  # an idle scheduler, as it is most of the day
        [id] = await book(database, 1.5)

        async def is_live() -> bool:
            return (await lecture_of(database, id)).state is LectureState.LIVE

        await until(is_live)
        lecture, room = await lecture_of(database, id), await room_of(database, id)
        assert room is not None
        assert room.opened_at is not None
        assert 0 <= room.opened_at - lecture.opens_at < 1 * SECOND
        assert [r.sid for r in await media.list_rooms() if r.name == room.name] == [room.sid]
        async with database.reading() as session:
            assert [p.alive(CLOCK.now()) for p in await processes.known(session, "scheduler")] == [True]
    async with database.reading() as session:
        assert await processes.known(session) == []


async def test_what_is_booked_to_start_now_starts_now(database: Database, livekit: RunningLiveKit) -> None:
    async with livekit.media() as media, scheduling(database, media):
        await asyncio.sleep(0.5)
        [id] = await book(database, 0)
        booked_at = CLOCK.now()

        async def is_open() -> bool:
            room = await room_of(database, id)
            return room is not None and room.state is RoomState.OPEN

        await until(is_open)
        room = await room_of(database, id)
        assert room is not None
        assert room.opened_at is not None
        assert room.opened_at - booked_at < 1 * SECOND


async def test_rooms_come_back_after_the_media_server_was_killed(database: Database) -> None:
    async with running_livekit() as livekit, livekit.media() as media, scheduling(database, media):
        [id] = await book(database, 0)

        async def is_open_anew(before: str | None = None) -> bool:
            room = await room_of(database, id)
            return room is not None and room.state is RoomState.OPEN and room.sid != before

        await until(is_open_anew)
        before = await room_of(database, id)
        assert before is not None
        await livekit.kill()
        await livekit.restart()
        await until(lambda: is_open_anew(before.sid))
        after = await room_of(database, id)
        assert after is not None
        assert [r.sid for r in await media.list_rooms()] == [after.sid]
        assert "room_lost" in await told(database, id)


async def start(url: str, livekit: RunningLiveKit) -> Process:
    arguments = (url, livekit.http_url, livekit.key, livekit.secret, "1000")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.processes.scheduler", *arguments, stdout=PIPE
    )


async def test_a_scheduler_that_is_killed_again_and_again_loses_nothing(
    database: Database, database_url: str, livekit: RunningLiveKit
) -> None:
    ids = await book(database, *(2 + n * 0.4 for n in range(10)), lasts_s=1)

    async def is_settled() -> bool:
        states = [(await lecture_of(database, id)).state for id in ids]
        return all(state is LectureState.FINAL for state in states)

    for life_s in itertools.chain((1.7, 1.9, 2.1, 1.6), itertools.repeat(30.0)):
        process = await start(database_url, livekit)
        try:
            await until(is_settled, life_s)
        except TimeoutError:
            continue
        else:
            break
        finally:
            process.kill()
            await process.communicate()
    for id in ids:
        story = await told(database, id)
        assert story[-1] == "final"
        assert all(story.count(deed) <= 1 for deed in ("went_live", "ended", "final", "room_closed"))
        assert "room_closed" in story or "missed" in story
    async with livekit.media() as media:
        assert not {f"{id}.main" for id in ids} & {room.name for room in await media.list_rooms()}
