"""Evidence that came after a lecture was settled changes nothing by itself: it proposes adjustments."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store as attendances
from webinar.attendance.log_rules import computed
from webinar.core.errors import NotFound
from webinar.evidence import store as evidences
from webinar.evidence.marks import marks_of
from webinar.evidence.tables import RetiredRow
from webinar.hours import adjustments, store
from webinar.hours.adjust_rules import NothingToDo, by_registration, checked_reason, effective
from webinar.hours.adjustments import Batch, Because
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.people.access import Scope
from webinar.policies import store as policies


@dataclass(frozen=True, slots=True)
class Proposal:
    """What all the evidence of today would give somebody: `jp` instead of `settled_jp`; `now_jp` counts now.

    Hundredths of a JP, seconds of the official window.
    """

    registration_id: str
    person_id: str
    name: str
    settled_jp: int
    now_jp: int
    jp: int
    settled_seconds: int
    seconds: int


async def proposals(session: AsyncSession, lecture: Lecture) -> list[Proposal]:
    """For a lecture that is settled: whom the evidence of today would give another value than counts.

    With the policy and the window that were settled with. Where no evidence came since this is one look at
    the ends of some indexes. Whoever has the proposed value already, by an adjustment, is not in it.
    """
    tally = await attendances.tally_of(session, lecture.id)
    if tally is None or not tally.final:
        return []
    names = [room.name for room in await lectures.rooms_of(session, lecture.id)]
    marks, seen = await marks_of(session, lecture.id, names), tally.high_water
    heard = max((seen.get(name, 0) for name in _HEARD), default=0)
    later = (marks.webhooks, marks.sweeps) != (seen.get("webhooks", 0), seen.get("sweeps", 0))
    if not later and marks.heard_until <= heard + _MINUTE_MS:
        return []
    if (await session.execute(select(exists().where(RetiredRow.lecture_id == lecture.id)))).scalar_one():
        return []
    policy = await policies.get(session, lecture.policy_id, tally.policy_version)
    seats = await lectures.registrations(session, lecture.id, active=False)
    evidence = await evidences.evidence_of(session, lecture.id, names)
    log = computed(lecture, tally.window, policy, seats, evidence, tally.computed_at)
    settled = await attendances.of_lecture(session, lecture.id)
    changes = by_registration(await store.history(session, lecture.id))
    found = []
    for entry in log.entries:
        seat = entry.registration
        was = settled.get(seat.id)
        if was is None or entry.credit.jp == was.jp:
            continue
        counts = effective(was.jp, changes.get(seat.id, []))
        if counts == entry.credit.jp:
            continue
        found.append(
            Proposal(
                registration_id=seat.id,
                person_id=seat.person_id,
                name=seat.name,
                settled_jp=was.jp,
                now_jp=counts,
                jp=entry.credit.jp,
                settled_seconds=was.seconds,
                seconds=entry.credit.seconds,
            )
        )
    return found


async def accept(
    session: AsyncSession, scope: Scope, lecture_id: str, *, seen: Mapping[str, int], reason: str, now: int
) -> Batch:
    """Adjust some people to what is proposed for them.

    Args:
        seen: by registration, the value that the organiser saw as counting now.

    Raises:
        NotFound: for somebody nothing is proposed, or the lecture is not the scope's.
        Invalid, ValuesChanged, NothingToDo: as for an adjustment.
    """
    said = checked_reason(reason)
    lecture, final = await adjustments.held(session, scope, lecture_id)
    offered = {one.registration_id: one.jp for one in await proposals(session, lecture)}
    if not seen:
        raise NothingToDo
    if not seen.keys() <= offered.keys():
        raise NotFound
    return await adjustments.apply(
        session,
        scope,
        lecture,
        seen=seen,
        wanted=lambda seat: offered[seat.registration_id],
        because=Because(said, scope.person_id or scope.key_id),
        final=final,
        now=now,
    )


_HEARD = ("heartbeats", "answers", "replays", "segments")
_MINUTE_MS = 60_000
