"""How long the page of a unit's hours takes over 61,964 people, as they took part in one region's bimtek.

A region of 60 OPD and about 1,000 units, real rows on a real database, and the real site: each figure is
the time from the request to the last byte of the page, by somebody who manages the whole region.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from tests.build import NINE, a_person, a_unit, an_institution
from tests.servers.postgres import postgres
from tests.site import running_site
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.hours.tables import HourTotalRow, YearTargetRow
from webinar.migrations import upgrade
from webinar.people.tables import ExemptionRow, PersonRow, UnitRow

PEOPLE, OPDS, UNITS = 61_964, 60, 1_000
TO_REACH_MS = 300.0
ROUNDS = 15
BATCH = 2_000
FIRST = ("Siti", "Budi", "Dewi", "Agus", "Sri", "Muhammad", "Nur", "Andi", "Rahmat", "Indah", "Yusuf", "Made")
LAST = ("Rahma", "Santoso", "Lestari", "Wijaya", "Hidayat", "Siregar", "Nasution", "Pratama", "Daeng")


def figure(name: str, value: float, to_reach: float | None = None, **settings: object) -> None:
    """One line of JSON; milliseconds."""
    load = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 1), "unit": "ms", "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings | {"people": PEOPLE, "load_average": load}}), flush=True)


async def fill(db: Database) -> tuple[str, str, str]:
    """Rows in batches; answers the region, one of its OPD, and the one who manages it all."""
    chance = random.Random(7)
    async with db.writing() as session:
        root = await an_institution(session)
        opds = [await a_unit(session, root, name=f"Dinas {n:02}") for n in range(OPDS)]
        manager = await a_person(session, root, name="Wati", role="unit_manager")
        leaves = [_leaf(chance.choice(opds), n) for n in range(UNITS - OPDS)]
        await session.execute(insert(UnitRow), leaves)
        session.add(
            YearTargetRow(institution_id=root.id, employment="pppk", target=2_000, most=2_400, changed_at=0)
        )
    places = [leaf["id"] for leaf in leaves] + [opd.id for opd in opds]
    for first in range(0, PEOPLE, BATCH):
        people = [
            _person(chance, root.id, chance.choice(places), n)
            for n in range(first, min(first + BATCH, PEOPLE))
        ]
        # Nine in ten have earned something, most in whole JP.
        totals = [
            {"person_id": one["id"], "year": 2026, "institution_id": root.id, "jp": _jp(chance), "entries": 4}
            for one in people
            if chance.random() < 0.9
        ]
        exempt = [_exemption(one["id"], root.id) for one in people if chance.random() < 0.02]
        async with db.writing() as session:
            await session.execute(insert(PersonRow), people)
            await session.execute(insert(HourTotalRow), totals)
            await session.execute(insert(ExemptionRow), exempt)
    async with db.writing() as session:
        # What a database does by itself after such a load, in its own time.
        await session.execute(text("ANALYZE"))
    return root.id, opds[0].id, manager.id


def _leaf(parent: UnitRow, number: int) -> dict[str, Any]:
    ident = new_id()
    return {
        "id": ident, "institution_id": parent.institution_id, "parent_id": parent.id,
        "path": f"{parent.path}{ident}/", "code": f"unit-{number}", "name": f"Bidang {number}",
        "created_at": 0,
    }  # fmt: skip


def _person(chance: random.Random, institution_id: str, unit_id: str, number: int) -> dict[str, Any]:
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)} {number}"
    return {
        "id": new_id(), "institution_id": institution_id, "unit_id": unit_id, "name": name,
        "sort_name": name.lower(), "email": f"asn{number}@kota.example", "nip": None,
        "employment": "pppk" if chance.random() < 0.3 else "pns", "zone": "Asia/Makassar", "language": "id",
        "created_at": 0,
    }  # fmt: skip


def _jp(chance: random.Random) -> int:
    return chance.randrange(0, 31) * 100 + (chance.choice((0, 50, 33)) if chance.random() < 0.05 else 0)


def _exemption(person_id: str, institution_id: str) -> dict[str, Any]:
    return {
        "id": new_id(), "institution_id": institution_id, "person_id": person_id, "reason": "Tugas belajar",
        "starts_on": "2026-01-01", "ends_on": "2026-12-31", "created_at": 0,
    }  # fmt: skip


async def measure(db: Database, kind: str) -> None:
    root, opd, manager = await fill(db)
    async with running_site(db, ManualClock(NINE)) as site:
        visitor = await site.signed_in(manager)
        wishes = {
            "unit_page": f"/units/{root}/hours",
            "unit_page_behind": f"/units/{root}/hours?show=behind&sort=least",
            "unit_page_search": f"/units/{root}/hours?q=lestari+12",
            "unit_page_far": f"/units/{root}/hours?sort=most&from=30000",
            "unit_page_opd": f"/units/{opd}/hours",
        }
        for name, path in wishes.items():
            took = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                answer = await visitor.get(path)
                took.append((time.perf_counter() - began) * 1000)
                assert answer.status == 200, answer.text[:500]
            figure(f"{name}_p50", statistics.median(took), TO_REACH_MS, database=kind, bytes=len(answer.body))
            figure(f"{name}_max", max(took), database=kind)


async def run(kind: str, url: str) -> None:
    await upgrade(url)
    db = Database(url)
    await measure(db, kind)
    await db.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", choices=("sqlite", "postgresql"))
    only = asked.parse_args().only
    if only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run("sqlite", f"sqlite+aiosqlite:///{Path(folder)}/pendopo.db"))
    if only != "sqlite":
        with postgres() as server:
            asyncio.run(run("postgresql", asyncio.run(server.create("bench_unit_hours"))))


if __name__ == "__main__":
    main()
