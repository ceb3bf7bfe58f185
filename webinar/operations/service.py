"""What an administrator can do about what is owed: try again, skip with a reason, hold and release mail."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.errors import NotFound
from webinar.operations import store
from webinar.operations.rules import (
    RETRIED,
    SKIPPED,
    Listed,
    MailHold,
    NotSkippable,
    RunsNow,
    Standing,
    checked_reason,
    skippable,
)
from webinar.people import store as people
from webinar.people.access import Scope

# So many in one transaction, so that no other writer waits long.
BATCH = 500


def require(scope: Scope) -> None:
    """Raise Forbidden unless the scope administers its whole institution."""
    scope.require_institution()


async def reach(session: AsyncSession, scope: Scope) -> str | None:
    """The institution whose effects are meant; None for all of them: of a command, or of the only one.

    Raises:
        Forbidden: the scope does not administer its whole institution.
    """
    require(scope)
    if scope.sees_everything or len(await people.institutions(session)) < 2:
        return None
    return scope.institution_id


async def _the_effect(session: AsyncSession, scope: Scope, effect_id: int, now: int) -> Listed:
    found = await store.find(session, await reach(session, scope), effect_id, now)
    if found is None:
        raise NotFound
    if found.standing is Standing.RUNNING:
        raise RunsNow
    return found


async def retry(session: AsyncSession, scope: Scope, effect_id: int, now: int) -> Listed:
    """Have it tried now. One that is done by now, skipped or held stays so.

    Raises:
        NotFound, Forbidden, RunsNow.
    """
    found = await _the_effect(session, scope, effect_id, now)
    if found.retriable:
        await effects.nudge(session, found.key, now)
        await _note(session, scope, "effect_retried", found, now, error=found.last_error)
    return found


async def skip(session: AsyncSession, scope: Scope, effect_id: int, reason: str, now: int) -> Listed:
    """Owe it no longer, for a reason that stays on record.

    Raises:
        NotFound, Forbidden, RunsNow, NotSkippable, Invalid.
    """
    found = await _the_effect(session, scope, effect_id, now)
    reason = checked_reason(reason)
    if not skippable(found.kind):
        raise NotSkippable
    if found.skippable:
        await effects.withdraw(session, found.key, reason, now)
        await _note(session, scope, "effect_skipped", found, now, reason=reason)
    return found


async def _note(
    session: AsyncSession, scope: Scope, action: str, effect: Listed, now: int, **fields: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("effect", str(effect.id)),
        action=action,
        institution_id=scope.institution_id or None,
        kind=effect.kind,
        about=effect.subject,
        **fields,
    )


Batch = Callable[[AsyncSession], Awaitable[int]]
Writing = Callable[[], AbstractAsyncContextManager[AsyncSession]]


async def every(writing: Writing, batch: Batch) -> int:
    """Each batch in a transaction of its own, so that nobody else waits long; how many there were in all."""
    total = 0
    while True:
        async with writing() as session:
            count = await batch(session)
        if not count:
            return total
        total += count


def retrying(scope: Scope, how: Standing, kind: str, now: int) -> Batch:
    """Batches of all that stand so: call it with a new transaction until it answers 0."""

    async def batch(session: AsyncSession) -> int:
        count = 0
        if how in RETRIED:
            count = await store.retry_batch(session, await reach(session, scope), how, kind, now, BATCH)
        await _note_many(session, scope, "effects_retried", kind, count, now, standing=how.value)
        return count

    return batch


def skipping(scope: Scope, how: Standing, kind: str, reason: str, now: int) -> Batch:
    """Batches of all that stand so: call it with a new transaction until it answers 0.

    Raises:
        NotSkippable, Invalid.
    """
    reason = checked_reason(reason)
    if not skippable(kind):
        raise NotSkippable

    async def batch(session: AsyncSession) -> int:
        count = 0
        if how in SKIPPED:
            whose = await reach(session, scope)
            count = await store.skip_batch(session, whose, how, kind, reason, now, BATCH)
        await _note_many(
            session, scope, "effects_skipped", kind, count, now, standing=how.value, reason=reason
        )
        return count

    return batch


async def _note_many(
    session: AsyncSession, scope: Scope, action: str, kind: str, count: int, now: int, **fields: object
) -> None:
    if count:
        await audit.record(
            session,
            at=now,
            actor=scope.actor,
            subject=("effects", kind),
            action=action,
            institution_id=scope.institution_id or None,
            count=count,
            **fields,
        )


# --- the hold on mail --------------------------------------------------------------------------


async def hold_mail(session: AsyncSession, scope: Scope, reason: str, now: int) -> MailHold:
    """Let no mail of the institution leave the house from now on. A second time changes nothing.

    Raises:
        Forbidden, Invalid.
    """
    require(scope)
    reason = checked_reason(reason)
    await people.lock_institution(session, scope.institution_id)
    present = await store.mail_hold(session, scope.institution_id)
    if present is not None:
        return present
    hold = MailHold(scope.institution_id, reason, scope.person_id, now)
    await store.add_mail_hold(session, hold)
    await _note_hold(session, scope, "mail_held", now, reason=reason)
    return hold


async def release_mail(session: AsyncSession, scope: Scope, now: int) -> bool:
    """Let mail go out again, that which was held first; False when none was held.

    Raises:
        Forbidden.
    """
    require(scope)
    present = await store.mail_hold(session, scope.institution_id, lock=True)
    if present is None:
        return False
    await store.remove_mail_hold(session, scope.institution_id)
    await effects.owe(
        session,
        kind="release",
        key=f"release:{scope.institution_id}",
        subject=f"institution:{scope.institution_id}",
        due_at=now,
        now=now,
    )
    await _note_hold(session, scope, "mail_released", now, held_since=present.held_at)
    return True


async def _note_hold(session: AsyncSession, scope: Scope, action: str, now: int, **fields: object) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("institution", scope.institution_id),
        action=action,
        institution_id=scope.institution_id,
        **fields,
    )
