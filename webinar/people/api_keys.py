"""API keys: shown once, kept as a digest, limited by scopes and time, and revocable."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.database import Database
from webinar.core.errors import FieldError, Invalid, NotFound
from webinar.core.ids import digest, new_id, new_secret
from webinar.people import rules
from webinar.people.access import API_SCOPES, Scope
from webinar.people.tables import ApiKeyRow

PREFIX = "pdp_"
NAME_LENGTH = 100
USED_EVERY_MS = 60_000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner sees it; times in Unix ms, `used_at` is true to a minute."""

    id: str
    institution_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    used_at: int | None

    def works(self, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A key that was just presented, and what it may reach."""

    id: str
    scopes: frozenset[str]
    scope: Scope


async def create(
    session: AsyncSession,
    scope: Scope,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: int | None,
    now: int,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can see again. Administrators of the institution only."""
    scope.require_institution()
    errors = list(rules.name_problems(name, most=NAME_LENGTH))
    if not scopes or not set(scopes) <= set(API_SCOPES):
        errors.append(FieldError("scopes", "Choose from: %(choices)s.", {"choices": ", ".join(API_SCOPES)}))
    if expires_at is not None and expires_at <= now:
        errors.append(FieldError("expires_at", "This moment is over already.", {}))
    if errors:
        raise Invalid(errors)
    secret = PREFIX + new_secret()
    ordered = tuple(known for known in API_SCOPES if known in scopes)
    key = ApiKey(new_id(), scope.institution_id, rules.tidy(name), ordered, now, expires_at, None, None)
    values = {field: getattr(key, field) for field in ApiKey.__slots__} | {"scopes": list(ordered)}
    await session.execute(insert(ApiKeyRow).values(digest=digest(secret), **values))
    await _tell(session, scope, key.id, "api_key_created", now)
    return key, secret


async def listed(session: AsyncSession, scope: Scope) -> list[ApiKey]:
    """All keys of the institution, the newest first. Administrators of the institution only."""
    scope.require_institution()
    rows = await session.scalars(
        select(ApiKeyRow)
        .where(ApiKeyRow.institution_id == scope.institution_id)
        .order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
    )
    return [_key(row) for row in rows]


async def revoke(session: AsyncSession, scope: Scope, key_id: str, now: int) -> None:
    """From now on the key is refused; revoking it twice keeps the first time. Raises NotFound."""
    scope.require_institution()
    own = (ApiKeyRow.id == key_id, ApiKeyRow.institution_id == scope.institution_id)
    if await session.scalar(select(ApiKeyRow.id).where(*own)) is None:
        raise NotFound
    await session.execute(
        update(ApiKeyRow).where(*own, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=now)
    )
    await _tell(session, scope, key_id, "api_key_revoked", now)


async def resolve(db: Database, secret: str, now: int) -> WorkingKey | None:
    """The key if it works, else None; its last use is noted at most once a minute."""
    if not secret.startswith(PREFIX):
        return None
    async with db.reading() as session:
        row = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == digest(secret)))
    if row is None or not (key := _key(row)).works(now):
        return None
    if key.used_at is None or now - key.used_at >= USED_EVERY_MS:
        async with db.writing() as session:
            await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == key.id).values(used_at=now))
    scope = Scope.of_key(key.institution_id, key.id, key.scopes)
    return WorkingKey(key.id, frozenset(key.scopes), scope)


def _key(row: ApiKeyRow) -> ApiKey:
    values = {field: getattr(row, field) for field in ApiKey.__slots__}
    return ApiKey(**values | {"scopes": tuple(row.scopes)})


async def _tell(session: AsyncSession, scope: Scope, key_id: str, action: str, now: int) -> None:
    await audit.record(
        session, at=now, actor=scope.actor, subject=("api_key", key_id), action=action,
        institution_id=scope.institution_id,
    )  # fmt: skip
