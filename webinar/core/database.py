"""One database, SQLite or PostgreSQL, behind the same few calls.

SQLite: WAL, `synchronous=FULL`, `BEGIN IMMEDIATE` for writing sessions, since a deferred
transaction that turns into a writing one fails at once when another writer was faster, and the
driver's own transaction handling let several claimers take the same rows.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from webinar.core.errors import Unavailable

WRITES = "pendopo_writes"
BUSY_TIMEOUT_MS = 5_000
SPELL_MS = 8
IMMEDIATE = "BEGIN IMMEDIATE"
# It ends, it is starting up after a crash, its connections are lost or all taken.
AWAY_SQLSTATES = frozenset({"57P", "080", "533"})


class DatabaseAway(Unavailable):
    """The database does not answer."""

    code = "database_away"
    message = "The database does not answer right now. Nothing is lost; try again shortly."


class Database:
    """Reading and writing sessions on one database.

    Args:
        url: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.
        pool_size: connections kept for this process.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _engine(url, self.dialect, pool_size)
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)
        self._asking = async_sessionmaker(self._unwrapped(), expire_on_commit=False)
        self._writing = async_sessionmaker(
            self.engine.execution_options(**{WRITES: True}), expire_on_commit=False
        )

    @property
    def path(self) -> Path | None:
        """The database's file, when it is SQLite."""
        return Path(self.url.database) if self.dialect == "sqlite" and self.url.database else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that is rolled back at the end."""
        async with self._guard(), self._reading() as session:
            yield session

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[AsyncSession]:
        """A session for single statements that stand by themselves: no transaction is opened and closed
        around them where that would be messages of their own."""
        async with self._guard(), self._asking() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends well, and rolls back when it raises.

        Raises:
            DatabaseAway: the database does not answer; nothing was committed, or (a connection lost in
                the commit itself) the caller cannot know, so that the deed has to be repeatable.
        """
        async with self._guard(), self._writing() as session, session.begin():
            # The transaction begins now and not at the first statement: SQLite's writers queue here.
            await session.connection()
            yield session

    def _unwrapped(self) -> AsyncEngine:
        if self.dialect == "sqlite":
            return self.engine
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def _guard(self) -> AsyncIterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise DatabaseAway from error
        except DBAPIError as error:
            if error.connection_invalidated or sqlstate_of(error)[:3] in AWAY_SQLSTATES:
                raise DatabaseAway from error
            raise
        except (ConnectionError, TimeoutError) as error:
            raise DatabaseAway from error

    async def now(self) -> int:
        """The database's own time in Unix ms; leases are set and compared in it."""
        async with self.asking() as session:
            return int((await session.execute(text(f"SELECT {now_sql(self.dialect)}"))).scalar_one())

    async def close(self) -> None:
        await self.engine.dispose()


def sqlstate_of(error: DBAPIError) -> str:
    """PostgreSQL's code of what went wrong; empty where it has none."""
    return str(getattr(error.orig, "sqlstate", None) or "")


def now_sql(dialect: str) -> str:
    """SQL for the present instant in Unix ms, by the database's clock."""
    if dialect == "postgresql":
        return "(extract(epoch from clock_timestamp()) * 1000)::bigint"
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


def insert_into(session: AsyncSession, table: Any) -> Any:
    """An INSERT in the session's dialect, which `on_conflict_do_nothing` and the like can follow."""
    return insert_for(session.get_bind().dialect.name, table)


def insert_for(dialect: str, table: Any) -> Any:
    """The same for a statement that is made once and kept: both dialects write ON CONFLICT alike."""
    made: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return made(table)


def rows_sql(dialect: str, **columns: str) -> str:
    """SQL of rows that are bound as one JSON value under `:rows`, for `FROM`; they are called `v`.

    However many they are the statement stays the same, so that it is prepared once.

    Args:
        columns: the name of each in the JSON objects, and its type on PostgreSQL.
    """
    if dialect == "postgresql":
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"json_to_recordset(CAST(:rows AS json)) AS v({listed})"
    listed = ", ".join(f"value ->> '$.{name}' AS {name}" for name in columns)
    return f"(SELECT {listed} FROM json_each(:rows)) AS v"  # noqa: S608 - made of names in the code


def _engine(url: str, dialect: str, pool_size: int) -> AsyncEngine:
    if dialect != "sqlite":
        return create_async_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "isolation_level": None,
            "factory": _PatientConnection,
        },
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-16000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql(IMMEDIATE if writes else "BEGIN")


class _PatientCursor(sqlite3.Cursor):
    """Asks for the turn to write in short spells.

    SQLite's own waiting sleeps up to 100 ms at a time, and a writer that sleeps misses its turn again and
    again beside one that writes much. The loop stands below the driver, in its thread, so that a task that
    is cancelled meanwhile leaves the connection as it always did.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        if sql != IMMEDIATE:
            return super().execute(sql, parameters)
        self._wait_for(SPELL_MS)
        try:
            return self._begun()
        finally:
            self._wait_for(BUSY_TIMEOUT_MS)

    def _wait_for(self, ms: int) -> None:
        # Read to its end: a connection that is closed with a statement half read keeps its lock.
        super().execute(f"PRAGMA busy_timeout={ms}").fetchall()

    def _begun(self) -> Self:
        for _ in range(BUSY_TIMEOUT_MS // SPELL_MS - 1):
            try:
                return super().execute(IMMEDIATE)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
        return super().execute(IMMEDIATE)


class _PatientConnection(sqlite3.Connection):
    def cursor(self, factory: Any = _PatientCursor) -> Any:
        return super().cursor(factory)
