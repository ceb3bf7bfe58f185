"""The built-in recorder against the real media server: what is published comes back as a replay."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from recordings.playlist import Playlist, init_name, parse
from recordings.recorder import RecordingJob, record
from recordings.rules import Pass, RecorderState, Segment
from recordings.storage import ObjectStorage, open_storage, recording_key, sha256
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core.ids import new_id


@pytest.fixture
async def livekit() -> AsyncIterator[RunningLiveKit]:
    async with running_livekit() as server:
        yield server


@dataclass
class Heard:
    """What a recorder's process printed."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)

    async def until(self, enough: Callable[[list[dict[str, Any]]], object]) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(40):
            while not enough(self.lines):
                line = await self.process.stdout.readline()
                assert line, f"the recorder ended after {self.lines}"
                if line.startswith(b"{"):
                    self.lines.append(json.loads(line))

    @property
    def segments(self) -> list[dict[str, Any]]:
        return [line["segment"] for line in self.lines if "segment" in line]


@asynccontextmanager
async def a_process(*args: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *args, stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def a_lecturer(livekit: RunningLiveKit, room: str, *flags: str) -> AsyncIterator[None]:
    token = livekit.token(identity=f"{new_id()}.a", room=room, can_publish=True)
    async with a_process("tests.servers.lecturer", livekit.url, token, *flags) as process:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"published\n"
        yield


@asynccontextmanager
async def a_recorder(
    livekit: RunningLiveKit, folder: Path, recording: str, seconds: float
) -> AsyncIterator[Heard]:
    keys = {"LIVEKIT_KEY": livekit.key, "LIVEKIT_SECRET": livekit.secret}
    what = (livekit.url, recording, folder.as_uri(), recording, str(seconds))
    async with a_process("tests.servers.recording", *what, **keys) as process:
        yield Heard(process)


@dataclass
class Replay:
    """A recording read back: each part's pictures (luma, quarter size) with their times, and its sound."""

    playlist: Playlist
    times: list[float]
    pictures: list[np.ndarray]
    sound: np.ndarray


async def replayed(folder: Path, recording: str) -> Replay:
    storage = open_storage(folder.as_uri())
    playlist = parse((await storage.get(recording_key(recording, "index.m3u8"))).decode())
    times: list[float] = []
    pictures: list[np.ndarray] = []
    sound: list[np.ndarray] = []
    begin = 0.0
    for part in dict.fromkeys(entry.part for entry in playlist.entries):
        entries = [entry for entry in playlist.entries if entry.part == part]
        names = [init_name(part), *(entry.name for entry in entries)]
        data = b"".join([await storage.get(recording_key(recording, name)) for name in names])
        with av.open(io.BytesIO(data), "r") as container:
            for frame in container.decode(video=0):
                times.append(begin + float(frame.time or 0))
                pictures.append(frame.to_ndarray()[:720:4, ::4].copy())
        with av.open(io.BytesIO(data), "r") as container:
            sound += [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        begin += sum(entry.duration_ms for entry in entries) / 1000
    return Replay(playlist, times, pictures, np.concatenate(sound))


async def digests_hold(folder: Path, segments: list[dict[str, Any]]) -> bool:
    storage = open_storage(folder.as_uri())
    return all([sha256(await storage.get(segment["key"])) == segment["sha256"] for segment in segments])


def loudness(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound))))


async def test_a_lecture_comes_back_as_moving_picture_and_sound(
    livekit: RunningLiveKit, tmp_path: Path
) -> None:
    recording = new_id()
    async with a_lecturer(livekit, recording), a_recorder(livekit, tmp_path, recording, 8) as heard:
        await heard.until(lambda lines: lines and "result" in lines[-1])
    result = heard.lines[-1]["result"]
    assert (result["ended"], result["lost_ms"]) == ("stopped", 0)
    assert 9_500 < result["duration_ms"] < 13_000

    replay = await replayed(tmp_path, recording)
    assert replay.playlist.ended
    assert replay.playlist.duration_ms == result["duration_ms"]
    assert [entry.name for entry in replay.playlist.entries] == [s["name"] for s in heard.segments[1:]]
    assert await digests_hold(tmp_path, heard.segments)

    seconds = result["duration_ms"] / 1000
    assert len(replay.pictures) > 12 * (seconds - 2)
    assert abs(len(replay.sound) / 48_000 - seconds) < 0.3
    middle = len(replay.pictures) // 2
    late, later = replay.pictures[middle].astype(int), replay.pictures[middle + 15].astype(int)
    assert (abs(late - later)[75:105, :220] > 60).any(), "the square on the screen moves"
    assert (abs(late - later)[130:174, 235:313] > 10).any(), "the camera in the corner moves"
    # A sine of 0.3 has an effective value of 0.21.
    assert 0.18 < loudness(replay.sound[4 * 48_000 : -48_000]) < 0.24


async def test_picture_and_sound_are_together(livekit: RunningLiveKit, tmp_path: Path) -> None:
    recording = new_id()
    async with (
        a_lecturer(livekit, recording, "--beep", "--no-camera"),
        a_recorder(livekit, tmp_path, recording, 8) as heard,
    ):
        await heard.until(lambda lines: lines and "result" in lines[-1])
    replay = await replayed(tmp_path, recording)
    light = np.array([picture.mean() > 125 for picture in replay.pictures])
    seen = [at for at, on, was in zip(replay.times[1:], light[1:], light, strict=False) if on and not was]
    blocks = replay.sound[: len(replay.sound) // 480 * 480].reshape(-1, 480)
    loud = np.sqrt(np.mean(np.square(blocks), axis=1)) > 0.08
    rung = (np.flatnonzero(loud[1:] & ~loud[:-1]) + 1) / 100
    apart = [min(rung - at, key=abs) for at in seen if 3 < at < replay.times[-1] - 1]
    assert len(apart) >= 4
    # People accept sound 90 ms before to 185 ms after its picture (ITU-R BT.1359); a picture lasts 67 ms.
    assert -0.1 < float(np.median(apart)) < 0.185, apart


async def test_a_killed_recorder_loses_the_open_segment_at_most(
    livekit: RunningLiveKit, tmp_path: Path
) -> None:
    recording = new_id()
    async with a_lecturer(livekit, recording):
        async with a_recorder(livekit, tmp_path, recording, 60) as first:
            await first.until(lambda lines: sum("segment" in line for line in lines) >= 3)
            first.process.kill()
            await first.process.wait()
        async with a_recorder(livekit, tmp_path, recording, 3) as second:
            await second.until(lambda lines: lines and "result" in lines[-1])
    replay = await replayed(tmp_path, recording)
    names = [entry.name for entry in replay.playlist.entries]
    assert names[:2] == ["p0001-000000.m4s", "p0001-000001.m4s"]
    assert names[2] == "p0002-000000.m4s"
    assert replay.playlist.ended
    assert replay.playlist.render().count("#EXT-X-DISCONTINUITY") == 1
    assert await digests_hold(tmp_path, first.segments + second.segments)
    assert replay.times == sorted(replay.times)
    assert loudness(replay.sound[-48_000:]) > 0.18


async def test_a_killed_media_server_is_a_gap_in_the_same_recording(tmp_path: Path) -> None:
    recording = new_id()
    async with running_livekit() as livekit, a_recorder(livekit, tmp_path, recording, 3600) as heard:
        async with a_lecturer(livekit, recording):
            await heard.until(lambda lines: sum("segment" in line for line in lines) >= 2)
            await livekit.kill()
        await heard.until(lambda lines: lines[-1].get("state") == "media_away")
        await livekit.restart()
        async with a_lecturer(livekit, recording):
            await heard.until(lambda lines: lines[-1].get("state") == "recording")
            again = len(heard.segments)
            await heard.until(lambda _: len(heard.segments) >= again + 2)
            async with livekit.media() as media:
                await media.close_room(recording)
            await heard.until(lambda lines: "result" in lines[-1])
    assert heard.lines[-1]["result"]["ended"] == "room_deleted"
    replay = await replayed(tmp_path, recording)
    assert "#EXT-X-DISCONTINUITY" not in replay.playlist.render()
    assert loudness(replay.sound[48_000 : 3 * 48_000]) > 0.18
    assert loudness(replay.sound[-3 * 48_000 : -48_000]) > 0.18
    tenths = np.array_split(replay.sound, len(replay.sound) // 4_800)
    quiet = [loudness(tenth) for tenth in tenths[20:-20]]
    assert min(quiet) < 0.01, "while the media server was away there was nothing to hear"


class Filling:
    """A disk that is full from the second segment on until there is room again."""

    def __init__(self, storage: ObjectStorage) -> None:
        self.storage = storage
        self.states: list[RecorderState] = []
        self.segments: list[Segment] = []
        self.changed = asyncio.Condition()

    async def on_segment(self, segment: Segment) -> None:
        async with self.changed:
            self.segments.append(segment)
            if len(self.segments) == 2:
                self.storage.keep_free = 1 << 60
            self.changed.notify_all()

    async def on_state(self, state: RecorderState) -> None:
        async with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(40), self.changed:
            await self.changed.wait_for(enough)


async def test_a_full_disk_stops_nothing_and_is_said(livekit: RunningLiveKit, tmp_path: Path) -> None:
    recording, disk, stop = new_id(), Filling(open_storage(tmp_path.as_uri())), asyncio.Event()

    async def passes() -> Pass:
        token = livekit.token(identity="recorder", room=recording, hidden=True, kind="egress")
        return Pass("main", livekit.url, token)

    async with a_lecturer(livekit, recording, "--no-screen"):
        work = asyncio.create_task(
            record(
                RecordingJob(recording),
                passes=passes,
                storage=disk.storage,
                on_segment=disk.on_segment,
                on_state=disk.on_state,
                stop=stop,
                backlog=0,
            )
        )
        await disk.until(lambda: RecorderState.STORAGE_FULL in disk.states)
        disk.storage.keep_free = 0
        await disk.until(lambda: disk.states[-1] == RecorderState.RECORDING and len(disk.segments) >= 6)
        stop.set()
        result = await work
    assert (result.ended, result.lost_ms) == ("stopped", 0)
    replay = await replayed(tmp_path, recording)
    assert {entry.part for entry in replay.playlist.entries} >= {1, 2}
    told = {segment.name for segment in disk.segments if segment.duration_ms}
    assert {entry.name for entry in replay.playlist.entries} == told
    assert loudness(replay.sound[-48_000:]) > 0.18


async def test_only_those_who_may_are_recorded(livekit: RunningLiveKit, tmp_path: Path) -> None:
    recording, stop, seen = new_id(), asyncio.Event(), asyncio.Event()
    segments: list[Segment] = []

    async def on_segment(segment: Segment) -> None:
        segments.append(segment)
        if len(segments) >= 3:
            seen.set()

    async def passes() -> Pass:
        token = livekit.token(identity="recorder", room=recording, hidden=True, kind="egress")
        return Pass("main", livekit.url, token)

    async with a_lecturer(livekit, recording):
        work = asyncio.create_task(
            record(
                RecordingJob(recording, may_record=lambda identity: identity.startswith("nobody")),
                passes=passes,
                storage=open_storage(tmp_path.as_uri()),
                on_segment=on_segment,
                stop=stop,
            )
        )
        await asyncio.wait_for(seen.wait(), 30)
        stop.set()
        await work
    replay = await replayed(tmp_path, recording)
    assert loudness(replay.sound) == 0
    assert len(np.unique(replay.pictures[-1])) < 12, "plain ground only"
