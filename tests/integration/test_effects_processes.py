"""Real processes on one database: each effect once, and a killed process loses nothing."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter

from tests.build import NINE
from webinar.core import effects
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.effects import EffectState

EFFECTS = 400


async def owe(database: Database, number: int) -> None:
    async with database.writing() as session:
        for i in range(number):
            await effects.owe(session, kind="note", key=f"note:{i}", subject="s", due_at=0, now=NINE)


async def start(url: str, lease_ms: int, *more: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.processes.claimer", url, str(lease_ms), *more, stdout=PIPE
    )


async def test_two_processes_claim_each_effect_once(database: Database, database_url: str) -> None:
    await owe(database, EFFECTS)
    processes = [await start(database_url, 15_000) for _ in range(2)]
    ran = [(await process.communicate())[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert Counter(Counter(ran[0] + ran[1]).values()) == {1: EFFECTS}
    assert all(ran)
    async with database.reading() as session:
        assert await effects.counts(session) == {("note", EffectState.DONE): EFFECTS}


async def test_what_a_killed_process_ran_is_taken_over_when_its_lease_ends(
    database: Database, database_url: str
) -> None:
    await owe(database, 1)
    killed = await start(database_url, 700, "hang")
    assert killed.stdout is not None
    first = await killed.stdout.readline()
    killed.kill()
    await killed.wait()
    killed_at = SystemClock().now()
    second = await start(database_url, 700)
    assert (await second.communicate())[0] == first
    async with database.reading() as session:
        [view] = await effects.about(session, "s")
    assert (view.state, view.finished_at is not None) == (EffectState.DONE, True)
    assert view.finished_at is not None
    assert view.finished_at - killed_at < 700 + 3_000
