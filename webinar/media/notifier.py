"""How the media server sends its webhooks, and loses them: a queue in memory for each room.

As `webhook/resource_queue.go` and `resource_url_notifier.go` of LiveKit do it: one event of a room
at a time; what finds the queue full or waited too long is dropped; a network error, 429 or 5xx (but 501)
is tried again after 1, 2, 4 and 8 s; any other answer counts as delivered. Nothing outlives the process.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from webinar.media.webhook import WebhookEvent

MAX_DEPTH = 200
MAX_AGE_S = 30.0
RETRIES_S = (1.0, 2.0, 4.0, 8.0)

Deliver = Callable[[WebhookEvent], Awaitable[int]]
"""Posts the event and answers the HTTP status; raises OSError when there is no answer."""


class Notifier:
    """Hands events to `deliver`, in order within a room.

    Args:
        max_depth, max_age_s: as in `webhook.resource_url_notifier` of the server's configuration.
    """

    def __init__(self, deliver: Deliver, *, max_depth: int = MAX_DEPTH, max_age_s: float = MAX_AGE_S) -> None:
        self.dropped = 0
        self._deliver = deliver
        self._max_depth = max_depth
        self._max_age_s = max_age_s
        self._queues: dict[str, deque[tuple[float, WebhookEvent]]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    def tell(self, event: WebhookEvent) -> None:
        """Queue an event."""
        room = event.room_name
        queue = self._queues.setdefault(room, deque())
        if len(queue) >= self._max_depth:
            self.dropped += 1
            return
        queue.append((asyncio.get_running_loop().time(), event))
        if room not in self._workers:
            self._workers[room] = asyncio.create_task(self._work(room, queue), name=f"notifier-{room}")

    def crash(self) -> None:
        """The process dies, with all that waits and what is under way."""
        for worker in self._workers.values():
            worker.cancel()
        self._workers.clear()
        self._queues.clear()

    async def _work(self, room: str, queue: deque[tuple[float, WebhookEvent]]) -> None:
        loop = asyncio.get_running_loop()
        while queue:
            queued_at, event = queue.popleft()
            if loop.time() - queued_at > self._max_age_s or not await self._sent(event):
                self.dropped += 1
        del self._workers[room]

    async def _sent(self, event: WebhookEvent) -> bool:
        """Whether the event was answered as delivered, at last."""
        for wait_s in (*RETRIES_S, None):
            try:
                status = await self._deliver(event)
            except OSError:
                status = 0
            if not tried_again(status):
                return True
            if wait_s is not None:
                await asyncio.sleep(wait_s)
        return False


def tried_again(status: int) -> bool:
    """Whether an answer (0: none) makes the media server send the event once more."""
    return status in {0, 429} or (status >= 500 and status != 501)
