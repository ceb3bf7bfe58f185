"""`python -m tests.simulation.record [name …]`: play the scenes on the real server, and keep what it told."""

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.servers.livekit import RunningLiveKit, running_livekit
from tests.simulation.scripts import ROOM, SCRIPTS, Step, play
from webinar.core.clock import SystemClock
from webinar.media.server import VERSION
from webinar.media.webhook import WebhookEvent, parse

TRACES = Path(__file__).parent / "traces"


class RealStage:
    """A LiveKit server, with each guest in a process of its own."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, WebhookEvent]] = []
        self.livekit: RunningLiveKit
        self._guests: dict[str, list[asyncio.subprocess.Process]] = {}
        self._refuses = (200, 0)

    def time(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def receive(self, request: web.Request) -> web.Response:
        status, times = self._refuses
        if times:
            self._refuses = (status, times - 1)
            return web.Response(status=status)
        keys = {self.livekit.key: self.livekit.secret}
        body = await request.read()
        event = parse(body, request.headers["Authorization"], keys, SystemClock().now())
        self.heard.append((self.time(), event))
        return web.Response()

    async def inside(self) -> list[str]:
        async with self.livekit.media() as media:
            return sorted(p.identity for p in await media.list_participants(ROOM))

    async def do(self, step: Step) -> None:
        match step:
            case ("refuse", status, times):
                self._refuses = (status, times)
            case ("join", who):
                await self._join(who)
            case ("leave", who):
                guest = self._guests[who].pop()
                guest.communicate_task = asyncio.create_task(guest.communicate(b"\n"))  # type: ignore[attr-defined]
                await guest.wait()
            case ("vanish", who):
                await self._kill(self._guests[who].pop())
            case ("crash" | "stop" as how,):
                if how == "crash":
                    await self.livekit.kill()
                else:
                    await self.livekit.server.stop()
                await self.send_home()
                await self.livekit.server.start()
            case _:
                async with self.livekit.media() as media:
                    await act(media, step)

    async def _join(self, who: str) -> None:
        token = self.livekit.token(identity=who, room=ROOM)
        guest = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.servers.guest", self.livekit.url, token,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert guest.stdout is not None
        await guest.stdout.readline()
        self._guests.setdefault(who, []).append(guest)

    async def send_home(self) -> None:
        for guests in self._guests.values():
            for guest in guests:
                await self._kill(guest)
        self._guests.clear()

    async def _kill(self, guest: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            guest.kill()
        await guest.wait()


async def act(media: Any, step: Step) -> None:
    """The steps that are calls of the port."""
    match step:
        case ("open",):
            await media.open_room(ROOM, empty_timeout_s=60, departure_timeout_s=60)
        case ("open", departure_s):
            await media.open_room(ROOM, empty_timeout_s=60, departure_timeout_s=departure_s)
        case ("delete",):
            await media.close_room(ROOM)
        case ("remove", who):
            await media.remove(ROOM, who)


async def record(name: str) -> dict[str, Any]:
    """What the real server tells in the scene of that name."""
    stage = RealStage()
    app = web.Application()
    app.router.add_post("/hook", stage.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with running_livekit([f"http://127.0.0.1:{port}/hook"]) as stage.livekit:
        try:
            told = await play(stage, SCRIPTS[name])
        finally:
            await stage.send_home()
    await runner.cleanup()
    return {"server": f"LiveKit {VERSION}", "steps": told}


def main() -> None:
    TRACES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCRIPTS:
        trace = asyncio.run(record(name))
        (TRACES / f"{name}.json").write_text(json.dumps(trace, indent=1) + "\n")
        print(name)


if __name__ == "__main__":
    main()
