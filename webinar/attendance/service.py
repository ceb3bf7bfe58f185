"""Who was there, for how long, and what it is worth: computed anew until the lecture is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store
from webinar.attendance.credit_rules import Credit, earns
from webinar.attendance.curve_rules import curve
from webinar.attendance.log_rules import AttendanceLog, Entry, computed, one_by_one
from webinar.attendance.many import at_once
from webinar.attendance.rules import FRESH_MS, RULES_VERSION, Connection, connections
from webinar.attendance.tally_rules import HERE, SETTLED, inputs_of, seat_of
from webinar.evidence import store as evidences
from webinar.evidence.digest_rules import digest_of
from webinar.evidence.rules import Evidence
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, Registration, Window
from webinar.people.access import Scope
from webinar.policies import store as policies
from webinar.policies.rules import Policy, role_jp

__all__ = ["SETTLED", "Gathered", "finalise", "gather", "log", "log_of", "of_person", "so_far", "summary_of"]

RECENT_MS = 120_000
# From so many seats on, arrays are quicker than one after the other.
MANY = 50


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that the attendance of a lecture follows from; `seats` with the cancelled ones."""

    lecture: Lecture
    window: Window
    policy: Policy
    seats: tuple[Registration, ...]
    evidence: Evidence

    def computed(self, now: int) -> AttendanceLog:
        """The log; of thousands of people this takes a while, and no database."""
        return self._log(self.policy, now, connections(self.evidence, now))

    def settled(self, now: int) -> AttendanceLog:
        """The log that stays: nothing is open in it, who was seen a moment before is not there for good."""
        known = connections(self.evidence, now)
        if any(one.open for one in known):
            now += FRESH_MS + 1
            known = connections(self.evidence, now)
        return self._log(self.policy, now, known)

    def tried(self, policy: Policy, now: int) -> tuple[AttendanceLog, AttendanceLog]:
        """The log, and what another policy would make of the same evidence."""
        known = connections(self.evidence, now)
        return self._log(self.policy, now, known), self._log(policy, now, known)

    def _log(self, policy: Policy, now: int, known: Sequence[Connection]) -> AttendanceLog:
        credits = at_once if len(self.seats) >= MANY else one_by_one
        return computed(
            self.lecture,
            self.window,
            policy,
            self.seats,
            self.evidence,
            now,
            credits=credits,
            known=known,
        )

    @property
    def inputs(self) -> str:
        """The digest of everything but the evidence."""
        seats = (seat_of(seat.id, seat.role.value) for seat in self.seats if seat.active)
        return inputs_of(self.lecture, self.window, self.policy, RULES_VERSION, seats)


async def log(session: AsyncSession, scope: Scope, lecture_id: str, now: int) -> AttendanceLog:
    """The attendance log, for those who manage the lecture: everybody registered, absentees too.

    Raises:
        NotFound: no such lecture, or the scope does not manage it.
    """
    return await log_of(session, await lectures.get(session, scope, lecture_id, to_change=True), now)


async def log_of(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """The same for a lecture that the caller may see all of: a constant number of statements.

    Everything is computed from the evidence; what is settled stays as it was decided. The review page reads
    what is stored instead (`attendance.tallies`).
    """
    fresh = (await gather(session, lecture)).computed(now)
    if lecture.state not in SETTLED:
        return fresh
    stored = await store.of_lecture(session, lecture.id)
    entries = tuple(
        replace(
            entry,
            presence=decided.presence,
            credit=decided.credit,
            devices=decided.devices,
            reconnects=decided.reconnects,
        )
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
        return Entry(seat, decided.presence, decided.credit, decided.devices, decided.reconnects)
    return (await gather(session, lecture, only=seat)).computed(now).entries[0]


async def so_far(session: AsyncSession, lecture: Lecture, seat: Registration, now: int) -> Credit | None:
    """How far somebody has come while the lecture runs; None without a seat.

    What was computed for everybody a moment ago is good enough, and the same for ten thousand who ask.
    """
    if known := await store.recent(session, seat.id, now - RECENT_MS):
        return known.credit
    found = await of_person(session, lecture, seat.person_id, now)
    return found.credit if found else None


async def finalise(session: AsyncSession, lecture: Lecture, now: int) -> AttendanceLog:
    """Compute a last time and keep it; what was kept for good stays as it is. A trial has no hours."""
    if not lecture.trial:
        # Held before the evidence is read: whoever else computes this lecture waits, and then finds it final.
        final, _ = await store.held(session, lecture.id)
    found = await gather(session, lecture)
    fresh = found.settled(now)
    if lecture.trial or final:
        return fresh
    await store.keep_rows(session, fresh, fresh.entries, final=True)
    await store.keep_header(
        session,
        fresh,
        inputs=found.inputs,
        summary=summary_of(fresh),
        points=curve(fresh).points,
        final=True,
        evidence_sha256=digest_of(found.evidence),
    )
    return fresh


async def gather(session: AsyncSession, lecture: Lecture, only: Registration | None = None) -> Gathered:
    """Read what the attendance follows from; of one person, or of everybody."""
    one = evidences.Only(only.id, only.seat) if only else None
    rooms = [room.name for room in await lectures.rooms_of(session, lecture.id)]
    return Gathered(
        lecture,
        await lectures.window_of(session, lecture),
        await policies.get(session, lecture.policy_id, lecture.policy_version),
        (only,) if only else tuple(await lectures.registrations(session, lecture.id, active=False)),
        await evidences.evidence_of(session, lecture.id, rooms, only=one),
    )


def summary_of(log: AttendanceLog) -> Mapping[str, int]:
    """How many people, as a tally keeps it: with those below what they could earn, and those inside now."""
    seen = log.summary
    return {
        "registered": seen.registered,
        "came": seen.came,
        "absent": seen.absent,
        "credited": seen.credited,
        "doubtful": seen.doubtful,
        "by_replay": seen.by_replay,
        "below": sum(_below(log, entry) for entry in log.entries),
        HERE: sum(entry.presence.here for entry in log.entries)
        + sum(one.presence.here for one in log.strangers),
    }


def _below(log: AttendanceLog, entry: Entry) -> bool:
    role = entry.registration.role
    most = role_jp(log.policy, log.lecture.jp, role)
    return bool(entry.credit.seconds) and earns(log.policy, role) and entry.credit.jp < most
