"""One batch of an import, in one short transaction of its own."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.people import rules as people_rules
from webinar.people.importing.rules import ImportState
from webinar.people.importing.store import CheckedRow, Import
from webinar.people.tables import ImportChangeRow, ImportRow, NipRow, PersonRow, SignInTokenRow

BATCH = 200

_COLUMNS = ("name", "sort_name", "unit_id", "email", "phone", "nip", "employment", "zone", "language")


async def write_batch(db: Database, found: Import, batch: Sequence[CheckedRow], now: int) -> bool:
    """One transaction. False when another writer was faster, or somebody took a NIP at this very moment."""
    try:
        async with db.writing() as session:
            if not await _advance(session, found, len(batch)):
                return False
            new = [_values(found, row) for row in batch if row.person_id is None]
            free = await _still_free(session, new)
            await _insert(session, found, free, now)
            changed = await _update(session, found, [row for row in batch if row.person_id], now)
            left_out = len(batch) - len(free) - changed
            summary = replace(found.summary, left_out=found.summary.left_out + left_out)
            await session.execute(
                update(ImportRow)
                .where(ImportRow.id == found.id)
                .values(
                    created=ImportRow.created + len(free),
                    updated=ImportRow.updated + changed,
                    summary=asdict(summary),
                )
            )
    except IntegrityError:
        return False
    return True


async def _advance(session: AsyncSession, found: Import, count: int) -> bool:
    moved = await session.execute(
        update(ImportRow)
        .where(
            ImportRow.id == found.id,
            ImportRow.state == ImportState.WRITING.value,
            ImportRow.written == found.written,
        )
        .values(written=found.written + count)
        .returning(ImportRow.id)
        .execution_options(synchronize_session=False)
    )
    return moved.scalar_one_or_none() is not None


def _values(found: Import, row: CheckedRow) -> dict[str, Any]:
    """Columns of `persons`, and the row's number."""
    fields = people_rules.as_fields(row.draft)
    values = {name: getattr(fields, name) for name in _COLUMNS}
    unit_id = found.summary.unit_ids[row.new_unit] if row.new_unit else fields.unit_id
    return values | {"unit_id": unit_id, "employment": fields.employment.value, "row": row.row}


async def _still_free(session: AsyncSession, new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose NIP and address nobody took since the check."""
    taken: dict[str, set[str]] = {}
    for name, column in (("nip", PersonRow.nip), ("email", PersonRow.email)):
        values = [person[name] for person in new if person[name]]
        found = await session.scalars(select(column).where(column.in_(values))) if values else ()
        taken[name] = {value for value in found if value}
    return [p for p in new if p["nip"] not in taken["nip"] and p["email"] not in taken["email"]]


async def _insert(session: AsyncSession, found: Import, new: Sequence[dict[str, Any]], now: int) -> None:
    if not new:
        return
    made = [
        {name: person[name] for name in _COLUMNS}
        | {"id": new_id(), "institution_id": found.institution_id, "version": 1, "created_at": now}
        for person in new
    ]
    await session.execute(insert(PersonRow), made)
    nips = [{"person_id": p["id"], "nip": p["nip"], "since": now} for p in made if p["nip"]]
    if nips:
        await session.execute(insert(NipRow), nips)
    await session.execute(
        insert(ImportChangeRow),
        [
            {"import_id": found.id, "row": p["row"], "person_id": m["id"], "before": None, "version_after": 1}
            for p, m in zip(new, made, strict=True)
        ],
    )


async def _update(session: AsyncSession, found: Import, rows: Sequence[CheckedRow], now: int) -> int:
    """Change those who are still as the check saw them; how many."""
    if not rows:
        return 0
    current = await session.scalars(
        select(PersonRow).where(PersonRow.id.in_([row.person_id for row in rows])).with_for_update()
    )
    people = {person.id: person for person in current}
    taken = await _taken(session, rows)
    written: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    nips: list[dict[str, Any]] = []
    for row in rows:
        person = people.get(row.person_id or "")
        if person is None or person.version != row.version or person.deactivated_at is not None:
            continue
        values = _values(found, row)
        del values["row"]
        if (
            taken.get(values["nip"], person.id) != person.id
            or taken.get(values["email"], person.id) != person.id
        ):
            continue
        before = {name: getattr(person, name) for name in values if getattr(person, name) != values[name]}
        after = person.version + 1
        written.append({"id": person.id, "version": after} | values)
        kept.append({"import_id": found.id, "row": row.row, "person_id": person.id})
        kept[-1] |= {"before": before, "version_after": after}
        if "nip" in before and values["nip"]:
            nips.append({"person_id": person.id, "nip": values["nip"], "since": now})
    for person in people.values():
        session.expunge(person)
    if written:
        await session.execute(update(PersonRow), written)
        await session.execute(insert(ImportChangeRow), kept)
        readdressed = [change["person_id"] for change in kept if "email" in change["before"]]
        await session.execute(delete(SignInTokenRow).where(SignInTokenRow.person_id.in_(readdressed)))
    if nips:
        await session.execute(insert(NipRow), nips)
    return len(written)


async def _taken(session: AsyncSession, rows: Sequence[CheckedRow]) -> dict[str | None, str]:
    """Who has the NIPs and addresses of the rows by now, by NIP or address."""
    nips = [row.draft.nip for row in rows if row.draft.nip]
    emails = [row.draft.email for row in rows if row.draft.email]
    holders: dict[str | None, str] = {}
    for column, values in (
        (PersonRow.nip, [people_rules.normal_nip(nip) for nip in nips]),
        (PersonRow.email, [people_rules.normal_email(email) for email in emails]),
    ):
        found = await session.execute(select(column, PersonRow.id).where(column.in_(values)))
        holders.update({row[0]: row[1] for row in found})
    return holders
