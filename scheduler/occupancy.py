"""What a look into a room tells: evidence of who is inside, and whether anybody is.

That somebody came, or that nobody is left, is written where the room stands only when it changes; when nobody
is left the lecture is looked at, since an empty room may close by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom.whereabouts import people_of
from webinar.evidence import store as evidence
from webinar.evidence.store import Sweep
from webinar.lectures import service, store
from webinar.lectures.rules import Room
from webinar.media.port import ParticipantState


@dataclass(frozen=True, slots=True)
class Look:
    """A room as it was read before, and what the media server said at an instant (Unix ms)."""

    room: Room
    sid: str | None
    inside: Sequence[ParticipantState]
    at: int

    @property
    def occupied(self) -> bool:
        """Whether a person is inside; recorders are none."""
        return bool(people_of(self.inside))

    @property
    def news(self) -> bool:
        """Whether it differs from the last look. A room that is gone says nothing of who was in it."""
        return self.sid is not None and self.occupied is not self.room.occupied


async def record(session: AsyncSession, looks: Sequence[Look]) -> None:
    """Keep several looks."""
    sweeps = [Sweep(look.room.name, look.sid, look.inside, look.at) for look in looks]
    await evidence.record_sweeps(session, sweeps)
    for look in looks:
        if look.news:
            await store.looked_into(session, look.room.id, occupied=look.occupied, at=look.at)
    # In one order everywhere, so that two who owe the same never wait for each other.
    for ident in sorted({look.room.lecture_id for look in looks if look.news and not look.occupied}):
        await service.owe_reconciling(session, ident, max(look.at for look in looks))
