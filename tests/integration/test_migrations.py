"""The migrations make exactly the tables that the code describes, once, whoever else starts at the time."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tests.build import an_institution
from tests.servers.postgres import Postgres
from webinar.core.database import Database
from webinar.migrations import metadata, upgrade

RELEASE_BEFORE = Path(__file__).parent / "release_before.sql"
UPGRADE = "import asyncio, sys; from webinar.migrations import upgrade; asyncio.run(upgrade(sys.argv[1]))"


@pytest.fixture
async def empty_postgresql_url(postgres_cluster: Postgres) -> AsyncIterator[str]:
    name = f"empty_{os.getpid()}"
    yield await postgres_cluster.create(name)
    await postgres_cluster.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata()))


async def test_the_migrations_agree_with_the_tables(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_upgrading_again_changes_nothing(database: Database, database_url: str) -> None:
    async with database.writing() as session:
        await an_institution(session)
    await upgrade(database_url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.exec_driver_sql("SELECT count(*) FROM units")).scalar_one() == 1


async def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, empty_url) for _ in range(3)
    ]
    assert [await process.wait() for process in processes] == [0, 0, 0]
    db = Database(empty_url)
    async with db.engine.connect() as connection:
        names = await connection.run_sync(lambda c: set(inspect(c).get_table_names()))
    await db.close()
    assert names == set(metadata().tables) | {"alembic_version"}


async def test_an_upgrade_keeps_what_the_release_before_wrote(empty_url: str) -> None:
    await upgrade(empty_url, "0001")
    db = Database(empty_url)
    async with db.writing() as session:
        for statement in RELEASE_BEFORE.read_text().split(";\n"):
            await session.execute(text(statement))
    await upgrade(empty_url)
    async with db.reading() as session:
        policies = await session.execute(
            text("SELECT lecturer_percent, checks, replay_percent FROM policies ORDER BY id")
        )
        totals = await session.execute(text("SELECT person_id, year, jp, entries FROM hour_totals"))
        kept = await session.execute(
            text("SELECT jp, first_join, last_leave, sort_name, checks_asked FROM attendance")
        )
        header = await session.execute(text("SELECT final, policy_version, rows, rules_version FROM tallies"))
        assert [tuple(row) for row in policies] == [(100, 0, 0), (0, 0, 0)]
        assert [tuple(row) for row in totals] == [("p1", 2026, 150, 2)]
        assert [tuple(row) for row in kept] == [(200, 5, 90, "siti", 0)]
        assert [tuple(row) for row in header] == [(1, 1, 1, 1)]
    await db.close()
