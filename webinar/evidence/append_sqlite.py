"""Durable inserts into SQLite, on a thread of their own."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webinar.evidence.append_rules import Row

# Shorter than the receiver's patience: an answer has to be given in time.
BUSY_S = 2.0
INSERT = (
    f"INSERT INTO evidence_webhooks ({', '.join(Row._fields)})"  # noqa: S608 - the names are our own
    f" VALUES ({', '.join('?' * len(Row._fields))}) ON CONFLICT (event_id) DO NOTHING"
)


class SqliteWriter:
    """One connection, used by one thread only; opened again after any error."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="webhook-sqlite")
        self._connection: sqlite3.Connection | None = None

    async def write(self, rows: Sequence[Row]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)

    async def ask(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._ask)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown(wait=False)

    def _write(self, rows: Sequence[Row]) -> None:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, rows)
            connection.execute("COMMIT")
        except BaseException:
            self._drop()
            raise

    def _ask(self) -> None:
        try:
            self._open().execute("SELECT 1 FROM evidence_webhooks LIMIT 1").fetchall()
        except BaseException:
            self._drop()
            raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            # mode=rw: a missing database is an error, not a new empty one.
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
