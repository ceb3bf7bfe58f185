"""The chain: canonical bytes (RFC 8785), each entry's SHA-256 over the one before and its own body.

A chain in our own database proves nothing against its administrator; what is printed on exports,
the head's digest, does.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_into
from webinar.hours.rules import GENESIS, Draft, Head, LedgerEntry, Verification, body_of, differs
from webinar.hours.tables import HourTotalRow, LedgerHeadRow, LedgerRow

PAGE = 1_000


def chained(previous_digest: str, body: Mapping[str, object]) -> str:
    """The digest of an entry, hexadecimal."""
    canonical: Any = dict(body)
    return hashlib.sha256(bytes.fromhex(previous_digest) + rfc8785.dumps(canonical)).hexdigest()


async def append(session: AsyncSession, drafts: Sequence[Draft], now: int) -> int:
    """Add what is not there yet; answers how many entries that were.

    Institutions are taken in the order of their ids, so that two who append cannot wait for each other.
    """
    added = 0
    for institution_id in sorted({draft.institution_id for draft in drafts}):
        mine = [draft for draft in drafts if draft.institution_id == institution_id]
        added += await _append(session, institution_id, mine, now)
    return added


async def head_of(session: AsyncSession, institution_id: str) -> Head:
    """The end of the chain, as it is printed on exports."""
    row = await session.get(LedgerHeadRow, institution_id)
    return Head(row.number, row.digest) if row else Head()


async def verify(session: AsyncSession, institution_id: str) -> Verification:
    """Recompute the chain from its first entry to its head."""
    previous, number, problems = GENESIS, 0, []
    head, before = Head(), -1
    # Others may append meanwhile: the end is reached when no more has come until the head was read.
    while number > before:
        before = number
        async for entry in _entries(session, institution_id, number):
            number += 1
            if entry.number != number:
                problems.append(f"entry {number} is missing: the next is {entry.number}")
                number = entry.number
            if entry.previous_digest != previous:
                problems.append(f"entry {entry.number} does not follow the one before")
            if chained(entry.previous_digest, entry.body) != entry.digest:
                problems.append(f"entry {entry.number} is not what was signed into the chain")
            problems += [f"entry {entry.number}: {name} was changed" for name in differs(entry)]
            previous = entry.digest
        head = await _fresh_head(session, institution_id)
        if head.number <= number:
            break
    if head != Head(number, previous):
        problems.append(f"the chain ends at entry {number}, its head says {head.number}")
    return Verification(number, head, tuple(problems))


async def _fresh_head(session: AsyncSession, institution_id: str) -> Head:
    query = select(LedgerHeadRow.number, LedgerHeadRow.digest)
    row = (await session.execute(query.where(LedgerHeadRow.institution_id == institution_id))).one_or_none()
    return Head(*row) if row else Head()


async def _append(session: AsyncSession, institution_id: str, drafts: Sequence[Draft], now: int) -> int:
    head = await _locked_head(session, institution_id)
    keys = [draft.key for draft in drafts]
    there: set[str] = set()
    for first in range(0, len(keys), PAGE):
        some = select(LedgerRow.key).where(LedgerRow.key.in_(keys[first : first + PAGE]))
        there.update(await session.scalars(some))
    rows = []
    for draft in drafts:
        if draft.key in there:
            continue
        there.add(draft.key)
        row = _row(draft, head, now)
        rows.append(row)
        head = Head(row["number"], row["digest"])
    if rows:
        await session.execute(insert(LedgerRow), rows)
        await session.execute(
            update(LedgerHeadRow)
            .where(LedgerHeadRow.institution_id == institution_id)
            .values(number=head.number, digest=head.digest)
        )
        await _add_up(session, rows)
    return len(rows)


async def _add_up(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what each person's year adds up to; whoever appends holds the head, so that nobody is lost."""
    added: dict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in rows:
        jp, entries = added[row["person_id"], row["year"]]
        added[row["person_id"], row["year"]] = (jp + row["jp"], entries + 1)
    institution_id = rows[0]["institution_id"]
    values = [
        {"person_id": person, "year": year, "institution_id": institution_id, "jp": jp, "entries": entries}
        for (person, year), (jp, entries) in sorted(added.items())
    ]
    statement = insert_into(session, HourTotalRow)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "year"],
            set_={
                "jp": HourTotalRow.jp + statement.excluded.jp,
                "entries": HourTotalRow.entries + statement.excluded.entries,
                "institution_id": statement.excluded.institution_id,
            },
        ),
        values,
    )


async def _locked_head(session: AsyncSession, institution_id: str) -> Head:
    await session.execute(
        insert_into(session, LedgerHeadRow)
        .values(institution_id=institution_id, number=0, digest=GENESIS)
        .on_conflict_do_nothing(index_elements=["institution_id"])
    )
    locked = select(LedgerHeadRow.number, LedgerHeadRow.digest)
    where = LedgerHeadRow.institution_id == institution_id
    number, digest = (await session.execute(locked.where(where).with_for_update())).one()
    return Head(number, digest)


def _row(draft: Draft, head: Head, now: int) -> dict[str, Any]:
    body = body_of(draft, head.number + 1, now)
    columns = {name: value for name, value in body.items() if name != "facts"}
    return {
        **columns,
        "body": body,
        "previous_digest": head.digest,
        "digest": chained(head.digest, body),
    }


async def _entries(session: AsyncSession, institution_id: str, last: int = 0) -> Any:
    while True:
        rows = (
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.institution_id == institution_id, LedgerRow.number > last)
                .order_by(LedgerRow.number)
                .limit(PAGE)
                .execution_options(populate_existing=True)
            )
        ).all()
        for row in rows:
            yield entry_of(row)
        if len(rows) < PAGE:
            return
        last = rows[-1].number
        session.expunge_all()


def entry_of(row: LedgerRow) -> LedgerEntry:
    return LedgerEntry(
        institution_id=row.institution_id,
        number=row.number,
        key=row.key,
        person_id=row.person_id,
        lecture_id=row.lecture_id,
        year=row.year,
        kind=row.kind,
        jp=row.jp,
        body=row.body,
        at=row.at,
        previous_digest=row.previous_digest,
        digest=row.digest,
    )
