"""Everybody concerned is told of a change exactly once, by real mails over SMTP; on both databases."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from tests import by_hand
from tests.build import LAST_WEEK
from tests.integration.invite_world import KEY, World
from tests.integration.invite_world import world as world
from tests.servers.smtp import SmtpServer, smtp_server
from webinar.core import effects
from webinar.core.audit import SYSTEM
from webinar.invites import owing
from webinar.invites import store as invite_store
from webinar.invites.news_rules import Forecast, News
from webinar.invites.service import announcer, sender
from webinar.lectures import booking, changes, service, store
from webinar.lectures.rules import agreed_times
from webinar.mail.port import Message, Receipt
from webinar.mail.smtp import SmtpMailer, SmtpSettings

ALL = ("ani@example.test", "budi@example.test", "citra@example.test")
THURSDAY = {"starts_wall": "2026-11-26T09:00", "ends_wall": "2026-11-26T10:30"}
FRIDAY = {"starts_wall": "2026-11-27T09:00", "ends_wall": "2026-11-27T10:30"}
OLD = agreed_times("2026-11-25T09:00", "2026-11-25T10:30", "Asia/Makassar")
Told = tuple[str, str, int, str]


@pytest.fixture
async def server(world: World) -> AsyncIterator[SmtpServer]:
    async with smtp_server() as running:
        mailer = SmtpMailer(SmtpSettings(host="127.0.0.1", port=running.port, security="none", timeout=5.0))
        world.desk = replace(world.desk, mailer=mailer)
        yield running
        await mailer.close()


def told(server: SmtpServer) -> list[Told]:
    """Address, method, SEQUENCE and day of each mail that arrived; they are taken out."""
    found = []
    for taken in server.taken:
        parts = message_from_bytes(taken.content, policy=default).walk()
        text = next(p for p in parts if p.get_content_type() == "text/calendar").get_content()
        lines = dict(
            line.split(":", 1) for line in text.splitlines() if line.startswith(("METHOD", "SEQ", "DTSTART"))
        )
        [address] = taken.recipients
        found.append((address, lines["METHOD"], int(lines["SEQUENCE"]), lines["DTSTART"][:8]))
    server.taken.clear()
    return sorted(found)


def everybody(method: str, sequence: int, day: str) -> list[Told]:
    return [(address, method, sequence, day) for address in ALL]


async def edit(world: World, **wanted: object) -> None:
    """A change that is committed, and not announced yet."""
    await world.edit(LAST_WEEK, **wanted)


async def cancel(world: World) -> None:
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await service.cancel(session, lecture, "Sakit", LAST_WEEK, SYSTEM)


async def restore(world: World) -> None:
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await changes.restore(session, lecture, OLD, now=LAST_WEEK, actor=SYSTEM)


async def announce(world: World) -> None:
    """Only what announces runs; the mails stay owed."""
    now = world.desk.clock.now()
    for effect in await by_hand.claim(world.db, worker="a", limit=50, lease_ms=60_000, now=now):
        outcome = await announcer(world.desk)(effect) if effect.kind == "announce" else effects.Again(now)
        await by_hand.finish(world.db, effect, outcome, now)


async def test_two_changes_after_each_other_are_told_once(world: World, server: SmtpServer) -> None:
    await world.run()
    assert told(server) == everybody("REQUEST", 0, "20261125")
    await edit(world, **THURSDAY)
    await edit(world, **FRIDAY)
    await world.run()
    await world.run()
    assert told(server) == everybody("REQUEST", 1, "20261127")


async def test_a_change_while_the_mails_of_another_are_owed_is_told_once(
    world: World, server: SmtpServer
) -> None:
    await world.run()
    told(server)
    await edit(world, **THURSDAY)
    await announce(world)
    await edit(world, **FRIDAY)
    await world.run()
    assert told(server) == everybody("REQUEST", 2, "20261127")


async def test_a_change_that_is_not_announced_yet_goes_out_with_its_own_sequence_and_once(
    world: World, server: SmtpServer
) -> None:
    """The mail of the first change is about to be sent when the second one is committed."""
    await world.run()
    told(server)
    await edit(world, **THURSDAY)
    await announce(world)
    await edit(world, **FRIDAY)
    now = world.desk.clock.now()
    due = await by_hand.claim(world.db, worker="w", limit=50, lease_ms=60_000, now=now)
    for kind in ("invite", "announce"):
        handler = sender(world.desk) if kind == "invite" else announcer(world.desk)
        for effect in due:
            if effect.kind == kind:
                await by_hand.finish(world.db, effect, await handler(effect), now)
    await world.run()
    assert told(server) == everybody("REQUEST", 2, "20261127")


async def test_cancelled_and_restored_is_told_with_rising_sequences(world: World, server: SmtpServer) -> None:
    await world.run()
    told(server)
    links = {seat.id: seat.link_generation for seat in await world.seats()}
    await cancel(world)
    await world.run()
    assert told(server) == everybody("CANCEL", 1, "20261125")
    await restore(world)
    await world.run()
    assert told(server) == everybody("REQUEST", 2, "20261125")
    assert {seat.id: seat.link_generation for seat in await world.seats()} == links


async def test_cancelled_and_restored_before_it_was_announced_is_told_to_nobody(
    world: World, server: SmtpServer
) -> None:
    await world.run()
    told(server)
    await cancel(world)
    await restore(world)
    await world.run()
    assert told(server) == []


async def test_cancelled_before_anything_was_sent_and_restored_is_one_invite(
    world: World, server: SmtpServer
) -> None:
    await announce(world)
    await cancel(world)
    await world.run()
    assert told(server) == []
    await restore(world)
    await world.run()
    assert told(server) == everybody("REQUEST", 2, "20261125")


class Meanwhile:
    """A mailer during whose first mail something happens."""

    def __init__(self, mailer: SmtpMailer, world: World, then: str) -> None:
        self._mailer, self._world, self._then = mailer, world, then

    async def send(self, message: Message) -> Receipt:
        then, self._then = self._then, ""
        if then == "cancel":
            await cancel(self._world)
            await announce(self._world)
        return await self._mailer.send(message)

    async def close(self) -> None:
        await self._mailer.close()


async def test_a_cancel_while_the_first_invite_leaves_takes_that_one_back(
    world: World, server: SmtpServer
) -> None:
    """It is withdrawn, since nothing had left; then the mail arrives after all, and has to be taken back."""
    mailer = world.desk.mailer
    assert isinstance(mailer, SmtpMailer)
    world.desk = replace(world.desk, mailer=Meanwhile(mailer, world, "cancel"))
    await world.run()
    arrived = told(server)
    assert len({address for address, *_ in arrived}) == 1
    assert [one[1:] for one in arrived] == [("CANCEL", 1, "20261125"), ("REQUEST", 0, "20261125")]


async def test_another_lecturer_is_told_to_each_in_the_own_way(world: World, server: SmtpServer) -> None:
    lecture = await world.lecture()
    ani, budi, _ = world.people
    async with world.db.writing() as session:
        await changes.change_lecturers(session, lecture, [ani], now=LAST_WEEK, actor=SYSTEM, link_key=KEY)
    await world.run()
    told(server)
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await changes.change_lecturers(session, lecture, [budi], now=LAST_WEEK, actor=SYSTEM, link_key=KEY)
    await world.run()
    assert [(address, method) for address, method, *_ in told(server)] == [
        ("ani@example.test", "CANCEL"),
        ("budi@example.test", "REQUEST"),
        ("citra@example.test", "REQUEST"),
    ]


@pytest.mark.parametrize("change", ["move", "cancel", "title", "restore"])
async def test_what_is_foretold_is_what_arrives(world: World, server: SmtpServer, change: str) -> None:
    await world.run()
    if change == "restore":
        await cancel(world)
        await world.run()
    seat = (await world.seats())[0]
    async with world.db.writing() as session:
        if change != "restore":
            await booking.cancel_registration(
                session, await world.lecture(), seat, now=LAST_WEEK, actor=SYSTEM
            )
    await world.run()
    told(server)
    deeds: dict[str, Callable[[], Awaitable[None]]] = {
        "move": lambda: edit(world, **THURSDAY),
        "cancel": lambda: cancel(world),
        "title": lambda: edit(world, title="Judul baru"),
        "restore": lambda: restore(world),
    }
    await deeds[change]()
    async with world.db.reading() as session:
        lecture = await store.find(session, world.lecture_id)
        assert lecture is not None
        forecast = await owing.ahead(session, lecture)
    await world.run()
    arrived = Counter(method for _, method, *_ in told(server))
    news = {
        "move": News.MOVED,
        "cancel": News.CANCELLED,
        "title": News.CHANGED,
        "restore": News.RESTORED,
    }[change]
    count = 3 if change == "restore" else 2
    assert forecast == Forecast({news: count}, ())
    assert arrived == {"CANCEL" if change == "cancel" else "REQUEST": count}


async def test_a_try_that_ends_late_does_not_undo_what_is_owed_by_now(world: World) -> None:
    """The answer of the mail server to the old version comes after the new one is owed."""
    await announce(world)
    now = world.desk.clock.now()
    due = await by_hand.claim(world.db, worker="w", limit=50, lease_ms=60_000, now=now)
    outcomes = [(e, await sender(world.desk)(e)) for e in due if e.kind == "invite"]
    await edit(world, **THURSDAY)
    await announce(world)
    for effect, outcome in outcomes:
        await by_hand.finish(world.db, effect, outcome, now)
    async with world.db.reading() as session:
        sent = await invite_store.of_lecture(session, world.lecture_id)
    assert {(i.sequence, i.state, i.last_sent_at) for i in sent.values()} == {(1, "owed", now)}
    await world.run()
    assert len(world.mailer.sent) == 6
