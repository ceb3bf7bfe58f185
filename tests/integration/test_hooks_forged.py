"""Forged and broken webhooks, thousands of them, with good ones in between."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from aiohttp import web
from sqlalchemy import select

from tests.forgeries import ALL, BROKEN, FRAMED, KEY, SECRET, event, good, post, token
from tests.wire import CUT, Wire
from webinar.core.database import Database
from webinar.evidence.tables import WebhookRow
from webinar.web.hooks import create_hooks_app, hooks_runner


@asynccontextmanager
async def receiver(url: str, *, read_s: float = 5.0) -> AsyncIterator[int]:
    runner = hooks_runner(create_hooks_app(database_url=url, keys={KEY: SECRET}, read_s=read_s))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ids(db: Database) -> list[str]:
    async with db.reading() as session:
        return list((await session.scalars(select(WebhookRow.event_id).order_by(WebhookRow.id))).all())


@pytest.mark.parametrize("name", ALL)
async def test_a_forged_or_broken_webhook_is_refused_with_4xx(sqlite_url: str, name: str) -> None:
    async with receiver(sqlite_url) as port:
        wire = Wire(port)
        statuses = {await wire.send(ALL[name](f"EV_{n}", Random(n))) for n in range(20)}
        assert await wire.send(good("EV_good")) == 200
        wire.close()
    expected = {413, 415, 400, CUT} if name in FRAMED else {400} if name in BROKEN else {401}
    assert statuses <= expected
    db = Database(sqlite_url)
    assert await ids(db) == ["EV_good"]
    await db.close()


async def test_good_ones_among_thousands_of_forged_ones_are_stored_once_and_nothing_else_is(
    database: Database, database_url: str
) -> None:
    """One in ten is good; each good one is sent again later, as a replay or a retry would be."""
    chance, makers = Random(4), list(ALL.values())
    refused: list[int] = []
    stored: list[int] = []

    async def line(port: int, number: int) -> None:
        wire = Wire(port)
        for turn in range(200):
            if turn % 10 == 9:
                stored.append(await wire.send(good(f"EV_{number}_{turn - turn % 20}")))
            else:
                refused.append(await wire.send(chance.choice(makers)(f"EV_bad_{number}_{turn}", chance)))
        wire.close()

    async with receiver(database_url) as port:
        await asyncio.gather(*(line(port, number) for number in range(10)))
    assert {*stored} == {200}
    assert all(status == CUT or 400 <= status < 500 for status in refused)
    assert sorted(await ids(database)) == sorted(f"EV_{n}_{t}" for n in range(10) for t in range(0, 200, 20))


async def test_one_who_sends_slowly_is_let_go_and_holds_up_nobody(
    database: Database, database_url: str
) -> None:
    body = event("EV_slow")
    head = post(b"", token(body), length=len(body))
    async with receiver(database_url, read_s=0.3) as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        for _, writer in slow:
            writer.write(head + body[:10])
        wire = Wire(port)
        began = time.monotonic()
        assert await wire.send(good("EV_good")) == 200
        assert time.monotonic() - began < 0.3
        answers = [await reader.readuntil(b"\r\n\r\n") for reader, _ in slow]
        assert {answer[9:12] for answer in answers} == {b"408"}
        wire.close()
        for _, writer in slow:
            writer.close()
    assert await ids(database) == ["EV_good"]


async def test_a_body_in_pieces_that_comes_in_time_is_taken(database: Database, database_url: str) -> None:
    body = event("EV_pieces")
    head = post(b"", token(body), length=len(body))
    async with receiver(database_url) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (head[:40], head[40:], body[:7], body[7:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        assert (await reader.readuntil(b"\r\n\r\n"))[9:12] == b"200"
        writer.close()
    assert await ids(database) == ["EV_pieces"]
