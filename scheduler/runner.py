"""The scheduler's process: ticks, wake-ups, the watch, a sign of life.

APScheduler is the tick only: the next due time as a date, an interval as a net, in memory. What is
owed, and whether it was done, is in the database alone.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scheduler.lecture import Reconciler
from scheduler.sweep import Sweeper
from scheduler.watch import WATCH_S, Watch, again_in_s
from webinar.core import processes
from webinar.core.clock import Clock, SystemClock, own_time, to_datetime
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Handler
from webinar.core.effects_runner import LEASE_MS, Runner, worker_name
from webinar.core.wake import Wake
from webinar.evidence.rules import SWEEP_MS
from webinar.media.pool import Pool
from webinar.privacy import job as retention

NET_S = 6
# What is owed without a cause is owed anew should it ever be missing.
STANDING_S = 3_600
NEXT = "next"

log = structlog.get_logger()


def own_handlers(db: Database, pool: Pool, clock: Clock, *, sweep_ms: int = SWEEP_MS) -> dict[str, Handler]:
    """The handlers of the kinds that the scheduler itself looks after."""
    return {
        "lecture": Reconciler(db, pool, clock),
        "sweep": Sweeper(db, pool, clock, every_ms=sweep_ms),
    }


class Scheduler:
    """`await scheduler.run(stop)` until the event is set.

    Args:
        handlers: those of the other kinds (mails, invites, removals); the scheduler's own are added.
        lease_ms: how long after its death another scheduler takes over what this one ran.
    """

    def __init__(
        self,
        db: Database,
        pool: Pool,
        clock: Clock,
        handlers: Mapping[str, Handler] | None = None,
        *,
        lease_ms: int = LEASE_MS,
        watch_s: float = WATCH_S,
    ) -> None:
        self._db = db
        self._clock = clock
        self._name = worker_name()
        self._started_at = 0
        self._begun = False
        self._wake = Wake(db)
        self._watches = [Watch(db, pool, server.name, clock) for server in pool]
        self._watch_s = watch_s
        self._ticks = AsyncIOScheduler(timezone="UTC")
        self._runner = Runner(
            db,
            {**own_handlers(db, pool, clock), **(handlers or {})},
            clock,
            worker=self._name,
            lease_ms=lease_ms,
            freed=self._wake.ring,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let what runs come to its end."""
        await self._start()
        log.info("scheduler_started", process=self._name)
        stopping = asyncio.create_task(stop.wait(), name="scheduler-stop")
        stopping.add_done_callback(lambda _: self._wake.ring())
        try:
            while not stop.is_set():
                await self._step()
                await self._wake.wait()
        finally:
            stopping.cancel()
            await self._end()

    async def _start(self) -> None:
        await self._wake.start()
        self._ticks.start()
        self._every(NET_S, self._tick)

    def _begin(self) -> None:
        """Everything that asks what time it is waits until the database has said so."""
        self._begun, self._started_at = True, self._clock.now()
        self._every(processes.BEAT_EVERY_S, self._beat)
        self._every(STANDING_S, self._owe_standing)
        for first in (self._beat, self._owe_standing):
            self._ticks.add_job(first)
        for watch in self._watches:
            # Each for itself: one that takes its time to answer delays no other.
            self._ticks.add_job(self._look, args=[watch])

    def _every(self, seconds: float, job: object) -> None:
        self._ticks.add_job(
            job, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )

    async def _step(self) -> None:
        try:
            due = await self._runner.step()
        except DatabaseAway:
            log.warning("database_away")
            return  # the net wakes us again
        if not self._begun:
            self._begin()
        if due is not None and due < self._clock.now() + NET_S * 1000:
            self._at(due, self._tick, NEXT)

    def _at(self, due: int, job: object, name: str) -> None:
        """Have it called once, at this instant or at once; what bore the name before is forgotten."""
        # The tick knows the machine's clock only, which may not be the database's.
        wait_ms = max(0, due - self._clock.now())
        run_date = to_datetime(SystemClock().now() + wait_ms)
        self._ticks.add_job(
            job, "date", run_date=run_date, id=name, replace_existing=True, misfire_grace_time=None
        )

    async def _tick(self) -> None:
        self._wake.ring()

    async def _look(self, watch: Watch) -> None:
        """Look at a media server, and have it looked at again: soon while there are rooms."""
        began = self._clock.now()
        try:
            rooms = await watch.look()
        except DatabaseAway:
            log.warning("database_away")
            rooms = True
        # Silence takes no time of ours.
        took_s = (self._clock.now() - began) / 1000 if watch.error is None else 0
        due = self._clock.now() + round(again_in_s(rooms, took_s, self._watch_s) * 1000)
        self._at(due, partial(self._look, watch), f"look at {watch.server}")

    async def _owe_standing(self) -> None:
        try:
            async with self._db.writing() as session:
                await retention.owe_first(session, self._clock.now())
                await processes.forget_silent(session, self._clock.now())
        except DatabaseAway:
            log.warning("database_away")

    async def _beat(self) -> None:
        try:
            async with self._db.writing() as session:
                await processes.beat(
                    session,
                    name=self._name,
                    kind="scheduler",
                    started_at=self._started_at,
                    now=self._clock.now(),
                    detail={
                        "running": self._runner.busy,
                        "clock_ahead_ms": own_time(self._clock) - self._clock.now(),
                        "effects": self._runner.meter.told(),
                        "media": {watch.server: watch.error for watch in self._watches},
                    },
                )
        except DatabaseAway:
            log.warning("database_away")

    async def _end(self) -> None:
        self._ticks.shutdown(wait=False)
        await self._runner.close()
        await self._wake.close()
        try:
            async with self._db.writing() as session:
                await processes.gone(session, self._name)
        except DatabaseAway:
            log.warning("database_away")
        log.info("scheduler_ended", process=self._name)
