"""Speaking to the room of a lecture without knowing which media server it is on: its row says that."""

from collections.abc import Sequence

from webinar.core.database import Database
from webinar.lectures import store
from webinar.media.pool import Pool
from webinar.media.port import ParticipantAbsent, ParticipantState, Permission, RoomMedia


class PlacedRooms:
    """`RoomMedia` over all media servers: each room is asked for where it is.

    Reads the room's row in a transaction of its own, so call it outside of any other. A room that was never
    wanted is on no server, and nobody is in it.

    Every method may raise `MediaUnavailable`: the room's server does not answer, or is no longer there.
    """

    def __init__(self, database: Database, pool: Pool) -> None:
        self._database = database
        self._pool = pool

    async def _at(self, room: str) -> RoomMedia | None:
        async with self._database.reading() as session:
            found = (await store.rooms_named(session, [room])).get(room)
        return self._pool.of(found.media_server) if found is not None else None

    async def close_room(self, name: str) -> None:
        if (media := await self._at(name)) is not None:
            await media.close_room(name)

    async def list_participants(self, room: str) -> list[ParticipantState]:
        media = await self._at(room)
        return await media.list_participants(room) if media is not None else []

    async def remove(self, room: str, identity: str) -> None:
        if (media := await self._at(room)) is not None:
            await media.remove(room, identity)

    async def mute(self, room: str, identity: str, sources: Sequence[str] = ()) -> int:
        media = await self._at(room)
        return await media.mute(room, identity, sources) if media is not None else 0

    async def send(self, room: str, topic: str, data: bytes, to: Sequence[str] | None = None) -> None:
        if (media := await self._at(room)) is not None:
            await media.send(room, topic, data, to)

    async def update_participant(
        self, room: str, identity: str, *, permission: Permission | None = None, metadata: str | None = None
    ) -> None:
        media = await self._at(room)
        if media is None:
            raise ParticipantAbsent
        await media.update_participant(room, identity, permission=permission, metadata=metadata)
