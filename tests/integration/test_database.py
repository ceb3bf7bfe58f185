"""Sessions on a database: what a task that is cancelled leaves behind."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError

from webinar.core.database import Database, DatabaseAway


async def test_a_task_that_is_cancelled_anywhere_leaves_no_lock(database: Database) -> None:
    async with database.writing() as session:
        await session.execute(text("CREATE TABLE written (n INTEGER)"))

    async def write() -> None:
        async with database.writing() as session:
            await session.execute(text("INSERT INTO written VALUES (1)"))

    for step in range(60):
        task = asyncio.ensure_future(write())
        # Some of these end before it begins, some inside BEGIN, INSERT or COMMIT, some after it is done.
        await asyncio.sleep(step * 0.0001)
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(2):
            await write()


@pytest.mark.parametrize(
    "said",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.CrashShutdownError("terminating connection"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    ],
)
async def test_a_postgresql_that_recovers_or_is_full_is_away_and_nothing_worse(
    sqlite_url: str, said: asyncpg.PostgresError
) -> None:
    """A process that took this for a mistake of its own would end."""
    db = Database(sqlite_url)
    with pytest.raises(DatabaseAway):
        async with db.reading():
            raise DBAPIError("SELECT 1", {}, AsyncAdapt_asyncpg_dbapi.Error(str(said), said))
    await db.close()
