"""Requests as fast as they are answered, over connections that stay open; cheap enough to share two cores.

The answers are read as bytes and not as HTTP, since the generator has to cost little beside what it
measures: each request is ready before the clock starts, and an answer has a head and an empty body.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

END = b"\r\n\r\n"


@dataclass
class Outcome:
    """What came of a run: seconds, answers by status, milliseconds of each, and what went wrong."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    taken: list[float] = field(default_factory=list)

    @property
    def each_second(self) -> float:
        return len(self.taken) / self.seconds


class _Line(asyncio.Protocol):
    """One connection: sends the next request when the one before is answered."""

    def __init__(self, requests: Iterator[bytes], outcome: Outcome) -> None:
        self._requests = requests
        self._outcome = outcome
        self._began = 0.0
        self._answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(END):
            self._outcome.statuses[int(self._answer[9:12])] += 1
            self._outcome.taken.append((time.perf_counter() - self._began) * 1000)
            self._answer = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("closed in the middle of a run"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(request)


async def closed_loop(port: int, requests: Sequence[bytes], concurrency: int) -> Outcome:
    """Send all of them over so many connections, one at a time on each."""
    outcome = Outcome()
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    lines = [
        (await loop.create_connection(lambda: _Line(waiting, outcome), "127.0.0.1", port))[1]
        for _ in range(concurrency)
    ]
    await asyncio.gather(*(line.done for line in lines))
    outcome.seconds = time.perf_counter() - began
    return outcome
