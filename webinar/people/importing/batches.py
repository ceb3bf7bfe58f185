"""One batch of an import, in one short transaction of its own."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import clock
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.people import rules as people_rules
from webinar.people.importing.rules import ImportState
from webinar.people.importing.store import CheckedRow, Import
from webinar.people.tables import ImportChangeRow, ImportRow, NipRow, PersonRow, SignInTokenRow

# Plain tables: the mapper's part in a bulk insert would cost half as much again, inside the lock.
_PERSONS = cast(Table, PersonRow.__table__)
_NIPS = cast(Table, NipRow.__table__)
_CHANGES = cast(Table, ImportChangeRow.__table__)

_COLUMNS = ("name", "sort_name", "unit_id", "email", "phone", "nip", "employment", "zone", "language")


@dataclass(frozen=True, slots=True)
class Written:
    """The import after a batch, and for how many milliseconds other writers had to wait."""

    found: Import
    held_ms: float


async def write_batch(db: Database, found: Import, batch: Sequence[CheckedRow], now: int) -> Written | None:
    """Write the rows that follow `found.written`, in one transaction.

    Returns:
        None when nothing was written, since another writer was faster or
        somebody took a NIP or an address at this very moment: read the import again.
    """
    # Whatever needs no lock is done before the transaction: others wait for its end.
    prepared = [_values(found, row) for row in batch if row.person_id is None]
    ids = [new_id() for _ in prepared]
    changing = [row for row in batch if row.person_id]
    try:
        async with db.writing() as session:
            began = clock.monotonic()
            free = await _still_free(session, prepared)
            await _insert(session, found, free, ids, now)
            changed = await _update(session, found, changing, now) if changing else 0
            left_out = found.summary.left_out + len(batch) - len(free) - changed
            after = replace(
                found,
                written=found.written + len(batch),
                created=found.created + len(free),
                updated=found.updated + changed,
                summary=replace(found.summary, left_out=left_out),
            )
            await _advance(session, found, after)
    except (IntegrityError, _FasterError):
        return None
    return Written(after, (clock.monotonic() - began) * 1000)


class _FasterError(Exception):
    """Another writer wrote this batch."""


async def _advance(session: AsyncSession, before: Import, after: Import) -> None:
    values: dict[str, Any] = {"written": after.written, "created": after.created, "updated": after.updated}
    if after.summary != before.summary:
        values["summary"] = asdict(after.summary)
    moved = await session.execute(
        update(ImportRow)
        .where(
            ImportRow.id == before.id,
            ImportRow.state == ImportState.WRITING.value,
            ImportRow.written == before.written,
        )
        .values(**values)
        .returning(ImportRow.id)
        .execution_options(synchronize_session=False)
    )
    if moved.scalar_one_or_none() is None:
        raise _FasterError


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


async def _insert(
    session: AsyncSession, found: Import, new: Sequence[dict[str, Any]], ids: Sequence[str], now: int
) -> None:
    if not new:
        return
    same = {"institution_id": found.institution_id, "version": 1, "created_at": now}
    made = [
        {name: person[name] for name in _COLUMNS} | {"id": id} | same
        for person, id in zip(new, ids, strict=False)
    ]
    await session.execute(insert(_PERSONS), made)
    nips = [{"person_id": p["id"], "nip": p["nip"], "since": now} for p in made if p["nip"]]
    if nips:
        await session.execute(insert(_NIPS), nips)
    created = {"import_id": found.id, "before": None, "version_after": 1}
    changes = [created | {"row": p["row"], "person_id": m["id"]} for p, m in zip(new, made, strict=True)]
    await session.execute(insert(_CHANGES), changes)


async def _update(session: AsyncSession, found: Import, rows: Sequence[CheckedRow], now: int) -> int:
    """Change those who are still as the check saw them; how many."""
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
        await session.execute(insert(_CHANGES), kept)
        readdressed = [change["person_id"] for change in kept if "email" in change["before"]]
        await session.execute(delete(SignInTokenRow).where(SignInTokenRow.person_id.in_(readdressed)))
    if nips:
        await session.execute(insert(_NIPS), nips)
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
