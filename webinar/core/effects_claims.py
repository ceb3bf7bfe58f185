"""Taking effects that are due, holding on to them, and writing back what came of them.

Every statement is one for many effects, its rows handed over as one JSON value: the text stays the
same, so that both databases prepare it once. PostgreSQL claims with `FOR UPDATE SKIP LOCKED`, SQLite
under `BEGIN IMMEDIATE`. Leases are set and compared in the database's time, since the clocks of
machines differ. The states stand in literals, so that the partial indexes are used.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextClause, TextualSelect, text
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database, now_sql, rows_sql
from webinar.core.effects_outcomes import Again, Done, Outcome, Retry, Skip, Then, Together
from webinar.core.effects_rules import Effect, EffectState, next_try
from webinar.core.tables import EffectRow

ERROR_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Ahead:
    """By kind the earliest due and the first lease to end, and the database's time; all in Unix ms."""

    due: Mapping[str, int]
    leases: Mapping[str, int]
    db_now: int

    def expired(self, kind: str) -> bool:
        """Whether somebody who held an effect of this kind has let its lease run out."""
        return self.leases.get(kind, self.db_now) < self.db_now

    def claimable(self, now: int) -> list[str]:
        """The kinds of which something can be claimed now, those that wait longest first."""
        kinds = [k for k, at in self.due.items() if at <= now]
        lost = [k for k in self.leases if self.expired(k)]
        return sorted(dict.fromkeys(lost + kinds), key=lambda k: (not self.expired(k), self.due.get(k, now)))


# The kinds are found by jumping from one to the next in the index: a million effects cost no more than ten.
_AHEAD = """
SELECT what, kind, at FROM (
    WITH RECURSIVE kinds(kind) AS (
        SELECT min(kind) FROM effects WHERE state = 'owed'
        UNION ALL
        SELECT (SELECT min(e.kind) FROM effects e WHERE e.state = 'owed' AND e.kind > kinds.kind)
        FROM kinds WHERE kinds.kind IS NOT NULL
    )
    SELECT 'owed' AS what, kinds.kind AS kind,
        (SELECT min(e.due_at) FROM effects e WHERE e.state = 'owed' AND e.kind = kinds.kind) AS at
    FROM kinds WHERE kinds.kind IS NOT NULL
    UNION ALL
    SELECT 'lease', kind, min(lease_until) FROM effects WHERE state = 'claimed' GROUP BY kind
    UNION ALL
    SELECT 'now', '', {db_now}
) AS ahead
"""


@cache
def _ahead(dialect: str) -> TextClause:
    return text(_AHEAD.format(db_now=now_sql(dialect)).strip())


async def look(db: Database) -> Ahead:
    """What there is to claim, now or later; one statement, by the indexes alone."""
    async with db.asking() as session:
        rows = (await session.execute(_ahead(db.dialect))).all()
    # What was claimed in the same instant may be gone from the one index and not be in the other.
    found = [(what, kind, int(at)) for what, kind, at in rows if at is not None]
    [db_now] = [at for what, _, at in found if what == "now"]
    due = {kind: at for what, kind, at in found if what == "owed"}
    leases = {kind: at for what, kind, at in found if what == "lease"}
    return Ahead(due, leases, db_now)


_DUE = "state = 'owed' AND kind = :kind AND due_at <= :now ORDER BY due_at, id"
_EXPIRED = "state = 'claimed' AND kind = :kind AND lease_until < {db_now} ORDER BY lease_until"
_TAKE = """
WITH due AS MATERIALIZED (SELECT id FROM effects WHERE {due} LIMIT :limit {skip_locked})
UPDATE effects SET state = 'claimed', fence = fence + 1, worker = :worker, nudged = false,
    attempts = attempts + 1, lease_until = {db_now} + :lease_ms
FROM due WHERE effects.id = due.id
RETURNING effects.id, key, kind, subject, payload, due_at, attempts, fence
"""


async def claim_of(
    db: Database, wanted: Mapping[str, int], *, worker: str, lease_ms: int, now: int, lost: bool = True
) -> list[Effect]:
    """Take effects that are due, or whose holder let its lease run out; oldest due first.

    Args:
        wanted: how many at most of each kind.
        lost: look for leases that have run out, too.
    """
    claimed: list[Effect] = []
    async with db.writing() as session:
        for kind, most in wanted.items():
            for due in (_EXPIRED, _DUE) if lost else (_DUE,):
                values = {"worker": worker, "lease_ms": lease_ms, "kind": kind, "now": now}
                have = sum(effect.kind == kind for effect in claimed)
                if have < most:
                    claimed += await _take(session, db.dialect, due, values | {"limit": most - have})
    return sorted(claimed, key=lambda effect: (effect.due_at, effect.id))


async def _take(session: AsyncSession, dialect: str, due: str, values: dict[str, Any]) -> list[Effect]:
    if ":now" not in due:
        del values["now"]
    return [Effect(**row._mapping) for row in await session.execute(_taking(dialect, due), values)]


@cache
def _taking(dialect: str, due: str) -> TextualSelect:
    db_now = now_sql(dialect)
    return text(
        _TAKE.format(
            due=due.format(db_now=db_now),
            db_now=db_now,
            skip_locked="FOR UPDATE SKIP LOCKED" if dialect == "postgresql" else "",
        ).strip()
    ).columns(payload=EffectRow.payload.type)


_RENEW = """
UPDATE effects SET lease_until = {db_now} + :lease_ms FROM {rows}
WHERE effects.id = v.id AND effects.fence = v.fence AND state = 'claimed'
"""


async def renew(db: Database, held: Sequence[Effect], *, lease_ms: int) -> None:
    """Hold on to effects whose handlers still run; one whose lease was lost stays lost."""
    mine = json.dumps([{"id": effect.id, "fence": effect.fence} for effect in held])
    async with db.writing() as session:
        await session.execute(_renewing(db.dialect), {"rows": mine, "lease_ms": lease_ms})


@cache
def _renewing(dialect: str) -> TextClause:
    rows = rows_sql(dialect, id="bigint", fence="bigint")
    return text(_RENEW.format(db_now=now_sql(dialect), rows=rows).strip())


# An effect that was nudged while it ran is owed again at once, or when it was nudged for.
_FINISH = """
UPDATE effects SET
    state = CASE WHEN nudged THEN 'owed' ELSE v.new_state END,
    due_at = CASE WHEN nudged AND (v.new_state <> 'owed' OR due_at < v.new_due) THEN due_at
        ELSE v.new_due END,
    attempts = CASE WHEN v.failed = 1 THEN attempts ELSE 0 END,
    last_error = v.error,
    finished_at = CASE WHEN nudged OR v.new_state = 'owed' THEN NULL ELSE CAST(:now AS bigint) END,
    nudged = false, lease_until = NULL, worker = NULL
FROM {rows}
WHERE effects.id = v.id AND effects.fence = v.fence AND state = 'claimed'
RETURNING effects.id
"""


class _LeaseLostError(Exception):
    """Somebody else holds the effect by now; nothing of its outcome may be written."""


async def finish_many(db: Database, outcomes: Sequence[tuple[Effect, Outcome]], now: int) -> list[bool]:
    """Write outcomes back, each with its `then`, in one transaction.

    What is written together comes first: whoever changes a lecture and then owes something about it takes
    the rows in the same order, and neither waits for the other in a ring. Other `then`s find their effect
    as it is after the outcome.

    Returns:
        Whether each was written. False when its lease was lost in the meantime: the new holder decides.
    """
    try:
        async with db.writing() as session:
            await _write_together(session, outcomes)
            written = await _write_back(session, db.dialect, outcomes, now)
            for effect, outcome in outcomes:
                if effect.id in written and outcome.then is not None:
                    await _write_alone(session, outcome.then)
                elif isinstance(outcome.then, Together):
                    raise _LeaseLostError
    except _LeaseLostError:
        if len(outcomes) == 1:
            return [False]
        return [written for one in outcomes for written in await finish_many(db, [one], now)]
    return [effect.id in written for effect, _ in outcomes]


async def _write_back(
    session: AsyncSession, dialect: str, outcomes: Sequence[tuple[Effect, Outcome]], now: int
) -> set[int]:
    values = json.dumps([_written_back(effect, outcome, now) for effect, outcome in outcomes])
    found = await session.execute(_finishing(dialect), {"rows": values, "now": now})
    return set(found.scalars())


@cache
def _finishing(dialect: str) -> TextClause:
    rows = rows_sql(
        dialect, id="bigint", fence="bigint", new_state="text", new_due="bigint", failed="int", error="text"
    )
    return text(_FINISH.format(rows=rows).strip())


async def _write_together(session: AsyncSession, outcomes: Sequence[tuple[Effect, Outcome]]) -> None:
    together: dict[Any, list[Any]] = {}
    for _, outcome in outcomes:
        if isinstance(outcome.then, Together):
            together.setdefault(outcome.then.write, []).append(outcome.then.item)
    for write, items in together.items():
        await write(session, items)


async def _write_alone(session: AsyncSession, then: Then) -> None:
    if not isinstance(then, Together):
        await then(session)


def _written_back(effect: Effect, outcome: Outcome, now: int) -> dict[str, Any]:
    state, due_at = _after(effect, outcome, now)
    error = None
    if isinstance(outcome, Retry):
        error = outcome.error[:ERROR_LENGTH]
    elif isinstance(outcome, Skip):
        error = outcome.reason[:ERROR_LENGTH]
    return {
        "id": effect.id, "fence": effect.fence, "new_state": state.value, "new_due": due_at,
        "failed": int(isinstance(outcome, Retry)), "error": error,
    }  # fmt: skip


def _after(effect: Effect, outcome: Outcome, now: int) -> tuple[EffectState, int]:
    match outcome:
        case Done():
            return EffectState.DONE, effect.due_at
        case Skip():
            return EffectState.SKIPPED, effect.due_at
        case Again(due_at=due_at):
            return EffectState.OWED, due_at
        case Retry(at=at):
            by_rule = next_try(effect.kind, effect.attempts, now)
            if by_rule is None:
                return EffectState.PARKED, effect.due_at
            return EffectState.OWED, by_rule if at is None else at
