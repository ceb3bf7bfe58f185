"""The media servers as operators see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.lectures import placement
from webinar.media import pool_store
from webinar.media.pool_rules import Health, Heard, Load
from webinar.media.servers import Server


@dataclass(frozen=True, slots=True)
class ServerLine:
    """One server. `load` is None of one that is not in the settings and has rooms of ours all the same.

    `heard` is None until somebody asked it; `rooms` are those of ours that are not closed.
    """

    name: str
    load: Load | None
    heard: Heard | None
    rooms: int

    @property
    def state(self) -> str:
        """`answers`, `silent` or `given_up`; `unasked` and `unknown` where nobody can tell."""
        if self.load is None:
            return "unknown"
        return self.load.health.value if self.heard is not None else "unasked"

    @property
    def away(self) -> bool:
        """Whether it was asked in vain."""
        return self.heard is not None and self.load is not None and self.load.health is not Health.ANSWERS

    @property
    def participants(self) -> int:
        """How many were inside when it last answered; nobody is inside one that does not."""
        return self.heard.participants if self.heard is not None and not self.away else 0

    @property
    def headroom(self) -> int | None:
        """None where its capacity is not stated, and of one that gets no new rooms now."""
        if self.load is None or self.load.rank or not self.load.capacity:
            return None
        return self.load.headroom


async def lines(session: AsyncSession, servers: Iterable[Server]) -> list[ServerLine]:
    """Every server of the settings in their order, then others that rooms of ours are on."""
    loads = {load.name: load for load in await placement.loads(session, servers)}
    known, borne = await pool_store.known(session), await placement.borne(session)
    names = [*loads, *sorted(borne.keys() - loads.keys())]
    return [
        ServerLine(
            name,
            loads.get(name),
            known[name].heard if name in known else None,
            borne[name].rooms if name in borne else 0,
        )
        for name in names
    ]


def full(servers: Iterable[ServerLine]) -> bool:
    """Whether none that takes rooms has headroom; not where a capacity is not stated."""
    rooms_for = [line.headroom for line in servers if line.load is not None and line.load.rank == 0]
    return bool(rooms_for) and all(left is not None and left <= 0 for left in rooms_for)
