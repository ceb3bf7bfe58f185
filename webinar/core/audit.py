"""The audit trail: who did what to what. Written in the transaction of the deed itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.tables import AuditRow


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, an API key, or the system itself (no id)."""

    kind: str
    id: str | None = None


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail; `at` in Unix ms, `fields` as they were given."""

    at: int
    actor: Actor
    action: str
    fields: Mapping[str, Any]


async def record(
    session: AsyncSession,
    *,
    at: int,
    actor: Actor,
    subject: tuple[str, str],
    action: str,
    institution_id: str | None = None,
    **fields: object,
) -> None:
    """Append one line; `subject` is (kind, id), for example ("lecture", "…")."""
    await record_all(
        session, [subject], at=at, actor=actor, action=action, institution_id=institution_id, **fields
    )


async def record_all(
    session: AsyncSession,
    subjects: Sequence[tuple[str, str]],
    *,
    at: int,
    actor: Actor,
    action: str,
    institution_id: str | None = None,
    **fields: object,
) -> None:
    """Append the same line about each of several subjects, in one statement."""
    lines = [Line(subject, action, institution_id, fields) for subject in subjects]
    await record_many(session, lines, at=at, actor=actor)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail to be written; as `record` takes it."""

    subject: tuple[str, str]
    action: str
    institution_id: str | None
    fields: Mapping[str, object]


async def record_many(session: AsyncSession, lines: Sequence[Line], *, at: int, actor: Actor) -> None:
    """Append several lines of one actor and instant, in their order."""
    rows = [
        {
            "institution_id": line.institution_id,
            "at": at,
            "actor_kind": actor.kind,
            "actor_id": actor.id,
            "subject_kind": line.subject[0],
            "subject_id": line.subject[1],
            "action": line.action,
            "fields": dict(line.fields),
        }
        for line in lines
    ]
    if rows:
        await session.execute(insert(AuditRow), rows)


async def of(session: AsyncSession, subject: tuple[str, str], *, newest: int = 200) -> Sequence[Entry]:
    """The newest lines about a subject, oldest first."""
    rows = await session.execute(
        select(AuditRow)
        .where(AuditRow.subject_kind == subject[0], AuditRow.subject_id == subject[1])
        .order_by(AuditRow.id.desc())
        .limit(newest)
    )
    return [
        Entry(r.at, Actor(r.actor_kind, r.actor_id), r.action, r.fields)
        for r in reversed(rows.scalars().all())
    ]
