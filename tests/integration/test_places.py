"""A server that takes its time delays neither other kinds nor the next of its own, with the real runner."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from tests.build import MINUTE, NINE, a_lecture, a_person, an_institution
from tests.integration.deaths import KEY, SECRET
from tests.pools import alone
from webinar import wiring
from webinar.config import Settings
from webinar.core.audit import SYSTEM
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_rules import PLACES
from webinar.core.effects_runner import Runner
from webinar.lectures import booking, service, store
from webinar.mail.fake import FakeMailer
from webinar.mail.port import Message, Receipt
from webinar.media.fake import FakeMedia
from webinar.media.port import RoomState

LINK_KEY = b"k" * 32
SOON_S = 60


class SlowPost(FakeMailer):
    """Takes mails only when it is told to.

    `all_places` is set when as many wait as there are places, `all_sent` when as many as `wanted` are out.
    """

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.goes_on, self.all_places, self.all_sent = (asyncio.Event() for _ in range(3))
        self.wanted = wanted
        self.waiting = 0

    async def send(self, message: Message) -> Receipt:
        self.waiting += 1
        if self.waiting == PLACES["invite"]:
            self.all_places.set()
        await self.goes_on.wait()
        receipt = await super().send(message)
        if len(self.sent) == self.wanted:
            self.all_sent.set()
        return receipt


class HangingMedia(FakeMedia):
    """Never answers about some rooms; says when another one stands."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, KEY, SECRET)
        self.hangs: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.stands: dict[str, asyncio.Event] = {}

    def standing(self, name: str) -> asyncio.Event:
        return self.stands.setdefault(name, asyncio.Event())

    async def open_room(self, name: str, **more: Any) -> RoomState:
        self.asked[name] += 1
        if name in self.hangs:
            await asyncio.Event().wait()
        made = await super().open_room(name, **more)
        self.standing(name).set()
        return made


@asynccontextmanager
async def working(
    db: Database, clock: ManualClock, media: FakeMedia, post: FakeMailer
) -> AsyncIterator[Runner]:
    """A runner with every handler, which claims again whenever one has ended."""
    settings = Settings(
        media_api_secret=cast(Any, SECRET), link_key=cast(Any, LINK_KEY.decode()), data=cast(Any, "/nowhere"),
        storage_url="memory:///",
    )  # fmt: skip
    freed = asyncio.Event()
    freed.set()
    handlers = wiring.handlers(settings, db, alone(media), cast(Any, post), clock)
    runner = Runner(db, handlers, clock, freed=freed.set)

    async def go_on() -> None:
        while True:
            await freed.wait()
            freed.clear()
            await runner.step()

    loop = asyncio.create_task(go_on())
    try:
        yield runner
    finally:
        loop.cancel()
        await runner.close(grace_s=0)


async def booked(db: Database, clock: ManualClock, people: int, lectures: int = 1) -> Sequence[str]:
    """Lectures that are due to open, the first of them with so many people who are owed an invite."""
    names = []
    async with db.writing() as session:
        unit = await an_institution(session)
        some = [await a_person(session, unit, name=f"Orang {n}") for n in range(people)]
        for number in range(lectures):
            row = await a_lecture(session, unit)
            lecture = await store.find(session, row.id)
            assert lecture is not None
            invited = [person.id for person in some] if number == 0 else []
            await booking.register(
                session, lecture, invited, now=clock.now(), actor=SYSTEM, link_key=LINK_KEY
            )
            await service.owe_reconciling(session, row.id, clock.now())
            names.append(f"{row.id}.main")
    return names


async def test_a_mail_server_that_hangs_keeps_no_room_from_opening(
    database: Database, clock: ManualClock
) -> None:
    clock.at = NINE - 20 * MINUTE
    people = PLACES["invite"] + 5
    media, post = HangingMedia(clock), SlowPost(people)
    [room] = await booked(database, clock, people)
    async with working(database, clock, media, post) as runner, asyncio.timeout(SOON_S):
        await post.all_places.wait()
        clock.at = NINE - 10 * MINUTE
        await runner.step()
        await media.standing(room).wait()
        assert post.waiting == PLACES["invite"], "more mails on their way than there are places"
        assert post.sent == []
        post.goes_on.set()
        await post.all_sent.wait()


async def test_a_room_that_hangs_delays_neither_the_next_one_nor_mail(
    database: Database, clock: ManualClock
) -> None:
    clock.at = NINE - 10 * MINUTE
    media, post = HangingMedia(clock), SlowPost(2)
    post.goes_on.set()
    first, second = await booked(database, clock, people=2, lectures=2)
    media.hangs = {first}
    async with working(database, clock, media, post), asyncio.timeout(SOON_S):
        await media.standing(second).wait()
        await post.all_sent.wait()
        assert media.asked[first] == 1
        assert not media.standing(first).is_set()
