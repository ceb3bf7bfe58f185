"""Three processes on one database, killed again and again: each effect is done, and none by two at once.

The large one (`make faults`) is 100,000 effects with a death every 5 s.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import IO

import pytest

from tests.build import NINE
from tests.processes.journal import Journal, judge
from webinar.core import effects
from webinar.core.clock import monotonic
from webinar.core.database import Database
from webinar.core.effects import EffectState, Owed

SLICE = 2_000


async def owe(database: Database, number: int) -> None:
    for first in range(0, number, SLICE):
        owed = [Owed("note", f"note:{i}", "s", 0, {}) for i in range(first, min(number, first + SLICE))]
        async with database.writing() as session:
            await effects.owe_many(session, owed, NINE)


async def start(
    url: str,
    lease_ms: int,
    journal: Path,
    *,
    takes_ms: tuple[int, int] = (0, 5),
    said: IO[bytes] | None = None,
) -> Process:
    given = [url, str(lease_ms), str(journal), *map(str, takes_ms)]
    command = [sys.executable, "-m", "tests.processes.journal", *given]
    return await asyncio.create_subprocess_exec(*command, stdout=said)


async def left(database: Database) -> int:
    async with database.reading() as session:
        counts = await effects.counts(session)
    return sum(number for (_, state), number in counts.items() if state is not EffectState.DONE)


async def storm(
    database: Database,
    path: Path,
    *,
    number: int,
    every_s: float,
    lease_ms: int,
    takes_ms: tuple[int, int] = (0, 5),
) -> int:
    """Three processes until nothing is left; every so often one dies, and another comes. How many died."""
    await owe(database, number)
    url, journal, died = database.url.render_as_string(hide_password=False), Journal(path), 0
    running = [await start(url, lease_ms, path, takes_ms=takes_ms) for _ in range(3)]
    try:
        while await rests_in(database, every_s):
            # One that has not begun yet would not be missed.
            at_work = {line.rpartition(" ")[2] for line in path.read_text().splitlines()}
            victim = next((one for one in running if str(one.pid) in at_work), None)
            if victim is not None:
                running.remove(victim)
                victim.kill()
                await victim.wait()
                journal.say("killed", pid=victim.pid)
                died += 1
                running.append(await start(url, lease_ms, path, takes_ms=takes_ms))
    finally:
        for process in running:
            process.kill()
            await process.wait()
    return died


async def rests_in(database: Database, seconds: float) -> int:
    """How much is left after so long, or earlier when nothing is."""
    until = monotonic() + seconds
    while (rest := await left(database)) and monotonic() < until:
        await asyncio.sleep(0.1)
    return rest


async def judged(database: Database, path: Path, number: int) -> None:
    verdict = judge(path.read_text().splitlines())
    async with database.reading() as session:
        assert await effects.counts(session) == {("note", EffectState.DONE): number}
    assert (verdict.ran, verdict.twice_at_once) == (number, 0)


async def test_killed_processes_lose_nothing_and_no_effect_is_held_by_two(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    died = await storm(database, path, number=1_500, every_s=0.25, lease_ms=1_000, takes_ms=(0, 300))
    await judged(database, path, 1_500)
    assert died


@pytest.mark.fault
async def test_a_hundred_thousand_effects_and_a_death_every_five_seconds(
    postgresql_url: str, tmp_path: Path
) -> None:
    database, path = Database(postgresql_url), tmp_path / "journal"
    died = await storm(database, path, number=100_000, every_s=5, lease_ms=15_000)
    await judged(database, path, 100_000)
    assert died
    await database.close()


async def test_a_process_that_hangs_beyond_its_lease_writes_nothing_back(
    database: Database, tmp_path: Path
) -> None:
    """Stopped in the middle of its handler; when it goes on, another has done the work."""
    path = tmp_path / "journal"
    await owe(database, 1)
    url = database.url.render_as_string(hide_password=False)
    said = (tmp_path / "said").open("wb")
    hanging = await start(url, 600, path, takes_ms=(700, 700), said=said)
    while not path.exists() or "begin" not in path.read_text():
        await asyncio.sleep(0.005)
    hanging.send_signal(signal.SIGSTOP)
    other = await start(url, 600, path)
    try:
        async with asyncio.timeout(60):
            while await left(database):
                await asyncio.sleep(0.05)
        async with database.reading() as session:
            before = await effects.about(session, "s")
        hanging.send_signal(signal.SIGCONT)
        async with asyncio.timeout(60):
            while b"effect_lease_lost" not in (tmp_path / "said").read_bytes():
                await asyncio.sleep(0.05)
        async with database.reading() as session:
            assert await effects.about(session, "s") == before
        assert before[0].state is EffectState.DONE
    finally:
        for process in (hanging, other):
            process.kill()
            await process.wait()


def test_the_judge_sees_two_who_hold_an_effect_at_once_and_not_those_of_the_dead() -> None:
    at_once = ["begin 1 1 10", "begin 1 2 11", "end 1 1 10"]
    after_death = ["begin 1 1 10", "killed - - 10", "begin 1 2 11", "end 1 2 11"]
    assert (judge(at_once).twice_at_once, judge(after_death).twice_at_once) == (1, 0)
    assert judge(after_death).repeated == 1
