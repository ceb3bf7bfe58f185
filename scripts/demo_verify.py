"""Verify a fresh demonstration, then show that what is changed behind the service's back is found.

`make demo-verify`. Everything happens in a temporary folder, on SQLite.
"""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path

from webinar import commands, demo
from webinar.config import Settings
from webinar.migrations import upgrade

# What is tampered with, each alone: (table, column, other value, of the first row where).
TAMPERING = {
    "a byte in the ledger": ("ledger", "body", "replace(body, 'credited', 'creditee')", "kind = 'credit'"),
    "an attendance row": ("attendance", "seconds", "seconds + 1", "seconds > 0"),
    "a row of evidence": ("evidence_webhooks", "created_at_s", "created_at_s + 1", "event LIKE '%_left'"),
}


def change(path: Path, table: str, column: str, value: str, where: str) -> tuple[int, object]:
    """Write another value past the service; the row and the old value."""
    with sqlite3.connect(path) as db:
        row, old = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {where} LIMIT 1").fetchone()  # noqa: S608 - our own words
        db.execute(f"UPDATE {table} SET {column} = {value} WHERE rowid = ?", (row,))  # noqa: S608
    return row, old


def put_back(path: Path, table: str, column: str, row: int, old: object) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (old, row))  # noqa: S608


async def main() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pendopo.db"
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{path}",
            data=Path(folder),
            storage=f"file://{folder}/recordings",
            link_key="k" * 32,
        )
        await upgrade(settings.database_url)
        await demo.put_in(settings)
        print("A fresh demonstration:")
        as_expected = await commands.verify_hours(settings, "", print)
        for name, (table, column, value, where) in TAMPERING.items():
            print(f"With {name} tampered with:")
            row, old = change(path, table, column, value, where)
            as_expected &= not await commands.verify_hours(settings, "", print)
            put_back(path, table, column, row, old)
        print("Put back:")
        as_expected &= await commands.verify_hours(settings, "", print)
    print("Every change was found." if as_expected else "SOMETHING WAS NOT FOUND.")
    return as_expected


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
