"""A long series, and a time for a thousand people: how long a booking, a change and a search take.

On SQLite. The `..._longest_write` are the longest single transactions of a deed, over all that follows from
it: while one runs, everybody else who writes waits.
"""

import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import DAY, HOUR, NINE, a_lecture, a_person, a_policy, a_unit, an_institution
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Done, Effect
from webinar.core.ids import new_id
from webinar.lectures import booking, slots
from webinar.lectures.booking import Booking
from webinar.lectures.slots import Wish
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.migrations import upgrade
from webinar.people.access import Scope
from webinar.processes import settle
from webinar.series import ahead, changes, service, store
from webinar.series.changes import Author
from webinar.series.keeper import SeriesKeeper
from webinar.series.recurrence_rules import MOST_EDITIONS, parsed
from webinar.series.service import Plan

PEOPLE, LECTURES, SEATS_EACH, TIMES = 1_000, 200, 20, 10
MEMBERS, MOST_WRITE_MS = 100, 50
KEY = b"k" * 32
NOW = NINE - 7 * DAY


def figure(name: str, value: float, unit: str, *, to_reach: float | None = None, **settings: object) -> None:
    """One line of JSON."""
    line: dict[str, object] = {"name": name, "value": round(value, 1), "unit": unit}
    if to_reach is not None:
        line["to_reach"] = to_reach
    settings["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps({**line, "settings": settings}))


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


class Timed(Database):
    """Keeps how long each write transaction took, from having its turn to its commit, and of that on the
    processor: what is left of it on a machine that does something else as well."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.writes: list[float] = []
        self.worked: list[float] = []

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with super().writing() as session:
            began, worked = time.perf_counter(), time.process_time()
            yield session
        self.worked.append((time.process_time() - worked) * 1000)
        self.writes.append((time.perf_counter() - began) * 1000)


@asynccontextmanager
async def measured(db: Timed, name: str, **settings: object) -> AsyncIterator[None]:
    """A deed with what follows from it: how long it all takes, and its longest write."""
    db.writes, db.worked = [], []
    began = time.perf_counter()
    yield
    took = (time.perf_counter() - began) * 1000
    figure(name, took, "ms", editions=MOST_EDITIONS, writes=len(db.writes), **settings)
    ordered = sorted(db.writes)
    worked = {"longest_on_processor": round(max(db.worked), 1)}
    usual = {"p50": round(statistics.median(ordered), 1), "p95": round(ordered[len(ordered) * 95 // 100], 1)}
    figure(f"{name}_longest_write", ordered[-1], "ms", to_reach=MOST_WRITE_MS, **usual, **worked)


async def series(db: Timed, scope: Scope, unit_id: str, lecturer_id: str) -> None:
    first = Booking(
        id=new_id(), unit_id=unit_id, title="Forum", description="", starts_wall="2026-11-25T09:00",
        ends_wall="2026-11-25T10:30", zone="Asia/Makassar", jp=200, policy_id="", recorded=False,
        lecturer_ids=(lecturer_id,),
    )  # fmt: skip
    rule, ending = parsed(f"FREQ=WEEKLY;COUNT={MOST_EDITIONS}")
    author = Author(scope, scope.actor, NOW, KEY)
    async with measured(db, "series_book"):
        async with db.writing() as session:
            made = await service.book(
                session, scope, first, Plan(rule, ending), now=NOW, actor=scope.actor, link_key=KEY
            )
        await keep(db, made.id)
    async with measured(db, "series_members", people=MEMBERS):
        async with db.reading() as session:
            people = await booking.persons_of_unit(session, scope, unit_id)
        async with db.writing() as session:
            await service.join(session, scope, made, people[:MEMBERS], now=NOW, actor=scope.actor)
        await keep(db, made.id)
    async with measured(db, "series_change_of_all"):
        async with db.reading() as session:
            intent = await changes.intended(
                session, author, made, 1, {"title": "Baru"}, version=1, following=True
            )
        async with db.writing() as session:
            await changes.change(session, author, intent)
        await keep(db, made.id)
    await look_ahead(db, author, made.id)
    async with measured(db, "series_cancel_all"):
        async with db.writing() as session:
            now = await store.get(session, scope, made.id, to_change=True)
            await changes.cancel(session, author, now, 1, "", following=True)
        await keep(db, made.id)
    async with db.reading() as session:
        editions = await store.editions(session, made.id)
    assert [one.number for one in editions] == list(range(1, MOST_EDITIONS + 1))
    assert {(one.lecture.title, one.lecture.state.value) for one in editions} == {("Baru", "cancelled")}


async def look_ahead(db: Database, author: Author, series_id: str) -> None:
    """Who would be told by a change of all, which is asked before each."""
    began = time.perf_counter()
    async with db.reading() as session:
        made = await store.get(session, author.scope, series_id, to_change=True)
        first = await store.edition(session, series_id, 1)
        intent = await changes.intended(
            session, author, made, 1, {"title": "Lain"}, version=first.lecture.version, following=True
        )
        found = await ahead.of_change(session, intent, NOW)
    figure(
        "series_ahead", (time.perf_counter() - began) * 1000, "ms",
        editions=len(found.fates), seats=MOST_EDITIONS * (MEMBERS + 1), uncounted=found.uncounted,
    )  # fmt: skip


async def keep(db: Database, series_id: str) -> None:
    """What the scheduler does next."""
    key = f"series:{series_id}"
    effect = Effect(1, key, "series", key, {}, NOW, 1, 1)
    assert isinstance(await SeriesKeeper(db, ManualClock(NOW), KEY).keep(effect), Done)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'bench.db'}"
        await upgrade(url)
        db = Timed(url)
        scope, unit_id, lecturer_id = await scene(db)
        settle()  # as each process does when it has begun
        await find(db, scope, unit_id, lecturer_id)
        await series(db, scope, unit_id, lecturer_id)
        await db.close()


if __name__ == "__main__":
    asyncio.run(main())
