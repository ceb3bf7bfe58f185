"""Hours are earned when a lecture becomes final, and added up by year."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.attendance.credit_rules import Credit
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.rules import RULES_VERSION
from webinar.core.language import Language
from webinar.hours import ledger
from webinar.hours.rules import (
    CREDIT,
    DEFAULT_TARGET,
    Draft,
    Head,
    LedgerEntry,
    Verification,
    YearEntry,
    YearOfHours,
    credit_key,
    total,
)
from webinar.hours.tables import LedgerRow
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration
from webinar.lectures.rules import year_of as year_in
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.people.tables import PersonRow, UnitRow
from webinar.policies.wording import joined

DEFAULT_ZONE = "Asia/Jakarta"
MOST_LECTURES_A_YEAR = 2_000
_SHOWN = (LectureState.LIVE, LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED)


async def settle(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """Keep the attendance of a lecture whose quiet period is over, and credit it. Repeating it is harmless.

    The caller moves the lecture to `final` in the same transaction.
    """
    log = await attendance.finalise(session, lecture, now)
    if not lecture.trial:
        await credit(session, log, now)
    return log


async def credit(session: AsyncSession, log: AttendanceLog, now: int) -> int:
    """Append what everybody earned to the ledger of the own institution; answers how many entries are new."""
    earners = [entry for entry in log.entries if entry.credit.jp]
    homes = await _homes(session, [entry.registration.person_id for entry in earners])
    return await ledger.append(session, [_draft(log, entry, homes) for entry in earners], now)


async def year_of(
    session: AsyncSession, scope: Scope, person_id: str, year: int, now: int, language: Language = "id"
) -> YearOfHours:
    """A person's hours of a calendar year in the institution's zone, what is provisional apart.

    Raises:
        NotFound: nobody whom the scope may see.
    """
    person = await people.person(session, scope, person_id)
    home = await people.institution(session, person.institution_id)
    zone = home.zone or DEFAULT_ZONE
    since, until = year_span(year, zone)
    earned = await _ledger_of(session, person_id, year)
    seats = await lectures.of_person(
        session, person_id, since=since, until=until, states=_SHOWN, limit=MOST_LECTURES_A_YEAR
    )
    mine = [pair for pair in seats if pair[0].starts_at >= since and not pair[0].trial]
    entries = await _year_entries(session, mine, earned, now, language)
    return YearOfHours(
        person_id=person_id,
        year=year,
        zone=zone,
        target=home.year_target if home.year_target is not None else DEFAULT_TARGET,
        total=total(earned),
        provisional=sum(entry.jp for entry in entries if entry.provisional),
        entries=tuple(entries),
    )


async def head_of(session: AsyncSession, institution_id: str) -> Head:
    """The end of the institution's chain, to be printed on exports."""
    return await ledger.head_of(session, institution_id)


async def verify(session: AsyncSession, institution_id: str) -> Verification:
    """Recompute the institution's chain."""
    return await ledger.verify(session, institution_id)


def year_span(year: int, zone: str) -> tuple[int, int]:
    """The first instants of a year and of the next, in a zone."""
    starts = (datetime(y, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for y in (year, year + 1))
    first, after = (round(start.timestamp() * 1000) for start in starts)
    return first, after


def _draft(log: AttendanceLog, entry: Entry, homes: Mapping[str, tuple[str, str]]) -> Draft:
    person_id = entry.registration.person_id
    institution_id, zone = homes[person_id]
    return Draft(
        institution_id=institution_id,
        key=credit_key(log.lecture.id, person_id),
        person_id=person_id,
        lecture_id=log.lecture.id,
        year=year_in(log.window.starts_at, zone),
        kind=CREDIT,
        jp=entry.credit.jp,
        facts={
            "registration_id": entry.registration.id,
            "role": entry.registration.role.value,
            "seconds": entry.credit.seconds,
            "uncertainty_s": entry.credit.uncertainty_s,
            "state": entry.credit.state.value,
            "lecture_jp": log.lecture.jp,
            "policy": {"id": log.policy.id, "version": log.policy.version},
            "window": [list(span) for span in log.window.spans],
            "rules_version": RULES_VERSION,
            "evidence": dict(log.high_water),
        },
    )


async def _homes(session: AsyncSession, person_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Institution and its zone, by person; in slices, since databases limit the number of parameters."""
    homes = {}
    for first in range(0, len(person_ids), ledger.PAGE):
        rows = await session.execute(
            select(PersonRow.id, PersonRow.institution_id, UnitRow.zone)
            .join(UnitRow, UnitRow.id == PersonRow.institution_id)
            .where(PersonRow.id.in_(person_ids[first : first + ledger.PAGE]))
        )
        homes.update({person: (home, zone or DEFAULT_ZONE) for person, home, zone in rows})
    return homes


async def _ledger_of(session: AsyncSession, person_id: str, year: int) -> list[LedgerEntry]:
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.person_id == person_id, LedgerRow.year == year)
        .order_by(LedgerRow.id)
    )
    return [ledger.entry_of(row) for row in rows]


async def _year_entries(
    session: AsyncSession,
    seats: Sequence[tuple[Lecture, Registration]],
    earned: Sequence[LedgerEntry],
    now: int,
    language: Language,
) -> list[YearEntry]:
    """Two statements for all lectures that are final, some more for each that is not yet."""
    stored = await attendances.of_registrations(session, [seat.id for _, seat in seats])
    in_ledger: dict[str, int] = defaultdict(int)
    for line in earned:
        in_ledger[line.lecture_id] += line.jp
    entries = []
    for lecture, seat in seats:
        if decided := stored.get(seat.id):
            entries.append(_year_entry(lecture, seat, decided.credit, in_ledger[lecture.id], False, language))
        elif lecture.state not in attendance.SETTLED:
            found = await attendance.of_person(session, lecture, seat.person_id, now)
            if found:
                entries.append(_year_entry(lecture, seat, found.credit, found.credit.jp, True, language))
    return entries


def _year_entry(
    lecture: Lecture, seat: Registration, worth: Credit, jp: int, provisional: bool, language: Language
) -> YearEntry:
    return YearEntry(
        lecture_id=lecture.id,
        title=lecture.title,
        starts_at=lecture.starts_at,
        ends_at=lecture.ends_at,
        zone=lecture.zone,
        role=seat.role.value,
        worth=lecture.jp,
        jp=jp,
        state=worth.state.value,
        seconds=worth.seconds,
        why=joined(language, worth.why, lecture.zone),
        provisional=provisional,
    )
