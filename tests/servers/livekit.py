"""A real LiveKit server for tests, on free ports of loopback."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from webinar.core.clock import SystemClock
from webinar.media import tokens
from webinar.media.livekit import LiveKit
from webinar.media.server import MediaServer, ServerOptions, free_ports


@dataclass(frozen=True, slots=True)
class RunningLiveKit:
    """A LiveKit server that runs. `url` is for browsers (ws://), `http_url` for its API."""

    server: MediaServer
    key: str
    secret: str

    @property
    def url(self) -> str:
        return self.server.ws_url

    @property
    def http_url(self) -> str:
        return self.server.http_url

    @property
    def pid(self) -> int:
        assert self.server.pid is not None
        return self.server.pid

    def media(self) -> LiveKit:
        """An adapter to it; close it, or use it with `async with`."""
        return LiveKit(self.http_url, self.key, self.secret)

    def token(self, *, identity: str, room: str, name: str = "Siti", **grants: Any) -> str:
        """A token to join; grants as `webinar.media.tokens.mint` takes them."""
        now = SystemClock().now()
        return tokens.mint(
            self.key,
            self.secret,
            identity=identity,
            name=name,
            room=room,
            now=now,
            **grants,
        )

    async def kill(self) -> None:
        """SIGKILL: no room_finished, no participant_left."""
        await self.server.kill()

    async def restart(self) -> None:
        """Start it again on the same ports and keys (after `kill`, or in good order)."""
        await self.server.stop()
        await self.server.start()


def _new(folder: Path, webhook_urls: Sequence[str]) -> RunningLiveKit:
    key, secret = f"key{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    options = ServerOptions(free_ports(), {key: secret}, key, tuple(webhook_urls))
    return RunningLiveKit(MediaServer(options, log=folder / "livekit.log"), key, secret)


@asynccontextmanager
async def running_livekit(webhook_urls: Sequence[str] = ()) -> AsyncIterator[RunningLiveKit]:
    """A server of one's own, that sends its webhooks to these addresses."""
    folder = Path(tempfile.mkdtemp(prefix="livekit-"))
    livekit = _new(folder, webhook_urls)
    try:
        await livekit.server.start()
        yield livekit
    finally:
        await livekit.server.kill()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def livekit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLiveKit]:
    """One server for the whole run, without webhooks; use rooms of your own names, and do not kill it.

    It does not hang on an event loop: the process is polled.
    """
    running = _new(tmp_path_factory.mktemp("livekit"), ())
    # With a factory of its own the runner leaves pytest's event loop where it is.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(running.server.start())
        yield running
        runner.run(running.server.kill())
