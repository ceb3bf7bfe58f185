"""The durable end of the webhook receiver: what is answered with 200 is on disk.

A write begins at once when none is under way; events that come meanwhile wait and are committed
together. (The media server sends one event of a room at a time, so a batch that waits for more
costs more than it saves: measured 236/s against 3,300/s.) Raw drivers, since on this path each
millisecond delays every later event of the room.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy.engine import make_url

from webinar.core.errors import Unavailable
from webinar.evidence.append_postgresql import PostgresqlWriter
from webinar.evidence.append_rules import Row, row_of
from webinar.evidence.append_sqlite import SqliteWriter
from webinar.media.webhook import WebhookEvent

MOST_AT_ONCE = 500
MOST_WAITING = 20_000
TURNS = 3
# The notifier waits for us without limit, and while it waits the room's next events grow old.
WAIT_S = 3.0
ATTEMPT_S = 2.5

log = structlog.get_logger(__name__)


class StoreAway(Unavailable):
    """The event is not stored; the media server will send it again after a 503."""

    code = "store_away"


class Writer(Protocol):
    """Stores rows in one durable commit; a row whose event is there already is fine."""

    async def write(self, rows: Sequence[Row]) -> None:
        """Return after the commit; raise whatever went wrong, and be usable again later."""

    async def ask(self) -> None:
        """Return when the table can be reached."""

    async def close(self) -> None: ...


class Waiting(NamedTuple):
    """A row, who waits for its commit, and until when (the loop's time)."""

    row: Row
    stored: asyncio.Future[None]
    until: float


class WebhookLog:
    """Appends events in groups.

    Args:
        writer: see `writer_for`.
        wait_s: how long an event may wait for its commit.
    """

    def __init__(self, writer: Writer, *, wait_s: float = WAIT_S) -> None:
        self._writer = writer
        self._wait_s = wait_s
        self._waiting: deque[Waiting] = deque()
        self._group: Sequence[Waiting] = ()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._away = False
        self._closing = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhook-log")

    async def append(self, event: WebhookEvent, received_at: int) -> None:
        """Return after the commit. An event that was stored before is fine.

        Raises:
            StoreAway: it could not be stored within a few seconds.
        """
        if self._task is None or self._closing or len(self._waiting) >= MOST_WAITING:
            raise StoreAway
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append(Waiting(row_of(event, received_at), stored, loop.time() + self._wait_s))
        self._arrived.set()
        if self._patience is None:
            self._patience = loop.call_later(self._wait_s, self._give_up)
        await stored

    def _give_up(self) -> None:
        """Tell those that have waited too long. One timer each would cost more than the insert."""
        now = asyncio.get_running_loop().time()
        left = [one for one in (*self._group, *self._waiting) if not one.stored.done()]
        for one in left:
            if one.until <= now:
                one.stored.set_exception(StoreAway())
        self._patience = None
        if left:
            self._patience = asyncio.get_running_loop().call_later(self._wait_s / 10, self._give_up)

    async def ready(self) -> bool:
        """Whether the table can be reached now."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._writer.ask()
        except Exception:
            return False
        return True

    async def close(self) -> None:
        """Store what waits, then stop."""
        if self._task is not None:
            self._closing = True
            self._arrived.set()
            await self._task
            if self._patience is not None:
                self._patience.cancel()
        await self._writer.close()

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            await self._arrived.wait()
            # Who is at the door already comes along: a turn each to read, to check and to wait. Nobody is
            # waited for, so that an event that is alone is on its way to the disk at once.
            for _ in range(TURNS):
                await asyncio.sleep(0)
            self._group = self._next_group()
            if self._group:
                await self._store(self._group)

    def _next_group(self) -> list[Waiting]:
        """Those that wait, without the ones nobody waits for any more."""
        group: list[Waiting] = []
        while self._waiting and len(group) < MOST_AT_ONCE:
            one = self._waiting.popleft()
            if not one.stored.done():
                group.append(one)
        if not self._waiting:
            self._arrived.clear()
        return group

    async def _store(self, group: Sequence[Waiting]) -> None:
        failure: Exception | None = None
        try:
            async with asyncio.timeout(ATTEMPT_S):
                await self._writer.write([one.row for one in group])
        except Exception as error:
            # Whatever it was, the answer is 503 and the event comes again; the receiver lives on.
            failure = error
        self._tell(failure, len(group))
        for one in group:
            if one.stored.done():
                continue
            if failure is None:
                one.stored.set_result(None)
            else:
                one.stored.set_exception(StoreAway())

    def _tell(self, failure: Exception | None, events: int) -> None:
        """One line when the database goes, one when it is back."""
        if failure is not None and not self._away:
            log.warning("webhook_store_away", error=type(failure).__name__, events=events)
        if failure is None and self._away:
            log.info("webhook_store_back", events=events)
        self._away = failure is not None


def writer_for(url: str) -> Writer:
    """The writer of a database by its SQLAlchemy URL; it connects when it is first used."""
    if make_url(url).get_backend_name() == "sqlite":
        return SqliteWriter(make_url(url).database or "")
    return PostgresqlWriter(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
