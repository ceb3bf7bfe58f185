"""A process whose clock is wrong by half a minute, or is set while it runs, goes by the database's time."""

import asyncio

import pytest

from scheduler.runner import Scheduler
from tests import by_hand
from tests.build import SECOND
from tests.pools import alone
from webinar.core import effects, processes
from webinar.core.clock import Clock, DatabaseClock, SystemClock
from webinar.core.database import Database
from webinar.core.effects import Done, Effect, Outcome
from webinar.core.effects_runner import LEASE_MS, Runner
from webinar.media.fake import FakeMedia
from webinar.operations import lines
from webinar.processes import signs_of_life

OFF_MS = (-30 * SECOND, 30 * SECOND)
# Two statements on a machine that has other things to do.
AT_ONCE_MS = 5 * SECOND


class WrongClock:
    """The machine's clock, set wrong."""

    def __init__(self, off_ms: int) -> None:
        self.off_ms = off_ms

    def now(self) -> int:
        return SystemClock().now() + self.off_ms


class Worker:
    """A runner that goes by a clock, and what it ran."""

    def __init__(self, db: Database, own: Clock) -> None:
        self.db = db
        self.ran: list[str] = []
        self.clock = DatabaseClock(own)
        self.runner = Runner(db, {"note": self._note}, self.clock)

    async def _note(self, effect: Effect) -> Outcome:
        self.ran.append(effect.key)
        return Done()

    async def owe(self, key: str, in_ms: int) -> int:
        due_at = await self.db.now() + in_ms
        async with self.db.writing() as session:
            await effects.owe(session, kind="note", key=key, subject="s", due_at=due_at, now=due_at)
        return due_at

    async def step(self) -> int | None:
        due = await self.runner.step()
        await self.runner.drain()
        return due


@pytest.mark.parametrize("off_ms", OFF_MS)
async def test_nothing_is_done_early_and_what_is_due_is_done_at_once(database: Database, off_ms: int) -> None:
    worker = Worker(database, WrongClock(off_ms))
    later = await worker.owe("in twenty seconds", 20 * SECOND)
    await worker.owe("for ten seconds", -10 * SECOND)
    await worker.step()
    assert worker.ran == ["for ten seconds"]
    assert await worker.step() == later
    assert abs(worker.clock.now() - await database.now()) < AT_ONCE_MS


@pytest.mark.parametrize("jump_ms", OFF_MS)
async def test_a_clock_that_is_set_while_it_runs_changes_nothing(database: Database, jump_ms: int) -> None:
    own = WrongClock(0)
    worker = Worker(database, own)
    await worker.step()
    own.off_ms = jump_ms
    await worker.owe("in twenty seconds", 20 * SECOND)
    await worker.owe("now", 0)
    assert abs(worker.clock.now() - await database.now()) < AT_ONCE_MS
    await worker.step()
    assert worker.ran == ["now"]


@pytest.mark.parametrize("off_ms", OFF_MS)
async def test_a_lease_is_as_long_by_the_database_whatever_the_own_clock_says(
    database: Database, off_ms: int
) -> None:
    worker, other = Worker(database, WrongClock(off_ms)), Worker(database, WrongClock(-off_ms))
    await worker.owe("held", -SECOND)
    before = await database.now()
    [held] = await by_hand.claim(
        database, worker="first", limit=1, lease_ms=LEASE_MS, now=await database.now()
    )
    ends = (await effects.look(database)).leases["note"]
    assert before + LEASE_MS <= ends <= await database.now() + LEASE_MS
    await other.step()
    assert other.ran == []
    await effects.renew(database, [held], lease_ms=-1)
    await other.step()
    assert other.ran == ["held"]


@pytest.mark.parametrize("off_ms", [-31 * SECOND, 31 * SECOND])
async def test_a_scheduler_and_a_site_tell_by_how_much_their_own_clock_is_wrong(
    database: Database, off_ms: int
) -> None:
    pool = alone(FakeMedia(SystemClock(), "key", "s" * 32))
    followed = DatabaseClock(WrongClock(off_ms))
    stop = asyncio.Event()
    running = asyncio.create_task(Scheduler(database, pool, DatabaseClock(WrongClock(off_ms))).run(stop))
    async with signs_of_life(database, "web", followed), asyncio.timeout(30):
        known: list[processes.Process] = []
        while {process.kind for process in known} != {"scheduler", "web"}:
            assert not running.done()
            await asyncio.sleep(0.02)
            async with database.reading() as session:
                known = await processes.known(session)
        now = await database.now()
        assert all(abs(process.clock_ahead_ms - off_ms) < AT_ONCE_MS for process in known)
        assert all(abs(process.seen_at - now) < AT_ONCE_MS for process in known)
        assert all(abs(process.started_at - now) < AT_ONCE_MS for process in known)
        assert len(lines.clocks(known, now)) == 2
        assert abs(followed.now() - now) < AT_ONCE_MS
        stop.set()
        await running


@pytest.mark.parametrize("off_ms", [-31 * SECOND, 31 * SECOND])
async def test_a_site_knows_the_time_before_it_serves_anybody(database: Database, off_ms: int) -> None:
    followed = DatabaseClock(WrongClock(off_ms))
    async with signs_of_life(database, "web", followed):
        at_once = followed.now()
        assert abs(at_once - await database.now()) < AT_ONCE_MS
