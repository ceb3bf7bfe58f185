"""Recordings as the scheduler sees them: wanted at the opening, stopped at the end."""

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import service, store
from webinar.lectures.rules import Lecture


async def state_of(session: AsyncSession, lecture_id: str) -> str | None:
    found = await store.of_lecture(session, lecture_id)
    return found.state.value if found else None


async def want(session: AsyncSession, lecture: Lecture, now: int) -> None:
    await service.want(session, lecture)


async def stop(session: AsyncSession, lecture_id: str, now: int) -> None:
    await service.stop(session, lecture_id)
