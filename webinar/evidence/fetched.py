"""Segments of the stream that were handed out to viewers: one row a viewer and minute."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_into
from webinar.evidence.tables import SegmentRow

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Fetch:
    """One segment handed out at `at`; it shows the lecture from `from_at` to `to_at`. Unix ms."""

    registration_id: str
    lecture_id: str
    from_at: int
    to_at: int
    at: int


async def record(session: AsyncSession, fetches: Iterable[Fetch]) -> None:
    """Keep them, in one statement."""
    minutes: dict[tuple[str, int], list[Fetch]] = defaultdict(list)
    for one in fetches:
        minutes[(one.registration_id, one.at // MINUTE_MS)].append(one)
    # In one order everywhere, so that two processes never wait for each other's rows.
    rows = [_row(minute, minutes[(who, minute)]) for who, minute in sorted(minutes)]
    if not rows:
        return
    statement = insert_into(session, SegmentRow)
    new = statement.excluded
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    least, most = (func.min, func.max) if on_sqlite else (func.least, func.greatest)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["registration_id", "minute"],
            set_={
                "last_at": most(SegmentRow.last_at, new.last_at),
                "segments": SegmentRow.segments + new.segments,
                "from_at": least(SegmentRow.from_at, new.from_at),
                "to_at": most(SegmentRow.to_at, new.to_at),
            },
        ),
        rows,
    )


def _row(minute: int, of: Sequence[Fetch]) -> dict[str, object]:
    return {
        "registration_id": of[0].registration_id,
        "minute": minute,
        "lecture_id": of[0].lecture_id,
        "first_at": min(one.at for one in of),
        "last_at": max(one.at for one in of),
        "segments": len(of),
        "from_at": min(one.from_at for one in of),
        "to_at": max(one.to_at for one in of),
    }
