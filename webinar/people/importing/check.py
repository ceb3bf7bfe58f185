"""Reads a table and says everything that is wrong with it, before anything is saved.

Reading and judging run in a thread, some hundred rows at a time, and the database is asked in short
readings: a file of 50,000 rows neither stops the site nor fills the memory.
"""

import asyncio
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update

from webinar.core.database import Database
from webinar.core.errors import Forbidden, Invalid
from webinar.core.ids import new_id
from webinar.people import rules as people_rules
from webinar.people import store as people
from webinar.people.access import Role, Scope
from webinar.people.importing import files, rules, store
from webinar.people.importing.rules import (
    Columns,
    ImportState,
    Known,
    Options,
    Problem,
    Reading,
    Seen,
    UnitIndex,
)
from webinar.people.importing.store import CheckedRow, Import, Summary
from webinar.people.tables import ImportRow

CHUNK = 400
EXAMPLES = 20
_KINDS = ("new", "changed", "unchanged", "wrong")
KEPT_MS = 7 * 86_400_000


async def check(
    db: Database, scope: Scope, *, content: bytes, file_name: str, now: int, options: Options | None = None
) -> Import:
    """Check a table and keep the right rows for `write.confirm`; nothing is changed yet.

    Raises:
        Invalid: at `file`, when it is no table that we read.
        Forbidden: the scope may not import, or not make units.
    """
    options = options or Options()
    scope.require(Role.ORGANISER)
    if options.create_units and not scope.administers_institution:
        raise Forbidden
    units = await _units(db, scope, options)
    table = await asyncio.to_thread(files.rows, content, file_name)
    header = await asyncio.to_thread(next, table, None)
    checker = _Checker(rules.columns_of(header[1] if header else []), units, options)
    while chunk := await asyncio.to_thread(_take, checker, table):
        nips = [nip for reading in chunk if (nip := people_rules.normal_nip(reading.draft.nip))]
        emails = [email for reading in chunk if (email := people_rules.normal_email(reading.draft.email))]
        async with db.reading() as session:
            by_nip, by_email = await store.known(session, scope, nips, emails)
        await asyncio.to_thread(checker.judge, chunk, by_nip, by_email)
    return await _keep(db, scope, checker, file_name, now)


async def discard(db: Database, scope: Scope, import_id: str) -> None:
    """Throw away what was checked and not confirmed; harmless when it was confirmed meanwhile."""
    async with db.writing() as session:
        await store.get(session, scope, import_id)
        await session.execute(
            delete(ImportRow).where(ImportRow.id == import_id, ImportRow.state == ImportState.CHECKED.value)
        )


async def _units(db: Database, scope: Scope, options: Options) -> UnitIndex:
    async with db.reading() as session:
        if options.default_unit_id:
            default = await people.unit(session, scope, options.default_unit_id)
            scope.require(Role.ORGANISER, default.path)
        return UnitIndex(await people.units(session, scope, below=scope.paths(Role.ORGANISER)))


def _take(checker: "_Checker", table: Iterator[files.Row]) -> list[Reading]:
    return [checker.read(row, cells) for row, cells in islice(table, CHUNK)]


@dataclass(slots=True)
class _Checker:
    """Goes through the rows once and keeps counts, the first problems, and the right rows, compressed."""

    columns: Columns
    units: UnitIndex
    options: Options
    seen: Seen = field(default_factory=Seen)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    problems: list[Problem] = field(default_factory=list)
    wrong_total: int = 0
    examples: list[Mapping[str, Any]] = field(default_factory=list)
    new_units: dict[str, str] = field(default_factory=dict)
    _packer: Any = field(default_factory=lambda: zlib.compressobj(6))
    _packed: list[bytes] = field(default_factory=list)

    def read(self, row: int, cells: Sequence[str]) -> Reading:
        return rules.read_row(self.columns, row, cells, self.units, self.options)

    def judge(
        self, chunk: Sequence[Reading], by_nip: Mapping[str, Known], by_email: Mapping[str, Known]
    ) -> None:
        for reading in chunk:
            problems = [*reading.problems, *self.seen.repeated(reading, self.columns)]
            known = rules.matched(
                reading,
                by_nip.get(people_rules.normal_nip(reading.draft.nip)),
                by_email.get(people_rules.normal_email(reading.draft.email)),
                self.columns,
            )
            if isinstance(known, Problem):
                problems.append(known)
            elif known is not None and not problems:
                problems += self._update(reading, known)
            elif not problems:
                self._new(reading)
            if problems:
                self._wrong(problems)

    def _new(self, reading: Reading) -> None:
        self.counts["new"] += 1
        self._pack(CheckedRow(reading.row, reading.draft, new_unit=self._unit_name(reading)))
        self._show(reading.row, "new", reading.draft.name, {})

    def _update(self, reading: Reading, known: Known) -> list[Problem]:
        if problem := self.seen.same_person(reading, known, self.columns):
            return [problem]
        draft = rules.merged(reading, known)
        problems = rules.merged_problems(reading, draft, self.columns)
        if problems:
            return problems
        changed = rules.changed_fields(known.draft, draft)
        if problem := rules.power_problem(reading, known, changed, self.columns):
            return [problem]
        self.counts["changed" if changed else "unchanged"] += 1
        if changed:
            new_unit = self._unit_name(reading)
            self._pack(CheckedRow(reading.row, draft, known.id, known.version, new_unit))
            self._show(reading.row, "changed", draft.name, changed)
        return []

    def _unit_name(self, reading: Reading) -> str:
        """One spelling for each unit that is to be made, the first."""
        if not reading.new_unit:
            return ""
        return self.new_units.setdefault(people_rules.sort_name(reading.new_unit), reading.new_unit)

    def _wrong(self, problems: Sequence[Problem]) -> None:
        self.counts["wrong"] += 1
        self.wrong_total += len(problems)
        self.problems += problems[: store.PROBLEMS_KEPT - len(self.problems)]

    def _show(self, row: int, kind: str, name: str, changed: Mapping[str, tuple[str, str]]) -> None:
        # Changes come before new people in the preview: they overwrite something.
        if sum(example["kind"] == kind for example in self.examples) < EXAMPLES:
            self.examples.append({"row": row, "kind": kind, "name": name, "changes": changed})

    def _pack(self, row: CheckedRow) -> None:
        self._packed.append(self._packer.compress(row.to_json()))

    def packed(self) -> bytes:
        return b"".join([*self._packed, self._packer.flush()])

    def summary(self) -> Summary:
        return Summary(
            new=self.counts["new"],
            changed=self.counts["changed"],
            unchanged=self.counts["unchanged"],
            wrong=self.counts["wrong"],
            wrong_total=self.wrong_total,
            ignored_columns=self.columns.ignored,
            new_units=sorted(self.new_units.values()),
            default_unit_id=self.options.default_unit_id,
            examples=sorted(self.examples, key=lambda example: (example["kind"], example["row"])),
        )


async def _keep(db: Database, scope: Scope, checker: _Checker, file_name: str, now: int) -> Import:
    if not any(checker.counts.values()):
        raise Invalid.at("file", "The table has headings, but no people.")
    import_id = new_id()
    async with db.writing() as session:
        await _forget_old(session, now)
        await session.execute(
            insert(ImportRow).values(
                id=import_id,
                institution_id=scope.institution_id,
                author_id=scope.person_id or scope.key_id,
                file_name=people_rules.tidy(file_name)[-200:],
                state=ImportState.CHECKED.value,
                content=checker.packed(),
                rows=checker.counts["new"] + checker.counts["changed"],
                problems=[asdict(problem) for problem in checker.problems],
                summary=asdict(checker.summary()),
                created_at=now,
            )
        )
        return await store.get(session, scope, import_id)


async def _forget_old(session: Any, now: int) -> None:
    """Names and NIPs of a file are kept for a week: long enough to look into it."""
    old = ImportRow.created_at < now - KEPT_MS
    await session.execute(delete(ImportRow).where(old, ImportRow.state == ImportState.CHECKED.value))
    ended = [ImportState.DONE.value, ImportState.UNDONE.value]
    stale = select(ImportRow.id).where(old, ImportRow.state.in_(ended), ImportRow.content.is_not(None))
    await session.execute(update(ImportRow).where(ImportRow.id.in_(stale)).values(content=None, problems=[]))
