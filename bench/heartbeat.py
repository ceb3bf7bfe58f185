"""What the heartbeats of 10,000 viewers cost the site: each beats every 15 s, so 667 a second.

The site is a process of its own, run as `webinar web` runs it, on SQLite (synchronous=FULL) and on PostgreSQL
(fsync). Each viewer has a registration and the cookie of a join link; beats go out evenly at random moments
over connections that stay open, as a proxy in front would keep them. Weighed is the process of the site
alone, in CPU seconds a second. Each beat is durable before it is answered, and shares its commit with those
of a second: that second is in the latency, by design.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psutil
import uvloop
from aiohttp import web
from sqlalchemy import insert, text

from tests.build import a_lecture, a_person, an_institution
from tests.servers.postgres import free_port, postgres
from webinar.classroom.rules import seat_cookie
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.lectures.tables import RegistrationRow
from webinar.migrations import upgrade
from webinar.people.tables import PersonRow
from webinar.processes import BACKLOG, allow_connections

VIEWERS, EVERY_S, SECONDS, WARM_S, LINES = 10_000, 15, 20, 5, 256
CORES_TO_REACH = 0.5
LINK_KEY = "a key of the benchmark, of thirty-two bytes and more"


@dataclass(frozen=True)
class Viewer:
    lecture_id: str
    seat: str
    cookie: str


def figure(name: str, value: float, unit: str, to_reach: float | None, **settings: object) -> None:
    settings["load_average"] = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 3), "unit": unit, "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings}), flush=True)


async def a_full_lecture(url: str) -> list[Viewer]:
    """A lecture that is live, with as many people in it."""
    await upgrade(url)
    db, now = Database(url), SystemClock().now()
    async with db.writing() as session:
        unit = await an_institution(session)
        lecture = await a_lecture(session, unit, starts_at=now, state="live")
        one = await a_person(session, unit)
        person = {c.key: getattr(one, c.key) for c in PersonRow.__table__.columns}
        people = [person | {"id": new_id(), "email": None, "nip": None} for _ in range(VIEWERS)]
        await session.execute(insert(PersonRow), people)
        seats: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "institution_id": unit.id,
                "lecture_id": lecture.id,
                "person_id": who["id"],
                "role": "participant",
                "seat": new_id()[:16],
                "state": "registered",
                "link_generation": 1,
                "link_digest": f"{number:064}",
                "created_at": now,
            }
            for number, who in enumerate(people)
        ]
        await session.execute(insert(RegistrationRow), seats)
    await db.close()
    return [Viewer(lecture.id, seat["seat"], _cookie(seat)) for seat in seats]


def _cookie(seat: dict[str, Any]) -> str:
    registration: Any = SimpleNamespace(id=seat["id"], link_generation=1)
    return seat_cookie(LINK_KEY.encode(), registration)


def a_beat(viewer: Viewer, origin: str) -> bytes:
    body = json.dumps({"connection": f"{viewer.seat}.abcdefgh", "sid": "PA_1", "visible": True})
    host = urlsplit(origin).netloc
    return (
        f"POST /lectures/{viewer.lecture_id}/heartbeat HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
        f"Cookie: pendopo_seat={viewer.cookie}; pendopo_visitor=abcdefghijklmnopqrstuvwxyz\r\n"
        "User-Agent: Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36\r\nAccept: application/json\r\n"
        "Accept-Language: id-ID,id;q=0.9\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Lines:
    """Connections that stay open; who beats takes a free one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()

    async def send(self, request: bytes) -> int:
        try:
            line = self._free.get_nowait()
        except asyncio.QueueEmpty:
            line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = line
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        self._free.put_nowait(line)
        return int(answer[9:12])


async def audience(
    port: int, viewers: list[Viewer], seconds: float, site: psutil.Process
) -> tuple[float, list[float]]:
    """CPU seconds a second of the site, and the milliseconds of each beat, after it has warmed up."""
    loop, lines, chance = asyncio.get_running_loop(), Lines(port), random.Random(7)
    origin, pace = f"http://127.0.0.1:{port}", VIEWERS / EVERY_S
    taken: list[float] = []

    async def one(viewer: Viewer, counts: bool) -> None:
        began = loop.time()
        status = await lines.send(a_beat(viewer, origin))
        assert status == 204, status
        if counts:
            taken.append((loop.time() - began) * 1000)

    began, tasks, cpu, cpu_at = loop.time(), set(), 0.0, 0.0
    at = 0.0
    while at < seconds + WARM_S:
        await asyncio.sleep(max(0.0, began + at - loop.time()))
        counts = at >= WARM_S
        if counts and not cpu_at:
            cpu, cpu_at = sum(site.cpu_times()[:2]), loop.time()
        task = asyncio.create_task(one(chance.choice(viewers), counts))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        at += chance.expovariate(pace)
    cores = (sum(site.cpu_times()[:2]) - cpu) / (loop.time() - cpu_at)
    await asyncio.gather(*tasks)
    return cores, taken


@contextmanager
def the_site(url: str, port: int) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "bench.heartbeat", "--serve", url, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


async def serve(url: str, port: int) -> None:
    from webinar import wiring
    from webinar.config import Settings
    from webinar.web.app import create_app

    settings = Settings(
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        database_url=url,
        link_key=LINK_KEY,  # type: ignore[arg-type]  # pydantic makes a secret of it
        media_api_secret=LINK_KEY,  # type: ignore[arg-type]  # the same
        storage_url="memory:///",
    )
    async with wiring.site(settings) as site:
        runner = web.AppRunner(create_app(site), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=BACKLOG).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


async def beats_stored(url: str) -> int:
    db = Database(url)
    async with db.reading() as session:
        found = int((await session.execute(text("SELECT sum(beats) FROM evidence_heartbeats"))).scalar_one())
    await db.close()
    return found


def measure(url: str, database: str, seconds: float) -> None:
    viewers, port = asyncio.run(a_full_lecture(url)), free_port()
    with the_site(url, port) as site:
        cores, taken = uvloop.run(audience(port, viewers, seconds, site))
    settings = {"database": database, "viewers": VIEWERS, "beats_per_second": round(len(taken) / seconds)}
    cuts = statistics.quantiles(taken, n=100)
    figure("heartbeat_cores", cores, "cores", CORES_TO_REACH, **settings)
    figure("heartbeat_p50", cuts[49], "ms", None, **settings)
    figure("heartbeat_p99", cuts[98], "ms", None, **settings)
    figure("heartbeat_lost", max(0, len(taken) - asyncio.run(beats_stored(url))), "beats", 0, **settings)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", choices=("sqlite", "postgresql"))
    arguments.add_argument("--seconds", type=float, default=SECONDS)
    arguments.add_argument("--serve")
    arguments.add_argument("--port", type=int, default=0)
    given = arguments.parse_args()
    allow_connections()
    if given.serve:
        uvloop.run(serve(given.serve, given.port))
        return
    if given.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            measure(f"sqlite+aiosqlite:///{folder}/bench.db", "sqlite", given.seconds)
    if given.database != "sqlite":
        with postgres(fsync=True) as server:
            measure(asyncio.run(server.create("bench")), "postgresql", given.seconds)


if __name__ == "__main__":
    main()
