"""A device: its page with the signs of life, its connection, and what they do when something breaks."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from tests.simulation.processes import Web
from tests.simulation.scenario import Act, Script
from tests.simulation.truth import Stay, Truth
from webinar.core.clock import Clock
from webinar.core.errors import Refused
from webinar.media.port import ParticipantState
from webinar.media.simulator import CRASHED, MediaSimulator
from webinar.media.tokens import mint

BEAT_S = 15.0
KEY, SECRET = "key", "s" * 32


class Surroundings(Protocol):
    """What a device needs of the world."""

    web: Web
    media: MediaSimulator
    truth: Truth
    clock: Clock
    starts_at: int
    room: str

    def note(self, what: str, *details: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Seat:
    """Whose device it is; without a registration the link is somebody else's and opens nothing of ours."""

    person: int
    seat: str
    registration_id: str | None
    lecture_id: str
    goodbye: bool
    rejoins: bool


class Device:
    """Plays its script. `identity` stays the same for the life of the tab."""

    def __init__(self, world: Surroundings, seat: Seat, tab: str, script: Script, chance: Random) -> None:
        self.world = world
        self.seat = seat
        self.identity = f"{seat.seat}.{tab}"
        self._script = script
        self._chance = chance
        self._wanted = False
        self._inside: ParticipantState | None = None
        self._stay: Stay | None = None
        self._offline = False
        self._asleep = False
        self._entering: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._loose: dict[asyncio.Task[Any], None] = {}

    async def live(self) -> None:
        for act in self._script:
            await self._until(act)
            self.world.note(act.does, self.identity)
            await self._do(act.does)

    async def _until(self, act: Act) -> None:
        wait_ms = self.world.starts_at + act.at - self.world.clock.now()
        if wait_ms > 0:
            await asyncio.sleep(wait_ms / 1000)

    async def _do(self, what: str) -> None:
        match what:
            case "join":
                self._come_in()
            case "leave":
                await self._leave("left")
            case "vanish":
                self._vanish()
            case "resume":
                self._resume()
            case "reload":
                await self._reload(in_order=True)
            case "hard reload":
                await self._reload(in_order=False)
            case "sleep":
                self._asleep = True
                if self._stay is not None:
                    self._stay.silent = self.world.clock.now()
            case "wake":
                self._asleep = False
            case "abort":
                await self._abort()

    # Coming in.

    def _come_in(self, token: str | None = None) -> None:
        self._wanted, self._offline = True, False
        if self._inside is None and (self._entering is None or self._entering.done()):
            self._entering = asyncio.create_task(self._enter(token))

    async def _enter(self, token: str | None) -> None:
        """Ask to be let in, again and again, as the page does."""
        for _ in range(200):
            try:
                participant = await self.world.media.connect(token or await self._admitted())
            except (ConnectionError, Refused, PermissionError):
                token = None
                await asyncio.sleep(self._chance.uniform(1, 5))
            else:
                self._is_in(participant)
                return

    async def _admitted(self) -> str:
        await asyncio.sleep(self._chance.uniform(0.005, 0.05))
        room = self.world.room
        if self.seat.registration_id is not None:
            room = (await self.world.web.admit(self.seat.registration_id)).room.name
        return self._token(room)

    def _token(self, room: str) -> str:
        now = self.world.clock.now()
        return mint(KEY, SECRET, identity=self.identity, name="Siti", room=room, now=now)

    def _is_in(self, participant: ParticipantState) -> None:
        now = self.world.clock.now()
        self._inside, self._asleep = participant, False
        self._stay = Stay(self.seat.person, participant.sid, participant.joined_at_ms, now)
        self.world.truth.stays.append(self._stay)
        self.world.note("in", self.identity, participant.sid)
        self._beating = asyncio.create_task(self._beats(participant.sid))

    # Going.

    async def _leave(self, how: str) -> None:
        """The page says goodbye, then the connection is closed in order."""
        self._wanted = False
        await self._stop_entering()
        inside = self._inside
        if inside is None:
            return
        if self.seat.goodbye and not self._asleep:
            self._say(inside.sid, leaving=True)
        self._gone(how)
        if self.world.media.holds(self.world.room, inside.sid):
            self.world.media.leave(self.world.room, self.identity)

    def _vanish(self) -> None:
        self._offline = True
        if self._entering is not None:
            self._entering.cancel()
        if self._inside is not None:
            self.world.media.vanish(self.world.room, self._inside)
            self._gone("vanished")

    def _resume(self) -> None:
        """The same connection goes on, if the server still has it; the time in between counts."""
        stay = self.world.truth.of(self.seat.person)[-1] if self.world.truth.of(self.seat.person) else None
        known = self._known(stay)
        self._offline = False
        if stay is not None and known is not None and self.world.media.resume(self.world.room, known):
            stay.end, stay.how = None, ""
            self._inside, self._stay = known, stay
            self._beating = asyncio.create_task(self._beats(known.sid))
        else:
            self._come_in()

    def _known(self, stay: Stay | None) -> ParticipantState | None:
        if stay is None or stay.how != "vanished":
            return None
        return self.world.media.participant(self.world.room, stay.sid)

    async def _reload(self, *, in_order: bool) -> None:
        if self._inside is None:
            return
        if in_order:
            await self._leave("reloaded")
        else:
            self._vanish()
        await asyncio.sleep(self._chance.uniform(0.8, 3))
        self._come_in()

    async def _abort(self) -> None:
        """Dial, and give up before media flows."""
        with contextlib.suppress(ConnectionError, Refused):
            dialling = asyncio.create_task(self.world.media.connect(await self._admitted()))
            await asyncio.sleep(0.03)
            dialling.cancel()
            await asyncio.gather(dialling, return_exceptions=True)
            self.world.truth.aborted.append(self.identity)

    async def _stop_entering(self) -> None:
        if self._entering is not None:
            self._entering.cancel()
            await asyncio.gather(self._entering, return_exceptions=True)

    def _gone(self, how: str) -> None:
        if self._stay is not None and self._stay.end is None:
            self._stay.end, self._stay.how = self.world.clock.now(), how
            self.world.note("out", self.identity, how)
        self._inside = self._stay = None
        if self._beating is not None:
            self._beating.cancel()

    def was_put_out(self, sid: str, reason: str) -> None:
        """The media server says so, or is no longer there."""
        if self._inside is None or self._inside.sid != sid:
            return
        if self._stay is not None:
            self._stay.end, self._stay.how = self.world.clock.now(), reason
            self.world.note("out", self.identity, reason)
        if reason != CRASHED:
            self._wanted = False
            self._gone(reason)
            return
        # The page notices after a moment, and until then believes that it is connected.
        self._spawn(self._back_after_a_crash(self._inside))

    async def _back_after_a_crash(self, was: ParticipantState) -> None:
        await asyncio.sleep(self._chance.uniform(0.05, 5))
        if self._inside is not was:
            return
        self._inside = self._stay = None
        if self._beating is not None:
            self._beating.cancel()
        if self._wanted and not self._offline:
            self._come_in(self._token(self.world.room) if self.seat.rejoins else None)

    # Signs of life.

    async def _beats(self, sid: str) -> None:
        while True:
            if not self._asleep:
                self._say(sid)
            await asyncio.sleep(BEAT_S + self._chance.random())

    def _say(self, sid: str, *, leaving: bool = False) -> None:
        if self.seat.registration_id is not None:
            self._spawn(self._said(sid, leaving))

    async def _said(self, sid: str, leaving: bool) -> None:
        await asyncio.sleep(self._chance.uniform(0.005, 0.08))
        with contextlib.suppress(ConnectionError, Refused):
            await self.world.web.beat(
                lecture_id=self.seat.lecture_id,
                registration_id=self.seat.registration_id,
                identity=self.identity,
                participant_sid=sid,
                visible=True,
                leaving=leaving,
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._loose[task] = None
        task.add_done_callback(lambda done: self._loose.pop(done, None))
