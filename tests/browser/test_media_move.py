"""The page of the room follows a lecture from one media server to another by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.people import Attendee
from tests.browser.service import Service, chromium, free_port, running_service
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core.clock import monotonic
from webinar.web.hooks import PATH

pytestmark = pytest.mark.browser
LECTURER, SITI = "endang.lestari@", "siti.rahma@"
# Given up 15 s after it fell silent, which is known some seconds after that; then pages come with back-off.
MOVED_WITHIN_S = 60

SERVER = """
[[server]]
name = "{name}"
url = "{url}"
public_url = "{public_url}"
api_key = "{key}"
api_secret = "{secret}"
capacity = {capacity}
"""


class Line:
    """A way to a server's API that can be cut; browsers take another one."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self._to_port = to_port
        self._open: set[asyncio.StreamWriter] = set()

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._open |= {writer, back}
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
        self._open -= {writer, back}


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            to.write(data)
            await to.drain()
    to.close()


@dataclass
class Room:
    """The demonstration's lecture that begins in a few minutes, on server "a" of two."""

    service: Service
    line: Line
    a: RunningLiveKit
    b: RunningLiveKit
    lecturer: Attendee
    siti: Attendee

    async def all_on_b(self, within_s: float) -> None:
        names = [
            await attendee.page.locator("#classroom").get_attribute("data-connection")
            for attendee in (self.lecturer, self.siti)
        ]
        async with self.b.media() as media, asyncio.timeout(within_s):
            while True:
                inside = {
                    participant.identity
                    for room in await media.list_rooms()
                    for participant in await media.list_participants(room.name)
                }
                if inside >= set(names):
                    break
                await asyncio.sleep(0.2)
        for attendee in (self.lecturer, self.siti):
            await attendee.state("connected")


@asynccontextmanager
async def a_room(browser: Browser, folder: Path) -> AsyncIterator[Room]:
    port = free_port()
    hooks = [f"http://127.0.0.1:{port}{PATH}"]
    async with running_livekit(hooks) as a, running_livekit(hooks) as b:
        line = Line(int(a.http_url.rpartition(":")[2]))
        await line.lay()
        ways = {"a": f"http://127.0.0.1:{line.port}", "b": b.http_url}
        listed = [
            SERVER.format(
                name=name,
                url=ways[name],
                public_url=server.url,
                key=server.key,
                secret=server.secret,
                capacity=capacity,
            )
            for name, server, capacity in (("a", a, 900), ("b", b, 300))
        ]
        servers = folder / "media.toml"
        servers.write_text("".join(listed), "utf-8")
        settings = {"MEDIA_SERVERS": str(servers), "HOOKS_PORT": str(port)}
        async with running_service(demonstration=True, settings=settings) as service:
            lecturer = await Attendee.open(browser, await service.first_link(LECTURER), phone=False)
            await lecturer.enter()
            siti = await Attendee.open(browser, await service.first_link(SITI))
            await siti.enter()
            await siti.sees_moving()
            yield Room(service, line, a, b, lecturer, siti)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with chromium() as browser, a_room(browser, tmp_path) as made:
        yield made


async def test_a_page_follows_its_lecture_from_a_media_server_that_was_killed(room: Room) -> None:
    await room.a.kill()
    killed = monotonic()
    await room.siti.state("reconnecting", "offline", "joining", "preparing", "media_away", within_s=30)
    await room.all_on_b(MOVED_WITHIN_S)
    print(f"\nkilled: everybody on the other server after {monotonic() - killed:.1f} s")
    await room.siti.sees_moving(within_s=30)
    await room.siti.say("Masih di sini")
    await room.lecturer.panel("chat")
    await expect(room.lecturer.page.get_by_test_id("message").last).to_contain_text("Masih di sini")


async def test_a_page_that_is_still_connected_learns_of_the_move_and_goes_along(room: Room) -> None:
    await room.line.cut()
    await room.all_on_b(MOVED_WITHIN_S)
    await room.siti.sees_moving(within_s=30)
    await expect(room.siti.page.get_by_test_id("again")).to_have_count(0)
