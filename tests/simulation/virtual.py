"""An event loop whose time is simulated: it jumps to the next timer whenever nobody has anything to do."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StandsStillError(AssertionError):
    """Everybody waits for something that nobody will ever do."""


class _NoIO(selectors.SelectSelector):
    """Waits by moving the clock; there is nothing outside to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise StandsStillError("nothing is due, and nobody has anything to do")
        self.time += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs without threads, sockets or sleeping: the same tasks always run in the same order."""

    def __init__(self) -> None:
        self._virtual = _NoIO()
        super().__init__(self._virtual)
        # asyncio takes timers together that are due within this; in simulated time none is early.
        self._clock_resolution = 1e-7

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._virtual.time

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """At once, in the only thread there is: with others, two runs of a seed would differ."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in simulated time; what it leaves behind is cancelled."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
