"""Reminders of a lecture: when an institution sends them, who wants none, and owing them."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.database import insert_into
from webinar.core.effects import Owed
from webinar.invites import reminder_rules as rules
from webinar.invites.owing import INVITING
from webinar.invites.tables import DeliveryRow, ReminderRefusalRow, ReminderTimesRow
from webinar.lectures.rules import Lecture
from webinar.lectures.tables import LectureRow
from webinar.people import exemptions
from webinar.people.access import Scope
from webinar.people.tables import ExemptionRow

# So many lectures in one statement.
BATCH = 500


async def times(session: AsyncSession, institution_id: str) -> Sequence[int]:
    """How many minutes before the start people are reminded, the farthest first."""
    query = select(ReminderTimesRow.minutes).where(ReminderTimesRow.institution_id == institution_id)
    return rules.stored(await session.scalar(query))


async def owe(session: AsyncSession, lecture: Lecture, now: int) -> None:
    """Have people reminded at each time that lies ahead. What is owed finds by itself what has changed."""
    if lecture.state not in INVITING or lecture.trial:
        return
    chosen = await times(session, lecture.institution_id)
    await effects.owe_many(session, _owed(lecture.id, lecture.starts_at, chosen, now), now)


def _owed(lecture_id: str, starts_at: int, chosen: Sequence[int], now: int) -> list[Owed]:
    return [
        Owed(
            kind="remind",
            key=rules.effect_key(lecture_id, minutes),
            subject=f"lecture:{lecture_id}",
            due_at=due,
            payload={},
        )
        for minutes, due in rules.ahead(starts_at, chosen, now).items()
    ]


async def set_times(session: AsyncSession, scope: Scope, chosen: Sequence[int], now: int) -> None:
    """Choose when people are reminded, of lectures that are booked already, too. Administrators only."""
    scope.require_institution()
    before = await times(session, scope.institution_id)
    if list(before) == list(chosen):
        return
    mine = ReminderTimesRow.institution_id == scope.institution_id
    await session.execute(delete(ReminderTimesRow).where(mine))
    session.add(
        ReminderTimesRow(
            institution_id=scope.institution_id, minutes=list(chosen), set_by=scope.person_id, set_at=now
        )
    )
    await session.flush()
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("unit", scope.institution_id),
        action="reminder_times_set",
        institution_id=scope.institution_id,
        before=list(before),
        after=list(chosen),
    )
    await _owe_of_all(session, scope.institution_id, chosen, now)


async def _owe_of_all(session: AsyncSession, institution_id: str, chosen: Sequence[int], now: int) -> None:
    coming = await session.execute(
        select(LectureRow.id, LectureRow.starts_at).where(
            LectureRow.institution_id == institution_id,
            LectureRow.state.in_([state.value for state in INVITING]),
            LectureRow.starts_at > now,
            LectureRow.trial.is_(False),
        )
    )
    owed = [one for ident, starts_at in coming for one in _owed(ident, starts_at, chosen, now)]
    for start in range(0, len(owed), BATCH):
        await effects.owe_many(session, owed[start : start + BATCH], now)


async def refuses(session: AsyncSession, person_id: str) -> bool:
    """Whether this person wants no reminders."""
    return await session.get(ReminderRefusalRow, person_id, populate_existing=True) is not None


async def refuse(session: AsyncSession, person_id: str, now: int) -> None:
    """Send this person no reminders any more; once more changes nothing."""
    row = {"person_id": person_id, "refused_at": now}
    await session.execute(insert_into(session, ReminderRefusalRow).values(row).on_conflict_do_nothing())


async def accept(session: AsyncSession, person_id: str) -> None:
    """Send reminders again."""
    await session.execute(delete(ReminderRefusalRow).where(ReminderRefusalRow.person_id == person_id))


async def is_exempt(session: AsyncSession, institution_id: str, person_id: str, day: str) -> bool:
    """Whether the person is exempt on that day (ISO), and therefore not reminded."""
    query = select(ExemptionRow.id).where(
        exemptions.hold_on(institution_id, day), ExemptionRow.person_id == person_id
    )
    return (await session.execute(query.limit(1))).first() is not None


async def is_sent(session: AsyncSession, registration_id: str, message_id: str) -> bool:
    """Whether the mail server has taken this mail."""
    query = select(DeliveryRow.id).where(
        DeliveryRow.registration_id == registration_id,
        DeliveryRow.message_id == message_id,
        DeliveryRow.outcome == "accepted",
    )
    return (await session.execute(query.limit(1))).first() is not None
