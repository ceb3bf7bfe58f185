"""Signs of life of ten thousand pages at the price of one transaction a second.

Each page beats every 15 s. Whether each seat is still good is asked in the transaction that stores the
beats, for all of them in one statement, so that nothing about seats is kept in memory, and a revoked link
stops counting at once.
"""

from collections.abc import Sequence

from webinar.classroom.heartbeat_rules import Beat, moved, refusal
from webinar.core.database import Database
from webinar.core.errors import Refused, Unavailable
from webinar.core.grouped import Grouped
from webinar.evidence import store as evidence
from webinar.lectures import placement
from webinar.lectures import store as lectures

COLLECT_S = 1.0


class BeatsAway(Unavailable):
    """The beat is not stored; the page tells again in 15 s."""

    code = "beats_away"


class Heartbeats:
    """Takes beats of a process and writes them together.

    Args:
        collect_s: the least time between two writes.
    """

    def __init__(self, database: Database, *, collect_s: float = COLLECT_S) -> None:
        self._database = database
        self._grouped = Grouped(self._stored, away=BeatsAway, collect_s=collect_s)

    async def tell(self, beat: Beat) -> bool:
        """Return after the commit: whether the page is to come in anew, since its room was moved to another
        media server.

        Raises:
            Refused: it does not count, see `heartbeat_rules.refusal`.
            BeatsAway: it could not be stored.
        """
        answer = await self._grouped.tell(beat)
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def close(self) -> None:
        """Store what waits."""
        await self._grouped.close()

    async def _stored(self, beats: Sequence[Beat]) -> Sequence[Refused | bool]:
        """What became of each, after the commit."""
        async with self._database.writing() as session:
            standings = await lectures.standings(session, {beat.registration_id for beat in beats})
            refusals = [refusal(beat, standings.get(beat.registration_id)) for beat in beats]
            good = [beat for beat, refused in zip(beats, refusals, strict=True) if refused is None]
            await evidence.record_heartbeats(session, good)
            # Only what belongs to the lecture of the seat is told.
            names = {beat.room for beat in good if beat.room.startswith(f"{beat.lecture_id}.")}
            servers = await placement.servers_of(session, names)
        return [
            moved(beat, servers) if refused is None else refused
            for beat, refused in zip(beats, refusals, strict=True)
        ]
