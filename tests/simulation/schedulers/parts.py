"""The processes and what is outside: schedulers with every handler, the site, media and mail server."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from icalendar import Calendar
from sqlalchemy.ext.asyncio import AsyncSession

from tests.simulation.people import KEY, SECRET
from tests.simulation.processes import Distant, Life, Process, Scheduler
from webinar import wiring
from webinar.config import Settings
from webinar.core.clock import Clock, DatabaseClock
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects import Handler
from webinar.core.processes import BEAT_EVERY_S
from webinar.mail.fake import FakeMailer
from webinar.mail.port import Message, Receipt
from webinar.media.notifier import Notifier
from webinar.media.pool import Pool
from webinar.media.port import MediaMisconfigured
from webinar.media.simulator import MediaSimulator
from webinar.media.webhook import WebhookEvent

LINK_KEY = "k" * 32


class Clerk(Scheduler):
    """A scheduler as `wiring` makes it, by the database's time; its wake-ups may be lost."""

    part = "clerk"
    net_s, watch_s = 5.0, 2.5
    settings: Settings
    post: "Post"
    deaf = 0.0

    def its_clock(self) -> Clock:
        return DatabaseClock(self.clock, asyncio.get_running_loop().time)

    def handlers(self, database: Database, pool: Pool, life: Life, clock: Clock) -> Mapping[str, Handler]:
        ring = self.disk.bells[self.name]
        self.disk.bells[self.name] = lambda: None if self._chance.random() < self.deaf else ring()
        mailer: Any = Distant(_Signed(self.post, life.name), life, self._chance)
        return wiring.handlers(self.settings, database, pool, mailer, clock)


class Site(Process):
    """Where people press buttons; it asks the database for the time with each sign of life."""

    part = "site"
    _db: Database
    _time: DatabaseClock

    async def main(self, life: Life) -> None:
        self._db = self.database(life)
        self._time = DatabaseClock(self.clock, asyncio.get_running_loop().time)
        while True:
            with suppress(DatabaseAway):
                asked_at = self._time.now()
                self._time.put_right(await self._db.now(), asked_at)
            await asyncio.sleep(BEAT_EVERY_S)

    async def press(self, deed: Callable[[AsyncSession, int], Awaitable[None]]) -> None:
        """Do it in one transaction, at the time that the site believes in."""

        async def work(_life: Life) -> None:
            async with self._db.writing() as session:
                await deed(session, self._time.now())

        await self.call(work)


class Rooms(MediaSimulator):
    """The media server, which may also refuse whatever it is asked."""

    refuses = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, KEY, SECRET, Notifier(_nobody_listens))

    def _answer(self) -> None:
        super()._answer()
        if self.refuses:
            raise MediaMisconfigured


async def _nobody_listens(_: WebhookEvent) -> int:
    return 200


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
