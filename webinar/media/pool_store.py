"""What schedulers heard of the media servers, kept where all of them see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, case, literal_column, null, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_for, now_sql
from webinar.media.pool_rules import ANSWERED_LATELY_MS, RUN_BREAKS_MS, SAY_AGAIN_MS, Health, Heard, health
from webinar.media.tables import MediaServerRow

_COLUMNS = tuple(getattr(MediaServerRow, name) for name in Heard.__slots__)


@dataclass(frozen=True, slots=True)
class Known:
    """What was last heard of a server, and what follows from it by the database's clock, which says `at`."""

    heard: Heard
    health: Health
    at: int

    @property
    def asked_lately(self) -> bool:
        """Whether some scheduler still asks it."""
        return self.at - self.heard.asked_at <= RUN_BREAKS_MS

    def is_news(self, rooms: int, participants: int) -> bool:
        """Whether an answer says something that nobody else has said a moment ago."""
        heard = self.heard
        if heard.error is not None or heard.answered_at is None:
            return True
        same = (heard.rooms, heard.participants) == (rooms, participants)
        return not same or self.at - heard.answered_at >= SAY_AGAIN_MS


async def known(session: AsyncSession) -> Mapping[str, Known]:
    """Each server that was ever asked, by name."""
    found = {}
    for at, *columns in await session.execute(_known(session.get_bind().dialect.name)):
        heard = Heard(*columns)
        found[heard.name] = Known(heard, health(heard, at), at)
    return found


@cache
def _known(dialect: str) -> Any:
    return select(_now(dialect).label("now"), *_COLUMNS)


async def answered(session: AsyncSession, name: str, *, rooms: int, participants: int) -> None:
    """It answers now, and has so many rooms and people."""
    values = {"name": name, "rooms": rooms, "participants": participants}
    await session.execute(_answered(session.get_bind().dialect.name), values)


async def unanswered(session: AsyncSession, name: str, error: str) -> None:
    """It did not answer this scheduler. That counts only where it answered nobody else a moment ago: who is
    cut off from it does not condemn it for those who are not."""
    await session.execute(_unanswered(session.get_bind().dialect.name), {"name": name, "error": error[:80]})


@cache
def _answered(dialect: str) -> Any:
    now = _now(dialect)
    row = insert_for(dialect, MediaServerRow).values(since=now, asked_at=now, answered_at=now, error=null())
    present = MediaServerRow
    return row.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "since": case((present.error.is_(None), present.since), else_=now),
            "asked_at": now,
            "answered_at": now,
            "error": null(),
            "rooms": row.excluded.rooms,
            "participants": row.excluded.participants,
        },
    )


@cache
def _unanswered(dialect: str) -> Any:
    now = _now(dialect)
    row = insert_for(dialect, MediaServerRow).values(since=now, asked_at=now, rooms=0, participants=0)
    present = MediaServerRow
    goes_on = present.error.is_not(None) & (present.asked_at >= now - RUN_BREAKS_MS)
    return row.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "since": case((goes_on, present.since), else_=now),
            "asked_at": now,
            "error": row.excluded.error,
        },
        where=or_(present.answered_at.is_(None), present.answered_at <= now - ANSWERED_LATELY_MS),
    )


def _now(dialect: str) -> Any:
    return literal_column(now_sql(dialect), BigInteger)
