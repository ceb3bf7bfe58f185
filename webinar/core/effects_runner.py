"""Runs the effects that are due: claims them, calls their handlers, writes the outcomes back.

Any number of runners, in any number of processes, share one table. A runner holds on to what it
runs by renewing the leases; one that hangs or dies loses them, and another takes over. Each kind has
places of its own, and each effect is a task of its own: one that takes long delays no other. What they
ask of the database they ask together.
"""

import asyncio
import os
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import structlog

from webinar.core import effects
from webinar.core.batches import Batches
from webinar.core.clock import Clock, put_right
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Ahead, Handler, Outcome, Retry
from webinar.core.effects_meter import LEASE_LOST, NOT_WRITTEN, Meter
from webinar.core.effects_rules import OTHER_PLACES, PLACES, Effect, back_off, next_try

LEASE_MS = 15_000
HANDLER_TIMEOUT_S = 120
OTHERS_HOLD_IT_MS = 1_000

log = structlog.get_logger()


def worker_name() -> str:
    """Who claims: machine, process, and a random part, since process numbers come again."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def how_it_ended(effect: Effect, outcome: Outcome) -> str:
    """In one word, for metrics."""
    if isinstance(outcome, Retry):
        return "parked" if next_try(effect.kind, effect.attempts, 0) is None else "retried"
    return {"Done": "done", "Again": "again", "Skip": "skipped"}[type(outcome).__name__]


def batch_size(db: Database) -> dict[str, int]:
    """How many go into one transaction: on SQLite few, since everybody else waits for it meanwhile."""
    return {"most": 16} if db.dialect == "sqlite" else {"most": 64, "at_once": 2}


class Runner:
    """Claims due effects, of each kind up to its places at once.

    Args:
        handlers: what to do for each kind; a kind that is missing is retried and parked, visibly.
        clock: read after `put_right`, when it is one that follows the database's.
        concurrency: how many effects of all kinds together at most.
        places: how many effects of each kind at once.
        freed: called whenever a handler has ended, so that the loop can claim the next.
    """

    def __init__(
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        worker: str | None = None,
        concurrency: int = 1_000,
        lease_ms: int = LEASE_MS,
        freed: Callable[[], None] = lambda: None,
        places: Mapping[str, int] = PLACES,
    ) -> None:
        self.db = db
        self.handlers = handlers
        self.clock = clock
        self.worker = worker or worker_name()
        self.concurrency = concurrency
        self.lease_ms = lease_ms
        self._freed = freed
        self._places = places
        self.meter = Meter()
        self._running: dict[asyncio.Task[None], Effect] = {}
        self._of_kind: Counter[str] = Counter()
        self._finish = Batches(self._finish_many, **batch_size(db))
        self._renewing: asyncio.Task[None] | None = None

    @property
    def busy(self) -> int:
        """How many handlers run right now."""
        return len(self._running)

    async def step(self) -> int | None:
        """Start what is due, as far as there is room.

        Returns:
            When to look again (Unix ms); None when nothing is owed or no room is left.
        """
        while True:
            asked_at = self.clock.now()
            ahead = await effects.look(self.db)
            put_right(self.clock, ahead.db_now, asked_at)
            now = self.clock.now()
            wanted = self._wanted(ahead, now)
            if not wanted:
                return self._next(ahead)
            lost = any(ahead.expired(kind) for kind in wanted)
            claimed = await effects.claim_of(
                self.db, wanted, worker=self.worker, lease_ms=self.lease_ms, now=now, lost=lost
            )
            for effect in claimed:
                self._start(effect)
            if not claimed:
                return now + OTHERS_HOLD_IT_MS

    def _free(self, kind: str) -> int:
        return min(
            self._places.get(kind, OTHER_PLACES) - self._of_kind[kind], self.concurrency - len(self._running)
        )

    def _wanted(self, ahead: Ahead, now: int) -> dict[str, int]:
        """How many to claim of each kind that waits, first of the one that waits longest."""
        wanted: dict[str, int] = {}
        left = self.concurrency - len(self._running)
        for kind in ahead.claimable(now):
            free = min(self._free(kind), left)
            if free > 0:
                wanted[kind] = free
                left -= free
        return wanted

    def _next(self, ahead: Ahead) -> int | None:
        """The earliest of what there is room for; whatever ends its run has us look again anyhow."""
        moments = (at for kind, at in ahead.due.items() if self._free(kind) > 0)
        # By the database's time, which is not that of a clock that is nobody's (a test's).
        ends = (self.clock.now() + at - ahead.db_now for at in ahead.leases.values())
        return min((*moments, *ends), default=None)

    async def drain(self) -> None:
        """Wait until everything that was started has been written back."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def close(self, grace_s: float = 10) -> None:
        """Let running handlers end, cancel those that take longer than the grace; they are retried."""
        if self._running:
            _, late = await asyncio.wait(list(self._running), timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._renewing is not None:
            self._renewing.cancel()

    def _start(self, effect: Effect) -> None:
        self._spawn(effect, self._run(effect))
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name="effects-renew")

    def _spawn(self, effect: Effect, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"effect-{effect.key}")
        self._running[task] = effect
        self._of_kind[effect.kind] += 1
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._of_kind[self._running.pop(task).kind] -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("effect_task_failed", error=repr(error))
        self._freed()

    async def _run(self, effect: Effect) -> None:
        self.meter.began(effect.kind, self.clock.now() - effect.due_at)
        outcome = await self._outcome(effect)
        try:
            written = await self._finish((effect, outcome))
        except DatabaseAway:
            # The lease runs out, and whoever is there then takes over.
            self.meter.ended(effect.kind, NOT_WRITTEN)
            log.warning("effect_not_written_back", key=effect.key, kind=effect.kind)
        except Exception as error:
            log.exception("effect_then_failed", key=effect.key, kind=effect.kind)
            failed = Retry(f"{type(error).__name__}: {error}")
            await self._finish((effect, failed))
            self.meter.ended(effect.kind, how_it_ended(effect, failed))
        else:
            self._report(effect, outcome, written)

    async def _finish_many(self, outcomes: Sequence[tuple[Effect, Outcome]]) -> Sequence[bool]:
        return await effects.finish_many(self.db, outcomes, self.clock.now())

    async def _outcome(self, effect: Effect) -> Outcome:
        handler = self.handlers.get(effect.kind)
        if handler is None:
            return Retry(f"nobody handles the kind {effect.kind}")
        if effect.attempts > back_off(effect.kind).tries:
            return Retry("each process that ran it died")
        try:
            async with asyncio.timeout(HANDLER_TIMEOUT_S):
                return await handler(effect)
        except TimeoutError:
            return Retry(f"took longer than {HANDLER_TIMEOUT_S} s")
        except DatabaseAway as error:
            return Retry(error.code)
        except Exception as error:
            log.exception("effect_failed", key=effect.key, kind=effect.kind, attempt=effect.attempts)
            return Retry(f"{type(error).__name__}: {error}")

    def _report(self, effect: Effect, outcome: Outcome, written: bool) -> None:
        self.meter.ended(effect.kind, how_it_ended(effect, outcome) if written else LEASE_LOST)
        if not written:
            log.warning("effect_lease_lost", key=effect.key, kind=effect.kind, fence=effect.fence)
        elif isinstance(outcome, Retry):
            log.warning(
                "effect_retried",
                key=effect.key,
                kind=effect.kind,
                attempt=effect.attempts,
                error=outcome.error,
            )

    async def _renew(self) -> None:
        while self._running:
            await asyncio.sleep(self.lease_ms / 3_000)
            held = list(self._running.values())
            if held:
                try:
                    await effects.renew(self.db, held, lease_ms=self.lease_ms)
                except DatabaseAway:
                    log.warning("effect_leases_not_renewed", held=len(held))
