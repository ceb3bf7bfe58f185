"""Attendance as it was stored when a lecture became final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance.credit_rules import Credit, Interval, Presence, State
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.rules import RULES_VERSION
from webinar.attendance.tables import AttendanceRow
from webinar.policies.rules import Sentence


@dataclass(frozen=True, slots=True)
class Stored:
    """What was decided about one registration; `jp` in hundredths."""

    registration_id: str
    lecture_id: str
    presence: Presence
    seconds: int
    uncertainty_s: int
    jp: int
    state: State
    why: tuple[Sentence, ...]
    high_water: Mapping[str, int]
    computed_at: int

    @property
    def credit(self) -> Credit:
        return Credit(self.seconds, self.uncertainty_s, self.jp, self.state, self.why)


async def of_lecture(session: AsyncSession, lecture_id: str) -> dict[str, Stored]:
    """By registration id; empty before the lecture is final."""
    rows = await session.scalars(select(AttendanceRow).where(AttendanceRow.lecture_id == lecture_id))
    return {row.registration_id: _stored(row) for row in rows}


async def of_registrations(session: AsyncSession, ids: Sequence[str]) -> dict[str, Stored]:
    """By registration id, for those whose lecture is final."""
    rows = await session.scalars(select(AttendanceRow).where(AttendanceRow.registration_id.in_(ids)))
    return {row.registration_id: _stored(row) for row in rows}


async def add(session: AsyncSession, log: AttendanceLog) -> None:
    """Keep each entry of a log."""
    if log.entries:
        await session.execute(insert(AttendanceRow), [_values(log, entry) for entry in log.entries])


def _values(log: AttendanceLog, entry: Entry) -> dict[str, Any]:
    return {
        "registration_id": entry.registration.id,
        "lecture_id": log.lecture.id,
        "person_id": entry.registration.person_id,
        "seconds": entry.credit.seconds,
        "uncertainty_s": entry.credit.uncertainty_s,
        "jp": entry.credit.jp,
        "state": entry.credit.state.value,
        "intervals": [[i.start, i.end, list(i.sources), i.uncertainty_ms] for i in entry.presence.intervals],
        "why": [[said.message, dict(said.fields)] for said in entry.credit.why],
        "rules_version": RULES_VERSION,
        "high_water": dict(log.high_water),
        "computed_at": log.computed_at,
    }


def _stored(row: AttendanceRow) -> Stored:
    intervals: Any = row.intervals
    why: Any = row.why
    return Stored(
        registration_id=row.registration_id,
        lecture_id=row.lecture_id,
        presence=Presence(tuple(Interval(s, e, tuple(names), off) for s, e, names, off in intervals)),
        seconds=row.seconds,
        uncertainty_s=row.uncertainty_s,
        jp=row.jp,
        state=State(row.state),
        why=tuple(Sentence(*said) for said in why),
        high_water=row.high_water,
        computed_at=row.computed_at,
    )
