"""How long the media server waits for its 200, and how many events a second are taken at most.

The receiver is a process of its own on a real database (SQLite with synchronous=FULL, PostgreSQL with
fsync and synchronous_commit on), run as `webinar hooks` runs it; signatures are real, each event is durable
before its answer.

- At 200 events a second, twenty rooms send one event at a time each. Beside it, at the same pace in the same
  run: a bare durable insert of the same row, with nothing around it.
- As fast as they are answered, over 32 connections that stay open. Beside it in the same run, in turns: a
  bare aiohttp handler that only verifies the signature, with the same loop and verification, and stores
  nothing. Everything, PostgreSQL and the generator too, shares the machine.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import jwt
import uvloop
from aiohttp import hdrs, web

from bench._load import Outcome, closed_loop
from tests.servers.postgres import postgres
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.evidence import append_postgresql, append_sqlite
from webinar.evidence.append_rules import Row
from webinar.media.webhook import verify
from webinar.migrations import upgrade
from webinar.processes import settle
from webinar.web.hooks import PATH, create_hooks_app, hooks_runner

KEY, SECRET = "pendopo", "a-secret-of-at-least-thirty-two-bytes"
RATE, ROOMS, SECONDS, WARM = 200, 20, 10, 200
CONCURRENCY, EVENTS, TURNS = 32, 10_000, 3
TO_REACH = {"sqlite": {"p50": 2, "p99": 8}, "postgresql": {"p50": 2, "p99": 5}}
PER_SECOND_TO_REACH, SHARE_TO_REACH = 3_500, 0.5


def figure(
    name: str, value: float, unit: str, to_reach: float | None, *, better: str = "lower", **settings: object
) -> None:
    # Another's load on the machine shows in the p99 first, in ours and in the bare insert's.
    settings["load_average"] = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 3), "unit": unit, "to_reach": to_reach, "better": better}
    print(json.dumps(line | {"settings": settings}), flush=True)


def a_request(number: int) -> bytes:
    """The bytes of one signed webhook, as the media server sends it."""
    room = f"room{number % ROOMS}"
    body = json.dumps(
        {
            "event": "participant_joined",
            "id": f"EV_{new_id()}",
            "createdAt": str(int(time.time())),
            "room": {"sid": f"RM_{room}", "name": room, "emptyTimeout": 300, "turnPassword": "x" * 40},
            "participant": {
                "sid": f"PA_{number}",
                "identity": f"seat{number}.tab",
                "state": "ACTIVE",
                "joinedAtMs": str(int(time.time() * 1000)),
                "permission": {"canSubscribe": True, "hidden": True},
            },
        }
    ).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    token = jwt.encode({"iss": KEY, "exp": int(time.time()) + 300, "sha256": digest}, SECRET)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: hooks\r\nAuthorization: {token}\r\n"
        f"Content-Type: application/webhook+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def paced(send: Callable[[int], Awaitable[None]], count: int) -> list[float]:
    """Milliseconds of each; one starts every 1/RATE s whether or not those before are done."""
    settle()  # A collection in the generator would be time of whatever is measured.
    loop = asyncio.get_running_loop()
    began, taken = loop.time(), []

    async def one(number: int) -> None:
        start = time.perf_counter()
        await send(number)
        taken.append((time.perf_counter() - start) * 1000)

    tasks = []
    for number in range(count):
        await asyncio.sleep(max(0, began + number / RATE - loop.time()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return taken


async def webhooks(port: int) -> list[float]:
    """The time to 200 of each event; raises when one is not 200."""
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(ROOMS)]
    turns = [asyncio.Lock() for _ in range(ROOMS)]
    requests: list[bytes] = []

    async def send(number: int) -> None:
        reader, writer = lines[number % ROOMS]
        async with turns[number % ROOMS]:
            writer.write(requests[number])
            answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer

    requests[:] = [a_request(n) for n in range(WARM)]
    await paced(send, WARM)
    requests[:] = [a_request(n) for n in range(RATE * SECONDS)]
    taken = await paced(send, RATE * SECONDS)
    for _, writer in lines:
        writer.close()
    return taken


def a_row(number: int) -> Row:
    now = int(time.time() * 1000)
    return Row(
        f"EV_{new_id()}", "participant_joined", "bare", "RM_bare", f"PA_{number}", f"seat{number}.tab",
        "standard", now, now // 1000, None, now, "0" * 64,
    )  # fmt: skip


async def bare_sqlite(path: Path) -> list[float]:
    """Paced inserts on the calling thread: begin, insert, commit, nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")

    async def send(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(append_sqlite.INSERT, a_row(number))
        connection.execute("COMMIT")

    taken = await paced(send, RATE * SECONDS)
    connection.close()
    return taken


async def bare_postgresql(dsn: str) -> list[float]:
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    insert = await connection.prepare(append_postgresql.INSERT)
    turn = asyncio.Lock()

    async def send(number: int) -> None:
        async with turn:
            await insert.fetch(*([value] for value in a_row(number)))

    taken = await paced(send, RATE * SECONDS)
    await connection.close()
    return taken


@contextmanager
def serving(*what: str) -> Iterator[int]:
    """The receiver, or the bare handler, in a process of its own; answers its port."""
    command = [sys.executable, "-m", "bench.webhook", *what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)


async def serve(url: str) -> None:
    await _listen(hooks_runner(create_hooks_app(database_url=url, keys={KEY: SECRET})))


async def serve_bare() -> None:
    async def verified(request: web.Request) -> web.Response:
        body = await request.read()
        token = request.headers.get(hdrs.AUTHORIZATION, "")
        verify(body, token, {KEY: SECRET}, int(time.time() * 1000))
        return web.Response()

    app = web.Application()
    app.router.add_post(PATH, verified)
    await _listen(web.AppRunner(app, access_log=None))


async def _listen(runner: web.BaseRunner) -> None:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settle()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


async def stored(url: str) -> int:
    db = Database(url)
    async with db.reading() as session:
        connection = await session.connection()
        count = await connection.exec_driver_sql(
            "SELECT count(DISTINCT event_id) FROM evidence_webhooks WHERE room_name <> 'bare'"
        )
        found = int(count.scalar_one())
    await db.close()
    return found


async def measure(database: str, url: str, bare: Callable[[], Awaitable[list[float]]]) -> None:
    alone = await bare()
    with serving("--serve", url) as port:
        taken = await webhooks(port)
    pace = {"database": database, "events_per_second": RATE, "rooms": ROOMS, "events": RATE * SECONDS}
    for name, values in (("webhook_accept", taken), ("bare_durable_insert", alone)):
        cuts = statistics.quantiles(values, n=100)
        reach = TO_REACH[database] if name == "webhook_accept" else {}
        figure(f"{name}_p50", cuts[49], "ms", reach.get("p50"), **pace)
        figure(f"{name}_p99", cuts[98], "ms", reach.get("p99"), **pace)
    figure("webhook_lost", WARM + RATE * SECONDS - await stored(url), "events", 0, **pace)


def at_most(url: str, database: str) -> None:
    """Events a second of the receiver and of the bare handler, the median of turns that alternate."""
    ours: list[float] = []
    bare: list[float] = []
    sent = uvloop.run(stored(url))
    for _ in range(TURNS):
        for what, speeds in ((("--serve", url), ours), (("--bare",), bare)):
            with serving(*what) as port:
                run = uvloop.run(_hurried(port))
            assert run.statuses == {200: EVENTS}, run.statuses
            speeds.append(run.each_second)
        sent += WARM + EVENTS
    lost = sent - uvloop.run(stored(url))
    told = {"database": database, "connections": CONCURRENCY, "events": EVENTS, "cores": os.cpu_count()}
    fast, bare_fast = statistics.median(ours), statistics.median(bare)
    wanted = database == "postgresql"
    reach, share = (PER_SECOND_TO_REACH, SHARE_TO_REACH) if wanted else (None, None)
    told |= {"runs": [round(speed) for speed in ours]}
    figure("webhook_stored_per_second", fast, "events/s", reach, better="higher", **told)
    told |= {"runs": [round(speed) for speed in bare]}
    figure("bare_handler_per_second", bare_fast, "events/s", None, better="higher", **told)
    figure("webhook_share_of_bare", fast / bare_fast, "", share, better="higher", **told)
    figure("webhook_hurried_lost", lost, "events", 0, **told)


async def _hurried(port: int) -> Outcome:
    await closed_loop(port, [a_request(number) for number in range(WARM)], CONCURRENCY)
    requests = [a_request(number) for number in range(EVENTS)]
    return await closed_loop(port, requests, CONCURRENCY)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--serve")
    arguments.add_argument("--bare", action="store_true")
    arguments.add_argument("--database", choices=("sqlite", "postgresql"))
    given = arguments.parse_args()
    if given.serve or given.bare:
        uvloop.run(serve(given.serve) if given.serve else serve_bare())
        return
    if given.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pendopo.db"
            url = f"sqlite+aiosqlite:///{path}"
            asyncio.run(upgrade(url))
            uvloop.run(measure("sqlite", url, lambda: bare_sqlite(path)))
            at_most(url, "sqlite")
    if given.database != "sqlite":
        with postgres(fsync=True) as server:
            url = asyncio.run(server.create("bench"))
            asyncio.run(upgrade(url))
            dsn = urlsplit(url)._replace(scheme="postgresql").geturl()
            uvloop.run(measure("postgresql", url, lambda: bare_postgresql(dsn)))
            at_most(url, "postgresql")


if __name__ == "__main__":
    main()
