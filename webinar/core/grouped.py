"""Many small writes at the price of one transaction a second.

Whoever told an item is answered after the commit, never before: what is acknowledged is on disk.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from webinar.core.batches import Batches
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
        self._batches = Batches(self._stored, most=MOST_AT_ONCE, every_s=collect_s)

    async def tell(self, item: Item) -> Answer:
        """The answer for the item, after the commit.

        Raises:
            Unavailable: it could not be stored (the class that was given as `away`).
        """
        if self._batches.waiting >= MOST_WAITING:
            raise self._away
        return await self._batches(item)

    async def close(self) -> None:
        """Store what waits."""
        await self._batches.close()

    async def _stored(self, items: Sequence[Item]) -> Sequence[Answer]:
        try:
            return await self._store(items)
        except (Unavailable, SQLAlchemyError) as error:
            log.warning("group_not_stored", error=type(error).__name__, items=len(items))
            raise self._away from error
