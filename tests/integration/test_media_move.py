"""A lecture on two real LiveKit servers, one of which dies, hangs or cannot be reached by the service.

Real participants do what the page does; attendance comes from the servers' own webhooks and lists and from
the pages' signs of life. The measured seconds of absence are printed (`pytest -s`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web
from livekit import rtc
from yarl import URL

from recordings.rules import Pass
from recordings.storage import open_storage
from recordings.worker import RecorderProcess
from scheduler.runner import Scheduler, own_handlers
from tests.build import SECOND, a_lecture, a_person, a_policy, a_registration, an_institution
from tests.pools import heard_earlier
from tests.servers.livekit import RunningLiveKit, running_livekit
from tests.servers.page import Page
from tests.site import LINK_KEY, RunningSite, running_site
from webinar.attendance import service as attendance
from webinar.attendance.log_rules import Entry
from webinar.classroom.consent import NOTICE_VERSION
from webinar.classroom.rules import seat_cookie
from webinar.core import audit
from webinar.core.audit import SYSTEM
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.evidence.rules import SWEEP_MS
from webinar.lectures import service, side_rooms, store
from webinar.lectures.rules import Room, RoomKind, RoomState
from webinar.media import pool_store
from webinar.media.livekit import LiveKit
from webinar.media.pool import Pool
from webinar.media.pool_rules import ASK_EVERY_MS, MOVE_AFTER_MS, Health
from webinar.media.port import MediaUnavailable
from webinar.media.server import free_ports
from webinar.media.servers import Server
from webinar.people.access import Scope
from webinar.web.hooks import PATH, create_hooks_app, hooks_runner
from webinar.web.seats import SEAT_COOKIE

CLOCK = SystemClock()
BROWSERS_GIVE_UP_S = 47
# Seconds a value may be off without any fault.
NEAR_S = 2


class Reachable:
    """A server as the service reaches it: not at all while `cut` is set."""

    def __init__(self, media: LiveKit) -> None:
        self._media = media
        self.cut = False

    def __getattr__(self, name: str) -> Any:
        if self.cut:
            raise MediaUnavailable
        return getattr(self._media, name)


@dataclass(frozen=True)
class Pace:
    """How long things take; a short one lets time pass in the database instead of waiting for it."""

    watch_s: float
    sweep_ms: int
    beat_s: float
    seeks_s: float


SHORT = Pace(watch_s=0.5, sweep_ms=2_000, beat_s=2.0, seeks_s=2.0)
FULL = Pace(watch_s=ASK_EVERY_MS / 1000, sweep_ms=SWEEP_MS, beat_s=15.0, seeks_s=20.0)


@dataclass
class Lesson:
    """A lecture on server "a" of two, with its audience."""

    db: Database
    site: RunningSite
    livekit: dict[str, RunningLiveKit]
    media: dict[str, Reachable]
    pace: Pace
    lecture_id: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    _living: list[asyncio.Task[None]] = field(default_factory=list)

    async def begin(self, *seats: str, lasts_s: float, recorded: bool = False) -> None:
        # Otherwise the first that answered gets the room, and that need not be "a".
        await self.until(self.all_answer)
        now = CLOCK.now()
        async with self.db.writing() as session:
            unit = await an_institution(session)
            policy = await a_policy(session, unit, quiet_period_s=3_600, tolerance_s=0)
            more = {"ends_at": now + round(lasts_s * SECOND), "open_before_s": 0, "overrun_s": 600}
            row = await a_lecture(session, unit, starts_at=now, policy=policy, recorded=recorded, **more)
            for seat in seats:
                await a_registration(session, row, await a_person(session, unit, name=seat), seat=seat)
            await service.owe_reconciling(session, row.id, now)
        self.lecture_id = str(row.id)
        await self.until(lambda: self.open_on("a"))
        async with self.db.reading() as session:
            registered = await store.registrations(session, self.lecture_id)
        for seat in registered:
            visitor = self.site.visitor()
            cookie = {SEAT_COOKIE: seat_cookie(LINK_KEY.encode(), seat)}
            visitor.http.cookie_jar.update_cookies(cookie, URL(self.site.url))
            times = {"beat_s": self.pace.beat_s, "seeks_s": self.pace.seeks_s}
            page = self.pages[seat.seat] = Page(visitor, self.lecture_id, tab="abcdefgh", **times)
            self._living.append(asyncio.create_task(page.live()))
        await self.until(lambda: self.all_on("a"))

    async def until(self, true: Callable[[], Awaitable[bool]], within_s: float = 40) -> None:
        async with asyncio.timeout(within_s):
            while not await true():
                broken = [task for task in self._living if task.done()]
                for task in broken:
                    task.result()
                await asyncio.sleep(0.05)

    async def room(self) -> Room | None:
        async with self.db.reading() as session:
            return next(iter(await store.rooms_of(session, self.lecture_id)), None)

    async def open_on(self, server: str) -> bool:
        room = await self.room()
        return room is not None and room.state is RoomState.OPEN and room.media_server == server

    async def all_on(self, server: str) -> bool:
        return all(page.on(server) for page in self.pages.values())

    async def healths(self) -> dict[str, Health]:
        async with self.db.reading() as session:
            return {name: one.health for name, one in (await pool_store.known(session)).items()}

    async def all_answer(self) -> bool:
        return await self.healths() == dict.fromkeys(self.media, Health.ANSWERS)

    async def is_silent(self) -> bool:
        return (await self.healths())["a"] is not Health.ANSWERS

    async def given_up(self) -> None:
        """Have the stated time pass once the server is known to be silent."""
        await self.until(self.is_silent)
        await heard_earlier(self.db, MOVE_AFTER_MS)

    async def there(self, server: str) -> list[str]:
        return [room.name for room in await self.media[server].list_rooms()]

    async def there_in(self, server: str, room: str) -> list[str]:
        """The seats in a room of a server."""
        inside = await self.media[server].list_participants(room)
        return [participant.identity.partition(".")[0] for participant in inside]

    async def stand_on(self, server: str, number: int) -> bool:
        return len(await self.there(server)) == number

    async def told(self) -> list[str]:
        async with self.db.reading() as session:
            return [entry.action for entry in await audit.of(session, ("lecture", self.lecture_id))]

    async def entries(self) -> dict[str, Entry]:
        async with self.db.reading() as session:
            log = await attendance.log(session, Scope.everything(), self.lecture_id, CLOCK.now())
        return {entry.registration.seat: entry for entry in log.entries}

    def say(self, what: str) -> None:
        absent = {seat: [round(s, 1) for s in page.absences_s] for seat, page in self.pages.items()}
        print(f"\n{what}: seconds of absence {absent}")

    async def end(self) -> None:
        for task in self._living:
            task.cancel()
        await asyncio.gather(*self._living, return_exceptions=True)


@asynccontextmanager
async def a_lesson(db: Database, pace: Pace, folder: Path | None = None) -> AsyncIterator[Lesson]:
    """Two servers, the receiver, the site, a scheduler, and with a folder a recorder that writes there."""
    port = free_ports().http
    hooks = [f"http://127.0.0.1:{port}{PATH}"]
    stop = asyncio.Event()
    async with AsyncExitStack() as everything:
        livekit = {n: await everything.enter_async_context(running_livekit(hooks)) for n in ("a", "b")}
        media = {
            name: Reachable(await everything.enter_async_context(server.media()))
            for name, server in livekit.items()
        }
        servers = [
            Server(name, server.http_url, server.url, server.key, server.secret, capacity)
            for (name, server), capacity in zip(livekit.items(), (200, 100), strict=True)
        ]
        pool = Pool(*((server, media[server.name]) for server in servers))
        url = db.url.render_as_string(hide_password=False)
        keys = {server.key: server.secret for server in servers}
        receiver = hooks_runner(create_hooks_app(database_url=url, keys=keys))
        await receiver.setup()
        everything.push_async_callback(receiver.cleanup)
        await web.TCPSite(receiver, "127.0.0.1", port).start()
        site = await everything.enter_async_context(running_site(db, CLOCK, pool))
        handlers = own_handlers(db, pool, CLOCK, sweep_ms=pace.sweep_ms)
        scheduler = Scheduler(db, pool, CLOCK, handlers, watch_s=pace.watch_s)
        running = [asyncio.create_task(scheduler.run(stop))]
        if folder is not None:
            running.append(asyncio.create_task(_a_recorder(db, livekit, folder).run(stop)))
        lesson = Lesson(db, site, livekit, media, pace)
        try:
            yield lesson
        finally:
            await lesson.end()
            stop.set()
            await asyncio.gather(*running)


def _a_recorder(db: Database, livekit: dict[str, RunningLiveKit], folder: Path) -> RecorderProcess:
    def ticket(server: str, room: str, identity: str, now: int) -> Pass:
        assert now
        token = livekit[server].token(identity=identity, room=room, hidden=True, kind="egress")
        return Pass(server, livekit[server].url, token)

    return RecorderProcess(db, open_storage(folder.as_uri()), CLOCK, ticket=ticket)


def near(found: int, truth: int) -> bool:
    return abs(found - truth) <= NEAR_S * SECOND


def assert_gap(entry: Entry, page: Page, gone_at: int) -> None:
    """The absence that is told is the one that was: from `gone_at` until the page was in again."""
    before = [one for one in entry.presence.intervals if one.start < gone_at]
    # The library may connect once more a moment after it was back.
    after = entry.presence.intervals[len(before)]
    assert near(before[0].start, page.begins[0])
    assert before[-1].end - NEAR_S * SECOND <= gone_at
    assert gone_at <= before[-1].end + before[-1].uncertainty_ms + NEAR_S * SECOND
    assert near(after.start, next(begin for begin in page.begins if begin > gone_at))
    assert entry.presence.here


async def test_a_lecture_moves_from_a_server_that_was_killed_and_what_is_stale_there_is_closed(
    database: Database,
) -> None:
    async with a_lesson(database, SHORT) as lesson:
        await lesson.begin("siti", "budi", "hesti", lasts_s=300)
        await asyncio.sleep(3)
        await lesson.livekit["a"].kill()
        killed = CLOCK.now()
        await lesson.given_up()
        await lesson.until(lambda: lesson.open_on("b"))
        await lesson.until(lambda: lesson.all_on("b"))
        lesson.say("killed, the wait shortened")
        await asyncio.sleep(2.5)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            assert_gap(entries[seat], page, killed)
        assert (await lesson.told()).count("room_moved") == 1

        # It comes back, and somebody's browser makes the room anew there.
        await lesson.livekit["a"].restart()
        token = lesson.livekit["a"].token(identity="late.tab", room=f"{lesson.lecture_id}.main")
        late = rtc.Room()
        await late.connect(lesson.livekit["a"].url, token)

        async def is_clean() -> bool:
            return await lesson.there("a") == [] and not late.isconnected()

        await lesson.until(is_clean)
        assert await lesson.there("b") == [f"{lesson.lecture_id}.main"]
        assert await lesson.all_on("b")
        # That room replaced nothing, as the next list of the one on "b" shows.
        await asyncio.sleep(6 + lesson.pace.sweep_ms / SECOND)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            assert_gap(entries[seat], page, killed)


async def test_pages_that_are_still_connected_follow_their_room_and_lose_next_to_nothing(
    database: Database,
) -> None:
    async with a_lesson(database, SHORT) as lesson:
        await lesson.begin("siti", "budi", lasts_s=300)
        await asyncio.sleep(3)
        # Only the service cannot reach it: everybody is still inside.
        lesson.media["a"].cut = True
        await lesson.given_up()
        await lesson.until(lambda: lesson.all_on("b"))
        lesson.say("not reached by the service, still connected")
        await asyncio.sleep(2.5)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            [absent_s] = page.absences_s
            assert absent_s < 2
            told = sum((i.end - i.start) / SECOND for i in entries[seat].presence.intervals)
            assert abs(told - (CLOCK.now() - page.begins[0]) / SECOND) <= absent_s + NEAR_S
        lesson.media["a"].cut = False

        async def is_clean() -> bool:
            return await lesson.there("a") == []

        await lesson.until(is_clean)
        assert await lesson.all_on("b")


async def test_a_lecture_with_groups_moves_whole_and_everybody_comes_back_into_the_own_one(
    database: Database,
) -> None:
    async with a_lesson(database, SHORT) as lesson:
        await lesson.begin("siti", "budi", "hesti", lasts_s=300)
        async with database.writing() as session:
            lecture = await store.find(session, lesson.lecture_id)
            assert lecture is not None
            titles = ["Merah", "Putih"]
            red, white = await side_rooms.add(
                session, lecture, RoomKind.BREAKOUT, titles, now=CLOCK.now(), actor=SYSTEM
            )
        rooms = {"siti": f"{lecture.id}.main", "budi": red.name, "hesti": white.name}

        async def are_at_their_places(server: str) -> bool:
            there = {name: await lesson.there_in(server, name) for name in rooms.values()}
            return there == {name: [seat] for seat, name in rooms.items()}

        await lesson.until(lambda: lesson.stand_on("a", 3))
        lesson.pages["budi"].go(red.id)
        lesson.pages["hesti"].go(white.id)
        await lesson.until(lambda: are_at_their_places("a"))
        await asyncio.sleep(3)
        await lesson.livekit["a"].kill()
        killed = CLOCK.now()
        await lesson.given_up()
        await lesson.until(lambda: are_at_their_places("b"))
        lesson.say("killed with groups, the wait shortened")
        await asyncio.sleep(2.5)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            assert_gap(entries[seat], page, killed)
        assert (await lesson.told()).count("room_moved") == 3


async def test_somebody_who_was_removed_stays_out_of_the_room_that_was_moved(database: Database) -> None:
    async with a_lesson(database, SHORT) as lesson:
        await lesson.begin("siti", "budi", lasts_s=300)
        async with database.writing() as session:
            seat = await store.seat_of(session, lesson.lecture_id, "budi")
            assert seat is not None
            await store.change_registration(session, seat.id, removed_at=CLOCK.now())
        await lesson.livekit["a"].kill()
        await lesson.given_up()

        async def moved() -> bool:
            return lesson.pages["siti"].on("b") and bool(lesson.pages["budi"].refused)

        await lesson.until(moved)
        assert lesson.pages["budi"].refused == "removed"
        inside = await lesson.media["b"].list_participants(f"{lesson.lecture_id}.main")
        assert [p.identity for p in inside] == ["siti.abcdefgh"]


async def test_nobody_is_sent_to_a_server_that_answers_no_scheduler(database: Database) -> None:
    async with a_lesson(database, SHORT) as lesson:
        await lesson.begin("siti", lasts_s=300)
        lesson.media["a"].cut = True

        async def is_said() -> bool:
            room = await lesson.room()
            return room is not None and room.last_error is not None

        await lesson.until(is_said)
        visitor = lesson.pages["siti"].visitor
        said = {"tab": "zyxwvuts", "notice": NOTICE_VERSION}
        refused = await visitor.post_json(f"/lectures/{lesson.lecture_id}/admission", said)
        assert (refused.status, refused.json()["code"]) == (503, "media_away")
        # Who is inside stays there.
        assert await lesson.all_on("a")
        lesson.media["a"].cut = False

        async def is_let_in() -> bool:
            answer = await visitor.post_json(f"/lectures/{lesson.lecture_id}/admission", said)
            return answer.status == 200 and answer.json()["server"] == "a"

        await lesson.until(is_let_in)


@pytest.mark.fault
async def test_a_server_that_stays_away_costs_less_than_a_browser_waits(
    database: Database, tmp_path: Path
) -> None:
    async with a_lesson(database, FULL, tmp_path) as lesson:
        await lesson.begin("siti", "budi", "hesti", "rudi", lasts_s=300, recorded=True)
        await asyncio.sleep(40)
        await lesson.livekit["a"].kill()
        killed = CLOCK.now()
        await lesson.until(lambda: lesson.open_on("b"), within_s=30)
        moved_s = (CLOCK.now() - killed) / SECOND
        await lesson.until(lambda: lesson.all_on("b"), within_s=60)
        lesson.say(f"killed for good, the room stood on the other server after {moved_s:.1f} s")

        async def recorder_is_along() -> bool:
            inside = await lesson.media["b"].list_participants(f"{lesson.lecture_id}.main")
            return any(p.identity.startswith("recorder-") for p in inside)

        await lesson.until(recorder_is_along)
        await asyncio.sleep(40)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            assert_gap(entries[seat], page, killed)
            assert max(page.absences_s) < BROWSERS_GIVE_UP_S
        await lesson.livekit["a"].restart()
        await asyncio.sleep(2 * lesson.pace.watch_s)
        assert await lesson.there("a") == []
        assert await lesson.all_on("b")


@pytest.mark.fault
async def test_a_server_that_is_back_within_the_stated_time_keeps_its_lecture(database: Database) -> None:
    async with a_lesson(database, FULL) as lesson:
        await lesson.begin("siti", "budi", "hesti", "rudi", lasts_s=300)
        await asyncio.sleep(40)
        await lesson.livekit["a"].kill()
        killed = CLOCK.now()
        await asyncio.sleep(8)
        await lesson.livekit["a"].restart()
        await lesson.until(lambda: lesson.all_on("a"), within_s=BROWSERS_GIVE_UP_S)
        lesson.say("back after 8 s")
        await asyncio.sleep(40)
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            assert_gap(entries[seat], page, killed)
        assert "room_moved" not in await lesson.told()
        assert await lesson.there("b") == []


@pytest.mark.fault
async def test_a_server_that_hangs_and_comes_back_with_its_room_has_it_closed(database: Database) -> None:
    async with a_lesson(database, FULL) as lesson:
        await lesson.begin("siti", "budi", "hesti", "rudi", lasts_s=300)
        await asyncio.sleep(40)
        hung = psutil.Process(lesson.livekit["a"].pid)
        hung.suspend()
        try:
            await lesson.until(lambda: lesson.all_on("b"), within_s=90)
        finally:
            hung.resume()
        lesson.say("hung")

        async def is_clean() -> bool:
            return await lesson.there("a") == []

        await lesson.until(is_clean)
        await asyncio.sleep(40)
        assert await lesson.all_on("b")
        entries = await lesson.entries()
        for seat, page in lesson.pages.items():
            # What the server told when it woke up made nobody's absence smaller than the page knows it.
            assert_gap(entries[seat], page, page.stays[0][2])
