"""What is owed to the world, and when: one table of timed effects.

An effect is written in the transaction of its cause, claimed by one process at a time, and written
back only by who holds its fencing token (`effects_claims.py`). What leaves the house happens at least
once: a handler has to bear a repeat.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import TextClause, case, func, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import rows_sql
from webinar.core.effects_claims import Ahead as Ahead
from webinar.core.effects_claims import claim_of as claim_of
from webinar.core.effects_claims import finish_many as finish_many
from webinar.core.effects_claims import look as look
from webinar.core.effects_claims import renew as renew
from webinar.core.effects_outcomes import Again as Again
from webinar.core.effects_outcomes import Done as Done
from webinar.core.effects_outcomes import Handler as Handler
from webinar.core.effects_outcomes import Outcome as Outcome
from webinar.core.effects_outcomes import Retry as Retry
from webinar.core.effects_outcomes import Skip as Skip
from webinar.core.effects_outcomes import Then as Then
from webinar.core.effects_outcomes import Together as Together
from webinar.core.effects_rules import Effect as Effect
from webinar.core.effects_rules import EffectState as EffectState
from webinar.core.effects_rules import EffectView as EffectView
from webinar.core.effects_rules import Owed as Owed
from webinar.core.tables import EffectRow

CHANNEL = "pendopo_effects"
RUNG = "pendopo_rung"
# Who waits looks by itself every few seconds (the scheduler's net), so that only what is due sooner rings.
RING_WITHIN_MS = 10_000


async def owe(
    session: AsyncSession,
    *,
    kind: str,
    key: str,
    subject: str,
    due_at: int,
    now: int,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Owe an effect. A key that exists is owed anew; one that runs right now is so when its try ends."""
    await owe_many(session, [Owed(kind, key, subject, due_at, payload or {})], now)


async def owe_all(
    session: AsyncSession,
    kind: str,
    keys: Sequence[tuple[str, str]],
    *,
    due_at: int,
    now: int,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Owe effects of one kind in one statement; `keys` are (key, subject), each key once."""
    owed = [Owed(kind, key, subject, due_at, payload or {}) for key, subject in keys]
    await owe_many(session, owed, now)


_OWE = """
INSERT INTO effects (key, kind, subject, payload, due_at, state, fence, attempts, nudged, created_at)
SELECT v.key, v.kind, v.subject, v.payload, v.due_at, 'owed', 0, 0, false, :now FROM {rows} WHERE true
ON CONFLICT (key) DO UPDATE SET
    subject = excluded.subject,
    payload = excluded.payload,
    due_at = CASE WHEN effects.state = 'claimed' AND effects.nudged AND effects.due_at < excluded.due_at
        THEN effects.due_at ELSE excluded.due_at END,
    state = CASE WHEN effects.state = 'claimed' THEN effects.state ELSE excluded.state END,
    nudged = (effects.state = 'claimed'),
    attempts = CASE WHEN effects.state = 'claimed' THEN effects.attempts ELSE 0 END,
    last_error = NULL,
    finished_at = NULL
"""


async def owe_many(session: AsyncSession, owed: Sequence[Owed], now: int) -> None:
    """Owe several effects with one statement; no key comes twice."""
    if not owed:
        return
    # In one order everywhere, so that two who owe the same never wait for each other in a ring.
    rows = [
        {"key": o.key, "kind": o.kind, "subject": o.subject, "payload": dict(o.payload), "due_at": o.due_at}
        for o in sorted(owed, key=lambda o: o.key)
    ]
    statement = _owing(session.get_bind().dialect.name)
    await session.execute(statement, {"rows": json.dumps(rows), "now": now})
    if any(o.due_at <= now + RING_WITHIN_MS for o in owed):
        await _ring(session)


@cache
def _owing(dialect: str) -> TextClause:
    rows = rows_sql(dialect, key="text", kind="text", subject="text", payload="json", due_at="bigint")
    return text(_OWE.format(rows=rows).strip())


async def nudge(session: AsyncSession, key: str, now: int) -> None:
    """Make it due at once, or as soon as the try that runs has ended; a parked one is tried again.

    One that is done or skipped stays so: owe it anew. An unknown key is no error.
    """
    claimed = EffectRow.state == literal(EffectState.CLAIMED.value)
    sooner = case(((claimed & ~EffectRow.nudged) | (EffectRow.due_at > now), now), else_=EffectRow.due_at)
    await session.execute(
        update(EffectRow)
        .where(EffectRow.key == key, EffectRow.state.in_(["owed", "parked", "claimed"]))
        .values(
            due_at=sooner,
            nudged=claimed,
            state=case((claimed, EffectRow.state), else_=EffectState.OWED.value),
            attempts=case((EffectRow.state == EffectState.PARKED.value, 0), else_=EffectRow.attempts),
            finished_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    await _ring(session)


async def withdraw(session: AsyncSession, key: str, reason: str, now: int) -> None:
    """Owe it no longer, for the reason. One that runs cannot be stopped: it is looked at again after."""
    claimed = EffectRow.state == literal(EffectState.CLAIMED.value)
    await session.execute(
        update(EffectRow)
        .where(EffectRow.key == key, EffectRow.state.in_(["owed", "parked", "claimed", "held"]))
        .values(
            nudged=claimed,
            due_at=case((claimed, now), else_=EffectRow.due_at),
            state=case((claimed, EffectRow.state), else_=EffectState.SKIPPED.value),
            last_error=case((claimed, EffectRow.last_error), else_=reason),
            finished_at=case((claimed, EffectRow.finished_at), else_=now),
        )
        .execution_options(synchronize_session=False)
    )


async def about(session: AsyncSession, subject: str) -> list[EffectView]:
    """Everything that is or was owed about a subject, by time."""
    rows = await session.scalars(
        select(EffectRow).where(EffectRow.subject == subject).order_by(EffectRow.due_at, EffectRow.id)
    )
    return [_view(row) for row in rows]


async def counts(session: AsyncSession) -> dict[tuple[str, EffectState], int]:
    """How many effects there are of each kind and state."""
    rows = await session.execute(
        select(EffectRow.kind, EffectRow.state, func.count()).group_by(EffectRow.kind, EffectRow.state)
    )
    return {(kind, EffectState(state)): number for kind, state, number in rows}


def _view(row: EffectRow) -> EffectView:
    return EffectView(
        key=row.key, kind=row.kind, subject=row.subject, payload=row.payload, state=EffectState(row.state),
        due_at=row.due_at, attempts=row.attempts, last_error=row.last_error, finished_at=row.finished_at,
    )  # fmt: skip


async def _ring(session: AsyncSession) -> None:
    """Wake whoever waits, once this transaction commits; SQLite's readers look at the WAL instead.

    Once a transaction: PostgreSQL lets those that ring commit one after the other.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.info.get(RUNG):
        session.info[RUNG] = True
        await session.execute(text(f"NOTIFY {CHANNEL}"))
