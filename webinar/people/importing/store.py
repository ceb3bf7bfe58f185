"""Named queries on imports."""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import NotFound
from webinar.people.access import Role, Scope, in_institution
from webinar.people.importing.rules import ImportState, Known, Problem
from webinar.people.rules import PersonDraft
from webinar.people.tables import ImportChangeRow, ImportRow, PersonRow, RoleRow, UnitRow

# An upload of 50,000 wrong rows tells the first of them and how many there are.
PROBLEMS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A right row, as it waits to be written. `person_id` and `version` are None and 0 for somebody new."""

    row: int
    draft: PersonDraft
    person_id: str | None = None
    version: int = 0
    new_unit: str = ""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> "CheckedRow":
        said = json.loads(line)
        return cls(**said | {"draft": PersonDraft(**said["draft"])})


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of the check, of the writing and of the undoing, and what the preview shows.

    `examples` are the first rows: {"row", "kind": "new" | "changed", "name", "changes": {field: [old, new]}}.
    `wrong` counts rows, `wrong_total` problems.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    wrong: int = 0
    wrong_total: int = 0
    ignored_columns: Sequence[str] = ()
    new_units: Sequence[str] = ()
    unit_ids: Mapping[str, str] = field(default_factory=dict)
    default_unit_id: str = ""
    examples: Sequence[Mapping[str, Any]] = ()
    left_out: int = 0
    deleted: int = 0
    deactivated: int = 0
    restored: int = 0
    kept: int = 0
    # What the undoing did not touch, and why, for the author to look at.
    kept_people: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An import as pages show it. `rows` is how many right rows wait or were written; times in Unix ms."""

    id: str
    institution_id: str
    author_id: str | None
    file_name: str
    state: ImportState
    rows: int
    written: int
    created: int
    updated: int
    problems: Sequence[Problem]
    summary: Summary
    created_at: int
    finished_at: int | None

    @property
    def undone(self) -> int:
        """How many people the undoing has dealt with."""
        seen = self.summary
        return seen.deleted + seen.deactivated + seen.restored + seen.kept


async def get(session: AsyncSession, scope: Scope, import_id: str) -> Import:
    """Raises NotFound, also for imports of others unless the scope administers the institution."""
    row = await session.scalar(
        select(ImportRow).where(ImportRow.id == import_id, in_institution(scope, ImportRow.institution_id))
    )
    if row is None or not _may_see(scope, row):
        raise NotFound
    return _import(row)


async def latest(session: AsyncSession, scope: Scope, limit: int = 10) -> list[Import]:
    """The newest imports that the scope may see."""
    query = select(ImportRow).where(in_institution(scope, ImportRow.institution_id))
    if not _sees_all(scope):
        query = query.where(ImportRow.author_id == scope.person_id)
    rows = await session.scalars(query.order_by(ImportRow.created_at.desc()).limit(limit))
    return [_import(row) for row in rows]


async def content(session: AsyncSession, import_id: str) -> bytes:
    """The checked rows, compressed; empty when they were thrown away."""
    return await session.scalar(select(ImportRow.content).where(ImportRow.id == import_id)) or b""


def unpacked(compressed: bytes, skip: int = 0) -> Iterator[CheckedRow]:
    """The checked rows from the given one on, one by one, so that a long import stays small in memory."""
    return (CheckedRow.from_json(line) for line in islice(_lines(compressed), skip, None))


def _lines(compressed: bytes) -> Iterator[bytes]:
    reader = zlib.decompressobj()
    rest, waiting = b"", compressed
    while waiting:
        rest += reader.decompress(waiting, 65_536)
        waiting = reader.unconsumed_tail
        *lines, rest = rest.split(b"\n")
        yield from lines
    *lines, _ = (rest + reader.flush()).split(b"\n")
    yield from lines


async def known(
    session: AsyncSession, scope: Scope, nips: Collection[str], emails: Collection[str]
) -> tuple[dict[str, Known], dict[str, Known]]:
    """Who has these NIPs and addresses already, by NIP and by address, in all institutions."""
    by_nip: dict[str, Any] = {}
    by_email: dict[str, Any] = {}
    for column, values, found in ((PersonRow.nip, nips, by_nip), (PersonRow.email, emails, by_email)):
        if values:
            rows = await session.execute(_people().where(column.in_(values)))
            for person, path in rows:
                found[getattr(person, column.key)] = (person, path)
    people = {row.id: (row, path) for row, path in [*by_nip.values(), *by_email.values()]}
    held = await _grants(session, people)
    made = {id: _known(scope, row, path, held.get(id, ())) for id, (row, path) in people.items()}
    return (
        {nip: made[row.id] for nip, (row, _) in by_nip.items()},
        {email: made[row.id] for email, (row, _) in by_email.items()},
    )


async def changes(session: AsyncSession, import_id: str, limit: int) -> list[ImportChangeRow]:
    """What the import did and nobody has undone yet, the newest first."""
    rows = await session.scalars(
        select(ImportChangeRow)
        .where(ImportChangeRow.import_id == import_id)
        .order_by(ImportChangeRow.row.desc())
        .limit(limit)
    )
    return list(rows)


def _people() -> Any:
    return select(PersonRow, UnitRow.path).join(UnitRow, UnitRow.id == PersonRow.unit_id)


async def _grants(session: AsyncSession, ids: Collection[str]) -> dict[str, list[str]]:
    if not ids:
        return {}
    rows = await session.execute(
        select(RoleRow.person_id, UnitRow.path)
        .join(UnitRow, UnitRow.id == RoleRow.unit_id)
        .where(RoleRow.person_id.in_(ids))
    )
    held: dict[str, list[str]] = {}
    for person_id, path in rows:
        held.setdefault(person_id, []).append(path)
    return held


def _known(scope: Scope, row: PersonRow, path: str, held: Sequence[str]) -> Known:
    return Known(
        row.id,
        row.version,
        draft_of(row),
        active=row.deactivated_at is None,
        mine=scope.reaches(Role.ORGANISER, path),
        powerful=any(not scope.reaches(Role.ADMINISTRATOR, unit) for unit in held),
    )


def draft_of(row: PersonRow) -> PersonDraft:
    return PersonDraft(
        name=row.name,
        unit_id=row.unit_id,
        email=row.email or "",
        phone=row.phone or "",
        nip=row.nip or "",
        employment=row.employment,
        zone=row.zone,
        language=row.language,
    )


def _sees_all(scope: Scope) -> bool:
    return scope.key_id is None and (scope.person_id is None or scope.administers_institution)


def _may_see(scope: Scope, row: ImportRow) -> bool:
    return _sees_all(scope) or row.author_id == (scope.person_id or scope.key_id)


def _import(row: ImportRow) -> Import:
    values = {name: getattr(row, name) for name in Import.__slots__}
    problems = [Problem(**problem) for problem in row.problems]  # type: ignore[arg-type]  # our own JSON
    summary = Summary(**row.summary)  # type: ignore[arg-type]  # our own JSON
    return Import(**values | {"state": ImportState(row.state), "problems": problems, "summary": summary})
