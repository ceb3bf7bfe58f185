"""Attendance as it is stored: a row a registration, under a header that says what it was computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance.credit_rules import Credit, Interval, Presence, State
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.rules import RULES_VERSION
from webinar.attendance.tables import AttendanceRow, TallyRow
from webinar.attendance.tally_rules import Stay, Tally
from webinar.core.database import insert_into
from webinar.lectures.rules import Window
from webinar.lectures.tables import RegistrationRow
from webinar.people.tables import PersonRow
from webinar.policies.rules import Sentence

# Databases limit the number of parameters.
ROWS = 500
# Names the intervals of a row that were watched and not attended.
REPLAY = "replay"


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
    replay_seconds: int = 0
    checks_asked: int = 0
    checks_answered: int = 0
    devices: int = 0
    reconnects: int = 0

    @property
    def credit(self) -> Credit:
        return Credit(
            self.seconds,
            self.uncertainty_s,
            self.jp,
            self.state,
            self.why,
            self.replay_seconds,
            self.checks_asked,
            self.checks_answered,
        )


async def of_lecture(session: AsyncSession, lecture_id: str) -> dict[str, Stored]:
    """What is stored of a lecture, by registration id."""
    rows = await session.scalars(select(AttendanceRow).where(AttendanceRow.lecture_id == lecture_id))
    return {row.registration_id: stored(row) for row in rows}


async def of_registrations(session: AsyncSession, ids: Sequence[str]) -> dict[str, Stored]:
    """What was decided for good, by registration id: of those whose lecture is final."""
    rows = await session.scalars(
        select(AttendanceRow)
        .join(TallyRow, TallyRow.lecture_id == AttendanceRow.lecture_id)
        .where(AttendanceRow.registration_id.in_(ids), TallyRow.final)
    )
    return {row.registration_id: stored(row) for row in rows}


async def recent(session: AsyncSession, registration_id: str, since: int) -> Stored | None:
    """One row as it was last computed, if that was after `since`."""
    row = await session.scalar(
        select(AttendanceRow).where(
            AttendanceRow.registration_id == registration_id, AttendanceRow.computed_at > since
        )
    )
    return stored(row) if row else None


async def tally_of(session: AsyncSession, lecture_id: str) -> Tally | None:
    """The header, or None where nothing was stored yet."""
    row = (await session.scalars(_header(lecture_id))).one_or_none()
    return _tally(row) if row else None


async def kept(session: AsyncSession, lecture_id: str) -> Tally:
    """The header of what was stored: for who saw that it was, since headers are only ever written over.

    Raises:
        NoResultFound: nothing was stored.
    """
    return _tally((await session.scalars(_header(lecture_id))).one())


def _header(lecture_id: str) -> Select[TallyRow]:
    return select(TallyRow).where(TallyRow.lecture_id == lecture_id, TallyRow.computed_at > 0)


async def seats_of(session: AsyncSession, lecture_id: str) -> list[str]:
    """Everybody registered in any order, each as `tally_rules.seat_of` writes it.

    The database hands them over as one text: ten thousand rows one by one take longer than the whole page
    that asks.
    """
    seat = RegistrationRow.id + " " + RegistrationRow.role
    told = await session.scalar(
        select(func.aggregate_strings(seat, "\n")).where(
            RegistrationRow.lecture_id == lecture_id, RegistrationRow.state == "registered"
        )
    )
    return (told or "").splitlines()


# --- writing -----------------------------------------------------------------------------------


async def held(session: AsyncSession, lecture_id: str) -> tuple[bool, int]:
    """Hold the header until the transaction ends: whether it is final, and when it was computed.

    The header is made first, so that there is something to hold: two who write the same tally take turns,
    and nobody writes after it became final.
    """
    empty = {"lecture_id": lecture_id, "final": False, "computed_at": 0, **_EMPTY}
    await session.execute(
        insert_into(session, TallyRow).values(empty).on_conflict_do_nothing(index_elements=["lecture_id"])
    )
    locked = (
        select(TallyRow.final, TallyRow.computed_at)
        .where(TallyRow.lecture_id == lecture_id)
        .with_for_update()
    )
    final, before = (await session.execute(locked)).one()
    return final, before


async def keep_rows(
    session: AsyncSession, log: AttendanceLog, entries: Sequence[Entry], *, final: bool = False
) -> None:
    """Write some entries of a log over what was stored of them, unless that is newer; final ones anyway."""
    names = await _sort_names(session, [entry.registration.person_id for entry in entries])
    for first in range(0, len(entries), ROWS):
        values = [values_of(log, entry, names) for entry in entries[first : first + ROWS]]
        statement = insert_into(session, AttendanceRow)
        new = statement.excluded
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["registration_id"],
                set_={name: getattr(new, name) for name in values[0] if name != "registration_id"},
                where=None if final else AttendanceRow.computed_at <= new.computed_at,
            ),
            values,
        )


async def keep_header(
    session: AsyncSession,
    log: AttendanceLog,
    *,
    inputs: str,
    summary: Mapping[str, int],
    points: Sequence[tuple[int, int]],
    final: bool,
    evidence_sha256: str | None = None,
) -> Tally:
    """Put the header over rows that are all there, and throw away those of people no longer registered."""
    at = AttendanceRow.computed_at
    other = at != log.computed_at if final else at < log.computed_at
    await session.execute(delete(AttendanceRow).where(AttendanceRow.lecture_id == log.lecture.id, other))
    strangers = [
        [one.seat, one.name, one.presence.first_join, one.presence.last_leave, one.seconds]
        for one in log.strangers
    ]
    values = {
        "final": final,
        "policy_version": log.policy.version,
        "rules_version": RULES_VERSION,
        "inputs": inputs,
        "high_water": dict(log.high_water),
        "window": [list(span) for span in log.window.spans],
        "summary": dict(summary),
        "curve": [list(point) for point in points],
        "strangers": strangers,
        "rows": len(log.entries),
        "evidence_sha256": evidence_sha256,
        "computed_at": log.computed_at,
    }
    await session.execute(
        update(TallyRow)
        .where(TallyRow.lecture_id == log.lecture.id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return _tally(TallyRow(lecture_id=log.lecture.id, **values))


_EMPTY: Mapping[str, Any] = {
    "policy_version": 0,
    "rules_version": 0,
    "inputs": "",
    "high_water": {},
    "window": [],
    "summary": {},
    "curve": [],
    "strangers": [],
    "rows": 0,
}


async def _sort_names(session: AsyncSession, person_ids: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for first in range(0, len(person_ids), ROWS):
        rows = await session.execute(
            select(PersonRow.id, PersonRow.sort_name).where(
                PersonRow.id.in_(person_ids[first : first + ROWS])
            )
        )
        names.update((id, name) for id, name in rows)
    return names


def values_of(log: AttendanceLog, entry: Entry, sort_names: Mapping[str, str]) -> dict[str, Any]:
    """The columns of an entry's row; `hours.verifying` computes them anew."""
    return {
        "registration_id": entry.registration.id,
        "lecture_id": log.lecture.id,
        "person_id": entry.registration.person_id,
        "seconds": entry.credit.seconds,
        "uncertainty_s": entry.credit.uncertainty_s,
        "jp": entry.credit.jp,
        "state": entry.credit.state.value,
        "intervals": _intervals(entry.presence),
        "checks_asked": entry.credit.checks_asked,
        "checks_answered": entry.credit.checks_answered,
        "replay_seconds": entry.credit.replay_seconds,
        "why": [[said.message, dict(said.fields)] for said in entry.credit.why],
        "rules_version": RULES_VERSION,
        "high_water": dict(log.high_water),
        "computed_at": log.computed_at,
        "first_join": entry.presence.first_join,
        "last_leave": entry.presence.last_leave,
        "reconnects": entry.reconnects,
        "devices": entry.devices,
        "sort_name": sort_names.get(entry.registration.person_id, ""),
    }


def _intervals(presence: Presence) -> list[list[object]]:
    """What was watched of the replay stands behind the stays, with its own source."""
    stays: list[list[object]] = [
        [i.start, i.end, list(i.sources), i.uncertainty_ms] for i in presence.intervals
    ]
    return stays + [[start, end, [REPLAY], 0] for start, end in presence.watched]


def _presence(intervals: Sequence[Sequence[Any]]) -> Presence:
    stays = [row for row in intervals if row[2] != [REPLAY]]
    return Presence(
        tuple(Interval(start, end, tuple(names), off) for start, end, names, off in stays),
        watched=tuple((start, end) for start, end, names, _ in intervals if names == [REPLAY]),
    )


def stored(row: AttendanceRow) -> Stored:
    """The row as it was decided."""
    intervals: Any = row.intervals
    why: Any = row.why
    return Stored(
        registration_id=row.registration_id,
        lecture_id=row.lecture_id,
        presence=_presence(intervals),
        seconds=row.seconds,
        uncertainty_s=row.uncertainty_s,
        jp=row.jp,
        state=State(row.state),
        why=tuple(Sentence(*said) for said in why),
        high_water=row.high_water,
        computed_at=row.computed_at,
        replay_seconds=row.replay_seconds,
        checks_asked=row.checks_asked,
        checks_answered=row.checks_answered,
        devices=row.devices,
        reconnects=row.reconnects,
    )


def _tally(row: TallyRow) -> Tally:
    strangers: Any = row.strangers
    return Tally(
        lecture_id=row.lecture_id,
        final=row.final,
        policy_version=row.policy_version,
        rules_version=row.rules_version,
        inputs=row.inputs,
        high_water=row.high_water,
        window=Window(tuple((start, end) for start, end in row.window)),
        summary=row.summary,
        points=tuple((at, count) for at, count in row.curve),
        strangers=tuple(Stay(*one) for one in strangers),
        rows=row.rows,
        evidence_sha256=row.evidence_sha256,
        computed_at=row.computed_at,
    )
