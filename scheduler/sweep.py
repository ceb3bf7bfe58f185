"""Looking into each open room every half minute: the sweep finds what webhooks lost.

One row a room and look. It is an effect of its own, so that a look which is due while no scheduler
runs happens as soon as one does.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.plan import sweeps_on
from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome
from webinar.evidence import store as evidence
from webinar.evidence.rules import SWEEP_MS
from webinar.lectures import store
from webinar.lectures.rules import Lecture, Room
from webinar.media.port import Media, MediaUnavailable

AWAY_AGAIN_MS = 3_000


async def owe_sweep(session: AsyncSession, room: Room, due_at: int, now: int) -> None:
    """Have the room looked into from `due_at` on, until it closes."""
    await effects.owe(
        session,
        kind="sweep",
        key=f"sweep:{room.name}",
        subject=f"lecture:{room.lecture_id}",
        payload={"lecture": room.lecture_id, "room": room.name},
        due_at=due_at,
        now=now,
    )


class Sweeper:
    """The handler of kind `sweep`; `every_ms` from one look to the next."""

    def __init__(self, db: Database, media: Media, clock: Clock, *, every_ms: int = SWEEP_MS) -> None:
        self._db = db
        self._media = media
        self._clock = clock
        self._every_ms = every_ms

    async def __call__(self, effect: Effect) -> Outcome:
        lecture, room = await self._read(effect)
        if room is None or not sweeps_on(lecture, room):
            return Done()
        at = self._clock.now()
        try:
            # The SID first: a list taken from a newer room then at worst names the older SID once.
            sid = await self._sid(room.name)
            inside = await self._media.list_participants(room.name) if sid else []
        except MediaUnavailable:
            return Again(self._clock.now() + AWAY_AGAIN_MS)

        async def keep(session: AsyncSession) -> None:
            await evidence.record_sweep(
                session, room_name=room.name, room_sid=sid, participants=inside, at=at
            )

        return Again(at + self._every_ms, keep)

    async def _read(self, effect: Effect) -> tuple[Lecture | None, Room | None]:
        name = str(effect.payload["room"])
        async with self._db.reading() as session:
            lecture = await store.find(session, str(effect.payload["lecture"]))
            return lecture, (await store.rooms_named(session, [name])).get(name)

    async def _sid(self, name: str) -> str | None:
        return next((room.sid for room in await self._media.list_rooms() if room.name == name), None)
