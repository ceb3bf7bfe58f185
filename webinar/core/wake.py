"""Being woken when somebody owes something: LISTEN on PostgreSQL, the WAL's time on SQLite.

A lost wake-up costs time, never an effect: the loop that waits has a net of a few seconds.
"""

import asyncio
import contextlib
from typing import Any

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError

from webinar.core.database import Database
from webinar.core.effects import CHANNEL

LOOK_EVERY_S = 0.05
RECONNECT_S = 1.0

log = structlog.get_logger()


class Wake:
    """`await wake.wait(timeout_s)` returns at the next change, or when the time is over."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        watch = self._listen() if self._db.dialect == "postgresql" else self._look()
        self._task = asyncio.create_task(watch, name="wake")

    def ring(self) -> None:
        """Wake the waiter from inside this process."""
        self._changed.set()

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Whether there was a change; changes since the last wait count."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        path = self._db.path
        if path is None:
            return
        wal = path.with_name(path.name + "-wal")
        seen: tuple[int, int] | None = None
        while True:
            try:
                stat = wal.stat()
                now = (stat.st_mtime_ns, stat.st_size)
            except FileNotFoundError:
                now = None
            if now != seen:
                seen = now
                self._changed.set()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (
                OSError,
                TimeoutError,
                DBAPIError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
            ) as error:
                log.warning("wake_lost", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _listen_once(self) -> None:
        """Listen on a connection of the engine's own making, which is thrown away at the end."""
        async with self._db.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            ended = asyncio.Event()
            try:
                if not isinstance(driver, asyncpg.Connection):
                    raise TypeError("LISTEN needs the driver asyncpg")
                driver.add_termination_listener(lambda _: ended.set())
                await driver.add_listener(CHANNEL, self._heard)
                self._changed.set()  # what was owed while nobody listened
                await ended.wait()
            finally:
                await connection.invalidate()

    def _heard(self, *_: Any) -> None:
        self._changed.set()
