"""Hours are earned when a lecture becomes final, and added up by year."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.attendance.credit_rules import Credit
from webinar.attendance.log_rules import AttendanceLog
from webinar.core.errors import Stale
from webinar.core.language import Language
from webinar.hours import contest_store, ledger, posting, store
from webinar.hours.contest_rules import contestable
from webinar.hours.rules import (
    DEFAULT_ZONE,
    Because,
    Head,
    LedgerEntry,
    Verification,
    YearEntry,
    YearOfHours,
    total,
)
from webinar.hours.store import Adjusted
from webinar.hours.tables import LedgerRow
from webinar.hours.targets import targets_of
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.policies.wording import joined

MOST_LECTURES_A_YEAR = 2_000
_SHOWN = (LectureState.LIVE, LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED)


async def settle(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """Keep the attendance of a lecture whose quiet period is over, and credit it. Repeating it is harmless.

    The caller moves the lecture to `final` in the same transaction.

    Raises:
        Stale: a contest is open.
    """
    if lecture.trial:
        return await attendance.finalise(session, lecture, now)
    already, _ = await attendances.held(session, lecture.id)
    if await contest_store.count_open(session, lecture.id):
        # Opened since the plan was made: whoever decides it has the lecture looked at again.
        raise Stale
    log = await attendance.finalise(session, lecture, now)
    # What is final was posted in the transaction that made it so; evidence that came since changes nothing.
    if not already:
        await posting.post_final(session, log, now)
    return log


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
    goal = (await targets_of(session, home))[person.employment]
    return YearOfHours(
        person_id=person_id,
        year=year,
        zone=zone,
        target=goal.target,
        total=total(earned),
        provisional=sum(entry.jp for entry in entries if entry.provisional),
        entries=tuple(entries),
        most=goal.most,
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
    """Four statements for all lectures that are final, some more for each that is not yet."""
    ids = [seat.id for _, seat in seats]
    stored = await attendances.of_registrations(session, ids)
    changed = await store.effective_of(session, ids)
    contested = await contest_store.of_registrations(session, ids)
    in_ledger: dict[str, int] = defaultdict(int)
    for line in earned:
        in_ledger[line.lecture_id] += line.jp
    entries = []
    for lecture, seat in seats:
        if decided := stored.get(seat.id):
            entry = _year_entry(lecture, seat, decided.credit, in_ledger[lecture.id], False, language)
            entries.append(_with(entry, changed.get(seat.id)))
        elif lecture.state not in attendance.SETTLED:
            found = await attendance.of_person(session, lecture, seat.person_id, now)
            if found:
                entry = _year_entry(lecture, seat, found.credit, found.credit.jp, True, language)
                entries.append(_with(entry, changed.get(seat.id)))
    by_seat = {seat.id: lecture for lecture, seat in seats}
    return [
        replace(
            entry,
            contest=contested[entry.registration_id][0].state.value
            if entry.registration_id in contested
            else "",
            contestable=contestable(by_seat[entry.registration_id], now),
        )
        for entry in entries
    ]


def _with(entry: YearEntry, changed: Adjusted | None) -> YearEntry:
    """The entry with the adjustment that counts instead of what was computed."""
    if changed is None:
        return entry
    because = Because(changed.before_jp, changed.author, changed.reason, changed.at)
    return replace(entry, jp=changed.jp if entry.provisional else entry.jp, adjusted=because)


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
        registration_id=seat.id,
    )
