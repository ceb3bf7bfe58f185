"""Looking into each open room every half minute: the sweep finds what webhooks lost.

One row a room and look. It is an effect of its own, so that a look which is due while no scheduler
runs happens as soon as one does.
"""

from collections.abc import Sequence
from functools import partial

from scheduler import occupancy
from scheduler.occupancy import Look
from scheduler.plan import sweeps_on
from webinar.core.batches import Batches
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Effect, Outcome, Owed, Skip, Together
from webinar.core.effects_runner import batch_size
from webinar.core.late_rules import reason
from webinar.evidence.rules import SWEEP_MS
from webinar.lectures import store
from webinar.lectures.rules import Lecture, Room
from webinar.media.pool import Pool
from webinar.media.port import Media, MediaUnavailable, ParticipantState

AWAY_AGAIN_MS = 3_000

# The ids of a lecture and the name of its room.
Place = tuple[str, str]


def sweep_owed(room: Room, due_at: int) -> Owed:
    """Looking into the room from `due_at` on, until it closes."""
    said = {"lecture": room.lecture_id, "room": room.name}
    return Owed(
        kind="sweep",
        key=f"sweep:{room.name}",
        subject=f"lecture:{room.lecture_id}",
        due_at=due_at,
        payload=said,
    )


class Looker:
    """`await looker(room)` is its SID, None where there is none, and who is inside."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._sids: dict[str, Batches[str, str | None]] = {}

    async def __call__(self, room: Room) -> tuple[str | None, Sequence[ParticipantState]]:
        """Raises MediaUnavailable."""
        media = self._pool.of(room.media_server)
        if room.media_server not in self._sids:
            self._sids[room.media_server] = Batches(partial(_sids, media), most=1_000)
        # The SID first: a list taken from a newer room then at worst names the older SID once.
        sid = await self._sids[room.media_server](room.name)
        return sid, await media.list_participants(room.name) if sid else []


async def _sids(media: Media, names: Sequence[str]) -> Sequence[str | None]:
    """One list of a server's rooms for all who look at the same time."""
    sids = {room.name: room.sid for room in await media.list_rooms()}
    return [sids.get(name) for name in names]


class Sweeper:
    """The handler of kind `sweep`; `every_ms` from one look to the next."""

    def __init__(self, db: Database, pool: Pool, clock: Clock, *, every_ms: int = SWEEP_MS) -> None:
        self._db = db
        self._clock = clock
        self._every_ms = every_ms
        self._look = Looker(pool)
        self._places: Batches[Place, tuple[Lecture | None, Room | None]]
        self._places = Batches(self._read, **batch_size(db))

    async def __call__(self, effect: Effect) -> Outcome:
        lecture, room = await self._places((str(effect.payload["lecture"]), str(effect.payload["room"])))
        if room is None or not sweeps_on(lecture, room):
            return Skip(reason("sweep"))
        at = self._clock.now()
        try:
            sid, inside = await self._look(room)
        except MediaUnavailable:
            return Again(self._clock.now() + AWAY_AGAIN_MS)
        return Again(at + self._every_ms, Together(occupancy.record, Look(room, sid, inside, at)))

    async def _read(self, places: Sequence[Place]) -> Sequence[tuple[Lecture | None, Room | None]]:
        async with self._db.reading() as session:
            lectures = await store.by_ids(session, [lecture for lecture, _ in places])
            rooms = await store.rooms_named(session, [room for _, room in places])
        return [(lectures.get(lecture), rooms.get(room)) for lecture, room in places]
