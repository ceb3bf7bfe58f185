"""The page of the room without a browser: admission, connection, signs of life, and coming back by itself.

It decides as `frontend/src/classroom/machine.ts` does, with the same waits; the times that are given make
a test short.
"""

import asyncio
import contextlib
import random
from typing import Any

from livekit import rtc

from tests.site import Visitor
from webinar.classroom.consent import NOTICE_VERSION
from webinar.core.clock import SystemClock

CLOCK = SystemClock()
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 8.0
OPTIONS = rtc.RoomOptions(auto_subscribe=False, single_peer_connection=False)


class Page:
    """One tab of one person. `stays` are the spans (Unix ms) in which it was connected, and to which server.

    Args:
        beat_s: between two signs of life.
        seeks_s: how long a lost connection is left to the library before the site is asked anew.
    """

    def __init__(
        self, visitor: Visitor, lecture_id: str, *, tab: str, beat_s: float = 15.0, seeks_s: float = 20.0
    ) -> None:
        self.visitor, self._path, self._tab = visitor, f"/lectures/{lecture_id}", tab
        self._beat_s, self._seeks_s = beat_s, seeks_s
        self._room: rtc.Room | None = None
        self._lost = asyncio.Event()
        self._since: int | None = None
        self._closing: list[asyncio.Task[None]] = []
        self.server = ""
        self.room = ""
        self._place = ""
        self.refused = ""
        self.stays: list[tuple[str, int, int]] = []

    @property
    def connected(self) -> bool:
        return self._since is not None

    def on(self, server: str) -> bool:
        return self.connected and self.server == server

    @property
    def absences_s(self) -> list[float]:
        """From the end of each stay to the beginning of the next, in seconds."""
        begins = [begin for _, begin, _ in self.stays] + ([self._since] if self._since else [])
        pairs = zip(self.stays, begins[1:], strict=False)
        return [max(0.0, (begin - end) / 1000) for (_, _, end), begin in pairs]

    @property
    def begins(self) -> list[int]:
        return [begin for _, begin, _ in self.stays] + ([self._since] if self._since else [])

    def go(self, place: str) -> None:
        """Into another room of the lecture, by its id; the old connection ends as the new one begins."""
        self._place = place
        self._lost.set()

    async def live(self) -> None:
        """Until it is cancelled, or refused for good (`refused` says why)."""
        attempt = 0
        try:
            while not self.refused:
                ticket = await self._admitted()
                if ticket is not None and await self._entered(ticket):
                    attempt = 0
                    await self._stay(ticket)
                elif not self.refused:
                    await asyncio.sleep(_wait_s(attempt))
                    attempt += 1
        finally:
            self._out()
            if self._room is not None:
                self._closing.append(asyncio.create_task(self._room.disconnect()))
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def _admitted(self) -> dict[str, Any] | None:
        said = {"tab": self._tab, "notice": NOTICE_VERSION, "place": self._place}
        answer = await self.visitor.post_json(f"{self._path}/admission", said)
        if answer.status == 200:
            ticket: dict[str, Any] = answer.json()
            return ticket
        if answer.status != 503:
            self.refused = answer.json()["code"]
        return None

    async def _entered(self, ticket: dict[str, Any]) -> bool:
        old, room = self._room, rtc.Room()
        self._room = room
        if old is not None:
            self._out()
            # Not waited for: of a server that hangs the library takes its leave for a quarter of a minute.
            self._closing.append(asyncio.create_task(old.disconnect()))
        self._lost.clear()
        room.on("disconnected", lambda _: self._gone(room))
        room.on("reconnecting", lambda: self._gone(room, seeks=True))
        room.on("reconnected", lambda: self._in(room, ticket["server"]))
        try:
            await room.connect(ticket["url"], ticket["token"], OPTIONS)
        except rtc.ConnectError:
            return False
        self.room = ticket["room"]
        self._in(room, ticket["server"])
        return True

    async def _stay(self, ticket: dict[str, Any]) -> None:
        """Return when the connection is lost or the room was moved."""
        while True:
            if self.connected and await self._moved(ticket):
                return
            wait_s = self._beat_s if self.connected else self._seeks_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), wait_s)
            if self._lost.is_set() or not self.connected:
                return

    async def _moved(self, ticket: dict[str, Any]) -> bool:
        assert self._room is not None
        beat = {
            "connection": ticket["identity"],
            "sid": self._room.local_participant.sid,
            "room": ticket["room"],
            "server": ticket["server"],
            "visible": True,
        }
        answer = await self.visitor.post_json(f"{self._path}/heartbeat", beat)
        return answer.status == 200 and bool(answer.json()["moved"])

    def _in(self, room: rtc.Room, server: str) -> None:
        if room is self._room and self._since is None:
            self._since, self.server = CLOCK.now(), server

    def _out(self) -> None:
        if self._since is not None:
            self.stays.append((self.server, self._since, CLOCK.now()))
            self._since = None

    def _gone(self, room: rtc.Room, *, seeks: bool = False) -> None:
        if room is not self._room:
            return
        self._out()
        if not seeks:
            self._lost.set()
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self._seeks_s, lambda: None if self.connected else self._lost.set())


def _wait_s(attempt: int) -> float:
    full = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**attempt)
    return full * (0.5 + random.random() / 2)
