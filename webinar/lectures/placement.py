"""On which media server rooms are, and how many people each server has to bear."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import rows_sql
from webinar.lectures.rules import RoomState
from webinar.lectures.tables import STANDING, RoomRow
from webinar.media import pool_rules, pool_store
from webinar.media.pool_rules import Health, Load
from webinar.media.pool_store import Known
from webinar.media.servers import Server


async def servers_of(session: AsyncSession, names: Collection[str]) -> Mapping[str, str]:
    """The media server of each room of these names that is open."""
    if not names:
        return {}
    query = select(RoomRow.name, RoomRow.media_server).where(
        RoomRow.name.in_(names), RoomRow.state == RoomState.OPEN.value
    )
    return {row.name: row.media_server for row in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class Borne:
    """What a server has of ours: rooms that are not closed, and the people that were expected in them."""

    rooms: int
    people: int


_BORNE = (
    select(RoomRow.media_server, func.count(), func.sum(RoomRow.expected))
    .where(STANDING)
    .group_by(RoomRow.media_server)
)
_STANDING = select(RoomRow.media_server).where(STANDING)
_HAVING = _STANDING.distinct()


async def borne(session: AsyncSession) -> Mapping[str, Borne]:
    """What each media server has, by name; those with nothing are left out."""
    return {server: Borne(rooms, int(people)) for server, rooms, people in await session.execute(_BORNE)}


@dataclass(frozen=True, slots=True)
class Placed:
    """A room is to be on this server, and so many people are expected there: one at least."""

    room_id: str
    server: str
    expected: int


async def put(session: AsyncSession, placed: Sequence[Placed]) -> None:
    """Write where rooms are to be. What is open stays open elsewhere until somebody closes it there."""
    rows = [
        {"id": one.room_id, "media_server": one.server, "expected": max(1, one.expected)}
        for one in sorted(placed, key=lambda one: one.room_id)
    ]
    if rows:
        statement = _putting(session.get_bind().dialect.name)
        await session.execute(statement, {"rows": json.dumps(rows)})


@cache
def _putting(dialect: str) -> TextClause:
    rows = rows_sql(dialect, id="text", media_server="text", expected="int")
    return text(
        "UPDATE rooms SET media_server = v.media_server, expected = v.expected"  # noqa: S608 - made of names
        f" FROM {rows} WHERE rooms.id = v.id"
    )


async def having(session: AsyncSession) -> set[str]:
    """The servers that have rooms which are not closed."""
    return set(await session.scalars(_HAVING))


async def loads(session: AsyncSession, servers: Iterable[Server]) -> list[Load]:
    """How each of these servers stands, and what it has to bear."""
    known, has = await pool_store.known(session), await borne(session)
    return [_load(server, known.get(server.name), has.get(server.name)) for server in servers]


def _load(server: Server, known: Known | None, has: Borne | None) -> Load:
    expected = has.people if has is not None else 0
    inside = known.heard.participants if known is not None else 0
    return Load(
        name=server.name,
        health=known.health if known is not None else Health.SILENT,
        drains=server.drain,
        capacity=server.capacity,
        people=max(expected, inside),
    )


async def deserted(session: AsyncSession, loads: Sequence[Load]) -> set[str]:
    """The servers whose rooms are to be opened elsewhere; see `pool_rules.deserted`."""
    if all(load.health is not Health.GIVEN_UP for load in loads):
        names = {load.name for load in loads}
        others = await session.scalars(_STANDING.where(RoomRow.media_server.not_in(names)).limit(1))
        if others.first() is None:
            return set()
    known = await pool_store.known(session)
    asked = {name for name, one in known.items() if one.asked_lately}
    return pool_rules.deserted(await borne(session), loads, asked)
