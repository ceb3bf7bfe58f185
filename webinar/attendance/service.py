"""Who was there, for how long, and what it is worth: computed anew until the lecture is final."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store
from webinar.attendance.log_rules import AttendanceLog, Entry, computed
from webinar.evidence import store as evidence
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration
from webinar.people.access import Scope
from webinar.policies import store as policies

SETTLED = frozenset({LectureState.FINAL, LectureState.ARCHIVED})


async def log(session: AsyncSession, scope: Scope, lecture_id: str, now: int) -> AttendanceLog:
    """The attendance log, for those who manage the lecture: everybody registered, absentees too.

    Raises:
        NotFound: no such lecture, or the scope does not manage it.
    """
    return await log_of(session, await lectures.get(session, scope, lecture_id, to_change=True), now)


async def log_of(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """The same for a lecture that the caller may see all of: a constant number of statements."""
    fresh = await _computed(session, lecture, now)
    if lecture.state not in SETTLED:
        return fresh
    stored = await store.of_lecture(session, lecture.id)
    entries = tuple(
        Entry(entry.registration, decided.presence, decided.credit)
        for entry in fresh.entries
        if (decided := stored.get(entry.registration.id))
    )
    when = max((one.computed_at for one in stored.values()), default=lecture.final_at or now)
    return replace(fresh, provisional=False, computed_at=when, entries=entries)


async def of_person(session: AsyncSession, lecture: Lecture, person_id: str, now: int) -> Entry | None:
    """One person's own entry, or None without a seat; for the own pages.

    Reads that person's evidence only: everybody in a lecture may look at the same time.
    """
    seat = await lectures.registration_of(session, lecture.id, person_id)
    if seat is None or not seat.active:
        return None
    stored = await store.of_registrations(session, [seat.id])
    if decided := stored.get(seat.id):
        return Entry(seat, decided.presence, decided.credit)
    return (await _computed(session, lecture, now, only=seat)).entries[0]


async def finalise(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """Compute a last time and keep it; what was kept before stays as it is. A trial has no hours."""
    fresh = await _computed(session, lecture, now)
    if lecture.trial or await store.of_lecture(session, lecture.id):
        return fresh
    await store.add(session, fresh)
    return fresh


async def _computed(
    session: AsyncSession, lecture: Lecture, now: int, only: Registration | None = None
) -> AttendanceLog:
    rooms = [room.name for room in await lectures.rooms_of(session, lecture.id)]
    return computed(
        lecture,
        await lectures.window_of(session, lecture),
        await policies.get(session, lecture.policy_id, lecture.policy_version),
        [only] if only else await lectures.registrations(session, lecture.id, active=False),
        await evidence.evidence_of(session, lecture.id, rooms, seat=only.seat if only else None),
        now,
    )
