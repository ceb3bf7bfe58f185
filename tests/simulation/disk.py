"""SQLite inside the event loop: a driver without a thread.

With a thread for each connection, forty runs of one seed gave thirty interleavings. Here each
statement runs at once, and everything that has to wait (for the turn to write, for a slow disk) waits
in simulated time. A connection belongs to a process, and dies with it.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from webinar.core.database import BUSY_TIMEOUT_MS, IMMEDIATE, Database
from webinar.evidence.append_rules import Row
from webinar.evidence.append_sqlite import BUSY_S, SqliteWriter

JULIAN_EPOCH = 2_440_587.5
DAY_MS = 86_400_000


class Owner(Protocol):
    """The process that a connection belongs to."""

    mortal: bool
    """Whether it suffers when the database does; the simulation itself does not."""

    def passes(self, what: str) -> float:
        """A point at which the process may die, or has to wait for so many seconds."""

    def hangs_for(self) -> float:
        """Seconds for which it still stands still."""


class Disk:
    """One database file: whose turn it is to write, and whether it answers at all.

    `now` tells the time in Unix ms; after each commit that may have touched an effect or a recording
    `on_commit` is told whose it was; after one of an effect `bells` are rung.
    """

    def __init__(self, path: Path, now: Callable[[], int]) -> None:
        self.path = path
        self.now = now
        self.away = False
        self.crashes = 0
        self.on_commit: Callable[[Owner], None] = lambda owner: None
        self.bells: dict[str, Callable[[], None]] = {}
        self._writer: object | None = None
        self._queue: deque[asyncio.Future[None]] = deque()
        self._open: list[LoopConnection] = []

    def writes(self, who: object) -> bool:
        """Whether it is their turn to write."""
        return self._writer is who

    def in_hands_of(self, owner: Owner | None) -> bool:
        """Whether one of the owner's connections has the turn to write."""
        return self._writer is not None and getattr(self._writer, "owner", None) is owner

    def taken(self, who: object) -> bool:
        """Take the turn to write, if nobody has it; whether that went well."""
        if self._writer is not None:
            return False
        self._writer = who
        return True

    async def turn(self, who: object, patience_s: float) -> None:
        """Wait for the turn to write, as SQLite's writers do.

        Raises:
            sqlite3.OperationalError: it did not come.
        """
        while self._writer is not None:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(mine)
            try:
                async with asyncio.timeout(patience_s):
                    await mine
            except TimeoutError:
                raise sqlite3.OperationalError("database is locked") from None
        self._writer = who

    def pass_on(self, who: object) -> None:
        """Give the turn to the next who waits."""
        if self._writer is not who:
            return
        self._writer = None
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def answer(self, owner: Owner) -> None:
        """Raise what a database raises that does not answer."""
        if self.away and owner.mortal:
            raise sqlite3.OperationalError("unable to open database file")

    def crash(self) -> None:
        """Every connection breaks and what was not committed is gone; what was committed stays."""
        self.crashes += 1
        for connection in list(self._open):
            if connection.owner.mortal:
                connection.shut()

    def abandon(self, owner: Owner) -> None:
        """The connections of a process that died."""
        for connection in list(self._open):
            if connection.owner is owner:
                connection.shut()

    def close(self) -> None:
        for connection in list(self._open):
            connection.shut()

    def attach(self, database: Database, owner: Owner) -> None:
        """Let a `Database` work on this file, in the name of a process."""

        def made() -> LoopConnection:
            wait_s = owner.passes("connect")
            if wait_s:
                await_only(asyncio.sleep(wait_s))
            self.answer(owner)
            connection = LoopConnection(self, owner)
            self._open.append(connection)
            return connection

        database.creator = made  # type: ignore[attr-defined]  # see `loop_database`

    def forget(self, connection: "LoopConnection") -> None:
        if connection in self._open:
            self._open.remove(connection)


def loop_database(name: str) -> Database:
    """A `Database` whose connections are made by `attach`. Its compiled statements outlive a seed."""
    database = Database(f"sqlite+aiosqlite:///{name}")

    def connect(*_: Any) -> LoopConnection:
        made: LoopConnection = database.creator()  # type: ignore[attr-defined]
        return made

    event.listen(database.engine.sync_engine, "do_connect", connect)
    for sessions in (database._reading, database._writing):
        sessions.class_ = LoopSession
    return database


class LoopSession(AsyncSession):
    """A session whose end never waits, so that it needs no task of its own to be safe from a cancellation."""

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class LoopConnection:
    """A DBAPI connection as SQLAlchemy's asynchronous engine uses it: it may wait, but runs in the loop.

    It hands a coroutine to the loop only where there is something to wait for, which is seldom.
    """

    def __init__(self, disk: Disk, owner: Owner) -> None:
        self.disk = disk
        self.owner = owner
        # A wait below Python would stop the only thread there is.
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            disk.path, timeout=0, isolation_level=None
        )
        self._connection.create_function("julianday", 1, self._julian_day)
        self._owes = self._takes = False
        self.isolation_level: str | None = None

    @property
    def open(self) -> sqlite3.Connection:
        if self._connection is None:
            # The words by which SQLAlchemy knows that a connection is gone.
            raise sqlite3.OperationalError("connection closed")
        return self._connection

    @property
    def driver_connection(self) -> "LoopConnection":
        return self

    def cursor(self) -> "LoopCursor":
        return LoopCursor(self, self.open.cursor())

    def create_function(self, *arguments: Any, **named: Any) -> None:
        self.open.create_function(*arguments, **named)

    def ready(self, sql: str) -> None:
        """Whatever has to happen before a statement may run."""
        self.point("inside" if self.disk.writes(self) else "sql")
        self.disk.answer(self.owner)
        if sql == IMMEDIATE:
            if not self.disk.taken(self):
                await_only(self.disk.turn(self, BUSY_TIMEOUT_MS / 1000))
            while (wait_s := self.owner.hangs_for()) and self._connection is not None:
                # Who stands still while it waits takes no turn.
                self.disk.pass_on(self)
                await_only(asyncio.sleep(wait_s))
                await_only(self.disk.turn(self, BUSY_TIMEOUT_MS / 1000))
            if self._connection is None:
                self.disk.pass_on(self)
        if not sql.startswith("SELECT"):
            self._owes = self._owes or " effects" in sql
            self._takes = self._takes or " recordings" in sql

    def point(self, what: str) -> None:
        wait_s = self.owner.passes(what)
        if wait_s:
            await_only(asyncio.sleep(wait_s))

    def commit(self) -> None:
        if self._connection is None:
            return
        self.point("commit")
        try:
            self.disk.answer(self.owner)
            self.open.commit()
        finally:
            if self._connection is None or not self._connection.in_transaction:
                self.disk.pass_on(self)
        if self._owes or self._takes:
            self.disk.on_commit(self.owner)
        if self._owes:
            for bell in list(self.disk.bells.values()):
                bell()
        self._owes = self._takes = False
        self.point("committed")

    def rollback(self) -> None:
        if self._connection is not None:
            self._connection.rollback()
        self.disk.pass_on(self)

    def close(self) -> None:
        self.shut()

    def terminate(self) -> None:
        self.shut()

    def shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # Closed with a statement half read it would keep its lock until the garbage is collected.
            if connection.in_transaction:
                connection.rollback()
            connection.close()
        self.disk.pass_on(self)
        self.disk.forget(self)

    def _julian_day(self, _when: str) -> float:
        return self.disk.now() / DAY_MS + JULIAN_EPOCH


class LoopCursor:
    """A cursor whose statements run at once, and whose rows are read at once."""

    def __init__(self, connection: LoopConnection, cursor: sqlite3.Cursor) -> None:
        self._owner = connection
        self._cursor = cursor
        self._rows: deque[Any] = deque()
        self.description: Any = None

    def execute(self, sql: str, parameters: Any = ()) -> None:
        self._run(self._cursor.execute, sql, parameters)

    def executemany(self, sql: str, rows: Any) -> None:
        self._run(self._cursor.executemany, sql, rows)

    def _run(self, run: Callable[[str, Any], Any], sql: str, parameters: Any) -> None:
        self._owner.ready(sql)
        _ = self._owner.open
        run(sql, parameters)
        self.description = self._cursor.description
        if self.description:
            self._rows = deque(self._cursor.fetchall())

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, deque()
        return list(rows)

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size, len(self._rows)))]

    def close(self) -> None:
        self._cursor.close()
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """SQLAlchemy's asynchronous sessions leave the rows for later."""
        self._cursor.close()

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid


async def _pass(owner: Owner, what: str) -> None:
    if wait_s := owner.passes(what):
        await asyncio.sleep(wait_s)


class LoopWriter(SqliteWriter):
    """The receiver's own writer, without its thread."""

    def __init__(self, disk: Disk, owner: Owner) -> None:
        super().__init__(str(disk.path))
        self._disk = disk
        self.owner = owner
        self._crashes = disk.crashes

    async def write(self, rows: Any) -> None:
        await _pass(self.owner, "sql")
        await self._disk.turn(self, BUSY_S)
        try:
            await _pass(self.owner, "commit")
            self._disk.answer(self.owner)
            if self._crashes != self._disk.crashes:
                self._crashes = self._disk.crashes
                self._drop()
                raise sqlite3.OperationalError("connection closed")
            self._write([Row(*row) for row in rows])
        finally:
            self._disk.pass_on(self)
        await _pass(self.owner, "committed")

    async def ask(self) -> None:
        self._disk.answer(self.owner)
        self._ask()

    async def close(self) -> None:
        self._drop()
