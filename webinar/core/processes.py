"""Which processes of the service run: each one says so every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_into
from webinar.core.tables import ProcessRow

BEAT_EVERY_S = 5
SILENT_AFTER_MS = 20_000
FORGOTTEN_AFTER_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its last sign of life (Unix ms); `detail` is its own, as plain JSON."""

    name: str
    kind: str
    started_at: int
    seen_at: int
    detail: Mapping[str, Any]

    def alive(self, now: int) -> bool:
        """Whether it was heard of lately."""
        return now - self.seen_at < SILENT_AFTER_MS


async def beat(
    session: AsyncSession, *, name: str, kind: str, started_at: int, now: int, detail: Mapping[str, Any]
) -> None:
    """Say that this process runs, and forget those that were silent for a day."""
    row = insert_into(session, ProcessRow).values(
        name=name, kind=kind, started_at=started_at, seen_at=now, detail=dict(detail)
    )
    changed = {"seen_at": row.excluded.seen_at, "detail": row.excluded.detail}
    await session.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))
    await session.execute(delete(ProcessRow).where(ProcessRow.seen_at < now - FORGOTTEN_AFTER_MS))


async def gone(session: AsyncSession, name: str) -> None:
    """Say that this process has ended in good order."""
    await session.execute(delete(ProcessRow).where(ProcessRow.name == name))


async def known(session: AsyncSession, kind: str | None = None) -> list[Process]:
    """Every process that was heard of within a day, newest sign first."""
    query = select(ProcessRow).order_by(ProcessRow.seen_at.desc(), ProcessRow.name)
    if kind is not None:
        query = query.where(ProcessRow.kind == kind)
    rows = await session.scalars(query)
    return [Process(r.name, r.kind, r.started_at, r.seen_at, r.detail) for r in rows]
