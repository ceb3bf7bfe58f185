"""Takes an import back: who was created is deleted, who was changed is restored.

Somebody to whom anything refers by now (a registration, a session, hours) is deactivated and not
deleted; somebody who was changed since stays as they are, and is told.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database
from webinar.core.tables import Base
from webinar.people import service
from webinar.people.importing import store
from webinar.people.importing.rules import ImportState
from webinar.people.importing.store import Import, Summary
from webinar.people.tables import ImportChangeRow, ImportRow, NipRow, PersonRow

BATCH = 100
KEPT_SHOWN = 200
# These belong to the person or to the import itself, and go with them.
_OWN = frozenset({NipRow.__tablename__})


async def undo_batch(db: Database, found: Import, now: int) -> None:
    """Undo the newest changes in one transaction; at the end of them the import is undone."""
    try:
        async with db.writing() as session:
            await _undo(session, found, now, careful=False)
    except IntegrityError:
        # Something refers that this process has no table for: find out whom, one by one.
        async with db.writing() as session:
            await _undo(session, found, now, careful=True)


async def _undo(session: AsyncSession, found: Import, now: int, *, careful: bool) -> None:
    summary = await _locked(session, found)
    if summary is None:
        return
    changes = await store.changes(session, found.id, BATCH)
    if not changes:
        await _set(session, found.id, state=ImportState.UNDONE.value, finished_at=now)
        return
    people = {row.id: row for row in await session.scalars(
        select(PersonRow).where(PersonRow.id.in_([change.person_id for change in changes]))
    )}  # fmt: skip
    for row in [*changes, *people.values()]:
        session.expunge(row)
    await session.execute(
        delete(ImportChangeRow).where(
            ImportChangeRow.import_id == found.id, ImportChangeRow.row.in_([c.row for c in changes])
        )
    )
    created = [people[change.person_id] for change in changes if change.before is None]
    summary = await _take_back_created(session, created, summary, now, careful=careful)
    changed = [change for change in changes if change.before is not None]
    summary = await _restore(session, changed, people, summary)
    await _set(session, found.id, summary=asdict(summary))


async def _locked(session: AsyncSession, found: Import) -> Summary | None:
    """The counts so far, while nobody else undoes the same import."""
    row = await session.scalar(
        select(ImportRow.summary)
        .where(ImportRow.id == found.id, ImportRow.state == ImportState.UNDOING.value)
        .with_for_update()
    )
    return Summary(**row) if row is not None else None  # type: ignore[arg-type]  # our own JSON


async def _take_back_created(
    session: AsyncSession, created: Sequence[PersonRow], summary: Summary, now: int, *, careful: bool
) -> Summary:
    ids = [person.id for person in created]
    referred = await _referred(session, ids) | {person.id for person in created if person.version != 1}
    free = [id for id in ids if id not in referred]
    if careful:
        free = [id for id in free if await _deletable(session, id)]
    else:
        await _delete(session, free)
    gone = [person for person in created if person.id not in set(free)]
    for person in gone:
        await service.end_access(session, person.id)
    active = [person.id for person in gone if person.deactivated_at is None]
    await session.execute(
        update(PersonRow)
        .where(PersonRow.id.in_(active))
        .values(deactivated_at=now, version=PersonRow.version + 1)
        .execution_options(synchronize_session=False)
    )
    return replace(
        summary,
        deleted=summary.deleted + len(free),
        deactivated=summary.deactivated + len(gone),
        kept_people=_noted(summary, [(p.id, p.name, "deactivated") for p in gone]),
    )


async def _restore(
    session: AsyncSession,
    changes: Sequence[ImportChangeRow],
    people: dict[str, PersonRow],
    summary: Summary,
) -> Summary:
    same = [c for c in changes if people[c.person_id].version == c.version_after]
    kept = [c for c in changes if people[c.person_id].version != c.version_after]
    restored = 0
    for change in same:
        try:
            async with session.begin_nested():
                await session.execute(
                    update(PersonRow)
                    .where(PersonRow.id == change.person_id)
                    .values(version=PersonRow.version + 1, **(change.before or {}))
                    .execution_options(synchronize_session=False)
                )
            restored += 1
        except IntegrityError:
            # Somebody else took the old address meanwhile.
            kept.append(change)
    noted = [(c.person_id, people[c.person_id].name, "changed_since") for c in kept]
    return replace(
        summary,
        restored=summary.restored + restored,
        kept=summary.kept + len(kept),
        kept_people=_noted(summary, noted),
    )


def _noted(summary: Summary, people: Sequence[tuple[str, str, str]]) -> list[dict[str, object]]:
    more = [{"id": id, "name": name, "why": why} for id, name, why in people]
    return [*map(dict, summary.kept_people), *more][:KEPT_SHOWN]


async def _referred(session: AsyncSession, ids: Collection[str]) -> set[str]:
    """To whom any table refers, of this noun or of those above: the foreign keys tell which."""
    found: set[str] = set()
    for table in Base.metadata.tables.values():
        if table.name in _OWN:
            continue
        for key in table.foreign_keys:
            if key.column.table.name == PersonRow.__tablename__:
                column = key.parent
                found.update(await session.scalars(select(column).where(column.in_(ids)).distinct()))
    return found


async def _delete(session: AsyncSession, ids: Sequence[str]) -> None:
    await session.execute(delete(NipRow).where(NipRow.person_id.in_(ids)))
    await session.execute(
        delete(PersonRow).where(PersonRow.id.in_(ids)).execution_options(synchronize_session=False)
    )


async def _deletable(session: AsyncSession, id: str) -> bool:
    try:
        async with session.begin_nested():
            await _delete(session, [id])
    except IntegrityError:
        return False
    return True


async def _set(session: AsyncSession, import_id: str, **values: object) -> None:
    await session.execute(
        update(ImportRow)
        .where(ImportRow.id == import_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
