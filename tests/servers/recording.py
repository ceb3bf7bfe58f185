"""A recorder as a process of its own, so that a test can kill it and a benchmark can weigh it.

    python -m tests.servers.recording URL ROOM STORAGE_URL RECORDING_ID SECONDS

Key and secret are in LIVEKIT_KEY and LIVEKIT_SECRET. Prints one line of JSON for each segment and state, and
a last one with the result, its processor time and its largest memory.
"""

import asyncio
import json
import os
import resource
import sys
from dataclasses import asdict

from recordings.recorder import RecordingJob, record
from recordings.rules import Pass, RecorderState, Segment
from recordings.storage import open_storage
from webinar.core.clock import SystemClock
from webinar.media import tokens


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(url: str, room: str, storage: str, recording_id: str, seconds: float) -> None:
    started = asyncio.Event()

    async def passes() -> Pass:
        token = tokens.mint(
            os.environ["LIVEKIT_KEY"],
            os.environ["LIVEKIT_SECRET"],
            identity=f"recorder-{os.getpid()}",
            name="recorder",
            room=room,
            now=SystemClock().now(),
            hidden=True,
            kind="egress",
        )
        return Pass("main", url, token)

    async def on_segment(segment: Segment) -> None:
        say(segment=asdict(segment))

    async def on_state(state: RecorderState) -> None:
        say(state=str(state))
        if state == RecorderState.RECORDING:
            started.set()

    stop = asyncio.Event()
    work = asyncio.create_task(
        record(
            RecordingJob(recording_id, "Kuliah Pakar: Tata Kelola"),
            passes=passes,
            storage=open_storage(storage),
            on_segment=on_segment,
            on_state=on_state,
            stop=stop,
        )
    )
    await started.wait()
    await asyncio.sleep(2)
    before, began = processor_s(), asyncio.get_running_loop().time()
    await asyncio.wait([work], timeout=seconds)
    spent = (processor_s() - before) / (asyncio.get_running_loop().time() - began)
    stop.set()
    result = await work
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(result=asdict(result), processor=round(spent, 3), peak_mb=round(peak_kib * 1024 / 1e6, 1))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], seconds=float(sys.argv[5])))
