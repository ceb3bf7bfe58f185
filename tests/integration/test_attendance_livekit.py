"""Presence from the real media server's own webhooks and lists; truth is when the client came and went."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from livekit import rtc
from sqlalchemy import select

from tests.build import MINUTE, a_lecture, a_person, a_registration, a_room, an_institution
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.attendance import service
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.evidence import store as evidence
from webinar.evidence.tables import WebhookRow
from webinar.media.server import free_ports
from webinar.people.access import Scope
from webinar.web.hooks import PATH, create_hooks_app, hooks_runner

CLOCK = SystemClock()
# Seconds a value may be off without any fault.
NEAR_MS = 2_000


@dataclass
class Classroom:
    """A lecture that is on, its media server and its database."""

    db: Database
    livekit: RunningLiveKit
    lecture_id: str

    @property
    def room(self) -> str:
        return f"{self.lecture_id}.main"

    async def enter(self, seat: str, tab: str = "tab") -> tuple[rtc.Room, int]:
        room = rtc.Room()
        await room.connect(
            self.livekit.url, self.livekit.token(identity=f"{seat}.{tab}", room=self.room, hidden=True)
        )
        return room, CLOCK.now()

    async def look(self) -> None:
        async with self.livekit.media() as media:
            sid = next((r.sid for r in await media.list_rooms() if r.name == self.room), None)
            at = CLOCK.now()
            inside = await media.list_participants(self.room)
        async with self.db.writing() as session:
            await evidence.record_sweep(
                session, room_name=self.room, room_sid=sid, participants=inside, at=at
            )

    async def log(self) -> AttendanceLog:
        async with self.db.reading() as session:
            return await service.log(session, Scope.everything(), self.lecture_id, CLOCK.now())

    async def entry(self) -> Entry:
        (entry,) = (await self.log()).entries
        return entry

    async def told(self) -> list[str]:
        async with self.db.reading() as session:
            return list(await session.scalars(select(WebhookRow.event).order_by(WebhookRow.id)))

    async def until_told(self, event: str, times: int = 1) -> None:
        async def there() -> bool:
            return (await self.told()).count(event) >= times

        await until(there)


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not await true():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def classroom(db: Database, *, receiver: bool = True) -> AsyncIterator[Classroom]:
    """Without a receiver each webhook is lost."""
    port = free_ports().http
    async with running_livekit([f"http://127.0.0.1:{port}{PATH}"]) as livekit:
        runner = hooks_runner(
            create_hooks_app(
                database_url=db.url.render_as_string(hide_password=False), keys={livekit.key: livekit.secret}
            )
        )
        await runner.setup()
        if receiver:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        async with db.writing() as session:
            unit = await an_institution(session)
            lecture = await a_lecture(session, unit, starts_at=CLOCK.now() - MINUTE, state="live")
            await a_room(session, lecture, state="open")
            await a_registration(session, lecture, await a_person(session, unit), seat="siti")
        try:
            yield Classroom(db, livekit, lecture.id)
        finally:
            await runner.cleanup()


def near(found: int | None, truth: int) -> bool:
    return found is not None and abs(found - truth) <= NEAR_MS


async def test_coming_and_going_is_known_from_webhooks_to_the_second(database: Database) -> None:
    async with classroom(database) as room:
        client, came = await room.enter("siti")
        await room.until_told("participant_joined")
        assert (await room.entry()).presence.here
        await asyncio.sleep(2)
        await client.disconnect()
        went = CLOCK.now()
        await room.until_told("participant_left")
        again, back = await room.enter("siti", "other")
        await room.until_told("participant_joined", 2)
        first, second = (await room.entry()).presence.intervals
        await again.disconnect()
    assert near(first.start, came)
    assert near(first.end, went)
    assert near(second.start, back)
    assert first.sources == ("webhook",)


async def test_who_was_killed_with_the_server_is_back_with_a_gap_and_no_open_end(database: Database) -> None:
    async with classroom(database) as room:
        before, came = await room.enter("siti")
        await room.until_told("participant_joined")
        await room.look()
        killed = CLOCK.now()
        await room.livekit.kill()
        await before.disconnect()
        await room.livekit.restart()
        after, back = await room.enter("siti")
        await room.until_told("participant_joined", 2)
        first, second = (await room.entry()).presence.intervals
        await after.disconnect()
    assert near(first.start, came)
    assert first.end <= killed <= first.end + first.uncertainty_ms
    assert near(second.start, back)
    assert first.sources == ("webhook", "sweep")


async def test_a_sweep_alone_knows_who_is_there_when_each_webhook_is_lost(database: Database) -> None:
    async with classroom(database, receiver=False) as room:
        client, came = await room.enter("siti")
        await room.look()
        here = (await room.entry()).presence
        await client.disconnect()
        async with room.livekit.media() as media:
            await media.close_room(room.room)
        await room.look()
        gone = (await room.entry()).presence
        assert await room.told() == []
    assert near(here.first_join, came)
    assert (here.here, here.intervals[0].sources) == (True, ("sweep",))
    assert not gone.here
