"""Many small writes at the price of one transaction a second.

An item that comes alone is written at once; those that come within `collect_s` of the last write wait for
the next one and share it. Whoever told an item is answered after the commit, never before: what is
acknowledged is on disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from webinar.core.errors import Unavailable

MOST_AT_ONCE = 2_000
MOST_WAITING = 20_000

log = structlog.get_logger()
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Grouped(Generic[Item, Answer]):
    """Takes items of one process and stores them together.

    Args:
        store: stores some items in one transaction, and answers for each of them after the commit.
        away: the error for those that could not be stored.
        collect_s: the least time between two writes.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        away: type[Unavailable],
        collect_s: float,
    ) -> None:
        self._store = store
        self._away = away
        self._collect_s = collect_s
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._next_at = 0.0

    async def tell(self, item: Item) -> Answer:
        """The answer for the item, after the commit.

        Raises:
            Unavailable: it could not be stored (the class that was given as `away`).
        """
        if len(self._waiting) >= MOST_WAITING:
            raise self._away
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, told))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="grouped")
        return await told

    async def close(self) -> None:
        """Store what waits."""
        self._collect_s = self._next_at = 0.0
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        """Until nobody waits any more."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._next_at - loop.time()))
                self._next_at = loop.time() + self._collect_s
                group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._stored(group)
        finally:
            self._writer = None

    async def _stored(self, group: Sequence[tuple[Item, "asyncio.Future[Answer]"]]) -> None:
        try:
            answers = await self._store([item for item, _ in group])
        except (Unavailable, SQLAlchemyError) as error:
            log.warning("group_not_stored", error=type(error).__name__, items=len(group))
            for _, told in group:
                if not told.done():
                    told.set_exception(self._away())
            return
        for (_, told), answer in zip(group, answers, strict=True):
            if not told.done():
                told.set_result(answer)
