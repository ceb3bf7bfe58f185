"""A recording on its way into storage: nothing is lost, everything may happen twice."""

import asyncio
import io
from pathlib import Path

import av
import numpy as np
import pytest

from recordings.encode import RATE
from recordings.hls import HlsWriter
from recordings.part import Part
from recordings.playlist import INDEX, MASTER, parse
from recordings.rules import Segment, wait_before
from recordings.storage import ObjectStorage, StorageFull, open_storage, recording_key, sha256
from webinar.core.ids import new_id

NINE = 1_750_122_000_000
SILENCE = np.zeros(1024, np.float32)


def a_part(seconds: int) -> Part:
    part = Part(NINE, "Kuliah")
    for tick in range(seconds * 15):
        part.take(tick * 1000 // 15, None, None, np.zeros(3 * 1024, np.float32))
    part.finish(seconds * 1000, SILENCE)
    return part


class Ledger:
    """What the caller was told."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    async def __call__(self, segment: Segment) -> None:
        self.segments.append(segment)


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    return open_storage(tmp_path.as_uri())


async def a_recording(storage: ObjectStorage, recording: str, told: Ledger, *, ended: bool) -> None:
    writer = HlsWriter(storage, recording, told)
    await writer.open()
    part = await asyncio.to_thread(a_part, 9)
    part.hand_over(writer)
    assert await writer.close(ended=ended, patience_s=20)


async def played_ms(storage: ObjectStorage, recording: str, part: str) -> int:
    keys = [key for key in await storage.list(f"recordings/{recording}") if f"/{part}-0" in key]
    data = await storage.get(recording_key(recording, f"{part}-init.mp4"))
    for key in keys:
        data += await storage.get(key)
    with av.open(io.BytesIO(data), "r") as container:
        return round(sum(frame.samples for frame in container.decode(audio=0)) * 1000 / RATE)


async def test_a_part_becomes_segments_of_four_seconds(storage: ObjectStorage) -> None:
    recording, told = new_id(), Ledger()
    await a_recording(storage, recording, told, ended=True)
    assert [(s.name, s.duration_ms, s.started_at - NINE) for s in told.segments] == [
        ("p0001-init.mp4", 0, 0),
        ("p0001-000000.m4s", 4000, 0),
        ("p0001-000001.m4s", 4000, 4000),
        ("p0001-000002.m4s", 1000, 8000),
    ]
    assert await played_ms(storage, recording, "p0001") > 8500


async def test_digests_and_sizes_are_those_of_what_is_stored(storage: ObjectStorage) -> None:
    recording, told = new_id(), Ledger()
    await a_recording(storage, recording, told, ended=True)
    for segment in told.segments:
        data = await storage.get(segment.key)
        assert (segment.size, segment.sha256) == (len(data), sha256(data))
    playlist = parse((await storage.get(recording_key(recording, INDEX))).decode())
    assert playlist.ended
    assert [e.name for e in playlist.entries] == [s.name for s in told.segments if s.duration_ms]
    assert INDEX in (await storage.get(recording_key(recording, MASTER))).decode()


async def test_a_second_recorder_continues_the_same_playlist(storage: ObjectStorage) -> None:
    recording, told = new_id(), Ledger()
    await a_recording(storage, recording, told, ended=False)
    await a_recording(storage, recording, told, ended=True)
    text = (await storage.get(recording_key(recording, INDEX))).decode()
    assert text.count("#EXT-X-DISCONTINUITY") == 1
    assert [e.name for e in parse(text).entries][2:4] == ["p0001-000002.m4s", "p0002-000000.m4s"]
    assert parse(text).duration_ms == 18_000


async def test_a_segment_that_a_crash_left_unnamed_is_found(storage: ObjectStorage) -> None:
    recording, told = new_id(), Ledger()
    await a_recording(storage, recording, told, ended=False)
    index = recording_key(recording, INDEX)
    lines = (await storage.get(index)).decode().splitlines()
    await storage.put(index, "\n".join(lines[: lines.index("p0001-000001.m4s") + 1]).encode())
    found = Ledger()
    await a_recording(storage, recording, found, ended=True)
    assert [s.name for s in found.segments][:2] == ["p0001-000002.m4s", "p0002-init.mp4"]
    assert abs(found.segments[0].duration_ms - 1000) < 80
    assert found.segments[0].sha256 == told.segments[3].sha256
    playlist = parse((await storage.get(index)).decode())
    assert len(playlist.entries) == 6
    assert playlist.entries[2].started_at == NINE + 8000


async def test_a_full_disk_loses_nothing_and_is_said(storage: ObjectStorage) -> None:
    recording, told = new_id(), Ledger()
    writer = HlsWriter(storage, recording, told)
    await writer.open()
    storage.keep_free = 1 << 60
    part = await asyncio.to_thread(a_part, 9)
    part.hand_over(writer)
    while writer.trouble is None:
        await asyncio.sleep(0)
    assert isinstance(writer.trouble, StorageFull)
    assert (writer.backlog, writer.waiting_ms, told.segments) == (4, 9000, [])
    storage.keep_free = 0
    assert await writer.close(ended=True, patience_s=20)
    assert [s.duration_ms for s in told.segments] == [0, 4000, 4000, 1000]


async def test_a_disk_that_stays_full_is_given_up_after_a_while(storage: ObjectStorage) -> None:
    writer = HlsWriter(storage, new_id(), Ledger())
    await writer.open()
    storage.keep_free = 1 << 60
    writer.begin_part()
    writer.add(b"x", NINE, 4000)
    assert not await writer.close(ended=True, patience_s=0.01)
    assert writer.waiting_ms == 4000


async def test_a_caller_that_fails_is_told_again(storage: ObjectStorage) -> None:
    calls: list[str] = []

    async def forgetful(segment: Segment) -> None:
        calls.append(segment.name)
        if len(calls) == 1:
            raise ConnectionError("the database is away")

    writer = HlsWriter(storage, new_id(), forgetful)
    await writer.open()
    writer.begin_part()
    writer.add_init(b"init", NINE)
    assert await writer.close(ended=False, patience_s=20)
    assert calls == ["p0001-init.mp4", "p0001-init.mp4"]


def test_waiting_grows_and_stays_bearable() -> None:
    assert [wait_before(n) for n in range(7)] == [0.5, 1, 2, 4, 8, 8, 8]
