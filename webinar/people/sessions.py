"""Signed-in browsers: the cookie holds a secret, the database its digest, and each can be ended."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database
from webinar.core.ids import digest, new_secret
from webinar.people import sign_in_rules
from webinar.people.tables import PersonRow, SessionRow

USER_AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One signed-in browser; times in Unix ms. `digest` names it towards its owner."""

    digest: str
    person_id: str
    created_at: int
    seen_at: int
    expires_at: int
    user_agent: str


async def begin(session: AsyncSession, person_id: str, *, user_agent: str, now: int, life_ms: int) -> str:
    """A new session; the answer is the cookie's value, which is kept nowhere."""
    await session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    secret = new_secret()
    await session.execute(
        insert(SessionRow).values(
            digest=digest(secret),
            person_id=person_id,
            created_at=now,
            seen_at=now,
            expires_at=now + life_ms,
            user_agent=user_agent[:USER_AGENT_LENGTH],
        )
    )
    return secret


async def find(session: AsyncSession, secret: str, now: int) -> OpenSession | None:
    """The session of a cookie, unless it ended or its person was deactivated."""
    row = await session.scalar(
        select(SessionRow)
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .where(
            SessionRow.digest == digest(secret),
            SessionRow.expires_at > now,
            PersonRow.deactivated_at.is_(None),
        )
    )
    return _open(row) if row else None


async def resolve(db: Database, secret: str, *, now: int, life_ms: int) -> OpenSession | None:
    """As `find`, and the expiry slides on; it is written at most once in five minutes."""
    async with db.reading() as session:
        found = await find(session, secret, now)
    if found and now - found.seen_at >= sign_in_rules.SESSION_TOUCH_MS:
        async with db.writing() as session:
            await touch(session, found, now=now, life_ms=life_ms)
    return found


async def touch(session: AsyncSession, found: OpenSession, *, now: int, life_ms: int) -> None:
    await session.execute(
        update(SessionRow)
        .where(SessionRow.digest == found.digest)
        .values(seen_at=now, expires_at=sign_in_rules.slid(found.created_at, now, life_ms))
    )


async def of_person(session: AsyncSession, person_id: str, now: int) -> list[OpenSession]:
    """The person's signed-in browsers, the last used one first."""
    rows = await session.scalars(
        select(SessionRow)
        .where(SessionRow.person_id == person_id, SessionRow.expires_at > now)
        .order_by(SessionRow.seen_at.desc(), SessionRow.digest)
    )
    return [_open(row) for row in rows]


async def end(session: AsyncSession, secret: str) -> None:
    """Sign out; a secret that is none is no error."""
    await session.execute(delete(SessionRow).where(SessionRow.digest == digest(secret)))


async def end_one(session: AsyncSession, person_id: str, session_digest: str) -> None:
    """End one of one's own sessions, as listed; another person's stays untouched."""
    await session.execute(
        delete(SessionRow).where(SessionRow.digest == session_digest, SessionRow.person_id == person_id)
    )


async def end_all(session: AsyncSession, person_id: str, *, except_secret: str | None = None) -> None:
    query = delete(SessionRow).where(SessionRow.person_id == person_id)
    if except_secret is not None:
        query = query.where(SessionRow.digest != digest(except_secret))
    await session.execute(query)


def _open(row: SessionRow) -> OpenSession:
    return OpenSession(row.digest, row.person_id, row.created_at, row.seen_at, row.expires_at, row.user_agent)
