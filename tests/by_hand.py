"""Effects as a test takes them by hand: those that are due, one after the other, without a runner."""

from webinar.core import effects
from webinar.core.database import Database
from webinar.core.effects import Effect, Outcome


async def next_due(db: Database) -> int | None:
    """When there is something to claim (Unix ms): the earliest due, or lease that ends; None for nothing.

    A lease that has ended by the database's time is due at once, whatever the caller's own clock says.
    """
    ahead = await effects.look(db)
    if any(ahead.expired(kind) for kind in ahead.leases):
        return 0
    return min((*ahead.due.values(), *ahead.leases.values()), default=None)


async def claim(db: Database, *, worker: str, limit: int, lease_ms: int, now: int) -> list[Effect]:
    """Take up to `limit` effects of whatever kind, first of the kind that waits longest."""
    claimed: list[Effect] = []
    for kind in (await effects.look(db)).claimable(now):
        if len(claimed) < limit:
            wanted = {kind: limit - len(claimed)}
            claimed += await effects.claim_of(db, wanted, worker=worker, lease_ms=lease_ms, now=now)
    return sorted(claimed, key=lambda effect: (effect.due_at, effect.id))


async def finish(db: Database, effect: Effect, outcome: Outcome, now: int) -> bool:
    """Write one outcome back, with its `then` in the same transaction; False when the lease was lost."""
    [written] = await effects.finish_many(db, [(effect, outcome)], now)
    return written
