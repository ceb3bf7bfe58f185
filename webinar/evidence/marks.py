"""How far the evidence of a lecture has come, without reading it."""

from collections.abc import Sequence

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.evidence.rules import Marks
from webinar.evidence.tables import AnswerRow, HeartbeatRow, ReplayBeatRow, SegmentRow, SweepRow, WebhookRow

MINUTE_MS = 60_000


async def marks_of(session: AsyncSession, lecture_id: str, room_names: Sequence[str]) -> Marks:
    """One statement, each part of it the end of an index."""
    minutes = [_last(row.minute, row.lecture_id == lecture_id) for row in _BY_MINUTE]
    found = await session.execute(
        select(
            _last(WebhookRow.id, WebhookRow.room_name.in_(room_names)),
            _last(SweepRow.id, SweepRow.room_name.in_(room_names)),
            _last(AnswerRow.answered_at, AnswerRow.lecture_id == lecture_id),
            *minutes,
        )
    )
    webhooks, sweeps, answered, *heard = found.one()
    ends = [(minute + 1) * MINUTE_MS for minute in heard if minute is not None]
    return Marks(webhooks or 0, sweeps or 0, max([answered or 0, *ends]))


_BY_MINUTE = (HeartbeatRow, ReplayBeatRow, SegmentRow)


def _last(column: object, of: object) -> ScalarSelect[int]:
    found: ScalarSelect[int] = select(func.max(column)).where(of).scalar_subquery()  # type: ignore[arg-type]
    return found
