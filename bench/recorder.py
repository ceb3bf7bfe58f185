"""What the built-in recorder costs: one 1280x720 screen at 15/s, one 640x360 camera, one voice.

Lecturer, media server and recorder are processes of their own; only the recorder is weighed, for 30 s of
recording after it has settled.
"""

import asyncio
import io
import json
import os
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import av

from recordings.playlist import SEGMENT_MS
from tests.servers.livekit import running_livekit
from webinar.core.ids import new_id

SECONDS = 30
TO_REACH_PROCESSOR = 0.45
TO_REACH_MB = 250
SETTINGS = {
    "seconds": SECONDS,
    "screen": "1280x720 at 15/s, VP8",
    "camera": "640x360 at 30/s, VP8",
    "sound": "one voice, Opus",
    "encoder": "H.264 veryfast, crf 26, one thread; AAC 64 kbit/s",
}


def figure(name: str, value: float, unit: str, to_reach: float, better: str = "lower") -> None:
    line = {
        "name": name,
        "value": value,
        "unit": unit,
        "to_reach": to_reach,
        "better": better,
        "settings": SETTINGS,
    }
    print(json.dumps(line), flush=True)


async def measure(folder: Path) -> None:
    recording = new_id()
    async with running_livekit() as livekit:
        token = livekit.token(identity=f"{new_id()}.a", room=recording, can_publish=True)
        lecturer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.servers.lecturer", livekit.url, token, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert lecturer.stdout is not None
            await asyncio.wait_for(lecturer.stdout.readline(), 20)
            await weigh(livekit.url, livekit.key, livekit.secret, folder, recording)
        finally:
            lecturer.kill()
            await lecturer.communicate()


async def weigh(url: str, key: str, secret: str, folder: Path, recording: str) -> None:
    recorder = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.servers.recording", url, recording, folder.as_uri(), recording, str(SECONDS)),
        env={**os.environ, "LIVEKIT_KEY": key, "LIVEKIT_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await recorder.communicate()
    assert recorder.returncode == 0
    lines = [json.loads(line) for line in output.splitlines() if line.startswith(b"{")]
    segments = [line["segment"] for line in lines if "segment" in line]
    seconds = sum(segment["duration_ms"] for segment in segments) / 1000
    figure("recorder_processor", lines[-1]["processor"], "CPU s/s", TO_REACH_PROCESSOR)
    figure("recorder_peak_memory", lines[-1]["peak_mb"], "MB", TO_REACH_MB)
    size = sum(segment["size"] for segment in segments)
    figure("recorder_bitrate", round(size * 8 / 1000 / seconds), "kbit/s", 1500)
    moved = await asyncio.to_thread(screens_a_second, [folder / segment["key"] for segment in segments])
    figure("recorder_screens", moved, "1/s", 14, better="higher")


def screens_a_second(files: list[Path]) -> float:
    """How often the moving square on the screen stands elsewhere, in the last segment of full length."""
    data = files[0].read_bytes() + files[-2].read_bytes()
    with av.open(io.BytesIO(data), "r") as container:
        rows = [frame.to_ndarray()[320:400:8, :1280].astype(int) for frame in container.decode(video=0)]
    changes = sum(bool((abs(a - b) > 60).any()) for a, b in pairwise(rows))
    return round(changes * 1000 / SEGMENT_MS, 1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(measure(Path(temporary)))
