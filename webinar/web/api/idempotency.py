"""A POST with an Idempotency-Key is done once, however often it arrives.

The answer is kept in the transaction of the deed itself: after a crash either both are there or
neither, so that a repeat neither loses nor doubles. A refused request leaves nothing and may be
repeated with the same key. Repeats that come while the first is still at work are told to come
again (PostgreSQL), or wait for it (SQLite, whose writers queue).
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import delete, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid, Refused
from webinar.core.tables import IdempotencyRow
from webinar.web.api.wire import Reply
from webinar.web.context import Context

HEADER = "Idempotency-Key"
KEPT_MS = 24 * 60 * 60_000
# Old answers that one request clears away.
CLEARED = 100

Deed = Callable[[AsyncSession], Awaitable[Reply]]
Document = Mapping[str, Any]


class InProgress(Refused):
    code = "in_progress"
    status = 409
    message = "The same request is still being worked on. Ask again shortly."


class KeyReused(Refused):
    code = "idempotency_key_reused"
    status = 422
    message = "This Idempotency-Key was used for another request."


def as_it_is(document: Document) -> Document:
    return document


async def once(asked: Context, deed: Deed, *, finish: Callable[[Document], Document] = as_it_is) -> Reply:
    """Do it in a transaction, or give the answer of the time when it was done.

    Args:
        finish: applied to the document on its way out, each time; what it adds (a join link) is not kept.
    """
    done = await _once(asked, deed)
    return Reply(done.status, finish(done.document), done.headers)


async def kept(asked: Context) -> Reply | None:
    """The answer of an earlier time; for what is worth looking before a long preparation."""
    key = asked.request.headers.get(HEADER)
    if key is None:
        return None
    _check_key(key)
    async with asked.reading() as session:
        found = await session.get(IdempotencyRow, (asked.api_key_id, key))
    if found is None or found.created_at < asked.now - KEPT_MS:
        return None
    return _again(found, await _digest(asked))


def _check_key(key: str) -> None:
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Invalid.at(HEADER, "A key has 1 to %(most)s visible characters.", most=255)


async def _once(asked: Context, deed: Deed) -> Reply:
    key = asked.request.headers.get(HEADER)
    if key is None:
        async with asked.writing() as session:
            return await deed(session)
    _check_key(key)
    wanted = await _digest(asked)
    async with asked.writing() as session:
        await _queue(session, f"{asked.api_key_id}:{key}")
        await _clear(session, asked.now - KEPT_MS)
        found = await session.get(IdempotencyRow, (asked.api_key_id, key))
        if found is not None and found.created_at >= asked.now - KEPT_MS:
            return _again(found, wanted)
        if found is not None:
            await session.delete(found)
            await session.flush()
        done = await deed(session)
        await _keep(session, asked, key, wanted, done)
        return done


def _again(found: IdempotencyRow, wanted: str) -> Reply:
    if found.request_digest != wanted:
        raise KeyReused
    headers = {**(found.headers or {}), "Idempotency-Replayed": "true"}
    return Reply(found.status or 200, json.loads(found.body or "{}"), headers)


async def _keep(session: AsyncSession, asked: Context, key: str, wanted: str, done: Reply) -> None:
    await session.execute(
        insert(IdempotencyRow).values(
            owner=asked.api_key_id,
            key=key,
            request_digest=wanted,
            status=done.status,
            headers=dict(done.headers),
            body=json.dumps(done.document, ensure_ascii=False),
            created_at=asked.now,
        )
    )


async def _digest(asked: Context) -> str:
    request = asked.request
    head = f"{request.method}\n{request.rel_url.raw_path_qs}\n{request.content_type}\n"
    return hashlib.sha256(head.encode() + await request.read()).hexdigest()


async def _queue(session: AsyncSession, name: str) -> None:
    """One at a time for each key; SQLite's writers are that anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return
    alone = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
    )
    if not alone:
        raise InProgress


async def _clear(session: AsyncSession, before: int) -> None:
    """Forget old answers; those that somebody else clears at this moment are passed over."""
    old = (
        select(IdempotencyRow.owner, IdempotencyRow.key)
        .where(IdempotencyRow.created_at < before)
        .limit(CLEARED)
        .with_for_update(skip_locked=True)
    )
    found = (await session.execute(old)).all()
    if found:
        pairs = [tuple(row) for row in found]
        await session.execute(
            delete(IdempotencyRow).where(tuple_(IdempotencyRow.owner, IdempotencyRow.key).in_(pairs))
        )
