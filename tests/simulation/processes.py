"""The processes of the service, each of which may die at any await and come back.

What runs in them is the service's own code: the receiver's handler and its log, the evidence store and
admission behind the site, the scheduler's runner, handlers and watch. They meet in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextvars import Context, ContextVar
from random import Random
from typing import Any, TypeVar, cast

from scheduler.runner import own_handlers
from scheduler.watch import Watch, again_in_s
from tests.pools import alone
from tests.simulation.disk import Disk, LoopWriter, Owner, loop_database
from webinar.attendance.tallies import Tallies
from webinar.classroom import service as classroom
from webinar.classroom.rules import Admission
from webinar.core.clock import Clock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Handler
from webinar.core.effects_runner import Runner
from webinar.core.wake import Wake
from webinar.evidence import store as evidence
from webinar.evidence.append import WebhookLog
from webinar.lectures import store as lectures
from webinar.media.pool import Pool
from webinar.media.simulator import MediaSimulator
from webinar.web.hooks import Receiver

T = TypeVar("T")
NET_S = 60.0
WATCH_S = 15.0
SHORTEST_S = 0.05
AWAY_MS = 3_000
HANDLES = {"own": 1, "web": 6, "scheduler": 6}
"""For each part as many as it uses when it is killed again and again; what it compiled stays with it."""
HOLDING = frozenset({"inside", "commit"})
"""Points at which a task may have the only turn to write."""
SLOW = 0.04
"""How often a point in a process takes time, so that others run in between."""

_LIFE: ContextVar["Life | None"] = ContextVar("life", default=None)
_FREE: dict[str, list[Database]] = {}


def owned_task(loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None) -> Any:
    """The loop's task factory: a task belongs to the life that started it."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    life = (context or {}).get(_LIFE) if context is not None else _LIFE.get()
    if life is not None:
        life.tasks[task] = None
        task.add_done_callback(lambda done: life.tasks.pop(done, None))
    return task


async def lay_out(disk: Disk, owner: Owner, handles: Mapping[str, int] = HANDLES) -> None:
    """Have handles enough for a seed. A new one asks its database things that one used before does not."""
    for part, count in handles.items():
        free = _FREE.setdefault(part, [])
        while len(free) < count:
            database = loop_database(part)
            disk.attach(database, owner)
            async with database.engine.connect():
                pass
            database.engine.sync_engine.dispose(close=False)
            free.append(database)


def handle(part: str, disk: Disk, owner: Owner) -> Database:
    """A database handle for a part, in the owner's name; it is given back to `give_back`."""
    database = _FREE[part].pop()
    disk.attach(database, owner)
    return database


def give_back(part: str, *databases: Database) -> None:
    """At the end of a seed: the handles are used again, since compiling statements takes long."""
    for database in databases:
        database.engine.sync_engine.dispose(close=False)
    # The one that was used first, and most, is the next that is used.
    _FREE[part].extend(reversed(databases))


class WorldClock:
    """The time of the simulation, as one process sees it."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.ahead = 0

    def now(self) -> int:
        return self._now() + self.ahead


class Life:
    """One run of a process, from its start to its death."""

    mortal = True

    def __init__(self, process: "Process", chance: Random, number: int) -> None:
        self.name = f"{process.name}.{number}"
        self.alive = True
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._process = process
        self._chance = chance

    def passes(self, what: str) -> float:
        """A point at which the process may die, or waits so many seconds; the former is no exception that
        code may handle."""
        if not self.alive:
            raise asyncio.CancelledError
        self._process.passed(what)
        if not self.alive:
            raise asyncio.CancelledError
        wait_s = self._chance.uniform(0.001, 0.05) if self._chance.random() < SLOW else 0.0
        return max(wait_s, self._process.hangs_for())

    def hangs_for(self) -> float:
        return self._process.hangs_for()

    async def point(self, what: str) -> None:
        if wait_s := self.passes(what):
            await asyncio.sleep(wait_s)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        context = Context()
        context.run(_LIFE.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def end(self) -> None:
        """SIGKILL: nothing of it runs on but what the kernel and the interpreter tidy up."""
        self.alive = False
        current = asyncio.current_task()
        for task in list(self.tasks):
            if task is not current:
                task.cancel()


class Process:
    """A process with its name and clock, which dies or hangs at points that are counted from now.

    Processes of one `part` use the same handles, one after the other.
    """

    part = ""

    def __init__(self, name: str, disk: Disk, clock: WorldClock, chance: Random, note: Callable[..., None]):
        self.name = name
        self.disk = disk
        self.clock = clock
        self.life: Life | None = None
        self.broken: list[str] = []
        self._chance = chance
        self._note = note
        self._dies_in: tuple[int, float] | None = None
        self._counts: Callable[[], bool] = lambda: True
        self._hangs_in: tuple[int, float] | None = None
        self._hangs_until = 0.0
        self._lives = 0
        self._used: list[Database] = []

    def start(self) -> None:
        if self.life is not None and self.life.alive:
            return
        self._lives += 1
        self.life = Life(self, self._chance, self._lives)
        self._hangs_until = 0.0
        self._note("started", self.name)
        self.life.spawn(self._watched(self.main(self.life)))

    async def _watched(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            self.broken.append(f"{self.name} broke: {error!r}")
            raise

    async def main(self, life: Life) -> None:
        """What it does by itself."""

    def kill_in(self, points: int, back_in_s: float, counts: Callable[[], bool] = lambda: True) -> None:
        """Die at the point of that number from now, and be back after so many seconds; only those points are
        counted at which `counts`."""
        self._dies_in, self._counts = (points, back_in_s), counts

    def hang_in(self, points: int, lasts_s: float) -> None:
        """Stand still at the point of that number from now, and go on after so many seconds as if nothing had
        been. It does so while no task of it is inside a transaction, where it holds SQLite's only turn to
        write."""
        self._hangs_in = (points, lasts_s)

    def hangs_for(self) -> float:
        """Seconds for which it still stands still."""
        return max(0.0, self._hangs_until - asyncio.get_running_loop().time())

    def passed(self, what: str) -> None:
        if what.startswith("commit"):
            self._note(what, self.name)
        holds = what in HOLDING or self.disk.in_hands_of(self.life)
        if self._hangs_in is not None and not holds:
            points, lasts_s = self._hangs_in
            self._hangs_in = (points - 1, lasts_s)
            if points <= 0:
                self._hang(lasts_s)
        if self._dies_in is not None and self._counts():
            points, back_in_s = self._dies_in
            self._dies_in = (points - 1, back_in_s)
            if points <= 0:
                self.die(back_in_s, what)

    def _hang(self, lasts_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._hangs_in, self._hangs_until = None, loop.time() + lasts_s
        self._note("hangs", self.name)
        loop.call_later(lasts_s, self._note, "goes on", self.name, context=Context())

    def die(self, back_in_s: float, at: str = "") -> None:
        life, self._dies_in = self.life, None
        if life is None or not life.alive:
            return
        self._note("died", self.name, at)
        life.end()
        self.disk.abandon(life)
        asyncio.get_running_loop().call_later(back_in_s, self.start, context=Context())

    def database(self, life: Life) -> Database:
        """A database handle of this life."""
        self._used.append(handle(self.part or self.name, self.disk, life))
        return self._used[-1]

    def release(self) -> None:
        """At the end of a seed."""
        if self._used:
            give_back(self.part or self.name, *self._used)
        self._used.clear()

    async def call(self, work: Callable[[Life], Coroutine[Any, Any, T]]) -> T:
        """Ask the process for something.

        Raises:
            ConnectionError: it is not there, or dies on the way.
        """
        life = self.life
        if life is None or not life.alive:
            raise ConnectionRefusedError(self.name)
        try:
            return await life.spawn(work(life))
        except asyncio.CancelledError:
            if life.alive:
                raise
            raise ConnectionResetError(self.name) from None


def wind_up(tasks: Iterable[asyncio.Task[Any]], processes: Iterable[Process], disk: Disk) -> list[str]:
    """End what still lives of a world; in words, what broke in the simulation itself."""
    trouble = []
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            trouble.append(f"the simulation broke: {task.exception()!r}")
        task.cancel()
    for process in processes:
        trouble += process.broken
        if process.life is not None:
            process.life.end()
            disk.abandon(process.life)
    return trouble


def put_away(disk: Disk, database: Database, processes: Iterable[Process]) -> None:
    """Give back what a world had."""
    disk.close()
    give_back("own", database)
    for process in processes:
        process.release()


class Web(Process):
    """The site: lets people in, and keeps the heartbeats of their pages."""

    _db: Database

    async def main(self, life: Life) -> None:
        self._db = self.database(life)

    async def admit(self, registration_id: str) -> Admission:
        async def work(_life: Life) -> Admission:
            async with self._db.reading() as session:
                seat = await lectures.registration(session, registration_id)
                lecture = await lectures.find(session, seat.lecture_id) if seat else None
                assert seat is not None
                assert lecture is not None
                return await classroom.admission(session, lecture, seat, self.clock.now())

        return await self.call(work)

    async def beat(self, **said: Any) -> None:
        async def work(_life: Life) -> None:
            async with self._db.writing() as session:
                await evidence.record_heartbeat(session, **said, at=self.clock.now())

        await self.call(work)


class _Posted:
    """As much of an aiohttp request as the receiver looks at; its body is there."""

    def __init__(self, body: bytes, authorization: str) -> None:
        self.headers = {"Authorization": authorization}
        self.content_length = len(body)
        self.content = self
        self._body = body

    def is_eof(self) -> bool:
        return True

    async def read(self) -> bytes:
        return self._body


class Hooks(Process):
    """The receiver of webhooks."""

    keys: dict[str, str]
    _receiver: Receiver

    async def main(self, life: Life) -> None:
        self._receiver = Receiver(WebhookLog(LoopWriter(self.disk, life)), self.keys, self.clock)
        await self._receiver.log.start()

    async def post(self, body: bytes, authorization: str) -> int:
        """The status that the media server gets."""

        async def work(_life: Life) -> int:
            request: Any = _Posted(body, authorization)
            return (await self._receiver.receive(request)).status

        return await self.call(work)


class Scheduler(Process):
    """The runner with the scheduler's own handlers, and the watch; without APScheduler, which reads the real
    clock and is the tick only. The bell of the disk stands for what a `Wake` hears of the database."""

    media: MediaSimulator
    net_s, watch_s = NET_S, WATCH_S

    def handlers(self, database: Database, pool: Pool, life: Life, clock: Clock) -> Mapping[str, Handler]:
        """What it does for each kind."""
        return {**own_handlers(database, pool, clock), "tally": Tallies(database, clock)}

    def pool(self, life: Life) -> Pool:
        """The media servers as this life of it reaches them."""
        return alone(cast(Any, Distant(self.media, life, self._chance)))

    def its_clock(self) -> Clock:
        """The time that it goes by."""
        return self.clock

    async def main(self, life: Life) -> None:
        database, clock = self.database(life), self.its_clock()
        pool = self.pool(life)
        wake = Wake(database)
        self.disk.bells[self.name] = wake.ring
        handlers = self.handlers(database, pool, life, clock)
        runner = Runner(database, handlers, clock, worker=life.name, freed=wake.ring)
        looks = False
        while True:
            try:
                due = await runner.step()
            except DatabaseAway:
                due = clock.now() + AWAY_MS
            else:
                if not looks:
                    looks = True
                    for server in pool:
                        life.spawn(self._watched(self._looks(Watch(database, pool, server.name, clock))))
            await self._rest(wake, None if due is None else due - clock.now())

    async def _rest(self, wake: Wake, wait_ms: int | None) -> None:
        wait_s = self.net_s if wait_ms is None else wait_ms / 1000
        if await wake.wait(min(self.net_s, max(SHORTEST_S, wait_s))):
            # An effect that ends wakes twice, by its end and by its commit: look once.
            await asyncio.sleep(SHORTEST_S)
            await wake.wait(0)

    async def _looks(self, watch: Watch) -> None:
        while True:
            rooms = True
            try:
                rooms = await watch.look()
            except DatabaseAway:
                self._note("look failed", self.name)
            await asyncio.sleep(again_in_s(rooms, 0, self.watch_s))


class Distant:
    """Something over a network: each call takes time, and the caller may die on either side of it."""

    def __init__(self, port: Any, life: Life, chance: Random) -> None:
        self._port = port
        self._life = life
        self._chance = chance

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            await self._life.point("ask")
            await asyncio.sleep(self._chance.uniform(0.001, 0.02))
            # What is started there is not ours: it does not die with who asked.
            work = getattr(self._port, name)(*arguments, **named)
            answer = await asyncio.get_running_loop().create_task(work, context=Context())
            await self._life.point("answered")
            return answer

        return call
