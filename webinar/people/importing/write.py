"""Writes a checked import in short transactions, and takes it up where a crash left it.

Each batch moves `imports.written` on in its own transaction, compared with what it was before: two
writers never write one batch twice. Between batches it pauses, so that other writers, the log of
webhooks before all, get their turn.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, clock, effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Outcome
from webinar.core.effects_rules import Effect
from webinar.core.errors import IllegalMove
from webinar.people import units
from webinar.people.access import Scope
from webinar.people.importing import batches, check, rules, store, undo
from webinar.people.importing.rules import ImportState, Options
from webinar.people.importing.store import CheckedRow, Import
from webinar.people.tables import ImportRow, UnitRow

# A command writes by itself; should it die, the scheduler takes over after this.
TAKE_OVER_MS = 60_000
SLICE_S = 20.0


def effect_key(import_id: str) -> str:
    return f"import:{import_id}"


async def confirm(
    session: AsyncSession, scope: Scope, import_id: str, now: int, *, due_at: int | None = None
) -> Import:
    """Make the new units and owe the writing.

    Raises:
        IllegalMove: it was confirmed already.
    """
    found = await store.get(session, scope, import_id)
    await _move(session, found, "confirm")
    made = await _make_units(session, scope, found.summary.new_units, now)
    summary = replace(found.summary, unit_ids=made)
    await session.execute(update(ImportRow).where(ImportRow.id == import_id).values(summary=asdict(summary)))
    await _owe(session, import_id, due_at or now, now)
    await _tell(session, scope, found, "import_confirmed", now, rows=found.rows)
    return await _again(session, scope, import_id)


async def start_undo(session: AsyncSession, scope: Scope, import_id: str, now: int) -> Import:
    """Owe the undoing. Raises IllegalMove unless the import is done."""
    found = await store.get(session, scope, import_id)
    await _move(session, found, "undo")
    await _owe(session, import_id, now, now)
    await _tell(session, scope, found, "import_undo", now)
    return await _again(session, scope, import_id)


async def work(
    db: Database,
    import_id: str,
    now: Callable[[], int],
    *,
    slice_s: float | None = None,
    progress: Callable[[Import], None] | None = None,
) -> bool:
    """Write or undo until the end (or until the time slice is over); answers whether it is at the end."""
    until = None if slice_s is None else clock.monotonic() + slice_s
    scope = Scope.everything()
    async with db.reading() as session:
        found = await store.get(session, scope, import_id)
    while found.state in {ImportState.WRITING, ImportState.UNDOING}:
        if found.state is ImportState.WRITING:
            found = await _write_on(db, found, now, until, progress)
        else:
            await undo.undo_batch(db, found, now())
            await asyncio.sleep(rules.pace(one_writer=db.dialect == "sqlite").pause_s)
            async with db.reading() as session:
                found = await store.get(session, scope, import_id)
        if progress:
            progress(found)
        if until is not None and clock.monotonic() >= until:
            return found.state not in {ImportState.WRITING, ImportState.UNDOING}
    return True


async def import_file(
    db: Database,
    scope: Scope,
    path: Path,
    now: Callable[[], int],
    *,
    options: Options | None = None,
    only_if_right: bool = False,
    progress: Callable[[Import], None] | None = None,
) -> Import:
    """Check and write a file, as the command line does: right rows are written, wrong ones left out.

    With `only_if_right` nothing is written when anything is wrong. The answer tells all problems.
    """
    content = await asyncio.to_thread(path.read_bytes)
    checked = await check.check(db, scope, content=content, file_name=path.name, now=now(), options=options)
    if not checked.rows or (only_if_right and checked.summary.wrong):
        await check.discard(db, scope, checked.id)
        return checked
    async with db.writing() as session:
        await confirm(session, scope, checked.id, now(), due_at=now() + TAKE_OVER_MS)
    await work(db, checked.id, now, progress=progress)
    async with db.reading() as session:
        return await store.get(session, scope, checked.id)


class ImportWriter:
    """The handler of effects of kind `import`: writes or undoes in slices, so that no lease runs long."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def write_import(self, effect: Effect) -> Outcome:
        done = await work(self._db, str(effect.payload["import"]), self._clock.now, slice_s=SLICE_S)
        return Done() if done else Again(self._clock.now())


async def _write_on(
    db: Database,
    found: Import,
    now: Callable[[], int],
    until: float | None,
    progress: Callable[[Import], None] | None,
) -> Import:
    """Write batches from where the import stands; returns early when another writer was faster."""
    async with db.reading() as session:
        content = await store.content(session, found.id)
    rows = store.unpacked(content, found.written)
    pace = rules.pace(one_writer=db.dialect == "sqlite")
    size = pace.first
    while batch := await asyncio.to_thread(_take, rows, size):
        written = await batches.write_batch(db, found, batch, now())
        await asyncio.sleep(pace.pause_s)
        if written is None:
            break
        found, size = written.found, pace.next(size, written.held_ms)
        if progress:
            progress(found)
        if until is not None and clock.monotonic() >= until:
            return found
    if found.written == found.rows:
        await _finish(db, found, now())
    async with db.reading() as session:
        return await store.get(session, Scope.everything(), found.id)


def _take(rows: Iterator[CheckedRow], size: int) -> list[CheckedRow]:
    return list(islice(rows, size))


async def _make_units(
    session: AsyncSession, scope: Scope, names: Sequence[str], now: int
) -> Mapping[str, str]:
    """New units stand below the institution; one that somebody made meanwhile is used."""
    made: dict[str, str] = {}
    for name in names:
        scope.require_institution()
        there = await session.scalar(
            select(UnitRow.id)
            .where(UnitRow.institution_id == scope.institution_id, UnitRow.name == name)
            .limit(1)
        )
        made[name] = (
            there
            or (
                await units.create_unit(session, scope, parent_id=scope.institution_id, name=name, now=now)
            ).id
        )
    return made


async def _finish(db: Database, found: Import, now: int) -> None:
    async with db.writing() as session:
        await session.execute(
            update(ImportRow)
            .where(ImportRow.id == found.id, ImportRow.state == ImportState.WRITING.value)
            .values(state=ImportState.DONE.value, finished_at=now)
        )


async def _move(session: AsyncSession, found: Import, move: str) -> None:
    """One step of the import's life; the database decides between two who press at the same time."""
    target = rules.MOVES[move].get(found.state)
    moved = None
    if target is not None:
        moved = await session.scalar(
            update(ImportRow)
            .where(ImportRow.id == found.id, ImportRow.state == found.state.value)
            .values(state=target.value)
            .returning(ImportRow.id)
            .execution_options(synchronize_session=False)
        )
    if moved is None:
        raise IllegalMove(state=found.state.value, move=move)


async def _again(session: AsyncSession, scope: Scope, import_id: str) -> Import:
    session.expire_all()
    return await store.get(session, scope, import_id)


async def _owe(session: AsyncSession, import_id: str, due_at: int, now: int) -> None:
    await effects.owe(
        session,
        kind="import",
        key=effect_key(import_id),
        subject=f"import:{import_id}",
        due_at=due_at,
        now=now,
        payload={"import": import_id},
    )


async def _tell(
    session: AsyncSession, scope: Scope, found: Import, action: str, now: int, **fields: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("import", found.id),
        action=action,
        institution_id=found.institution_id,
        **fields,
    )
