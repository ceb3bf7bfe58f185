"""The schema's history. `upgrade` brings a database to the newest revision.

This package stands beside wiring: it is the one place that knows every table.
"""

from sqlalchemy import MetaData

import recordings.tables
import webinar.attendance.tables
import webinar.classroom.tables
import webinar.evidence.tables
import webinar.hours.tables
import webinar.invites.tables
import webinar.lectures.tables
import webinar.people.tables
import webinar.policies.tables
from webinar.core.database import Database
from webinar.core.tables import Base

# Named, since the import is what registers a module's tables.
TABLES = (
    webinar.people.tables,
    webinar.policies.tables,
    webinar.lectures.tables,
    webinar.evidence.tables,
    webinar.classroom.tables,
    webinar.invites.tables,
    webinar.attendance.tables,
    webinar.hours.tables,
    recordings.tables,
)


def metadata() -> MetaData:
    """Every table of the service."""
    return Base.metadata


async def upgrade(url: str) -> None:
    """Create what is missing."""
    db = Database(url)
    try:
        async with db.engine.begin() as connection:
            await connection.run_sync(metadata().create_all)
    finally:
        await db.close()
