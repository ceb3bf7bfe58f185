"""The review page of ten thousand people: how long until its first byte, and until it can be used.

Ten thousand registered people in a lecture that is final, and in one under way (on paper until 10.30; it is
ten o'clock), on SQLite and on PostgreSQL. The site is the real one; the first byte is measured from a client
beside it, and in real Chromium with an empty cache the time from the address to a page whose rows are there
and whose boxes can be ticked. Beside it: what computing the attendance of the lecture under way takes, which
the scheduler does at most a tenth of the time.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser
from sqlalchemy import insert, text

from tests.browser.service import chromium
from tests.build import LAST_WEEK, MINUTE, NINE, a_lecture, a_person, a_policy, a_room, a_unit, an_institution
from tests.servers.postgres import postgres
from tests.site import RunningSite, Visitor, running_site
from webinar.attendance.tallies import Tallies
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.ids import digest, new_id
from webinar.evidence.tables import SweepRow, WebhookRow
from webinar.hours import service as hours
from webinar.hours.review_rules import PAGE
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.migrations import upgrade
from webinar.people.tables import PersonRow, UnitRow
from webinar.web.context import SESSION_COOKIE

PEOPLE, UNITS, TIMES, PAGES = 10_000, 40, 20, 8
SLICE = 1_000
TO_REACH = {"review_first_byte_p50": 200, "review_first_byte_max": 200, "review_usable_p50": 1_000}
QUERIES = ("", "?sort=-jp", "?show=below", "?q=peserta+09", "?from=9800&sort=unit")


def figure(name: str, value: float, **settings: object) -> None:
    """One line of JSON, in milliseconds."""
    load = {"load_average": round(os.getloadavg()[0], 1)}
    line = {"name": name, "value": round(value, 1), "unit": "ms", "to_reach": TO_REACH.get(name)}
    print(json.dumps(line | {"better": "lower", "settings": {**settings, **load}}), flush=True)


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """Of one empty database of each kind."""
    with tempfile.TemporaryDirectory() as folder, postgres(fsync=True) as server:
        yield {
            "sqlite": f"sqlite+aiosqlite:///{Path(folder) / 'pendopo.db'}",
            "postgresql": asyncio.run(server.create("review")),
        }


async def filled(db: Database) -> tuple[PersonRow, LectureRow, LectureRow]:
    """An organiser, a lecture that is final and one under way, with everybody in both."""
    async with db.writing() as session:
        root = await an_institution(session)
        units = [await a_unit(session, root, name=f"Dinas {number:02}") for number in range(UNITS)]
        policy = await a_policy(session, root)
        organiser = await a_person(session, root, name="Ratna Dewi", role="organiser")
        over = await a_lecture(session, root, policy=policy, state="ended", ended_at=NINE + 90 * MINUTE)
        live = await a_lecture(session, root, policy=policy, state="live", live_at=NINE)
        for lecture in (over, live):
            await a_room(session, lecture, state="open", sid=f"RM_{lecture.id[:6]}")
    people = await _people(db, units)
    await _attended(db, over, people, ends=True)
    await _attended(db, live, people, ends=False)
    async with db.writing() as session:
        full = await lectures.find(session, over.id)
        assert full is not None
        await hours.settle(session, full, NINE + 2_000 * MINUTE)
        await lecture_service.finalised(session, full, NINE + 2_000 * MINUTE)
    return organiser, over, live


async def _people(db: Database, units: Sequence[UnitRow]) -> list[str]:
    rows = [
        {
            "id": new_id(),
            "institution_id": units[0].institution_id,
            "unit_id": units[number % UNITS].id,
            "name": f"Peserta {number * 7919 % PEOPLE:05}",
            "sort_name": f"peserta {number * 7919 % PEOPLE:05}",
            "nip": f"19850101201001{number % 2 + 1}{number:03}"[:18] if number < SLICE else None,
            "employment": "pns",
            "zone": "Asia/Makassar",
            "language": "id",
            "created_at": LAST_WEEK,
        }
        for number in range(PEOPLE)
    ]
    await _insert(db, PersonRow, rows)
    return [str(row["id"]) for row in rows]


async def _attended(db: Database, lecture: LectureRow, people: Sequence[str], *, ends: bool) -> None:
    """Nine in ten came, some left early, one in fifty lost the connection; a list every half minute."""
    seats, events, inside = [], [], []
    sid = f"RM_{lecture.id[:6]}"
    for number, person in enumerate(people):
        id, seat = new_id(), new_id()[:16]
        seats.append(
            {
                "id": id,
                "institution_id": lecture.institution_id,
                "lecture_id": lecture.id,
                "person_id": person,
                "role": "participant",
                "seat": seat,
                "state": "registered",
                "link_digest": digest(id),
                "created_at": LAST_WEEK,
            }
        )
        if number % 10 == 0:
            continue
        came = NINE + (number % 14 - 8) * MINUTE
        left = NINE + (95 - number % 60 * (number % 5 == 0)) * MINUTE
        stays = (
            [(came, NINE + 30 * MINUTE), (NINE + 34 * MINUTE, left)] if number % 50 == 1 else [(came, left)]
        )
        for turn, (start, end) in enumerate(stays):
            told = {
                "room_name": f"{lecture.id}.main",
                "room_sid": sid,
                "kind": "standard",
                "joined_at_ms": start,
            }
            told |= {
                "participant_sid": f"PA_{seat[:8]}{turn}",
                "identity": f"{seat}.abcdefgh",
                "body_sha256": "",
            }
            events.append(
                told | {"event_id": new_id(), "event": "participant_joined", "reason": None, "at": start}
            )
            if ends or turn < len(stays) - 1:
                gone = {"event_id": new_id(), "event": "participant_left", "reason": "CLIENT_INITIATED"}
                events.append(told | gone | {"at": end})
        inside.append([f"{seat}.abcdefgh", f"PA_{seat[:8]}{len(stays) - 1}", "standard", stays[-1][0]])
    for event in events:
        at = event.pop("at")
        event |= {"created_at_s": at // 1000, "received_at": at}
    await _insert(db, RegistrationRow, seats)
    await _insert(db, WebhookRow, events)
    if not ends:
        looks = [NINE + 35 * MINUTE + number * 30_000 for number in range(50)]
        room = {"room_name": f"{lecture.id}.main", "room_sid": sid, "participants": inside}
        await _insert(db, SweepRow, [room | {"at": at} for at in looks], size=10)


async def _insert(db: Database, table: Any, rows: Sequence[dict[str, Any]], size: int = SLICE) -> None:
    for first in range(0, len(rows), size):
        async with db.writing() as session:
            await session.execute(insert(table), rows[first : first + size])


async def first_bytes(visitor: Visitor, path: str) -> list[float]:
    """Milliseconds to the headers of the answer, each query in turn."""
    took = []
    for number in range(TIMES + len(QUERIES)):
        began = time.perf_counter()
        async with visitor.http.get(visitor.site.url + path + QUERIES[number % len(QUERIES)]) as answer:
            assert answer.status == 200
            reached = (time.perf_counter() - began) * 1_000
            await answer.read()
        if number >= len(QUERIES):
            took.append(reached)
    return took


async def usable(browser: Browser, site: RunningSite, cookie: str, path: str) -> float:
    """Milliseconds from the address to a page with its rows in which a box was ticked; an empty cache."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="id-ID")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.url}])
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(site.url + path, wait_until="commit")
    await page.wait_for_selector("form[data-review][data-ready]", state="attached")
    await page.wait_for_function(f"document.querySelectorAll('#log-rows tr').length === {PAGE}")
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    took = (time.perf_counter() - began) * 1_000
    await context.close()
    return took


async def measured(name: str, db: Database, browser: Browser) -> None:
    organiser, over, live = await filled(db)
    # What the database does by itself within a minute.
    async with db.writing() as session:
        await session.execute(text("ANALYZE"))
    clock = ManualClock(NINE + 60 * MINUTE)
    began = time.perf_counter()
    async with db.reading() as session:
        lecture = await lectures.find(session, live.id)
    assert lecture is not None
    await Tallies(db, clock).shown(lecture)
    figure("review_tally", (time.perf_counter() - began) * 1_000, database=name, people=PEOPLE)
    async with running_site(db, clock) as site:
        visitor = await site.signed_in(organiser.id)
        for what, row in (("final", over), ("live", live)):
            path = f"/lectures/{row.id}/attendance"
            told = {"database": name, "lecture": what, "rows": PEOPLE}
            took = await first_bytes(visitor, path)
            figure("review_first_byte_p50", statistics.median(took), **told)
            figure("review_first_byte_max", max(took), **told)
            cookie = visitor.cookie(SESSION_COOKIE)
            opened = [await usable(browser, site, cookie, path) for _ in range(PAGES)][1:]
            figure("review_usable_p50", statistics.median(opened), **told)
            figure("review_usable_max", max(opened), **told)
        await _unchanged(visitor, f"/lectures/{live.id}/attendance/live", name)


async def _unchanged(visitor: Visitor, path: str, name: str) -> None:
    """What a page that looks again costs when nothing is new."""
    tag = (await visitor.get(path)).headers["ETag"]
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = await visitor.get(path, headers={"If-None-Match": tag})
        took.append((time.perf_counter() - began) * 1_000)
        assert answer.status == 304
    figure("review_unchanged_p50", statistics.median(took), database=name)


async def main(urls: Mapping[str, str]) -> None:
    async with chromium() as browser:
        for name, url in urls.items():
            await upgrade(url)
            db = Database(url)
            try:
                await measured(name, db, browser)
            finally:
                await db.close()


if __name__ == "__main__":
    with addresses() as found:
        asyncio.run(main(found))
