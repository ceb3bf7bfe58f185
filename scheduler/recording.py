"""Recordings as the scheduler sees them: wanted at the opening, stopped at the end."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.tables import RecordingRow
from webinar.core.ids import new_id
from webinar.lectures.rules import Lecture


async def state_of(session: AsyncSession, lecture_id: str) -> str | None:
    rows = await session.execute(select(RecordingRow.state).where(RecordingRow.lecture_id == lecture_id))
    return rows.scalar_one_or_none()


async def want(session: AsyncSession, lecture: Lecture, now: int) -> None:
    if await state_of(session, lecture.id) is None:
        session.add(
            RecordingRow(
                id=new_id(), institution_id=lecture.institution_id, lecture_id=lecture.id, state="wanted"
            )
        )
        await session.flush()


async def stop(session: AsyncSession, lecture_id: str, now: int) -> None:
    await session.execute(
        update(RecordingRow).where(RecordingRow.lecture_id == lecture_id).values(state="finishing")
    )
