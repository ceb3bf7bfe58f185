"""Examining an institution's ledger: its chain, its totals, and every credit from the evidence on.

Lecture by lecture, so that memory holds one at a time. Evidence is read up to the mark that was noted when
the lecture became final; what came later is no part of it. Of retired evidence the digest is compared.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.attendance.curve_rules import curve
from webinar.attendance.log_rules import AttendanceLog, computed
from webinar.attendance.rules import RULES_VERSION
from webinar.attendance.tables import AttendanceRow, TallyRow
from webinar.attendance.tally_rules import inputs_of, seat_of
from webinar.core.database import Database
from webinar.core.errors import NotFound
from webinar.evidence import digest_rules as digests
from webinar.evidence import store as evidences
from webinar.evidence.rules import Evidence
from webinar.evidence.tables import RetiredRow
from webinar.hours import ledger, posting, store
from webinar.hours.adjust_rules import Adjustment, adjustment_key, by_registration, steps
from webinar.hours.rules import CREDIT, Head, LedgerEntry, credit_key
from webinar.hours.tables import HourTotalRow, LedgerRow
from webinar.hours.verify_rules import Examined, Finding, differences
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration, Window
from webinar.lectures.tables import LectureRow
from webinar.policies import store as policies

SETTLED = (LectureState.FINAL.value, LectureState.ARCHIVED.value)
LECTURES = 100
# What lectures that became final before digests were kept have of their attendance.
ALWAYS_KEPT = ("lecture_id", "person_id", "seconds", "uncertainty_s", "jp", "state")
# What reading raises where somebody has put something else in the place of JSON or of an id.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, NotFound)
# Names are not kept as they were: people change theirs.
NAMES = frozenset({"sort_name"})


class Verifier:
    """`async for finding in Verifier(db, institution_id).run()`.

    Afterwards `examined` says how much was looked at, and `head` where the chain ends.
    """

    def __init__(self, db: Database, institution_id: str) -> None:
        self._db = db
        self._institution_id = institution_id
        self.examined = Examined()
        self.head = Head()

    async def run(self) -> AsyncIterator[Finding]:
        async for finding in self._chain():
            yield finding
        async for finding in self._totals():
            yield finding
        async for lecture_id in self._lectures():
            found = await self._lecture(lecture_id)
            self.examined = self.examined.with_more(lectures=1, credits=found.credits)
            for finding in found.findings:
                yield finding

    async def _lecture(self, lecture_id: str) -> "_Found":
        try:
            async with self._db.reading() as session:
                return await _of_lecture(session, lecture_id)
        except _UNREADABLE as error:
            broken = _Found(lecture_id)
            broken.wrong(f"what is kept of it cannot be read: {type(error).__name__}")
            return broken

    async def _chain(self) -> AsyncIterator[Finding]:
        try:
            async with self._db.reading() as session:
                found = await ledger.verify(session, self._institution_id)
        except _UNREADABLE as error:
            yield Finding("chain", f"cannot be read: {type(error).__name__}")
            return
        self.head = found.head
        self.examined = self.examined.with_more(entries=found.entries)
        for problem in found.problems:
            yield Finding("chain", problem)

    async def _totals(self) -> AsyncIterator[Finding]:
        """The kept sum of each person's year against the entries themselves; the database compares."""
        sums = (
            select(
                LedgerRow.person_id.label("person_id"),
                LedgerRow.year.label("year"),
                func.sum(LedgerRow.jp).label("jp"),
                func.count().label("entries"),
            )
            .where(LedgerRow.institution_id == self._institution_id)
            .group_by(LedgerRow.person_id, LedgerRow.year)
            .subquery()
        )
        kept = HourTotalRow
        same = (kept.person_id == sums.c.person_id) & (kept.year == sums.c.year)
        wrong = (
            select(sums.c.person_id, sums.c.year, sums.c.jp, sums.c.entries, kept.jp, kept.entries)
            .select_from(sums)
            .outerjoin(kept, same)
            .where(
                or_(
                    kept.jp.is_(None),
                    kept.jp != sums.c.jp,
                    kept.entries != sums.c.entries,
                    kept.institution_id != self._institution_id,
                )
            )
        )
        idle = (
            select(kept.person_id, kept.year, kept.jp, kept.entries)
            .outerjoin(sums, same)
            .where(kept.institution_id == self._institution_id, sums.c.jp.is_(None))
        )
        async with self._db.reading() as session:
            for person, year, jp, entries, kept_jp, kept_entries in await session.execute(wrong):
                yield Finding(
                    f"total of {year}",
                    "is not what the ledger adds up to",
                    person,
                    expected=[int(jp), entries],
                    found=None if kept_jp is None else [kept_jp, kept_entries],
                )
            for person, year, jp, entries in await session.execute(idle):
                yield Finding(f"total of {year}", "has no entries", person, expected=0, found=[jp, entries])

    async def _lectures(self) -> AsyncIterator[str]:
        """Ids of all lectures whose hours are settled, or that stand in the ledger."""
        last = ""
        in_ledger = select(LedgerRow.lecture_id).where(LedgerRow.institution_id == self._institution_id)
        kept = select(TallyRow.lecture_id).where(TallyRow.final)
        settled = LectureRow.state.in_(SETTLED) | LectureRow.id.in_(kept) | LectureRow.id.in_(in_ledger)
        while True:
            async with self._db.reading() as session:
                some = (
                    await session.scalars(
                        select(LectureRow.id)
                        .where(LectureRow.institution_id == self._institution_id, LectureRow.trial.is_(False))
                        .where(settled, LectureRow.id > last)
                        .order_by(LectureRow.id)
                        .limit(LECTURES)
                    )
                ).all()
            for lecture_id in some:
                yield lecture_id
            if len(some) < LECTURES:
                return
            last = some[-1]


class _Found:
    """What one lecture gave."""

    def __init__(self, lecture_id: str) -> None:
        self.where = f"lecture {lecture_id}"
        self.findings: list[Finding] = []
        self.credits = 0

    def wrong(self, what: str, **more: Any) -> None:
        self.findings.append(Finding(self.where, what, **more))

    def note(self, what: str) -> None:
        self.findings.append(Finding(self.where, what, note=True))


async def _of_lecture(session: AsyncSession, lecture_id: str) -> _Found:
    found = _Found(lecture_id)
    lecture = await lectures.find(session, lecture_id)
    kept = await session.get(TallyRow, lecture_id)
    if lecture is None or kept is None or not kept.final:
        found.wrong("is settled, but its attendance was not kept as final")
        return found
    rows = {row.registration_id: row for row in await _rows(session, lecture_id)}
    entries = await _entries(session, lecture_id)
    history = by_registration(await store.history(session, lecture_id))
    found.credits = len(rows)
    log = await _recomputed(session, lecture, kept, set(rows), found)
    if log is not None:
        _attendance(found, kept, rows, log)
    _credits(found, lecture, kept, rows, entries)
    _adjustments(found, rows, history, entries)
    known = {credit_key(lecture_id, row.person_id) for row in rows.values()}
    known |= {adjustment_key(one.id) for of in history.values() for one in of}
    for key, entry in entries.items():
        if key not in known:
            found.wrong("follows from nothing that is kept", entry=entry.number, person_id=entry.person_id)
    return found


async def _recomputed(
    session: AsyncSession, lecture: Lecture, kept: TallyRow, settled: set[str], found: _Found
) -> AttendanceLog | None:
    """The log from the evidence of then, or None where it cannot be computed any more."""
    seats = [
        replace(seat, state="registered" if seat.id in settled else "cancelled")
        for seat in await lectures.registrations(session, lecture.id, active=False)
    ]
    if missing := settled - {seat.id for seat in seats}:
        found.wrong("has attendance of registrations that do not exist", found=sorted(missing)[:5])
    policy = await policies.get(session, lecture.policy_id, kept.policy_version)
    if kept.policy_version != lecture.policy_version:
        found.wrong(
            "was settled with another policy",
            expected=lecture.policy_version, found=kept.policy_version,
        )  # fmt: skip
    window = Window(tuple((start, end) for start, end in kept.window))
    if kept.inputs and kept.inputs != _inputs(lecture, window, policy, kept.rules_version, seats):
        found.wrong("its window, seats, JP or policy are not those that it was settled with")
    names = [room.name for room in await lectures.rooms_of(session, lecture.id)]
    mark = {name: int(at) for name, at in kept.high_water.items()}
    evidence = await evidences.evidence_of(session, lecture.id, names, until=mark)
    if not await _evidence_holds(session, lecture.id, kept, evidence, found):
        return None
    if kept.rules_version != RULES_VERSION:
        found.note(
            f"was settled by version {kept.rules_version} of the rules, these are version {RULES_VERSION}: "
            "its evidence was compared, what follows from it was not computed again"
        )
        return None
    return computed(lecture, window, policy, seats, evidence, kept.computed_at)


def _inputs(
    lecture: Lecture, window: Window, policy: Any, rules_version: int, seats: Sequence[Registration]
) -> str:
    active = (seat_of(seat.id, seat.role.value) for seat in seats if seat.active)
    return inputs_of(lecture, window, policy, rules_version, active)


async def _evidence_holds(
    session: AsyncSession, lecture_id: str, kept: TallyRow, evidence: Evidence, found: _Found
) -> bool:
    """Whether there is evidence to compute from; its digest is compared in any case."""
    rows = await session.scalars(select(RetiredRow).where(RetiredRow.lecture_id == lecture_id))
    retired = {row.kind: row for row in rows}
    if kept.evidence_sha256 is None:
        found.note("was settled before digests of evidence were kept")
        return not retired
    beats, record = retired.get(digests.HEARTBEATS), retired.get(digests.RECORD)
    digest = digests.joined(
        beats.sha256 if beats else digests.beats_digest(evidence),
        record.sha256 if record else digests.record_digest(evidence),
    )
    holds = digest == kept.evidence_sha256
    if not holds:
        found.wrong(
            "its evidence is not what it was settled with", expected=kept.evidence_sha256, found=digest
        )
    if not retired:
        return True
    names = " and ".join(sorted(retired))
    found.note(f"{names} retired, digest {'matches' if holds else 'DOES NOT MATCH'}")
    return False


async def _rows(session: AsyncSession, lecture_id: str) -> Sequence[AttendanceRow]:
    return (await session.scalars(select(AttendanceRow).where(AttendanceRow.lecture_id == lecture_id))).all()


async def _entries(session: AsyncSession, lecture_id: str) -> dict[str, LedgerEntry]:
    query = select(LedgerRow).where(LedgerRow.lecture_id == lecture_id).order_by(LedgerRow.id)
    return {row.key: ledger.entry_of(row) for row in await session.scalars(query)}


def _attendance(found: _Found, kept: TallyRow, rows: Mapping[str, AttendanceRow], log: AttendanceLog) -> None:
    """What is stored of each person, and the header over it, against what follows from the evidence."""
    whole = kept.evidence_sha256 is not None
    for entry in log.entries:
        row = rows[entry.registration.id]
        expected = attendances.values_of(log, entry, {})
        names = [name for name in (expected if whole else ALWAYS_KEPT) if name not in NAMES]
        for name, wanted, there in differences(
            {name: expected[name] for name in names}, {name: getattr(row, name) for name in names}
        ):
            found.wrong(f"{name} of the attendance", person_id=row.person_id, expected=wanted, found=there)
    if not whole:
        return
    expected = {
        "summary": dict(attendance.summary_of(log)),
        "curve": [list(point) for point in curve(log).points],
        "strangers": [
            [one.seat, one.presence.first_join, one.presence.last_leave, one.seconds] for one in log.strangers
        ],
        "rows": len(log.entries),
    }
    there_ = {
        "summary": kept.summary,
        "curve": kept.curve,
        "strangers": [[seat, *rest] for seat, _, *rest in kept.strangers],
        "rows": kept.rows,
    }
    for name, wanted, there in differences(expected, there_):
        found.wrong(f"{name} of the attendance's header", expected=wanted, found=there)


def _credits(
    found: _Found,
    lecture: Lecture,
    kept: TallyRow,
    rows: Mapping[str, AttendanceRow],
    entries: Mapping[str, LedgerEntry],
) -> None:
    """Everybody's credit in the ledger against the stored attendance."""
    for row in rows.values():
        entry = entries.get(credit_key(lecture.id, row.person_id))
        if entry is None:
            if row.jp:
                found.wrong(
                    "has no credit in the ledger", person_id=row.person_id, expected=row.jp, found=None
                )
            continue
        at = {"entry": entry.number, "person_id": row.person_id}
        facts = entry.body.get("facts")
        said = dict(facts) if isinstance(facts, Mapping) else {}
        expected = {
            "kind": CREDIT,
            "jp": row.jp,
            "registration_id": row.registration_id,
            "seconds": row.seconds,
            "uncertainty_s": row.uncertainty_s,
            "state": row.state,
            "lecture_jp": lecture.jp,
            "policy": {"id": lecture.policy_id, "version": kept.policy_version},
            "window": kept.window,
            "rules_version": kept.rules_version,
            "evidence": kept.high_water,
        }
        if "evidence_sha256" in said:
            expected["evidence_sha256"] = kept.evidence_sha256
        told = {**said, "kind": entry.kind, "jp": entry.jp}
        for name, wanted, there in differences(expected, {name: told.get(name) for name in expected}):
            found.wrong(f"{name} of the credit", **at, expected=wanted, found=there)


def _adjustments(
    found: _Found,
    rows: Mapping[str, AttendanceRow],
    history: Mapping[str, Sequence[Adjustment]],
    entries: Mapping[str, LedgerEntry],
) -> None:
    """Each adjustment in the ledger against what was adjusted; both begin at the stored attendance."""
    for id, made in history.items():
        if id not in rows:
            continue  # cancelled before it was settled: it never counted
        for step in steps(rows[id].jp, made):
            one = step.adjustment
            entry = entries.get(adjustment_key(one.id))
            if entry is None:
                found.wrong(f"adjustment {one.id} is not in the ledger", person_id=one.person_id)
                continue
            facts = entry.body.get("facts")
            said = dict(facts) if isinstance(facts, Mapping) else {}
            expected: dict[str, object] = {
                "jp": step.after - step.before,
                "person_id": one.person_id,
                "before": step.before,
                "after": step.after,
                "author_id": one.author_id,
                "undoes": one.undoes,
                "registration_id": one.registration_id,
            }
            # Words that named somebody who was erased are gone; that they were there, and when, is not.
            if one.reason:
                expected["reason_sha256"] = posting.digest_of_reason(one.reason)
            told = {**said, "jp": entry.jp, "person_id": entry.person_id}
            for name, wanted, there in differences(expected, {n: told.get(n) for n in expected}):
                found.wrong(
                    f"{name} of adjustment {one.id}", entry=entry.number, person_id=one.person_id,
                    expected=wanted, found=there,
                )  # fmt: skip
