"""A long series, and a time for a thousand people: how long a booking, a change and a search take.

On SQLite. `longest_write` is the longest that one edition takes to follow, in a transaction of its own.
"""

import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert

from tests.build import DAY, HOUR, NINE, a_lecture, a_person, a_policy, a_unit, an_institution
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.lectures import slots
from webinar.lectures.booking import Booking
from webinar.lectures.slots import Wish
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.migrations import upgrade
from webinar.people.access import Scope
from webinar.series import changes, service, store
from webinar.series.changes import Author
from webinar.series.keeper import SeriesKeeper
from webinar.series.recurrence_rules import MOST_EDITIONS, parsed
from webinar.series.service import Plan

PEOPLE, LECTURES, SEATS_EACH, TIMES = 1_000, 200, 20, 10
KEY = b"k" * 32
NOW = NINE - 7 * DAY


def figure(name: str, value: float, unit: str, **settings: object) -> None:
    """One line of JSON."""
    load = {"load_average": round(os.getloadavg()[0], 1)}
    print(
        json.dumps({"name": name, "value": round(value, 1), "unit": unit, "settings": {**settings, **load}})
    )


async def scene(db: Database) -> tuple[Scope, str, str]:
    """An institution of a thousand people, each with seats in some of the next weeks' lectures."""
    chance = random.Random(5)
    async with db.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home)
        policy = await a_policy(session, home)
        lecturer = await a_person(session, home, name="Maya")
        people = [(await a_person(session, unit, name=f"P{n}")).id for n in range(PEOPLE)]
        lectures = [
            await a_lecture(session, unit, policy=policy, starts_at=NINE + (n % 28) * DAY + (n % 8) * HOUR)
            for n in range(LECTURES)
        ]
        await session.execute(insert(RegistrationRow), seats(people, lectures, chance))
    return Scope.system(home.id), unit.id, lecturer.id


def seats(
    people: Sequence[str], lectures: Sequence[LectureRow], chance: random.Random
) -> list[dict[str, object]]:
    return [
        {
            "id": new_id(), "institution_id": lecture.institution_id, "lecture_id": lecture.id,
            "person_id": person, "role": "participant", "seat": new_id()[:16], "state": "registered",
            "link_generation": 1, "link_digest": new_id(), "created_at": NOW,
        }
        for person in people
        for lecture in chance.sample(list(lectures), SEATS_EACH)
    ]  # fmt: skip


async def find(db: Database, scope: Scope, unit_id: str, lecturer_id: str) -> None:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        async with db.reading() as session:
            wish = Wish(90, lecturer_ids=(lecturer_id,), unit_id=unit_id)
            found = await slots.find(session, scope, wish, NOW)
        took.append((time.perf_counter() - began) * 1000)
    figure(
        "find_time_p50", statistics.median(took), "ms",
        people=found.people, engagements=PEOPLE * SEATS_EACH, proposed=len(found.proposals),
    )  # fmt: skip


async def series(db: Database, scope: Scope, unit_id: str, lecturer_id: str) -> None:
    first = Booking(
        id=new_id(), unit_id=unit_id, title="Forum", description="", starts_wall="2026-11-25T09:00",
        ends_wall="2026-11-25T10:30", zone="Asia/Makassar", jp=200, policy_id="", recorded=False,
        lecturer_ids=(lecturer_id,),
    )  # fmt: skip
    rule, ending = parsed(f"FREQ=WEEKLY;COUNT={MOST_EDITIONS}")
    began = time.perf_counter()
    async with db.writing() as session:
        made = await service.book(
            session, scope, first, Plan(rule, ending), now=NOW, actor=scope.actor, link_key=KEY
        )
    figure("series_book", (time.perf_counter() - began) * 1000, "ms", editions=MOST_EDITIONS)
    author = Author(scope, scope.actor, NOW, KEY)
    began = time.perf_counter()
    async with db.writing() as session:
        await changes.change(session, author, made, 1, {"title": "Baru"}, version=1, following=True)
    figure("series_change_asked", (time.perf_counter() - began) * 1000, "ms", editions=MOST_EDITIONS)
    await keep(db, made.id)


async def keep(db: Database, series_id: str) -> None:
    keeper = SeriesKeeper(db, ManualClock(NOW), KEY)
    longest, began = 0.0, time.perf_counter()
    while True:
        start = time.perf_counter()
        if not await keeper._next_change(series_id):
            break
        longest = max(longest, (time.perf_counter() - start) * 1000)
    figure("series_change_done", (time.perf_counter() - began) * 1000, "ms", editions=MOST_EDITIONS)
    figure("longest_write", longest, "ms")
    async with db.reading() as session:
        assert {one.lecture.title for one in await store.editions(session, series_id)} == {"Baru"}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        await upgrade(url)
        db = Database(url)
        scope, unit_id, lecturer_id = await scene(db)
        await find(db, scope, unit_id, lecturer_id)
        await series(db, scope, unit_id, lecturer_id)
        await db.close()


if __name__ == "__main__":
    asyncio.run(main())
