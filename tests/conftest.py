"""What every test may ask for: a fresh database of either kind, and a clock that obeys.

`database` runs a test twice, on SQLite and on PostgreSQL; each gets its own copy of a template that
the migrations made once a session.
"""

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import settings

from tests.build import NINE
from tests.servers.livekit import livekit as livekit
from tests.servers.postgres import Postgres, postgres
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.migrations import metadata, upgrade

if TYPE_CHECKING:
    from tests.site import RunningSite

# For mutants, each of which runs the tests anew (`make mutants`).
settings.register_profile("quick", max_examples=15, deadline=None, derandomize=True, database=None)

TEMPLATE = "pendopo_template"
_numbers = itertools.count(1)


@pytest.fixture
def clock() -> ManualClock:
    """It is nine o'clock in Makassar, and stays so until the test moves it."""
    return ManualClock(NINE)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    # Durability is proven where it matters (the webhook log's own tests and benchmark ask for fsync).
    with postgres(fsync=os.environ.get("PENDOPO_TEST_FSYNC") == "1") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_cluster: Postgres) -> str:
    async def make() -> None:
        await _migrated(await postgres_cluster.create(TEMPLATE))

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


async def _migrated(url: str) -> None:
    await upgrade(url)
    db = Database(url)
    async with db.engine.connect() as connection:
        missing = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), metadata())
        )
    await db.close()
    if missing:
        raise RuntimeError(
            "The tables are not what the migrations make. Until the first release run"
            f" `python -m webinar.migrations.revise first`. Missing: {missing}"
        )


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database, empty."""
    path = tmp_path / "pendopo.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def postgresql_url(postgres_cluster: Postgres, postgres_template: str) -> AsyncIterator[str]:
    """A migrated PostgreSQL database, empty."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield await postgres_cluster.create(name, template=postgres_template)
    await postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database; for tests that start processes of their own."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, migrated, empty database; once SQLite, once PostgreSQL."""
    db = Database(database_url)
    yield db
    await db.close()


@pytest.fixture
async def site(database: Database, clock: ManualClock) -> AsyncIterator["RunningSite"]:
    """The real site on a free port; see tests/site.py."""
    # Imported here, so that tests of the inner parts do not need the whole site.
    from tests.site import running_site

    async with running_site(database, clock) as running:
        yield running
