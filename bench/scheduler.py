"""How late the scheduler is, how much it opens a second, what it costs when there is nothing to do.

The schedulers are processes of their own on PostgreSQL with fsync and synchronous_commit on; unless a real
LiveKit is named, the media server is the one in memory of the unit tests. Everything shares the machine:
PostgreSQL, the schedulers, and whatever else runs (`load_average`).

- evenly: lectures whose rooms fall due evenly over a minute; how long after its due time each room's opening
  was committed (`pg_xact_commit_timestamp`). One call of the media server for each; transactions are shared
  under load, and how many there were is said. Looks into the open rooms go on meanwhile.
- burst: as many, all due at one instant; rooms a second from then to the last commit.
- placed: the burst on several media servers, each with what it bears counted.
- real: a burst of real rooms on a LiveKit server that shares the two cores.
- quiet: one lecture at a time on an idle system with a real LiveKit.
- idle: a million effects that are due in a month; processor time and statements of the scheduler in a window,
  extrapolated to an hour.
- claims: claims a second with their write-back, two workers against one by turns; to the
  last write-back, which is before the wait for each other's leases.
- takeover: from SIGKILL of a scheduler in the middle of an effect to the beginning of the next try.
- storm: three processes, one killed every 5 s; each has to do its work once.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert, text

from scheduler.runner import Scheduler
from tests.build import DAY, MINUTE, a_lecture, a_policy, a_unit, an_institution
from tests.integration.test_effects_storm import owe as owe_notes
from tests.integration.test_effects_storm import storm
from tests.pools import a_server, alone
from tests.processes.journal import judge
from tests.servers.livekit import running_livekit
from tests.servers.postgres import Postgres, postgres
from webinar.core import effects
from webinar.core.clock import DatabaseClock, SystemClock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, EffectState, Owed
from webinar.core.effects_rules import Effect
from webinar.core.effects_runner import LEASE_MS, Runner
from webinar.core.ids import new_id
from webinar.lectures.tables import LectureRow
from webinar.media.fake import FakeMedia
from webinar.media.livekit import LiveKit
from webinar.media.pool import Pool
from webinar.media.port import Media
from webinar.migrations import upgrade

PARTS = ("evenly", "burst", "placed", "real", "quiet", "idle", "claims", "takeover", "storm")
SLICE = 1_000
CAPACITY = 1_000_000
FAR = 30 * 24 * 3_600_000


def figure(
    name: str, value: float, unit: str, to_reach: float | None, *, better: str = "lower", **settings: object
) -> None:
    settings["load_average"] = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 3), "unit": unit, "to_reach": to_reach, "better": better}
    print(json.dumps(line | {"settings": settings}), flush=True)


# --- the processes that are measured -----------------------------------------------------------


async def serve(url: str, pool: Pool) -> None:
    """A scheduler until SIGTERM; on SIGUSR1 it says what it has used and asked."""
    db, asked, stop = Database(url), [0], asyncio.Event()

    def count(*_: object) -> None:
        asked[0] += 1

    def say() -> None:
        used = time.process_time()
        print(json.dumps({"cpu_s": used, "statements": asked[0]}), flush=True)

    event.listen(db.engine.sync_engine, "before_cursor_execute", count)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, say)
    say()
    clock = DatabaseClock(SystemClock())

    async def tomorrow(_: Effect) -> Again:
        """The daily job that a scheduler owes by itself; without a handler it would be tried over again."""
        return Again(clock.now() + DAY)

    await Scheduler(db, pool, clock, {"retention": tomorrow}).run(stop)
    await db.close()


async def serve_with(url: str, livekit: Sequence[str], servers: int) -> None:
    if livekit:
        async with LiveKit(*livekit) as media:
            await serve(url, alone(media))
    elif servers == 1:
        await serve(url, alone(_in_memory()))
    else:
        named = (a_server(f"media-{number}", capacity=CAPACITY) for number in range(servers))
        await serve(url, Pool(*((one, _in_memory()) for one in named)))


def _in_memory() -> Media:
    return FakeMedia(SystemClock(), "key", "s" * 32)


async def work(url: str, hang: bool, begin_at: float) -> None:
    """A runner of effects that do nothing, from an instant on; tells it, and the last write-back."""
    db = Database(url)

    async def note(_: Effect) -> Done:
        if hang:
            print(time.time(), flush=True)
            await asyncio.sleep(3_600)
        return Done()

    freed = asyncio.Event()
    written = [0.0]

    def one_written() -> None:
        # What comes after it is the wait for leases of others, which is no claiming.
        written[0] = time.time()
        freed.set()

    clock = DatabaseClock(SystemClock())
    runner = Runner(db, {"note": note}, clock, freed=one_written, places={"note": 64})
    await db.now()
    await asyncio.sleep(max(0.0, begin_at - time.time()))
    began = time.time()
    if hang:
        await runner.step()
        print("ready", flush=True)
    while (due := await runner.step()) is not None or runner.busy:
        wait_s = 0.5 if due is None else (due - clock.now()) / 1000
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                await freed.wait()
        except TimeoutError:
            pass
        freed.clear()
    print(json.dumps([began, written[0]]), flush=True)
    await db.close()


@contextmanager
def running(*arguments: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "bench.scheduler", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def said(process: "subprocess.Popen[str]") -> Any:
    """The next line of JSON; what the log says is passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(('{"cpu', "[", "ready")) and not line.startswith("[{"):
            return line.strip() if line.startswith("ready") else json.loads(line)
    raise RuntimeError("the process ended")


def used(process: "subprocess.Popen[str]") -> dict[str, float]:
    process.send_signal(signal.SIGUSR1)
    answer: dict[str, float] = said(process)
    return answer


# --- lectures ----------------------------------------------------------------------------------


async def book(db: Database, dues: Sequence[int]) -> None:
    """Lectures whose rooms are due at these instants (Unix ms), and the effects that open them."""
    now = SystemClock().now()
    async with db.writing() as session:
        institution = await an_institution(session, code=new_id())
        policy = await a_policy(session, institution)
        unit = await a_unit(session, institution)
        pattern = await a_lecture(session, unit, policy=policy, starts_at=now + FAR, open_before_s=900)
        row = {c.key: getattr(pattern, c.key) for c in LectureRow.__table__.columns}
    for first in range(0, len(dues), SLICE):
        rows = []
        for due in dues[first : first + SLICE]:
            starts_at = due + 15 * MINUTE
            moved = {
                "starts_at": starts_at,
                "ends_at": starts_at + 90 * MINUTE,
                "closes_at": starts_at + 90 * MINUTE,
            }
            rows.append(row | {"id": new_id(), **moved})
        owed = [
            Owed("lecture", f"lecture:{r['id']}", f"lecture:{r['id']}", r["starts_at"] - 15 * MINUTE, {})
            for r in rows
        ]
        async with db.writing() as session:
            await session.execute(insert(LectureRow), rows)
            await effects.owe_many(session, owed, now)


_OPENED = """
SELECT l.starts_at - l.open_before_s * 1000 AS due,
    (extract(epoch FROM pg_xact_commit_timestamp(r.xmin)) * 1000)::bigint AS at
FROM lectures l JOIN rooms r ON r.lecture_id = l.id WHERE r.state = 'open'
"""


async def opened(db: Database, number: int, patience_s: float) -> list[tuple[int, int]]:
    """(due, committed) of each room, once all stand."""
    until = time.monotonic() + patience_s
    while True:
        async with db.reading() as session:
            count = await session.scalar(text("SELECT count(*) FROM rooms WHERE state = 'open'"))
            if count == number:
                return [(due, at) for due, at in await session.execute(text(_OPENED))]
        if time.monotonic() > until:
            raise RuntimeError(f"{count} of {number} rooms after {patience_s} s")
        await asyncio.sleep(0.5)


async def committed(db: Database) -> int:
    async with db.reading() as session:
        await session.execute(text("SELECT pg_stat_clear_snapshot()"))
        query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        return int(await session.scalar(text(query)) or 0)


async def lectures(
    server: Postgres,
    number: int,
    over_s: float,
    processes: int,
    livekit: Sequence[str] = (),
    servers: int = 1,
) -> tuple[list[int], float, dict[str, Any]]:
    """Lateness of each room in ms, rooms a second, and what else there is to say."""
    url = await server.create(f"bench_{new_id()}")
    await upgrade(url)
    db = Database(url)
    started = [
        running("--serve", url, "--servers", str(servers), "--livekit", *livekit) for _ in range(processes)
    ]
    workers = [one.__enter__() for one in started]
    for one in workers:
        said(one)
    # Booking takes its time.
    first = SystemClock().now() + 4_000 + number * 2
    await book(db, [first + round(i * over_s * 1000 / number) for i in range(number)])
    try:
        await asyncio.sleep(max(1.0, (first - SystemClock().now()) / 1000 - 1))
        before, transactions = [used(one)["cpu_s"] for one in workers], await committed(db)
        found = await opened(db, number, over_s * 4 + 120)
        cpu = sum(used(one)["cpu_s"] - b for one, b in zip(workers, before, strict=True))
        transactions = await committed(db) - transactions
    finally:
        for one in started:
            one.__exit__(None, None, None)
    await db.close()
    late = [at - due for due, at in found]
    took_s = (max(at for _, at in found) - first) / 1000
    told: dict[str, Any] = {
        "lectures": number, "schedulers": processes, "transactions_a_room": round(transactions / number, 3),
        "scheduler_cpu_ms_a_room": round(cpu * 1000 / number, 3),
    }  # fmt: skip
    return late, number / took_s, told


async def evenly(server: Postgres, given: argparse.Namespace) -> None:
    late, _, told = await lectures(server, given.lectures, given.seconds, given.schedulers)
    cuts = statistics.quantiles(late, n=100)
    told |= {"over_s": given.seconds, "media": "in memory"}
    figure("room_lateness_p50", cuts[49], "ms", 200, **told)
    figure("room_lateness_p99", cuts[98], "ms", 1_000, **told)


async def burst(server: Postgres, given: argparse.Namespace) -> None:
    _, each_second, told = await lectures(server, given.lectures, 0, given.schedulers)
    figure(
        "rooms_opened_per_second", each_second, "rooms/s", 1_500, better="higher", media="in memory", **told
    )


async def placed(server: Postgres, given: argparse.Namespace) -> None:
    """The burst once more on several media servers, on each of which what it bears is counted."""
    number, servers = given.lectures, given.servers
    _, each_second, told = await lectures(server, number, 0, given.schedulers, servers=servers)
    told |= {"media": "in memory", "servers": servers}
    figure("rooms_placed_per_second", each_second, "rooms/s", None, better="higher", **told)


async def real(server: Postgres, given: argparse.Namespace) -> None:
    async with running_livekit() as livekit:
        where = (livekit.http_url, livekit.key, livekit.secret)
        _, each_second, told = await lectures(server, given.rooms, 0, 1, where)
    figure(
        "real_rooms_opened_per_second", each_second, "rooms/s", None, better="higher", media="LiveKit", **told
    )


async def quiet(server: Postgres, given: argparse.Namespace) -> None:
    async with running_livekit() as livekit:
        where = (livekit.http_url, livekit.key, livekit.secret)
        number = given.quiet
        late, _, told = await lectures(server, number, number * 2.3, 1, where)
    figure("quiet_lateness_p50", statistics.median(late), "ms", 100, media="LiveKit", **told)
    figure("quiet_lateness_max", max(late), "ms", None, media="LiveKit", **told)


# --- effects -----------------------------------------------------------------------------------

_FUTURE = """
INSERT INTO effects (key, kind, subject, payload, due_at, state, fence, attempts, nudged, created_at)
SELECT 'lecture:' || i, 'lecture', 'lecture:' || i, '{{}}', {first} + i * 1000, 'owed', 0, 0, false, 0
FROM generate_series(1, {number}) i
"""


async def idle(server: Postgres, given: argparse.Namespace) -> None:
    url = await server.create(f"bench_{new_id()}")
    await upgrade(url)
    db = Database(url)
    async with db.writing() as session:
        first = SystemClock().now() + FAR
        await session.execute(text(_FUTURE.format(first=first, number=given.future)))
    async with db.asking() as session:
        await session.execute(text("ANALYZE effects"))
    with running("--serve", url, "--servers", "1", "--livekit") as process:
        said(process)
        await asyncio.sleep(10)
        before, transactions = used(process), await committed(db)
        await asyncio.sleep(given.window)
        after, transactions = used(process), await committed(db) - transactions
    await db.close()
    told: dict[str, Any] = {
        "effects": given.future,
        "window_s": given.window,
        "transactions": transactions - 1,
    }
    hours, minutes = given.window / 3_600, given.window / 60
    figure("idle_cpu_an_hour", (after["cpu_s"] - before["cpu_s"]) / hours, "s", 5, **told)
    asked = after["statements"] - before["statements"]
    figure("idle_queries_a_minute", asked / minutes, "queries/min", 30, **told)


async def claims(server: Postgres, given: argparse.Namespace) -> None:
    """One worker and two by turns, since a machine is not as quick in one minute as in the next."""
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(given.rounds):
        for workers, found in speeds.items():
            found.append(await claimed_per_second(server, workers, given))
    told = {"effects": given.claims, "rounds": given.rounds}
    one, two = (statistics.median(speeds[workers]) for workers in (1, 2))
    figure("claims_per_second_1", one, "claims/s", None, better="higher", **told)
    figure("claims_per_second_2", two, "claims/s", None, better="higher", **told)
    figure("claims_two_against_one", two / one, "", 1.5, better="higher", **told)


async def claimed_per_second(server: Postgres, workers: int, given: argparse.Namespace) -> float:
    name = f"bench_{new_id()}"
    url = await server.create(name)
    await upgrade(url)
    db = Database(url)
    await owe_notes(db, given.claims)
    async with db.asking() as session:
        await session.execute(text("ANALYZE effects"))
    await db.close()
    # All of them begin at one instant, when they have loaded what they need.
    begin_at = str(time.time() + given.ready)
    with ExitStack() as stack:
        started = [stack.enter_context(running("--work", url, "--at", begin_at)) for _ in range(workers)]
        spans = [said(one) for one in started]
    await server.drop(name)
    return float(given.claims / (max(end for _, end in spans) - min(begin for begin, _ in spans)))


async def takeover(server: Postgres, given: argparse.Namespace) -> None:
    url = await server.create(f"bench_{new_id()}")
    await upgrade(url)
    db = Database(url)
    await owe_notes(db, 1)
    with running("--hang", url) as first, running("--hang", url) as second:
        assert first.stdout is not None
        assert second.stdout is not None
        lines = {process: process.stdout.readline().strip() for process in (first, second) if process.stdout}
        holder = first if lines[first] != "ready" else second
        other = second if holder is first else first
        await asyncio.sleep(LEASE_MS / 2_000)
        holder.kill()
        killed_at = time.time()
        assert other.stdout is not None
        began_at = float(other.stdout.readline())
        other.kill()
    await db.close()
    figure("takeover", began_at - killed_at, "s", LEASE_MS / 1000 + 1, lease_s=LEASE_MS / 1000)


async def killed(server: Postgres, given: argparse.Namespace) -> None:
    url = await server.create(f"bench_{new_id()}")
    await upgrade(url)
    db = Database(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        began = time.monotonic()
        died = await storm(db, path, number=given.effects, every_s=5, lease_ms=LEASE_MS)
        verdict = judge(path.read_text().splitlines())
    async with db.reading() as session:
        done = (await effects.counts(session)).get(("note", EffectState.DONE), 0)
    await db.close()
    told: dict[str, Any] = {
        "effects": given.effects,
        "processes": 3,
        "died": died,
        "took_s": round(time.monotonic() - began),
    }
    figure("storm_lost", given.effects - min(done, verdict.ran), "effects", 0, **told)
    figure("storm_claimed_twice_at_once", verdict.twice_at_once, "effects", 0, **told)
    figure("storm_repeated_after_a_death", verdict.repeated, "effects", None, **told)


RUN = {
    "evenly": evenly, "burst": burst, "placed": placed, "real": real, "quiet": quiet, "idle": idle,
    "claims": claims, "takeover": takeover, "storm": killed,
}  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("parts", nargs="*", default=PARTS, help="all unless named")
    for name, value in (
        ("lectures", 10_000), ("seconds", 60), ("schedulers", 1), ("rooms", 300), ("quiet", 15),
        ("future", 1_000_000), ("window", 120), ("claims", 20_000), ("rounds", 3), ("servers", 4),
        ("effects", 100_000), ("ready", 8),
    ):  # fmt: skip
        arguments.add_argument(f"--{name}", type=int, default=value)
    for internal in ("serve", "work", "hang"):
        arguments.add_argument(f"--{internal}", help=argparse.SUPPRESS)
    arguments.add_argument("--at", type=float, default=0.0, help=argparse.SUPPRESS)
    arguments.add_argument("--livekit", nargs="*", default=(), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.serve:
        asyncio.run(serve_with(given.serve, given.livekit, given.servers))
    elif given.work or given.hang:
        asyncio.run(work(given.work or given.hang, bool(given.hang), given.at))
    else:
        with postgres(fsync=True) as server:
            # So that the database itself says when a room's opening was committed.
            asyncio.run(server.run("ALTER SYSTEM SET track_commit_timestamp = on"))
            server.restart_at_once()
            for part in given.parts:
                asyncio.run(RUN[part](server, given))


if __name__ == "__main__":
    main()
