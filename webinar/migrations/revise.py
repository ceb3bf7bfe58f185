"""Write a new revision from what the tables say: `python -m webinar.migrations.revise 0002 "Why"`.

The database it compares with is made by the revisions that are there; read what it wrote. Until the
first release, `python -m webinar.migrations.revise first` writes the one revision anew.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from webinar.core.database import Database
from webinar.migrations import FOLDER, configuration, upgrade

FIRST = ("0001", "The first schema")


async def revise(number: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'schema.db'}"
        await upgrade(url)
        db = Database(url)
        async with db.writing() as session:
            connection = await session.connection()
            await connection.run_sync(
                lambda c: command.revision(configuration(c), message, autogenerate=True, rev_id=number)
            )
        await db.close()


def main(*arguments: str) -> None:
    number, message = FIRST if arguments == ("first",) else arguments
    if arguments == ("first",):
        for old in (FOLDER / "versions").glob("0001_*.py"):
            old.unlink()
    asyncio.run(revise(number, message))


if __name__ == "__main__":
    main(*sys.argv[1:])
