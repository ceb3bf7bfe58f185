"""On which media server a room is opened; the rule is `media/pool_rules.py`, here it gets what it needs."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.clock import Clock
from webinar.lectures import placement, rooms, store
from webinar.lectures.placement import Placed
from webinar.lectures.rules import Lecture, Room, RoomKind, RoomState
from webinar.media.pool import Pool
from webinar.media.pool_rules import Health, Load, place

# One that failed this scheduler gets no new rooms from it for so long, whatever others hear of it.
AVOIDED_MS = 10_000


class Placer:
    """Chooses for the rooms of one transaction at a time; what it chose stands in their rows."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._avoided: dict[str, int] = {}

    def failed(self, server: str) -> None:
        """It did not open a room for us."""
        self._avoided[server] = self._clock.now() + AVOIDED_MS

    async def place(self, session: AsyncSession, wanted: Sequence[tuple[Lecture, Room]]) -> list[Room]:
        """The rooms as they are from now on. One that was opened before stays where it is while it can, since
        browsers seek it there."""
        if self._is_given(wanted):
            return [room for _, room in wanted]
        loads = await placement.loads(session, self._pool)
        deserted = await placement.deserted(session, loads)
        free = [(lecture, room) for lecture, room in wanted if self._is_free(room, loads, deserted)]
        if not free:
            return [room for _, room in wanted]
        people = await store.count_registrations(session, sorted({lecture.id for lecture, _ in free}))
        # Whoever is in a room beside the main one is expected in that already.
        expected = [people[lecture.id] if room.kind is RoomKind.MAIN else 0 for lecture, room in free]
        servers = place(expected, [self._as_we_see(load) for load in loads])
        chosen = [
            Placed(room.id, server, count)
            for (_, room), server, count in zip(free, servers, expected, strict=True)
        ]
        await placement.put(session, chosen)
        put = {one.room_id: one.server for one in chosen}
        moved = [
            (lecture, room, put[room.id])
            for lecture, room in free
            if room.state is not RoomState.WANTED and put[room.id] != room.media_server
        ]
        await rooms.moved(session, moved, self._clock.now())
        return [replace(room, media_server=put.get(room.id, room.media_server)) for _, room in wanted]

    def _is_given(self, wanted: Sequence[tuple[Lecture, Room]]) -> bool:
        """Whether there is but one server, and nobody counts what it bears."""
        only = self._pool.first
        there = all(room.media_server == only.name for _, room in wanted)
        return len(self._pool) == 1 and not only.capacity and there

    def _is_free(self, room: Room, loads: Sequence[Load], deserted: set[str]) -> bool:
        if room.media_server in deserted:
            return True
        here = next((load for load in loads if load.name == room.media_server), None)
        stays = room.sid is not None and here is not None and self._as_we_see(here).rank == 0
        return room.state is RoomState.WANTED and not stays

    def _as_we_see(self, load: Load) -> Load:
        if self._clock.now() >= self._avoided.get(load.name, 0) or load.health is not Health.ANSWERS:
            return load
        return replace(load, health=Health.SILENT)
