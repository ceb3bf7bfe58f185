"""The real site on a free port, and those who visit it: browsers with cookies, programs with keys.

    async def test_something(site: RunningSite) -> None:
        siti = await site.signed_in(person.id)
        page = await siti.get("/lectures")
        done = await siti.post("/lectures", {"title": "…"})     # with Origin and CSRF token
        learning_platform = await site.program(institution.id, "people:read")
        answer = await learning_platform.get("/people")

The database is the `database` fixture (SQLite, then PostgreSQL), the clock stands at NINE, the media
server is the fake one, and recordings are kept in memory. Redirects are not followed.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import unused_port
from argon2 import PasswordHasher
from yarl import URL

from recordings.storage import ObjectStorage, open_storage
from tests.pools import alone
from webinar.config import Settings
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.ids import digest
from webinar.lectures.placed import PlacedRooms
from webinar.media.fake import FakeMedia
from webinar.media.pool import Pool
from webinar.people import api_keys, sessions
from webinar.people.access import Scope
from webinar.people.passwords import Passwords
from webinar.people.sign_in_rules import DAY
from webinar.web.api.endpoint import PREFIX
from webinar.web.app import create_app
from webinar.web.context import ANONYMOUS_COOKIE, SESSION_COOKIE
from webinar.web.site import Site

LINK_KEY = "a key of the tests, of thirty-two bytes and more"
MEDIA_KEY, MEDIA_SECRET = "devkey", "a secret of the tests, of thirty-two bytes and more"
SERVER = {"key": MEDIA_KEY, "secret": MEDIA_SECRET, "public_url": "ws://127.0.0.1:7880"}
# Weak on purpose: the tests are about who comes in, not about how long it takes to guess.
FAST_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Answer:
    """What came back, read to its end."""

    status: int
    headers: Any
    body: bytes
    cookies: Any

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))


@dataclass
class Visitor:
    """A browser: keeps cookies, sends the Origin and the CSRF token of our own pages."""

    site: "RunningSite"
    http: aiohttp.ClientSession

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.send("GET", path, **more)

    async def post(
        self, path: str, form: dict[str, Any] | list[tuple[str, str]] | None = None, **more: Any
    ) -> Answer:
        """Send a form of ours; `files` would need a FormData in `data=`."""
        fields = list(form.items()) if isinstance(form, dict) else list(form or [])
        data = more.pop("data", None) or [*fields, ("csrf_token", self.csrf_token)]
        return await self.send("POST", path, data=data, headers=self._headers(more), **more)

    async def post_json(self, path: str, document: Any = None, **more: Any) -> Answer:
        """As the page in the room does."""
        document = {} if document is None else document
        return await self.send("POST", path, json=document, headers=self._headers(more), **more)

    def _headers(self, more: dict[str, Any]) -> dict[str, str]:
        headers = {"Origin": self.site.url, "X-CSRF-Token": self.csrf_token}
        return headers | more.pop("headers", {})

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        """The bare request; the path goes out as it is written, dots and percent signs too."""
        url = URL(self.site.url + path, encoded=True)
        async with self.http.request(method, url, allow_redirects=False, **more) as answer:
            return Answer(answer.status, answer.headers, await answer.read(), answer.cookies)

    def cookie(self, name: str, path: str = "/") -> str:
        found = self.http.cookie_jar.filter_cookies(URL(self.site.url + path)).get(name)
        return found.value if found else ""

    @property
    def csrf_token(self) -> str:
        secret = self.cookie(SESSION_COOKIE)
        bound = digest(secret) if secret else self.cookie(ANONYMOUS_COOKIE)
        return hmac.new(LINK_KEY.encode(), f"csrf:{bound}".encode(), hashlib.sha256).hexdigest()


@dataclass
class Program:
    """Something that calls the API with a key; paths begin behind /api/v1."""

    visitor: Visitor
    secret: str

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.send("GET", path, **more)

    async def post(self, path: str, document: Any = None, **more: Any) -> Answer:
        return await self.send("POST", path, **({"json": document} | more))

    async def patch(self, path: str, document: Any, **more: Any) -> Answer:
        return await self.send("PATCH", path, json=document, **more)

    async def send(self, method: str, path: str, **more: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return await self.visitor.send(
            method, PREFIX + path, headers=headers | more.pop("headers", {}), **more
        )


@dataclass
class RunningSite:
    """The site, its parts, and ways to come in."""

    url: str
    parts: Site
    clock: ManualClock
    media: FakeMedia
    storage: ObjectStorage
    _open: list[aiohttp.ClientSession] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.parts.database

    def visitor(self) -> Visitor:
        """Somebody who is not signed in."""
        jar = aiohttp.CookieJar(unsafe=True)
        self._open.append(aiohttp.ClientSession(cookie_jar=jar))
        return Visitor(self, self._open[-1])

    async def signed_in(self, person_id: str) -> Visitor:
        """A browser in which the person is signed in."""
        async with self.database.writing() as session:
            secret = await sessions.begin(
                session, person_id, user_agent="test", now=self.clock.now(), life_ms=14 * DAY
            )
        visitor = self.visitor()
        visitor.http.cookie_jar.update_cookies({SESSION_COOKIE: secret}, URL(self.url))
        return visitor

    async def key(self, institution_id: str, *scopes: str, expires_at: int | None = None) -> tuple[str, str]:
        """A new API key: its id and its secret."""
        async with self.database.writing() as session:
            key, secret = await api_keys.create(
                session,
                Scope.system(institution_id),
                name="Test",
                scopes=scopes,
                expires_at=expires_at,
                now=self.clock.now(),
            )
        return key.id, secret

    async def program(self, institution_id: str, *scopes: str) -> Program:
        """A program with a key of these scopes."""
        return self.with_key((await self.key(institution_id, *scopes))[1])

    def with_key(self, secret: str) -> Program:
        return Program(self.visitor(), secret)

    async def close(self) -> None:
        for session in self._open:
            await session.close()


@asynccontextmanager
async def running_site(
    database: Database, clock: Any, pool: Pool | None = None, **more: Any
) -> AsyncIterator[RunningSite]:
    """The real application on a free port, until the end of the block; `more` are further settings.

    Args:
        pool: its media servers; rooms are spoken to where they are then. Without, there is one that is asked
            for every room.
    """
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        public_url=url,
        port=port,
        link_key=LINK_KEY,  # type: ignore[arg-type]  # pydantic makes a secret of it
        media_api_key=MEDIA_KEY,
        media_api_secret=MEDIA_SECRET,  # type: ignore[arg-type]  # the same
        **more,
    )
    media, storage = FakeMedia(clock, MEDIA_KEY, MEDIA_SECRET), open_storage("memory:///")
    rooms = PlacedRooms(database, pool) if pool else media
    parts = Site(
        settings, database, clock, pool or alone(media, **SERVER), rooms, storage, Passwords(FAST_HASHER)
    )
    runner = web.AppRunner(create_app(parts), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    running = RunningSite(url, parts, clock, media, storage)
    try:
        yield running
    finally:
        await running.close()
        await runner.cleanup()
