"""Wrong tries are counted in the database, so that all processes count together.

A try is counted *before* it is judged and forgiven when it was right: tries that come at the same
instant cannot slip past the limit together.
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import TooMany
from webinar.people.sign_in_rules import ATTEMPT_KEPT_MS, Limit, minutes_to_wait
from webinar.people.tables import AttemptRow


async def count_try(session: AsyncSession, limits: Sequence[Limit], now: int) -> list[int]:
    """Count one try in every bucket; the answer is for `forgive`. Needs a writing session.

    Raises:
        TooMany: a bucket is full; nothing was counted.
    """
    for limit in sorted(limits, key=lambda limit: limit.bucket):
        await _queue(session, limit.bucket)
        await refuse_full(session, limit, now)
    await session.execute(delete(AttemptRow).where(AttemptRow.at < now - ATTEMPT_KEPT_MS))
    rows = await session.scalars(
        insert(AttemptRow).returning(AttemptRow.id), [{"bucket": limit.bucket, "at": now} for limit in limits]
    )
    return list(rows)


async def refuse_full(session: AsyncSession, limit: Limit, now: int) -> None:
    """Raise TooMany when the bucket is full."""
    found = await session.execute(
        select(func.count(), func.min(AttemptRow.at)).where(
            AttemptRow.bucket == limit.bucket, AttemptRow.at > now - limit.window_ms
        )
    )
    count, oldest = found.one()
    if count >= limit.most:
        raise TooMany(minutes=minutes_to_wait(oldest, limit.window_ms, now))


async def forgive(session: AsyncSession, tries: Sequence[int]) -> None:
    """The tries were right after all."""
    await session.execute(delete(AttemptRow).where(AttemptRow.id.in_(tries)))


async def _queue(session: AsyncSession, bucket: str) -> None:
    """Those who count in one bucket wait for each other; SQLite's writers do so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:bucket, 0))"), {"bucket": bucket}
        )
