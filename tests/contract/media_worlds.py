"""Worlds with a media server and people, handled alike: the real one, the fake one, the simulated one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiohttp import web
from livekit import rtc

from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.core.clock import SystemClock
from webinar.media import webhook
from webinar.media.fake import FakeMedia
from webinar.media.livekit import LiveKit
from webinar.media.notifier import Notifier
from webinar.media.port import Media
from webinar.media.rules import MICROPHONE
from webinar.media.simulator import MediaSimulator, Timing
from webinar.media.tokens import mint
from webinar.media.webhook import WebhookEvent

KEY, SECRET = "key", "s" * 43


class Guest(Protocol):
    """Somebody in a room, as they see it themselves."""

    @property
    def inside(self) -> bool: ...

    @property
    def messages(self) -> list[tuple[str, bytes]]: ...

    async def leave(self) -> None: ...

    async def publish_microphone(self) -> None: ...


class World(Protocol):
    """A media server, those who join it, and the webhooks it sent."""

    @property
    def media(self) -> Media: ...

    @property
    def events(self) -> list[WebhookEvent]: ...

    async def join(self, room: str, identity: str, **grants: Any) -> Guest: ...

    async def crash(self) -> None:
        """The server dies and comes back with nothing; nobody rejoins."""

    async def go_away(self) -> None:
        """The server dies and stays away."""

    def stranger(self) -> Media:
        """Somebody who knows the address but not the secret."""


class FakeGuest:
    def __init__(self, fake: FakeMedia, room: str, identity: str, sid: str) -> None:
        self._fake, self._room, self._identity, self._sid = fake, room, identity, sid

    @property
    def inside(self) -> bool:
        return self._fake.holds(self._room, self._sid)

    @property
    def messages(self) -> list[tuple[str, bytes]]:
        return self._fake.inbox.get(self._identity, [])

    async def leave(self) -> None:
        self._fake.leave(self._room, self._identity)

    async def publish_microphone(self) -> None:
        self._fake.publish(self._room, self._identity, MICROPHONE)


class FakeWorld:
    def __init__(self) -> None:
        self.media = FakeMedia(SystemClock(), KEY, SECRET)
        self.events: list[WebhookEvent] = self.media.events

    async def join(self, room: str, identity: str, **grants: Any) -> Guest:
        token = mint(
            KEY, SECRET, identity=identity, name="Siti", room=room, now=SystemClock().now(), **grants
        )
        return FakeGuest(self.media, room, identity, self.media.join(token).sid)

    async def crash(self) -> None:
        self.media.crash()
        self.media.come_back()

    async def go_away(self) -> None:
        self.media.crash()

    def stranger(self) -> Media:
        return self.media.with_secret("x" * 43)


class SimulatedWorld(FakeWorld):
    """The fake one with a queue of webhooks, and with time that passes."""

    media: MediaSimulator

    def __init__(self) -> None:
        self.events = []
        self.media = MediaSimulator(
            SystemClock(), KEY, SECRET, Notifier(self._deliver), timing=lambda: Timing(connect_s=0.01)
        )

    async def join(self, room: str, identity: str, **grants: Any) -> Guest:
        token = mint(
            KEY, SECRET, identity=identity, name="Siti", room=room, now=SystemClock().now(), **grants
        )
        return FakeGuest(self.media, room, identity, (await self.media.connect(token)).sid)

    async def _deliver(self, event: WebhookEvent) -> int:
        self.events.append(event)
        return 200


class RealGuest:
    def __init__(self) -> None:
        self.room = rtc.Room()
        self.messages: list[tuple[str, bytes]] = []
        self.room.on("data_received", lambda packet: self.messages.append((packet.topic or "", packet.data)))

    @property
    def inside(self) -> bool:
        return self.room.isconnected()

    async def leave(self) -> None:
        await self.room.disconnect()

    async def publish_microphone(self) -> None:
        track = rtc.LocalAudioTrack.create_audio_track("mic", rtc.AudioSource(48_000, 1))
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)


class RealWorld:
    def __init__(self, livekit: RunningLiveKit, events: list[WebhookEvent]) -> None:
        self.media = livekit.media()
        self.events = events
        self._livekit = livekit
        self._guests: list[RealGuest] = []

    async def join(self, room: str, identity: str, **grants: Any) -> Guest:
        guest = RealGuest()
        token = self._livekit.token(identity=identity, room=room, **grants)
        await guest.room.connect(self._livekit.url, token)
        self._guests.append(guest)
        return guest

    async def crash(self) -> None:
        await self._livekit.kill()
        await self._send_home()  # before the server is back, so that nobody rejoins by itself
        await self._livekit.restart()

    async def go_away(self) -> None:
        await self._livekit.kill()

    def stranger(self) -> Media:
        return LiveKit(self._livekit.http_url, self._livekit.key, "x" * 43)

    async def close(self) -> None:
        await self._send_home()
        await self.media.close()

    async def _send_home(self) -> None:
        for guest in self._guests:
            await guest.room.disconnect()
        self._guests.clear()


@asynccontextmanager
async def real_world() -> AsyncIterator[RealWorld]:
    """A LiveKit server of its own, whose webhooks are read by our own parser."""
    events: list[WebhookEvent] = []
    keys: dict[str, str] = {}

    async def receive(request: web.Request) -> web.Response:
        now = SystemClock().now()
        events.append(webhook.parse(await request.read(), request.headers["Authorization"], keys, now))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with running_livekit([f"http://127.0.0.1:{port}/hook"]) as livekit:
        keys[livekit.key] = livekit.secret
        world = RealWorld(livekit, events)
        try:
            yield world
        finally:
            await world.close()
    await runner.cleanup()
