"""The schema's history. `upgrade` brings a database to the newest revision.

This package stands beside wiring: it is the one place that knows every table.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text

import recordings.tables
import webinar.attendance.tables
import webinar.classroom.tables
import webinar.evidence.tables
import webinar.hours.tables
import webinar.invites.tables
import webinar.lectures.tables
import webinar.media.tables
import webinar.operations.tables
import webinar.people.tables
import webinar.policies.tables
import webinar.privacy.tables
import webinar.reports.tables
import webinar.series.tables
import webinar.workdays.tables
from webinar.core.database import Database
from webinar.core.tables import Base

FOLDER = Path(__file__).parent
# An arbitrary number that every process of ours agrees on.
LOCK = 7_305_114_902

# Named, since the import is what registers a module's tables.
TABLES = (
    webinar.people.tables,
    webinar.policies.tables,
    webinar.workdays.tables,
    webinar.media.tables,
    webinar.lectures.tables,
    webinar.evidence.tables,
    webinar.classroom.tables,
    webinar.invites.tables,
    webinar.attendance.tables,
    webinar.hours.tables,
    recordings.tables,
    webinar.reports.tables,
    webinar.series.tables,
    webinar.operations.tables,
    webinar.privacy.tables,
)


def metadata() -> MetaData:
    """Every table of the service."""
    return Base.metadata


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for an open connection; there is no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the revision, in one transaction; one that is there already is left as it is.

    Several processes may start at once: the first one works, the others wait for it.

    Raises:
        DatabaseAway: the database does not answer.
    """
    db = Database(url, pool_size=1)
    try:
        # SQLite's writing transaction keeps the others out; PostgreSQL is asked for a lock.
        async with db.writing() as session:
            if db.dialect == "postgresql":
                await session.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            connection = await session.connection()
            await connection.run_sync(lambda c: command.upgrade(configuration(c), revision))
    finally:
        await db.close()
