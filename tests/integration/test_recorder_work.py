"""The recorder's process: who takes which recording, what the database knows of it, who may replay it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from recordings import service, store
from recordings.playlist import parse
from recordings.rules import Pass, RecorderState, Recording, RecordingState, Segment
from recordings.storage import open_storage, recording_key, sha256
from recordings.worker import RecorderProcess
from tests.build import NINE, a_lecture, a_person, a_registration, an_institution
from tests.integration.test_recorder import a_process
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core import audit
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope

LEASE_MS = 60_000


async def a_wanted_recording(database: Database) -> Recording:
    async with database.writing() as session:
        row = await a_lecture(session, recorded=True)
        lecture = await lectures.find(session, row.id)
        assert lecture is not None
        await service.want(session, lecture)
        found = await store.of_lecture(session, lecture.id)
    assert found is not None
    return found


async def claimed(database: Database, *, lease_ms: int = LEASE_MS) -> Recording | None:
    async with database.writing() as session:
        return await store.claim(session, worker="w", lease_ms=lease_ms)


def a_segment(recording: Recording, number: int, duration_ms: int = 4000) -> Segment:
    name = f"p0001-{number:06d}.m4s" if duration_ms else "p0001-init.mp4"
    key = recording_key(recording.id, name)
    return Segment(recording.id, name, key, NINE + 4000 * number, duration_ms, 1000, "ab" * 32)


async def test_one_recording_is_taken_once(database: Database) -> None:
    recording = await a_wanted_recording(database)
    taken = await asyncio.gather(*(claimed(database) for _ in range(4)))
    assert [one.id for one in taken if one] == [recording.id]


async def test_a_recorder_that_died_is_followed_by_another(database: Database) -> None:
    await a_wanted_recording(database)
    first = await claimed(database, lease_ms=-1)
    second = await claimed(database)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    async with database.writing() as session:
        assert not await store.renew(session, first, lease_ms=LEASE_MS)
        assert await store.state_of(session, first) is None
        assert not await store.add_file(session, first, a_segment(first, 0))
        await service.report(session, first, RecorderState.RECORDING, NINE)
    async with database.reading() as session:
        assert await store.files(session, first.id) == []
        assert not await store.is_recording(session, first.lecture_id)


async def test_a_file_told_twice_counts_once(database: Database) -> None:
    await a_wanted_recording(database)
    mine = await claimed(database)
    assert mine is not None
    segments = [a_segment(mine, 0, 0), a_segment(mine, 0), a_segment(mine, 1)]
    for segment in [*segments, *segments]:
        async with database.writing() as session:
            assert await store.add_file(session, mine, segment)
    async with database.reading() as session:
        assert await store.files(session, mine.id) == segments
        now = await store.find(session, mine.id)
        assert now is not None
        assert (now.bytes, now.duration_ms, now.started_at) == (3000, 8000, NINE)
        playlist = parse(await service.playlist(session, now))
    assert [entry.name for entry in playlist.entries] == ["p0001-000000.m4s", "p0001-000001.m4s"]


async def test_a_full_disk_is_on_the_timeline_and_goes_on(database: Database) -> None:
    await a_wanted_recording(database)
    mine = await claimed(database)
    assert mine is not None
    for state in (RecorderState.RECORDING, RecorderState.STORAGE_FULL, RecorderState.RECORDING):
        async with database.writing() as session:
            await service.report(session, mine, state, NINE)
    async with database.reading() as session:
        actions = [entry.action for entry in await audit.of(session, ("lecture", mine.lecture_id))]
        assert actions == ["recording_started", "recording_paused", "recording_started"]
        assert await store.is_recording(session, mine.lecture_id)


async def test_a_recording_of_nothing_has_failed(database: Database) -> None:
    await a_wanted_recording(database)
    mine = await claimed(database)
    assert mine is not None
    async with database.writing() as session:
        await service.stop(session, mine.lecture_id)
        await service.finished(session, mine, 0, NINE)
        found = await store.find(session, mine.id)
    assert found is not None
    assert found.state is RecordingState.FAILED


async def test_a_replay_is_for_those_who_were_registered(database: Database) -> None:
    recording = await a_wanted_recording(database)
    mine = await claimed(database)
    assert mine is not None
    async with database.writing() as session:
        lecture = await session.get_one(LectureRow, recording.lecture_id)
        unit = await an_institution(session, code="lain")
        guest = await a_person(session, unit)
        stranger = await a_person(session, unit)
        await a_registration(session, lecture, guest)
        await store.add_file(session, mine, a_segment(mine, 0))
        await service.stop(session, lecture.id)
        await service.finished(session, mine, 0, NINE)
    async with database.reading() as session:
        theirs = Scope(recording.institution_id, guest.id)
        assert (await service.replay(session, theirs, lecture.id, NINE)).ready
        assert (await service.replay_file(session, theirs, lecture.id, "p0001-000000.m4s", NINE)).size == 1000
        with pytest.raises(NotFound):
            await service.replay_file(session, theirs, lecture.id, "p0009-000000.m4s", NINE)
        with pytest.raises(NotFound):
            await service.replay(session, Scope(recording.institution_id, stranger.id), lecture.id, NINE)


@asynccontextmanager
async def at_work(
    database: Database, livekit: RunningLiveKit, folder: Path
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A recorder that runs; what it gives stops it in good order."""

    def ticket(server: str, room: str, identity: str, now: int) -> Pass:
        assert now
        token = livekit.token(identity=identity, room=room, hidden=True, kind="egress")
        return Pass(server, livekit.url, token)

    process = RecorderProcess(database, open_storage(folder.as_uri()), SystemClock(), ticket=ticket)
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))

    async def end() -> None:
        stop.set()
        await running

    try:
        yield end
    finally:
        await end()


async def until(
    database: Database, recording: Recording, enough: Callable[[Recording, list[Segment]], bool]
) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.reading() as session:
                found = await store.find(session, recording.id)
                files = list(await store.files(session, recording.id))
            assert found is not None
            if enough(found, files):
                return
            await asyncio.sleep(0.2)


async def test_a_lecture_is_recorded_over_a_restart_of_the_recorder(
    database: Database, tmp_path: Path
) -> None:
    recording = await a_wanted_recording(database)
    room, seat = f"{recording.lecture_id}.main", new_id()[:16]
    async with database.writing() as session:
        lecture = await session.get_one(LectureRow, recording.lecture_id)
        person = await a_person(session, await an_institution(session, code="lain"))
        await a_registration(session, lecture, person, role="lecturer", seat=seat)
    async with running_livekit() as livekit:
        token = livekit.token(identity=f"{seat}.a", room=room, can_publish=True)
        async with a_process("tests.servers.lecturer", livekit.url, token, "--no-screen"):
            async with at_work(database, livekit, tmp_path):
                await until(database, recording, lambda _, files: len(files) >= 2)
            async with at_work(database, livekit, tmp_path):
                await until(database, recording, lambda _, files: any("p0002-0" in f.name for f in files))
                async with database.writing() as session:
                    await service.stop(session, recording.lecture_id)
                await until(database, recording, lambda found, _: found.ready)
    storage = open_storage(tmp_path.as_uri())
    async with database.reading() as session:
        files = await store.files(session, recording.id)
        found = await store.find(session, recording.id)
        assert found is not None
        kept = (await storage.get(recording_key(recording.id, "index.m3u8"))).decode()
        assert await service.playlist(session, found) == kept
    assert [sha256(await storage.get(one.key)) for one in files] == [one.sha256 for one in files]
    assert found.duration_ms == parse(kept).duration_ms
