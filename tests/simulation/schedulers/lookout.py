"""Once a second: everything that is out of place, and what excuses it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from tests.simulation.processes import Process
from tests.simulation.schedulers import halls
from tests.simulation.schedulers.servers import Servers
from tests.simulation.schedulers.visitors import Visitor
from tests.simulation.schedulers.watcher import RECOVERS_MS, Watcher
from tests.simulation.schedulers.weather import CUT, MAIL, Weather


class Surroundings(Protocol):
    """What is looked at."""

    servers: Servers
    weather: Weather
    watcher: Watcher
    visitors: list[Visitor]

    @property
    def clerks(self) -> Sequence[Process]: ...

    @property
    def recorders(self) -> Sequence[Process]: ...

    def now(self) -> int: ...


class Lookout:
    """Tells the watcher."""

    def __init__(self, world: Surroundings) -> None:
        self._world = world
        self._weather = world.weather
        self._stood: set[tuple[str, str]] = set()
        self._came: set[tuple[str, int]] = set()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self._look()

    async def _look(self) -> None:
        world, watcher = self._world, self._world.watcher
        at = halls.seen(watcher.eyes, await world.servers.standing(), world.now())
        self._note_who_came(at)
        self._newly_placed(at)
        wrong = [
            *halls.lectures(at),
            *halls.rooms(at),
            *halls.empty_ones(at, world.visitors, self._came),
            *halls.people(at, world.visitors, halls.shown_out(watcher.eyes)),
            *watcher.overdue(at.now, mail=False),
        ]
        watcher.look(
            at.now,
            (wrong, self._calm_ms()),
            (watcher.overdue(at.now, mail=True), self._calm_ms(frozenset())),
            (halls.recorders(at, watcher.eyes, world.servers), self._recorders_calm_ms()),
            (halls.condemned(at, watcher.eyes, self._weather.whole), self._reached_ms()),
        )

    def _calm_ms(self, but: frozenset[str] = frozenset({MAIL})) -> int:
        """For how long nothing has been broken, with a scheduler that works: 0 while something is."""
        return self._weather.calm_ms(but) if any(map(_works, self._world.clerks)) else 0

    def _recorders_calm_ms(self) -> int:
        return self._calm_ms() if any(map(_works, self._world.recorders)) else 0

    def _reached_ms(self) -> int:
        """The same, when one scheduler alone does not reach a server that others do."""
        cut_off = {name for name, _ in self._world.servers.cut}
        others = [clerk for clerk in self._world.clerks if clerk.name not in cut_off]
        return self._weather.calm_ms(frozenset({MAIL, CUT})) if any(map(_works, others)) else 0

    def _note_who_came(self, at: halls.Seen) -> None:
        """Rooms in which somebody was for long enough to be seen by a look."""
        if self._calm_ms() > halls.SEEN_MS:
            places = (visitor.place for visitor in self._world.visitors)
            rooms = {one.room for one in places if one and at.now - one.since > halls.SEEN_MS}
            self._came |= {(room, at.closings.get(room, 0)) for room in rooms}

    def _newly_placed(self, at: halls.Seen) -> None:
        """A server that drains has no rooms but those that it had, while another one takes some."""
        drains = self._world.servers.drains
        takers = [
            name for name in self._world.servers.all if name not in drains and self._weather.whole(name)
        ]
        for server, names in at.standing.items():
            new = {(name, server) for name in names or ()} - self._stood
            self._stood |= new
            if new and takers and server in drains and self._calm_ms() > RECOVERS_MS:
                self._world.watcher.say(at.now, f"{sorted(new)} opened on {server}, which drains")


def _works(process: Process) -> bool:
    return process.life is not None and process.life.alive and not process.hangs_for()
