"""Which processes of the service run: each one says so every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_into
from webinar.core.tables import ProcessRow

BEAT_EVERY_S = 6
SILENT_AFTER_MS = 20_000
FORGOTTEN_AFTER_MS = 24 * 3_600_000
# Further apart than this, what is due is done noticeably early or late, and evidence is misdated.
CLOCKS_APART_MS = 2_000
WARN_AGAIN_MS = 600_000

log = structlog.get_logger()


def clocks_apart(ahead_ms: int) -> bool:
    """Whether a clock differs from the database's by more than may be."""
    return abs(ahead_ms) > CLOCKS_APART_MS


def clock_words(ahead_ms: int) -> str:
    """`3.2 s ahead of the database's`."""
    return f"{abs(ahead_ms) / 1000:.1f} s {'ahead of' if ahead_ms > 0 else 'behind'} the database's"


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its last sign of life (Unix ms); `detail` is its own, as plain JSON."""

    name: str
    kind: str
    started_at: int
    seen_at: int
    detail: Mapping[str, Any]

    @property
    def clock_ahead_ms(self) -> int:
        """By how much its clock was ahead of the database's at that time; 0 when it does not say."""
        return int(self.detail.get("clock_ahead_ms") or 0)

    def alive(self, now: int) -> bool:
        """Whether it was heard of lately."""
        return now - self.seen_at < SILENT_AFTER_MS


async def beat(
    session: AsyncSession, *, name: str, kind: str, started_at: int, now: int, detail: Mapping[str, Any]
) -> None:
    """Say that this process runs."""
    _warn_of_clock(name, int(detail.get("clock_ahead_ms") or 0), now)
    row = insert_into(session, ProcessRow).values(
        name=name, kind=kind, started_at=started_at, seen_at=now, detail=dict(detail)
    )
    changed = {"seen_at": row.excluded.seen_at, "detail": row.excluded.detail}
    await session.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


async def forget_silent(session: AsyncSession, now: int) -> None:
    """Forget those that were silent for a day."""
    await session.execute(delete(ProcessRow).where(ProcessRow.seen_at < now - FORGOTTEN_AFTER_MS))


_warned: dict[str, int] = {}


def _warn_of_clock(name: str, ahead_ms: int, now: int) -> None:
    """A line in the log when the clock differs, and again every ten minutes; one when it is right again."""
    if not clocks_apart(ahead_ms):
        if _warned.pop(name, None) is not None:
            log.info("clock_agrees", process=name, ahead_ms=ahead_ms)
    elif abs(now - _warned.get(name, -WARN_AGAIN_MS)) >= WARN_AGAIN_MS:
        _warned[name] = now
        log.warning("clock_differs", process=name, ahead_ms=ahead_ms, advice="set the machine by NTP")


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
