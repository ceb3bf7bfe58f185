"""Presence checks of a lecture, and the answers of some of its people."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.evidence.rules import Check
from webinar.evidence.tables import AnswerRow, PresenceCheckRow


async def checks_of(session: AsyncSession, lecture_id: str) -> list[Check]:
    """Those that were asked, in their order."""
    row = PresenceCheckRow
    rows = await session.execute(
        select(row.id, row.number, row.asked_at, row.closes_at)
        .where(row.lecture_id == lecture_id, row.asked_at.is_not(None))
        .order_by(row.number)
    )
    return [Check(id, number, at, until or at) for id, number, at, until in rows if at is not None]


async def answers_of(
    session: AsyncSession, lecture_id: str, registration_ids: Sequence[str]
) -> Mapping[str, Mapping[str, int]]:
    """When some people answered, by registration and check."""
    row = AnswerRow
    rows = await session.execute(
        select(row.registration_id, row.check_id, row.answered_at).where(
            row.lecture_id == lecture_id, row.registration_id.in_(registration_ids)
        )
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for registration_id, check_id, at in rows:
        found[registration_id][check_id] = at
    return found
