"""How long an import of 50,000 people takes, what it needs of memory, and how long another writer waits.

The import runs as `webinar people import` does: the file is read, checked and written in short
transactions, with a durable commit each. Another process writes one durable row after the other meanwhile,
fifty a second, as the log of webhooks does, and measures each of its waits.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert

from tests.servers.postgres import postgres
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.migrations import upgrade
from webinar.people import units
from webinar.people.access import Scope
from webinar.people.importing import check, undo, write
from webinar.people.importing.rules import ImportState, Options
from webinar.people.tables import AttemptRow

ROWS = 50_000
FIRST = ("Siti", "Budi", "Dewi", "Agus", "Sri", "Muhammad", "Nur", "Andi", "Rahmat", "Indah", "Yusuf", "Made")
LAST = (
    "Rahma",
    "Santoso",
    "Lestari",
    "Wijaya",
    "Hidayat",
    "Siregar",
    "Nasution",
    "Pratama",
    "Daeng",
    "Tanjung",
)
UNITS = 40


def figure(name: str, value: float, unit: str, to_reach: float | None, **settings: object) -> None:
    line = {"name": name, "value": round(value, 3), "unit": unit, "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings}), flush=True)


def a_table(rows: int) -> Iterator[str]:
    """As Indonesian Excel writes it: semicolons; every NIP and address once."""
    chance = random.Random(7)
    yield "Nama;NIP;Email;Unit;Jenis;No HP\r\n"
    for number in range(rows):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        born = f"{1965 + number % 30}{1 + number % 12:02}{1 + number // 12 % 28:02}"
        appointed = f"{1990 + number % 30 + number // 10_000 % 20}{1 + number // 360 % 12:02}"
        nip = f"{born}{appointed}{1 + number % 2}{1 + number // 12 % 999:03}"
        yield f"{name};{nip};asn{number}@kota.example;Dinas {number % UNITS};PNS;0812{number:08}\r\n"


async def prepare(url: str) -> str:
    await upgrade(url)
    db = Database(url)
    async with db.writing() as session:
        root = await units.create_institution(session, name="Kota Contoh", code="kota", now=0)
    await db.close()
    return root.id


async def write_beside(url: str) -> None:
    """One durable row each 20 ms until standard input closes; prints every wait in ms."""
    db = Database(url, pool_size=1)
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    waits = []
    print("ready", flush=True)
    while not end.done():
        before = time.perf_counter()
        async with db.writing() as session:
            await session.execute(insert(AttemptRow).values(bucket="bench", at=0))
        waits.append((time.perf_counter() - before) * 1000)
        await asyncio.sleep(0.02)
    await db.close()
    print(json.dumps(waits))


@contextmanager
def another_writer(url: str, waits: list[float]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.import", "--beside", url],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    try:
        yield
    finally:
        out, _ = process.communicate("")
        waits += json.loads(out or "[]")


async def run(url: str, institution_id: str, path: Path) -> tuple[float, float, float, float]:
    """Seconds of the check, of the writing and of the undoing, and MB of memory that the import added."""
    db, clock = Database(url), SystemClock()
    scope = Scope.system(institution_id)
    content = path.read_bytes()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    checked = await check.check(
        db, scope, content=content, file_name=path.name, now=clock.now(), options=Options(create_units=True)
    )
    assert not checked.problems, checked.problems[:3]
    checked_at = time.perf_counter()
    async with db.writing() as session:
        await write.confirm(session, scope, checked.id, clock.now())
    await write.work(db, checked.id, clock.now)
    written_at = time.perf_counter()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    async with db.writing() as session:
        await write.start_undo(session, scope, checked.id, clock.now())
    await write.work(db, checked.id, clock.now)
    undone_at = time.perf_counter()
    async with db.reading() as session:
        found = await write.store.get(session, scope, checked.id)
    assert found.state is ImportState.UNDONE and found.summary.deleted == checked.rows == found.created
    await db.close()
    return checked_at - start, written_at - checked_at, undone_at - written_at, grown


def measure(url: str, database: str, rows: int) -> None:
    institution_id = asyncio.run(prepare(url))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "asn.csv"
        path.write_text("".join(a_table(rows)), encoding="cp1252", newline="")
        waits: list[float] = []
        with another_writer(url, waits):
            check_s, write_s, undo_s, grown = asyncio.run(run(url, institution_id, path))
    settings = {"database": database, "rows": rows}
    figure("import_seconds", check_s + write_s, "s", 30, **settings, check_s=round(check_s, 1))
    figure("import_undo_seconds", undo_s, "s", None, **settings, batch_of_undo=undo.BATCH)
    figure("import_other_writer_max_wait", max(waits), "ms", 100, **settings, writes=len(waits))
    figure("import_other_writer_p99_wait", sorted(waits)[int(len(waits) * 0.99)], "ms", None, **settings)
    figure("import_memory_growth", grown, "MB", 60, **settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument("--beside")
    chosen = parser.parse_args()
    if chosen.beside:
        asyncio.run(write_beside(chosen.beside))
        return
    if chosen.database in (None, "sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            measure(f"sqlite+aiosqlite:///{folder}/bench.db", "sqlite", chosen.rows)
    if chosen.database in (None, "postgresql"):
        with postgres(fsync=True) as server:
            measure(asyncio.run(server.create("bench")), "postgresql", chosen.rows)


if __name__ == "__main__":
    main()
