"""The media servers of a world: what each has, which of them are whole, and who reaches them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from tests.pools import a_server
from tests.simulation.people import KEY, SECRET
from tests.simulation.processes import Distant, Life
from webinar.core.clock import Clock
from webinar.media.notifier import Notifier
from webinar.media.pool import Pool
from webinar.media.port import MediaMisconfigured, MediaUnavailable, ParticipantState
from webinar.media.simulator import MediaSimulator
from webinar.media.webhook import WebhookEvent

OnOut = Callable[[str, str], None]


class Rooms(MediaSimulator):
    """A media server, which may also refuse whatever it is asked."""

    refuses = False

    def __init__(self, name: str, clock: Clock, on_out: OnOut) -> None:
        super().__init__(clock, KEY, SECRET, Notifier(_nobody_listens), on_out=on_out)
        self.name = name

    def _answer(self) -> None:
        super()._answer()
        if self.refuses:
            raise MediaMisconfigured

    def _sid(self, prefix: str) -> str:
        # Two servers never give the same one.
        return f"{super()._sid(prefix)}{self.name}"

    def inside(self) -> Iterator[tuple[str, ParticipantState]]:
        """Everybody who is connected, with the name of the room, as nobody else can ask."""
        for name, room in self._rooms.items():
            for participant in room.participants.values():
                yield name, participant


async def _nobody_listens(_: WebhookEvent) -> int:
    return 200


class Servers:
    """By name. `drains` are those that the settings of who starts from now on say drain; `cut` says which
    scheduler (by its name) does not reach which server."""

    def __init__(self, names: Iterable[str], clock: Clock, on_out: OnOut) -> None:
        self.all: Mapping[str, Rooms] = {name: Rooms(name, clock, on_out) for name in names}
        self.drains: set[str] = set()
        self.cut: set[tuple[str, str]] = set()

    def __getitem__(self, name: str) -> Rooms:
        return self.all[name]

    def __iter__(self) -> Iterator[Rooms]:
        return iter(self.all.values())

    def pool(self, of: str, life: Life, chance: Random) -> Pool:
        """The pool as the settings have it now, over the network of one life of a process."""
        return Pool(
            *(
                (self._server(name), _distant(_Line(self, of, name), life, chance))  # type: ignore[arg-type]
                for name in self.all
            )
        )

    def _server(self, name: str) -> Any:
        return a_server(name, capacity=20 if len(self.all) > 1 else 0, drain=name in self.drains)

    async def standing(self) -> Mapping[str, set[str] | None]:
        """The rooms of each server; None while it does not answer."""
        found: dict[str, set[str] | None] = {}
        for server in self:
            found[server.name] = None
            with suppress(MediaUnavailable):
                found[server.name] = {room.name for room in await server.list_rooms()}
        return found


def _distant(line: "_Line", life: Life, chance: Random) -> Any:
    return Distant(line, life, chance)


class _Line:
    """The way from a process to a server, which may be cut."""

    def __init__(self, servers: Servers, of: str, name: str) -> None:
        self._servers = servers
        self._way = of, name

    def __getattr__(self, what: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            if self._way in self._servers.cut:
                await asyncio.sleep(1)
                raise MediaUnavailable
            return await getattr(self._servers[self._way[1]], what)(*arguments, **named)

        return call
