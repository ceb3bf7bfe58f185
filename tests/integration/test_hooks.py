"""The webhook receiver over real HTTP, on real databases."""

import asyncio
import base64
import gzip
import hashlib
import json
import logging
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from sqlalchemy import select

from tests.servers.postgres import Postgres, postgres
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.evidence.tables import WebhookRow
from webinar.migrations import upgrade
from webinar.web.hooks import LARGEST_BODY, PATH, create_hooks_app, hooks_runner

KEY, SECRET = "pendopo", "a-secret-of-at-least-thirty-two-bytes"
OLD_KEY, OLD_SECRET = "before", "the-secret-before-with-thirty-two-bytes"
KEYS = {KEY: SECRET, OLD_KEY: OLD_SECRET}


@asynccontextmanager
async def receiver(url: str, *, wait_s: float = 3.0) -> AsyncIterator[str]:
    runner = hooks_runner(create_hooks_app(database_url=url, keys=KEYS, wait_s=wait_s))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}{PATH}"
    finally:
        await runner.cleanup()


def an_event(event: str = "participant_joined", **more: Any) -> bytes:
    body = {
        "id": f"EV_{new_id()}",
        "event": event,
        "createdAt": "1764032400",
        "room": {"name": "lecture.main", "sid": "RM_1", "turnPassword": "hush"},
        "participant": {"sid": "PA_1", "identity": "seat.tab", "joinedAtMs": "1764032400123"},
    }
    return json.dumps(body | more).encode()


def signed(body: bytes, *, key: str = KEY, secret: str = SECRET, **claims: Any) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": key, "exp": int(time.time()) + 300, "sha256": digest} | claims
    token = jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, algorithm="HS256")
    return {"Authorization": token, "Content-Type": "application/webhook+json"}


async def sent(
    client: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    async with client.post(url, data=body, headers=signed(body) if headers is None else headers) as answer:
        return answer.status, await answer.read()


async def rows(db: Database) -> list[WebhookRow]:
    async with db.reading() as session:
        return list((await session.scalars(select(WebhookRow).order_by(WebhookRow.id))).all())


async def test_what_is_answered_200_is_stored_with_its_named_fields_and_an_empty_answer(
    database: Database, database_url: str
) -> None:
    body = an_event()
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        assert await sent(client, url, body) == (200, b"")
    (row,) = await rows(database)
    assert (row.event, row.room_name, row.room_sid) == ("participant_joined", "lecture.main", "RM_1")
    assert (row.participant_sid, row.identity, row.kind) == ("PA_1", "seat.tab", "standard")
    assert (row.joined_at_ms, row.created_at_s) == (1764032400123, 1764032400)
    assert row.body_sha256 == hashlib.sha256(body).hexdigest()


async def test_an_event_sent_again_is_one_row(database: Database, database_url: str) -> None:
    body = an_event()
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        sends = (client.post(url, data=body, headers=signed(body)) for _ in range(5))
        assert {answer.status for answer in await asyncio.gather(*sends)} == {200}
    assert len(await rows(database)) == 1


async def test_the_key_before_is_accepted_while_keys_are_rotated(
    database: Database, database_url: str
) -> None:
    body = an_event()
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        headers = signed(body, key=OLD_KEY, secret=OLD_SECRET)
        assert await sent(client, url, body, headers) == (200, b"")


async def test_a_forged_webhook_is_401_and_no_row(database: Database, database_url: str) -> None:
    body = an_event()
    forged = [
        ({}, body),
        ({"Authorization": ""}, body),
        ({"Authorization": "nonsense"}, body),
        (signed(body, secret="another-secret-of-thirty-two-bytes!!"), body),
        (signed(body, key="unknown"), body),
        (signed(body, exp=None), body),
        (signed(body, exp=int(time.time()) - 3600), body),
        (signed(body, sha256=None), body),
        (signed(body), body[:-1] + b" "),
        (signed(body), body + b" "),
        ({"Authorization": jwt.encode({"iss": KEY}, "", algorithm="none")}, body),
    ]
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        for headers, told in forged:
            assert await sent(client, url, told, headers) == (401, b""), headers
    assert await rows(database) == []


async def test_large_and_compressed_bodies_are_refused_unread(database: Database, database_url: str) -> None:
    large = an_event(filler="x" * LARGEST_BODY)
    packed = gzip.compress(b"0" * 1_000_000)

    async def trickle() -> AsyncIterator[bytes]:
        for first in range(0, len(large), 4096):
            yield large[first : first + 4096]

    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        async with client.post(url, data=large, headers=signed(large)) as answer:
            assert answer.status == 413
        async with client.post(url, data=trickle(), headers=signed(large)) as answer:
            assert answer.status == 413
        coded = signed(packed) | {"Content-Encoding": "gzip"}
        async with client.post(url, data=packed, headers=coded) as answer:
            assert answer.status == 415
    assert await rows(database) == []


async def test_an_event_that_no_column_takes_is_refused_and_does_not_spoil_its_group(
    database: Database, database_url: str
) -> None:
    odd = [
        an_event(room={"name": "n\x00", "sid": "RM_1"}),
        an_event(room={"name": "n", "sid": "\ud800"}),
        an_event(createdAt=str(2**70)),
    ]
    bodies = [*odd, *(an_event(room={"name": "n" * 200, "sid": "RM_1"}) for _ in range(20))]
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        sends = (client.post(url, data=body, headers=signed(body)) for body in bodies)
        statuses = [answer.status for answer in await asyncio.gather(*sends)]
        assert statuses == [400] * 3 + [200] * 20
    assert len(await rows(database)) == 20


async def test_bodies_and_tokens_are_never_logged(
    database: Database, database_url: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    body, unreadable = an_event(), b'{"turnPassword": "hush"}'
    with caplog.at_level(logging.DEBUG):
        async with receiver(database_url) as url, aiohttp.ClientSession() as client:
            for sent, headers in (
                (body, signed(body)),
                (unreadable, signed(unreadable)),
                (body, signed(b"")),
            ):
                await client.post(url, data=sent, headers=headers)
    out, err = capfd.readouterr()
    told = out + err + caplog.text
    assert "hush" not in told
    assert signed(body)["Authorization"].split(".")[0] not in told


async def test_a_locked_sqlite_file_is_503_in_time_and_200_afterwards(
    sqlite_url: str, tmp_path: Path
) -> None:
    body = an_event()
    blocker = sqlite3.connect(tmp_path / "pendopo.db", isolation_level=None)
    async with receiver(sqlite_url, wait_s=0.3) as url, aiohttp.ClientSession() as client:
        blocker.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert await sent(client, url, body) == (503, b"")
        assert time.monotonic() - started < 2
        blocker.execute("ROLLBACK")
        await _until_stored(client, url, body)
    blocker.close()


async def test_a_missing_sqlite_file_is_503_and_is_not_made(tmp_path: Path) -> None:
    body = an_event()
    async with receiver(f"sqlite+aiosqlite:///{tmp_path}/none.db") as url, aiohttp.ClientSession() as client:
        assert await sent(client, url, body) == (503, b"")
    assert not (tmp_path / "none.db").exists()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster that the test may stop."""
    with postgres() as server:
        yield server


async def test_postgresql_stopped_is_503_and_started_again_is_200(own_postgres: Postgres) -> None:
    server = own_postgres
    database_url = await server.create("hooks")
    await upgrade(database_url)
    async with receiver(database_url) as url, aiohttp.ClientSession() as client:
        first, second = an_event(), an_event()
        async with client.post(url, data=first, headers=signed(first)) as answer:
            assert answer.status == 200
        server.process.send_signal(signal.SIGINT)
        server.process.wait(10)
        async with client.post(url, data=second, headers=signed(second)) as answer:
            assert answer.status == 503
        with _started_again(server):
            await _until_stored(client, url, second)
            db = Database(database_url)
            assert len(await rows(db)) == 2
            await db.close()


@contextmanager
def _started_again(server: Postgres) -> Iterator[None]:
    command: Any = server.process.args
    with (server.folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


async def _until_stored(client: aiohttp.ClientSession, url: str, body: bytes) -> None:
    """Send it again as the media server does, until it is taken."""
    async with asyncio.timeout(20):
        while True:
            async with client.post(url, data=body, headers=signed(body)) as answer:
                if answer.status == 200:
                    return
                assert answer.status == 503
            await asyncio.sleep(0.1)
