"""Durable inserts into PostgreSQL: one statement, one round trip, one commit a group."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from webinar.evidence.append_rules import Row

CONNECT_S = 2.0
COMMAND_S = 2.0
_INTEGERS = {"joined_at_ms", "created_at_s", "received_at"}
_ARRAYS = ", ".join(
    f"${number}::{'bigint' if name in _INTEGERS else 'text'}[]" for number, name in enumerate(Row._fields, 1)
)
INSERT = (
    f"INSERT INTO evidence_webhooks ({', '.join(Row._fields)})"  # noqa: S608 - the names are our own
    f" SELECT * FROM unnest({_ARRAYS}) ON CONFLICT (event_id) DO NOTHING"
)


class PostgresqlWriter:
    """One connection, made again after the server was away."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None
        self._insert: Any = None

    async def write(self, rows: Sequence[Row]) -> None:
        """Store the rows; a connection that broke since the last write is replaced once."""
        fresh = self._connection is None
        try:
            await self._write(rows)
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            if fresh:
                raise
            await self._write(rows)

    async def ask(self) -> None:
        # A connection of its own: the other one may be in the middle of a write.
        connection = await asyncpg.connect(self._dsn, timeout=CONNECT_S)
        try:
            await connection.fetchval("SELECT 1 FROM evidence_webhooks LIMIT 1", timeout=COMMAND_S)
        finally:
            await connection.close(timeout=CONNECT_S)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close(timeout=CONNECT_S)

    async def _write(self, rows: Sequence[Row]) -> None:
        try:
            await self._open()
            await self._insert.fetch(*([*column] for column in zip(*rows, strict=True)), timeout=COMMAND_S)
        except BaseException:
            self._drop()
            raise

    async def _open(self) -> None:
        if self._connection is None:
            # Whatever the server's default is: a commit that is not on disk is none.
            durable = {"synchronous_commit": "on"}
            self._connection = await asyncpg.connect(
                self._dsn, timeout=CONNECT_S, server_settings=durable, command_timeout=COMMAND_S
            )
            self._insert = await self._connection.prepare(INSERT)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
