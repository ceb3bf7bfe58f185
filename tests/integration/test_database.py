"""Sessions on a database: what a task that is cancelled leaves behind."""

import asyncio

from sqlalchemy import text

from webinar.core.database import Database


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
