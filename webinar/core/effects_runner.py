"""Runs the effects that are due: claims them, calls their handlers, writes the outcomes back.

Any number of runners, in any number of processes, share one table. A runner holds on to what it
runs by renewing the leases; one that hangs or dies loses them, and another takes over.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Handler, Outcome, Retry
from webinar.core.effects_meter import LEASE_LOST, NOT_WRITTEN, Meter
from webinar.core.effects_rules import Effect, back_off, next_try

LEASE_MS = 15_000
HANDLER_TIMEOUT_S = 120

log = structlog.get_logger()


def worker_name() -> str:
    """Who claims: machine, process, and a random part, since process numbers come again."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def how_it_ended(effect: Effect, outcome: Outcome) -> str:
    """In one word, for metrics."""
    if isinstance(outcome, Retry):
        return "parked" if next_try(effect.kind, effect.attempts, 0) is None else "retried"
    return {"Done": "done", "Again": "again", "Skip": "skipped"}[type(outcome).__name__]


class Runner:
    """Claims due effects up to `concurrency` at once.

    Args:
        handlers: what to do for each kind; a kind that is missing is retried and parked, visibly.
        freed: called whenever a handler has ended, so that the loop can claim the next.
    """

    def __init__(
        self,
        db: Database,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        worker: str | None = None,
        concurrency: int = 16,
        lease_ms: int = LEASE_MS,
        freed: Callable[[], None] = lambda: None,
    ) -> None:
        self.db = db
        self.handlers = handlers
        self.clock = clock
        self.worker = worker or worker_name()
        self.concurrency = concurrency
        self.lease_ms = lease_ms
        self._freed = freed
        self.meter = Meter()
        self._running: dict[asyncio.Task[None], Effect] = {}
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
        while (free := self.concurrency - len(self._running)) > 0:
            due = await effects.next_due(self.db)
            now = self.clock.now()
            if due is None or due > now:
                return due
            claimed = await effects.claim(
                self.db, worker=self.worker, limit=free, lease_ms=self.lease_ms, now=now
            )
            for effect in claimed:
                self._start(effect)
            if not claimed:
                return now + 1_000  # others hold what is due, or the clocks differ
        return None

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
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("effect_task_failed", error=repr(error))
        self._freed()

    async def _run(self, effect: Effect) -> None:
        self.meter.began(effect.kind, self.clock.now() - effect.due_at)
        outcome = await self._outcome(effect)
        try:
            written = await effects.finish(self.db, effect, outcome, self.clock.now())
        except DatabaseAway:
            # The lease runs out, and whoever is there then takes over.
            self.meter.ended(effect.kind, NOT_WRITTEN)
            log.warning("effect_not_written_back", key=effect.key, kind=effect.kind)
        except Exception as error:
            log.exception("effect_then_failed", key=effect.key, kind=effect.kind)
            failed = Retry(f"{type(error).__name__}: {error}")
            await effects.finish(self.db, effect, failed, self.clock.now())
            self.meter.ended(effect.kind, how_it_ended(effect, failed))
        else:
            self._report(effect, outcome, written)

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
