"""Real participants in a process of their own: one line of JSON in, one out for each coming and going.

They do what the page does: connect again by themselves with a fresh token, beat every few seconds over
HTTP, say goodbye when they leave. Killing the process is how they vanish.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp
from livekit import rtc

from tests.lecture.people import Stay
from webinar.core.clock import SystemClock
from webinar.media import tokens

CLOCK = SystemClock()
AGAIN_S = 0.4
# The page does not come back by itself after these.
FINAL = {rtc.DisconnectReason.DUPLICATE_IDENTITY, rtc.DisconnectReason.ROOM_DELETED}
# With one peer connection for both ways the library takes 6 % of a core for each idle client.
OPTIONS = rtc.RoomOptions(auto_subscribe=False, single_peer_connection=False)


class Person:
    """One stay: in the room from `comes` until `goes`, whatever happens in between."""

    def __init__(
        self, crowd: Mapping[str, Any], stay: Stay, number: int, http: aiohttp.ClientSession
    ) -> None:
        self._crowd, self._stay, self._number, self._http = crowd, stay, number, http
        self._identity = f"{stay.seat}.{stay.tab}"
        self._room = rtc.Room()
        self._inside = False
        self._final = False
        self._over = asyncio.Event()

    async def live(self) -> None:
        await self._until(self._stay.comes)
        beating = asyncio.create_task(self._beat_on())
        try:
            while self._time() < self._stay.goes and not self._final:
                if not self._room.isconnected():
                    await self._enter()
                with contextlib.suppress(TimeoutError):
                    # A reload ends when the next one is in, which is after `goes`.
                    async with asyncio.timeout(self._left_s()):
                        await self._over.wait()
                        self._over.clear()
        finally:
            beating.cancel()
        if not self._final:
            await self._leave()

    async def _enter(self) -> None:
        began = CLOCK.now()
        self._room = room = rtc.Room()
        room.on("disconnected", lambda reason: self._gone(room, reason))
        room.on("reconnecting", lambda: self._tell("out"))
        room.on("reconnected", lambda: self._tell("in"))
        try:
            # Not to be cancelled: the library ends the process when nobody takes what it connected.
            await room.connect(self._crowd["url"], self._token(began), OPTIONS)
        except rtc.ConnectError:
            await asyncio.sleep(AGAIN_S)
            self._over.set()
            return
        self._tell("in", took=CLOCK.now() - began)
        await self._beat()

    def _gone(self, room: rtc.Room, reason: object) -> None:
        if room is self._room:
            self._tell("out")
            self._final = reason in FINAL
            self._over.set()

    async def _leave(self) -> None:
        if not self._room.isconnected():
            return
        goodbye = asyncio.create_task(self._beat(leaving=True))
        began = CLOCK.now()
        self._tell("out")
        await self._room.disconnect()
        self._tell("closed", took=CLOCK.now() - began)
        await goodbye

    def _tell(self, what: str, took: int = 0) -> None:
        if what in {"in", "out"}:
            if self._inside == (what == "in"):
                return
            self._inside = what == "in"
        told = {"seat": self._stay.seat, "stay": self._number, "what": what, "at": CLOCK.now(), "took": took}
        print(json.dumps(told), flush=True)

    def _token(self, now: int) -> str:
        key, secret, room = (self._crowd[name] for name in ("key", "secret", "room"))
        return tokens.mint(key, secret, identity=self._identity, name=self._stay.seat, room=room, now=now)

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self._crowd["beat_s"])
            await self._beat()

    async def _beat(self, *, leaving: bool = False) -> None:
        if not self._stay.beats or not (self._inside or leaving):
            return
        said = {"connection": self._identity, "sid": self._room.local_participant.sid, "visible": True}
        cookie = {"Cookie": f"pendopo_seat={self._crowd['cookies'][self._stay.seat]}"}
        # The page does not wait for the answer either, and sends nothing twice.
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            address = f"{self._crowd['site']}/lectures/{self._crowd['lecture']}/heartbeat"
            body = {**said, "leaving": True} if leaving else said
            async with self._http.post(address, json=body, headers=cookie) as answer:
                assert answer.status in {204, 503}, (answer.status, await answer.text())

    def _time(self) -> float:
        return float(CLOCK.now() - self._crowd["starts_at"]) / 1000

    def _left_s(self) -> float | None:
        if self._stay.how in {"vanishes", "reloads"} and self._inside:
            return max(0.0, self._crowd["until_s"] - self._time())
        return max(0.0, self._stay.goes - self._time())

    async def _until(self, second: float) -> None:
        await asyncio.sleep(max(0.0, second - self._time()))


async def main(crowd: Mapping[str, Any]) -> None:
    headers = {"Origin": crowd["site"]}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(5)) as http:
        people = [Person(crowd, Stay(**stay), number, http) for number, stay in crowd["stays"]]
        await asyncio.gather(*(person.live() for person in people))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.stdin.readline())))
