"""The processes and what is outside: schedulers with every handler, the site, media and mail server."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple, cast

from icalendar import Calendar
from sqlalchemy.ext.asyncio import AsyncSession

from tests.simulation.people import SECRET
from tests.simulation.processes import Distant, Life, Process, Scheduler
from tests.simulation.schedulers.servers import Servers
from webinar import wiring
from webinar.classroom import service as classroom
from webinar.classroom.heartbeat_rules import Beat
from webinar.classroom.heartbeats import Heartbeats
from webinar.config import Settings
from webinar.core.clock import Clock, DatabaseClock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Handler
from webinar.core.errors import NotFound
from webinar.core.processes import BEAT_EVERY_S
from webinar.lectures import store as lectures
from webinar.mail.fake import FakeMailer
from webinar.mail.port import Message, Receipt
from webinar.media.pool import Pool

LINK_KEY = "k" * 32


class Clerk(Scheduler):
    """A scheduler as `wiring` makes it, by the database's time; its wake-ups may be lost."""

    part = "clerk"
    net_s, watch_s = 5.0, 2.5
    settings: Settings
    servers: Servers
    post: "Post"
    deaf = 0.0

    def pool(self, life: Life) -> Pool:
        return self.servers.pool(self.name, life, self._chance)

    def its_clock(self) -> Clock:
        return DatabaseClock(self.clock, asyncio.get_running_loop().time)

    def handlers(self, database: Database, pool: Pool, life: Life, clock: Clock) -> Mapping[str, Handler]:
        ring = self.disk.bells[self.name]
        self.disk.bells[self.name] = lambda: None if self._chance.random() < self.deaf else ring()
        mailer: Any = Distant(_Signed(self.post, life.name), life, self._chance)
        return wiring.handlers(self.settings, database, pool, mailer, clock)


class Let(NamedTuple):
    """Whom the site lets in, and where the room is."""

    lecture: str
    registration: str
    generation: int
    seat: str
    server: str
    room: str


class Site(Process):
    """Where people press buttons, are let in and beat; it asks the database for the time before it serves
    anybody, and with each sign of life."""

    part = "site"
    _db: Database
    _beats: Heartbeats
    _time: DatabaseClock
    _serves: asyncio.Event

    async def main(self, life: Life) -> None:
        self._serves = asyncio.Event()
        self._db = self.database(life)
        self._beats = Heartbeats(self._db)
        self._time = DatabaseClock(self.clock, asyncio.get_running_loop().time)
        while True:
            with suppress(DatabaseAway):
                asked_at = self._time.now()
                self._time.put_right(await self._db.now(), asked_at)
            self._serves.set()
            await asyncio.sleep(BEAT_EVERY_S)

    async def press(self, deed: Callable[[AsyncSession, int], Awaitable[None]]) -> None:
        """Do it in one transaction, at the time that the site believes in."""

        async def work(_life: Life) -> None:
            await self._serves.wait()
            async with self._db.writing() as session:
                await deed(session, self._time.now())

        await self.call(work)

    async def admit(self, lecture_id: str, person_id: str) -> Let:
        """Raises Refused, or ConnectionError."""

        async def work(_life: Life) -> Let:
            await self._serves.wait()
            async with self._db.reading() as session:
                lecture = await lectures.find(session, lecture_id)
                seat = await lectures.registration_of(session, lecture_id, person_id)
                if lecture is None or seat is None:
                    raise NotFound
                room = (await classroom.admission(session, lecture, seat, self._time.now())).room
            return Let(lecture_id, seat.id, seat.link_generation, seat.seat, room.media_server, room.name)

        return await self.call(work)

    async def beat(self, let: Let, identity: str, place: Any) -> bool:
        """Whether the room is on another server than the page. Raises Refused, or ConnectionError."""

        async def work(_life: Life) -> bool:
            await self._serves.wait()
            beat = Beat(
                let.registration, let.generation, let.lecture, identity, place.sid, visible=True,
                leaving=False, at=self._time.now(), room=place.room, server=place.server,
            )  # fmt: skip
            return await self._beats.tell(beat)

        return await self.call(work)


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the mail server took over: when, from which life of which process, and what it says."""

    at: int
    sender: str
    to: str
    message_id: str
    says: str
    uid: str
    sequence: int
    method: str


class Post(FakeMailer):
    """A mail server that remembers what it took over, and takes its time."""

    def __init__(self, now: Callable[[], int], chance: Random, takes_s: float) -> None:
        super().__init__()
        self.taken: list[Taken] = []
        self.takes_s = takes_s
        self._now = now
        self._chance = chance

    def come_back(self) -> None:
        """Take what it is given again, but for the addresses that it refuses."""
        self._troubles.pop("*", None)

    async def take(self, sender: str, message: Message) -> Receipt:
        await asyncio.sleep(self._chance.uniform(0, self.takes_s))
        receipt = await self.send(message)
        self.taken.append(_taken(self._now(), sender, message))
        return receipt


def _taken(at: int, sender: str, message: Message) -> Taken:
    uid, sequence, method = "", 0, ""
    if message.calendar is not None:
        [event] = Calendar.from_ical(message.calendar.content).walk("VEVENT")
        uid, sequence, method = str(event["UID"]), int(event["SEQUENCE"]), message.calendar.method
    says = hashlib.sha256(repr((message.subject, message.text, uid, sequence, method)).encode()).hexdigest()
    return Taken(at, sender, message.to.addr_spec, message.message_id, says, uid, sequence, method)


@dataclass(frozen=True, slots=True)
class _Signed:
    """The mail server, as one life of a process knows it."""

    post: Post
    sender: str

    async def send(self, message: Message) -> Receipt:
        return await self.post.take(self.sender, message)


def settings(folder: str) -> Settings:
    return Settings(
        data=cast(Any, folder), media_api_secret=cast(Any, SECRET), link_key=cast(Any, LINK_KEY),
        public_url="https://pendopo.example",
    )  # fmt: skip
