"""People who come into the rooms and go again: a page that asks to be let in, beats, and follows its room."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

from tests.build import SECOND
from tests.simulation.people import KEY, SECRET
from tests.simulation.schedulers.parts import Let, Site
from tests.simulation.schedulers.plan import Visit
from tests.simulation.schedulers.servers import Servers
from webinar.core.errors import Refused
from webinar.media.port import ParticipantState
from webinar.media.simulator import CRASHED
from webinar.media.tokens import mint

BEAT_S = 15.0
SEEKS_MS = 20 * SECOND
"""For how long a page that lost its server dials it again before it asks to be let in anew."""


class Surroundings(Protocol):
    """What a visitor needs of the world."""

    site: Site
    servers: Servers
    lectures: list[str]
    people: list[str]

    def now(self) -> int: ...

    def note(self, what: str, *details: object) -> None: ...

    async def until(self, at: int) -> None: ...


class Place(NamedTuple):
    """Where somebody is connected; `since` in Unix ms."""

    server: str
    room: str
    sid: str
    since: int


@dataclass(frozen=True, slots=True)
class Stay:
    """Where somebody was, until when (Unix ms)."""

    place: Place
    until: int


class Visitor:
    """Plays a visit. `place` is where the page is connected, `seat` what it was let in as, None before."""

    def __init__(self, world: Surroundings, visit: Visit, number: int, chance: Random) -> None:
        self.visit = visit
        self.lecture = world.lectures[visit.lecture]
        self.person = world.people[visit.person]
        self.seat: Let | None = None
        self.place: Place | None = None
        self.stays: list[Stay] = []
        self.here = False
        self._world = world
        self._tab = f"tab{number:05d}"
        self._chance = chance
        self._stirred = asyncio.Event()
        self._lost: tuple[Place, int] | None = None

    @property
    def name(self) -> str:
        return f"person {self.visit.person} in lecture {self.visit.lecture} ({self._tab})"

    async def live(self) -> None:
        await self._world.until(self.visit.at)
        goes_at = self._world.now() + self.visit.stays_ms
        self.here = True
        while (left_ms := goes_at - self._world.now()) > 0:
            await (self._beat() if self.place else self._come_in())
            wait_s = BEAT_S + self._chance.random() if self.place else self._chance.uniform(2, 5)
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, left_ms / 1000)):
                    await self._stirred.wait()
        self.here = False
        self._go()

    async def _come_in(self) -> None:
        with suppress(ConnectionError, Refused, PermissionError):
            if self._lost is not None and self._world.now() - self._lost[1] < SEEKS_MS and self.visit.loyal:
                await self._connect(self._lost[0].server)
                return
            self.seat = await self._world.site.admit(self.lecture, self.person)
            await self._connect(self.seat.server)

    async def _connect(self, server: str) -> None:
        assert self.seat is not None
        token = mint(
            KEY, SECRET, identity=self._identity, name="", room=self.seat.room, now=self._world.now()
        )
        who = await self._world.servers[server].connect(token)
        self._is_in(Place(server, self.seat.room, who.sid, self._world.now()), who)

    @property
    def _identity(self) -> str:
        assert self.seat is not None
        return f"{self.seat.seat}.{self._tab}"

    def _is_in(self, place: Place, who: ParticipantState) -> None:
        if self._world.servers[place.server].holds(place.room, who.sid):
            self.place, self._lost = place, None
            self._world.note("in", self._identity, place.server)

    async def _beat(self) -> None:
        """A sign of life; whoever hears that the room was moved asks to be let in anew, and goes over."""
        assert self.seat is not None
        place = self.place
        with suppress(ConnectionError, Refused):
            if place is None or not await self._world.site.beat(self.seat, self._identity, place):
                return
            self.seat = await self._world.site.admit(self.lecture, self.person)
            await self._connect(self.seat.server)
            if self.place is not place and place.server != self.seat.server:
                self._stayed(place)
                self._world.servers[place.server].leave(place.room, self._identity)

    def was_put_out(self, sid: str, reason: str) -> None:
        """The media server says so, or is no longer there."""
        if self.place is None or self.place.sid != sid:
            return
        self._world.note("out", self._identity, reason)
        if reason == CRASHED:
            self._lost = self.place, self._world.now()
        self._stayed(self.place)
        self.place = None
        self._stirred.set()

    def _stayed(self, place: Place) -> None:
        self.stays.append(Stay(place, self._world.now()))

    def _go(self) -> None:
        place, self.place = self.place, None
        if place is None:
            return
        self._stayed(place)
        server = self._world.servers[place.server]
        who = server.participant(place.room, place.sid)
        if who is None:
            return
        if self.visit.vanishes:
            server.vanish(place.room, who)
        else:
            server.leave(place.room, self._identity)
