"""The page of the room follows a lecture from one media server to another by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.people import SITI, Attendee, let_in
from tests.browser.service import Service, chromium, free_port, running_service
from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core.clock import monotonic
from webinar.web.hooks import PATH

pytestmark = pytest.mark.browser
# Given up 15 s after it fell silent, which is known some seconds after that; then pages come with back-off.
MOVED_WITHIN_S = 60

SERVER = """
[[server]]
name = "{name}"
url = "{url}"
public_url = "{public_url}"
api_key = "{key}"
api_secret = "{secret}"
capacity = 300
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
    """The demonstration's lecture that begins in a few minutes, on one of two servers: on `here`."""

    service: Service
    lines: dict[str, Line]
    servers: dict[str, RunningLiveKit]
    lecturer: Attendee
    siti: Attendee
    here: str = ""

    @property
    def there(self) -> str:
        """The other one."""
        return next(name for name in self.servers if name != self.here)

    async def are_all_on(self, name: str) -> bool:
        wanted = {
            await attendee.page.locator("#classroom").get_attribute("data-connection")
            for attendee in (self.lecturer, self.siti)
        }
        async with self.servers[name].media() as media:
            return wanted <= {
                participant.identity
                for room in await media.list_rooms()
                for participant in await media.list_participants(room.name)
            }

    async def moved(self) -> None:
        """Wait until everybody is on the other server."""
        async with asyncio.timeout(MOVED_WITHIN_S):
            while not await self.are_all_on(self.there):
                await asyncio.sleep(0.2)
        for attendee in (self.lecturer, self.siti):
            await attendee.state("connected")


@asynccontextmanager
async def a_room(browser: Browser, folder: Path) -> AsyncIterator[Room]:
    port = free_port()
    hooks = [f"http://127.0.0.1:{port}{PATH}"]
    async with running_livekit(hooks) as a, running_livekit(hooks) as b:
        servers = {"a": a, "b": b}
        lines = {name: Line(int(one.http_url.rpartition(":")[2])) for name, one in servers.items()}
        for line in lines.values():
            await line.lay()
        listed = [
            SERVER.format(
                name=name,
                url=f"http://127.0.0.1:{lines[name].port}",
                public_url=server.url,
                key=server.key,
                secret=server.secret,
            )
            for name, server in servers.items()
        ]
        file = folder / "media.toml"
        file.write_text("".join(listed), "utf-8")
        settings = {"MEDIA_SERVERS": str(file), "HOOKS_PORT": str(port)}
        async with running_service(demonstration=True, settings=settings) as service:
            lecturer, siti = await let_in(browser, service, SITI)
            await siti.sees_moving()
            room = Room(service, lines, servers, lecturer, siti)
            [room.here] = [name for name in servers if await room.are_all_on(name)]
            yield room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with chromium() as browser, a_room(browser, tmp_path) as made:
        yield made


async def test_a_page_follows_its_lecture_from_a_media_server_that_was_killed(room: Room) -> None:
    await room.siti.page.get_by_test_id("hand-toggle").click()
    await expect(room.siti.page.get_by_test_id("hand-toggle")).to_have_attribute("aria-pressed", "true")
    draft = room.siti.page.get_by_test_id("chat-input")
    await draft.fill("Masih di sini")
    await room.servers[room.here].kill()
    killed = monotonic()
    await room.siti.state("reconnecting", "offline", "joining", "preparing", "media_away", within_s=30)
    await room.moved()
    print(f"\nkilled: everybody on the other server after {monotonic() - killed:.1f} s")
    await room.siti.sees_moving(within_s=30)
    # Whoever had a hand up has it up, and whoever was silent is.
    await expect(room.siti.page.get_by_test_id("hand-toggle")).to_have_attribute("aria-pressed", "true")
    await expect(room.siti.page.get_by_test_id("microphone")).to_have_attribute("aria-pressed", "false")
    # What was being typed is there, too.
    await draft.press("Enter")
    await room.lecturer.panel("chat")
    await expect(room.lecturer.page.get_by_test_id("message").last).to_contain_text("Masih di sini")


async def test_a_page_that_is_still_connected_learns_of_the_move_and_goes_along(room: Room) -> None:
    await room.lines[room.here].cut()
    await room.moved()
    await room.siti.sees_moving(within_s=30)
    await expect(room.siti.page.get_by_test_id("again")).to_have_count(0)
