"""Two people between the main room and a group on the real media server.

The scheduler opens the rooms, looks into them and closes them; the media server tells by its own webhooks;
truth is when the clients came and went.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from livekit import rtc
from sqlalchemy import select

from scheduler.runner import own_handlers
from tests.build import a_lecture, a_person, a_registration, an_institution
from tests.integration.test_attendance_livekit import CLOCK, NEAR_MS, until
from tests.pools import alone
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.attendance import service as attendance
from webinar.attendance.log_rules import Entry
from webinar.core.audit import SYSTEM
from webinar.core.database import Database
from webinar.core.effects_runner import Runner
from webinar.evidence import store as evidence
from webinar.evidence.tables import SweepRow, WebhookRow
from webinar.lectures import service, side_rooms, store
from webinar.lectures.rules import Lecture, RoomKind
from webinar.media.livekit import LiveKit
from webinar.media.server import free_ports
from webinar.people.access import Scope
from webinar.web.hooks import PATH, create_hooks_app, hooks_runner

TAB = "tabtabta"


@dataclass
class Guest:
    """A page: at most one connection, and when it was in (Unix ms) as it knows itself."""

    livekit: RunningLiveKit
    db: Database
    lecture_id: str
    seat: str
    registration_id: str
    spans: list[list[int]] = field(default_factory=list)
    room: rtc.Room | None = None

    async def enter(self, name: str) -> None:
        """Into a room; out of the one before, once the new connection stands."""
        before, self.room = self.room, rtc.Room()
        identity = f"{self.seat}.{TAB}"
        await self.room.connect(self.livekit.url, self.livekit.token(identity=identity, room=name))
        if before is not None:
            await before.disconnect()
        else:
            self.spans.append([CLOCK.now(), 0])
        async with self.db.writing() as session:
            await evidence.record_heartbeat(
                session,
                lecture_id=self.lecture_id,
                registration_id=self.registration_id,
                identity=identity,
                participant_sid=self.room.local_participant.sid,
                visible=True,
                at=CLOCK.now(),
            )

    async def leave(self) -> None:
        assert self.room is not None
        await self.room.disconnect()
        self.spans[-1][1] = CLOCK.now()
        self.room = None

    @property
    def inside_ms(self) -> int:
        return sum(end - start for start, end in self.spans)


@dataclass
class Story:
    """A lecture that is on, the scheduler that looks after it, and two guests."""

    db: Database
    media: LiveKit
    runner: Runner
    lecture_id: str
    siti: Guest
    budi: Guest

    def name(self, kind: str) -> str:
        return f"{self.lecture_id}.{kind}"

    async def lecture(self) -> Lecture:
        async with self.db.reading() as session:
            found = await store.find(session, self.lecture_id)
        assert found is not None
        return found

    async def stands(self, *kinds: str) -> None:
        """Let the scheduler work until just these rooms are on the media server."""
        wanted = {self.name(kind) for kind in kinds}

        async def there() -> bool:
            await self.runner.step()
            await self.runner.drain()
            return {room.name for room in await self.media.list_rooms()} == wanted

        await until(there)

    async def until_told(self, event: str, kind: str, times: int = 1) -> None:
        async def told() -> bool:
            async with self.db.reading() as session:
                query = select(WebhookRow.event).where(WebhookRow.room_name == self.name(kind))
                return list(await session.scalars(query)).count(event) >= times

        await until(told)

    async def looks(self, kind: str) -> list[list[str]]:
        """Whom each look into a room found."""
        async with self.db.reading() as session:
            query = select(SweepRow).where(SweepRow.room_name == self.name(kind)).order_by(SweepRow.id)
            rows = list(await session.scalars(query))
        return [[str(person[0]).partition(".")[0] for person in row.participants] for row in rows]

    async def entries(self) -> dict[str, Entry]:
        async with self.db.reading() as session:
            log = await attendance.log(session, Scope.everything(), self.lecture_id, CLOCK.now())
        return {entry.registration.seat: entry for entry in log.entries}


@asynccontextmanager
async def story(db: Database) -> AsyncIterator[Story]:
    port = free_ports().http
    async with running_livekit([f"http://127.0.0.1:{port}{PATH}"]) as livekit, livekit.media() as media:
        url = db.url.render_as_string(hide_password=False)
        hooks = hooks_runner(create_hooks_app(database_url=url, keys={livekit.key: livekit.secret}))
        await hooks.setup()
        await web.TCPSite(hooks, "127.0.0.1", port).start()
        runner = Runner(db, own_handlers(db, alone(media), CLOCK), CLOCK)
        async with db.writing() as session:
            unit = await an_institution(session)
            row = await a_lecture(session, unit, starts_at=CLOCK.now() - 1_000, open_before_s=0)
            seats = [
                await a_registration(session, row, await a_person(session, unit, name=name), seat=name)
                for name in ("siti", "budi")
            ]
            await service.owe_reconciling(session, row.id, CLOCK.now())
        guests = [Guest(livekit, db, row.id, seat.seat, seat.id) for seat in seats]
        try:
            yield Story(db, media, runner, row.id, *guests)
        finally:
            await runner.close()
            await hooks.cleanup()


async def test_hours_go_on_from_the_main_room_into_a_group_and_back(database: Database) -> None:
    async with story(database) as lecture:
        siti, budi = lecture.siti, lecture.budi
        await lecture.stands("main")
        await siti.enter(lecture.name("main"))
        await budi.enter(lecture.name("main"))
        await lecture.until_told("participant_joined", "main", 2)
        async with database.writing() as session:
            titles = ["Kelompok 1", "Kelompok 2"]
            present = await lecture.lecture()
            await side_rooms.add(session, present, RoomKind.BREAKOUT, titles, now=CLOCK.now(), actor=SYSTEM)
        await lecture.stands("main", "b1", "b2")
        await asyncio.sleep(2)
        await siti.enter(lecture.name("b1"))
        await budi.enter(lecture.name("b2"))
        for kind in ("b1", "b2"):
            await lecture.until_told("participant_joined", kind)
        await lecture.until_told("participant_left", "main", 2)
        await asyncio.sleep(3)
        # Siti comes back by herself, Budi stays until everybody is called back.
        await siti.enter(lecture.name("main"))
        await lecture.until_told("participant_joined", "main", 3)
        async with database.writing() as session:
            await side_rooms.close_breakouts(session, await lecture.lecture(), now=CLOCK.now(), actor=SYSTEM)
        await lecture.stands("main")
        await budi.enter(lecture.name("main"))
        await lecture.until_told("room_finished", "b2")
        await asyncio.sleep(2)
        await siti.leave()
        await budi.leave()
        await lecture.until_told("participant_left", "main", 4)
        entries = await lecture.entries()
        async with database.writing() as session:
            await service.end_now(session, await lecture.lecture(), CLOCK.now(), SYSTEM)
        await lecture.stands()
    for guest in (siti, budi):
        found = entries[guest.seat].presence.intervals
        counted_ms = sum(one.end - one.start for one in found)
        # Neither a gap at a move nor the overlap of two connections is time of its own.
        assert abs(counted_ms - guest.inside_ms) <= NEAR_MS, guest.seat
        assert abs(found[0].start - guest.spans[0][0]) <= NEAR_MS
        assert abs(found[-1].end - guest.spans[0][1]) <= NEAR_MS
    # The last look into each room before it closed, and that it was gone after.
    assert (await lecture.looks("b1"))[-2:] == [[], []]
    assert (await lecture.looks("b2"))[-2:] == [["budi"], []]
    assert (await lecture.looks("main"))[-2:] == [[], []]
