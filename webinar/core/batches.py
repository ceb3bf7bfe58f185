"""Doing for many at once what each asks for by itself.

Under load a statement for sixty costs little more than one for a single asker; with nothing to do, nobody
waits for company. So whoever asks while a batch is on its way goes with the next one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from webinar.core.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """`await batches(item)` is the answer for this item.

    Args:
        work: answers several items in their order. When it raises for many it is asked again for each, so
            that only the one that fails suffers; that something is away (`Unavailable`) is told to all.
        most: items in one batch.
        at_once: batches on their way at a time.
        every_s: the least time from one batch to the next. An item that comes alone goes at once, those that
            come sooner after it wait and share the next one.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        most: int = 64,
        at_once: int = 1,
        every_s: float = 0.0,
    ) -> None:
        self._work = work
        self._most = most
        self._at_once = at_once
        self._every_s = every_s
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._going: set[asyncio.Task[None]] = set()
        self._called = False

    @property
    def waiting(self) -> int:
        """How many items no batch has taken yet."""
        return len(self._waiting)

    async def close(self) -> None:
        """Have what waits done without more ado, and wait for it."""
        self._every_s = self._next_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting or self._going:
            self._go()
            await asyncio.wait(self._going)

    async def __call__(self, item: T) -> R:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, answer))
        if not self._called and self._timer is None:
            # Not yet: others who ask in this turn of the loop come along.
            self._called = True
            loop.call_soon(self._go)
        return await answer

    def _go(self) -> None:
        self._called = False
        loop = asyncio.get_running_loop()
        while self._waiting and len(self._going) < self._at_once:
            if (wait_s := self._next_at - loop.time()) > 0:
                self._timer = self._timer or loop.call_later(wait_s, self._due)
                return
            self._next_at = loop.time() + self._every_s
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            task = asyncio.create_task(self._answer(batch), name="batch")
            self._going.add(task)
            task.add_done_callback(self._gone)

    def _due(self) -> None:
        self._timer = None
        self._go()

    def _gone(self, task: "asyncio.Task[None]") -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # those who asked have it
        self._go()

    async def _answer(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        batch = [(item, answer) for item, answer in batch if not answer.done()]
        try:
            if batch:
                await self._try(batch)
        except BaseException as error:
            # Killed, or broken: nobody waits for ever.
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            raise

    async def _try(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._work([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, Unavailable):
                self._refuse(batch, error)
                return
            for one in batch:
                await self._try([one])
            return
        for (_, answer), found in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(found)

    def _refuse(self, batch: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(error)
