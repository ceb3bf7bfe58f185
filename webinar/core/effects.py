"""What is owed to the world, and when: one table of timed effects.

An effect is written in the transaction of its cause, claimed by one process at a time, and written
back only by who holds its fencing token. PostgreSQL claims with `FOR UPDATE SKIP LOCKED`, SQLite
under `BEGIN IMMEDIATE`. Leases are set and compared in the database's time, since the clocks of
machines differ. What leaves the house happens at least once: a handler has to bear a repeat.

The states stand in literals, so that the partial indexes are used whatever the driver binds.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextClause, TextualSelect, case, func, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database, insert_into, now_sql
from webinar.core.effects_rules import Effect as Effect
from webinar.core.effects_rules import EffectState as EffectState
from webinar.core.effects_rules import EffectView as EffectView
from webinar.core.effects_rules import next_try
from webinar.core.tables import EffectRow

CHANNEL = "pendopo_effects"
ERROR_LENGTH = 2_000

Then = Callable[[AsyncSession], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Done:
    """It happened; `then` is written in the transaction that says so."""

    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """It went well, and is owed again at `due_at` (Unix ms)."""

    due_at: int
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed; tried again at `at`, or when the kind's back-off says so; parked after the last try."""

    error: str
    at: int | None = None
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """It is pointless by now, for this reason."""

    reason: str
    then: Then | None = None


Outcome = Done | Again | Retry | Skip
Handler = Callable[[Effect], Awaitable[Outcome]]


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
    await owe_all(session, kind, [(key, subject)], due_at=due_at, now=now, payload=payload)


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
    statement = insert_into(session, EffectRow).values(
        [
            {
                "key": key, "kind": kind, "subject": subject, "payload": dict(payload or {}),
                "due_at": due_at, "state": EffectState.OWED.value, "fence": 0, "attempts": 0,
                "nudged": False, "created_at": now,
            }
            for key, subject in keys
        ]
    )  # fmt: skip
    claimed = EffectRow.state == literal(EffectState.CLAIMED.value)
    new = statement.excluded
    earlier = claimed & EffectRow.nudged & (EffectRow.due_at < new.due_at)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "subject": new.subject,
                "payload": new.payload,
                "due_at": case((earlier, EffectRow.due_at), else_=new.due_at),
                "state": case((claimed, EffectRow.state), else_=new.state),
                "nudged": claimed,
                "attempts": case((claimed, EffectRow.attempts), else_=0),
                "last_error": None,
                "finished_at": None,
            },
        )
    )
    await _ring(session)


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


async def claim(db: Database, *, worker: str, limit: int, lease_ms: int, now: int) -> list[Effect]:
    """Take up to `limit` effects that are due, or whose holder let its lease run out; oldest due first."""
    claimed: list[Effect] = []
    async with db.writing() as session:
        for due in (_EXPIRED, _DUE):
            if len(claimed) < limit:
                claimed += await _take(session, db.dialect, due, worker, limit - len(claimed), lease_ms, now)
    return sorted(claimed, key=lambda effect: (effect.due_at, effect.id))


_DUE = "state = 'owed' AND due_at <= :now ORDER BY due_at, id"
_EXPIRED = "state = 'claimed' AND lease_until < {db_now} ORDER BY lease_until"


async def _take(
    session: AsyncSession, dialect: str, due: str, worker: str, limit: int, lease_ms: int, now: int
) -> list[Effect]:
    values = {"worker": worker, "lease_ms": lease_ms, "limit": limit}
    if ":now" in due:
        values["now"] = now
    rows = await session.execute(_taking(dialect, due), values)
    return [Effect(**row._mapping) for row in rows]


@cache
def _taking(dialect: str, due: str) -> TextualSelect:
    skip_locked = "FOR UPDATE SKIP LOCKED" if dialect == "postgresql" else ""
    db_now = now_sql(dialect)
    return text(
        f"""
        UPDATE effects SET state = 'claimed', fence = fence + 1, worker = :worker, nudged = false,
            attempts = attempts + 1, lease_until = {db_now} + :lease_ms
        WHERE id IN (SELECT id FROM effects WHERE {due.format(db_now=db_now)} LIMIT :limit {skip_locked})
        RETURNING id, key, kind, subject, payload, due_at, attempts, fence
        """  # noqa: S608 - made of constants of this module
    ).columns(payload=EffectRow.payload.type)


async def renew(db: Database, held: Sequence[Effect], *, lease_ms: int) -> None:
    """Hold on to effects whose handlers still run; one whose lease was lost stays lost."""
    statement = text(
        f"UPDATE effects SET lease_until = {now_sql(db.dialect)} + :lease_ms"  # noqa: S608 - a constant
        " WHERE id = :id AND fence = :fence AND state = 'claimed'"
    )
    async with db.writing() as session:
        await session.execute(statement, [{"id": e.id, "fence": e.fence, "lease_ms": lease_ms} for e in held])


async def finish(db: Database, effect: Effect, outcome: Outcome, now: int) -> bool:
    """Write the outcome back, with its `then` in the same transaction.

    Returns:
        False when the lease was lost in the meantime: nothing was written, the new holder decides.
    """
    async with db.writing() as session:
        rows = await session.execute(
            update(EffectRow)
            .where(
                EffectRow.id == effect.id,
                EffectRow.fence == effect.fence,
                EffectRow.state == EffectState.CLAIMED.value,
            )
            .values(**_written_back(effect, outcome, now))
            .returning(EffectRow.id)
            .execution_options(synchronize_session=False)
        )
        if rows.scalar_one_or_none() is None:
            return False
        if outcome.then is not None:
            await outcome.then(session)
    return True


def _written_back(effect: Effect, outcome: Outcome, now: int) -> dict[str, Any]:
    """Columns after the outcome; an effect that was nudged while it ran is owed again at once."""
    state, due_at = _after(effect, outcome, now)
    went_well = not isinstance(outcome, Retry)
    nudged_due = case(
        (EffectRow.due_at < due_at, EffectRow.due_at), else_=due_at
    ) if state is EffectState.OWED else EffectRow.due_at  # fmt: skip
    error = None
    if isinstance(outcome, Retry):
        error = outcome.error[:ERROR_LENGTH]
    elif isinstance(outcome, Skip):
        error = outcome.reason[:ERROR_LENGTH]
    owed = state is EffectState.OWED
    return {
        "state": case((EffectRow.nudged, EffectState.OWED.value), else_=state.value),
        "due_at": case((EffectRow.nudged, nudged_due), else_=due_at),
        "attempts": 0 if went_well else EffectRow.attempts,
        "last_error": error,
        "finished_at": None if owed else case((EffectRow.nudged, None), else_=now),
        "nudged": False,
        "lease_until": None,
        "worker": None,
    }


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


async def next_due(db: Database) -> int | None:
    """When there is something to claim (Unix ms): the earliest due, or lease that ends; None for nothing.

    A lease that has ended by the database's time is due at once, whatever the caller's own clock says.
    """
    async with db.reading() as session:
        due_at, lease_until, db_now = (await session.execute(_next_due(db.dialect))).one()
    if lease_until is not None and lease_until < db_now:
        return 0
    return min((moment for moment in (due_at, lease_until) if moment is not None), default=None)


@cache
def _next_due(dialect: str) -> TextClause:
    return text(
        "SELECT (SELECT min(due_at) FROM effects WHERE state = 'owed'),"  # noqa: S608 - a constant
        " (SELECT min(lease_until) FROM effects WHERE state = 'claimed'),"
        f" {now_sql(dialect)}"
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
    """Wake whoever waits, once this transaction commits; SQLite's readers look at the WAL instead."""
    if _is_postgresql(session):
        await session.execute(text(f"NOTIFY {CHANNEL}"))


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"
