"""Presence checks: planned when a lecture goes live, asked by the scheduler, answered by the pages.

What counts is decided later, from the evidence: who was in the room for all of a check was asked it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import rules, service
from webinar.classroom.check_rules import PAUSE_MS, can_be_answered, moments, rest
from webinar.core import effects
from webinar.core import late_rules as late
from webinar.core.clock import Clock
from webinar.core.database import Database, insert_into
from webinar.core.effects import Again, Done, Effect, Handler, Outcome, Skip
from webinar.core.errors import Invalid, NotFound, Refused
from webinar.core.ids import new_id
from webinar.evidence.tables import AnswerRow, PresenceCheckRow
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration
from webinar.lectures.tables import LectureRow
from webinar.media.port import RoomMedia
from webinar.policies import store as policies
from webinar.policies.rules import Policy

TOPIC = "check"
HOW = frozenset({"click", "speaking"})
# An answer that left the page in time may take so long to arrive.
ON_THE_WAY_MS = 3_000


class CheckClosed(Refused):
    code = "check_closed"
    status = 410
    message = "The time to answer this question is over."


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """A check that can be answered now. `answered` says whether the own seat did, or for hosts how many."""

    id: str
    number: int
    asked_at: int
    closes_at: int
    answered: int


async def planned(session: AsyncSession, lecture_id: str) -> bool:
    """Whether the moments of a lecture are chosen."""
    query = select(PresenceCheckRow.id).where(PresenceCheckRow.lecture_id == lecture_id).limit(1)
    return await session.scalar(query) is not None


async def to_plan(session: AsyncSession, lecture: Lecture, policy: Policy) -> int:
    """How many moments are still to be chosen; 0 also where the official window is too short for any."""
    if not policy.checks or lecture.state is not LectureState.LIVE or await planned(session, lecture.id):
        return 0
    return len(await _moments(session, lecture, policy, lambda: 0.5))


async def _moments(
    session: AsyncSession, lecture: Lecture, policy: Policy, chance: Callable[[], float]
) -> list[int]:
    window = await lectures.window_of(session, lecture)
    spans = rest(window.spans, lecture.live_at or lecture.starts_at)
    return moments(spans, policy.checks, policy.check_s * 1000, chance)


async def plan(
    session: AsyncSession,
    lecture: Lecture,
    policy: Policy,
    now: int,
    chance: Callable[[], float] = random.random,
) -> int:
    """Choose the moments of the rest of a lecture, once; answers how many."""
    if not policy.checks or await planned(session, lecture.id):
        return 0
    chosen = await _moments(session, lecture, policy, chance)
    for number, due_at in enumerate(chosen, 1):
        check_id = new_id()
        await session.execute(
            insert(PresenceCheckRow).values(id=check_id, lecture_id=lecture.id, number=number, due_at=due_at)
        )
        await effects.owe(
            session,
            kind="check",
            key=f"check:{check_id}",
            subject=f"lecture:{lecture.id}",
            due_at=max(due_at, now),
            now=now,
        )
    return len(chosen)


def asker(database: Database, media: RoomMedia, clock: Clock) -> Handler:
    """The handler of kind `check`: open it for answers, then tell the room.

    A page that misses the telling finds the check when it asks how the room stands.
    """

    async def ask(effect: Effect) -> Outcome:
        check_id = effect.key.removeprefix("check:")
        now = clock.now()
        async with database.writing() as session:
            check = await session.get(PresenceCheckRow, check_id)
            if check is not None:
                # Whoever asks another check of this lecture waits: two are never open at once.
                held = select(LectureRow.id).where(LectureRow.id == check.lecture_id).with_for_update()
                await session.execute(held)
                await session.refresh(check)
            lecture = await lectures.find(session, check.lecture_id) if check else None
            if check is None or lecture is None:
                return Skip("there is no such lecture")
            if check.asked_at is None:
                if reason := await _pointless(session, lecture, now):
                    return Skip(reason)
                if free_at := await _taken_until(session, check, now):
                    return Again(free_at)
                policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
                check.asked_at, check.closes_at = now, now + policy.check_s * 1000
            told = {"id": check.id, "number": check.number, "closes_at": check.closes_at}
        # The second time after a crash between the two: everybody is told again, nothing is asked twice.
        await service.broadcast(database, media, lecture.id, TOPIC, told)
        return Done()

    return ask


async def _pointless(session: AsyncSession, lecture: Lecture, now: int) -> str:
    """Why asking now would help nobody, or ""."""
    if lecture.state is not LectureState.LIVE:
        return f"the lecture is {lecture.state.value}"
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window = await lectures.window_of(session, lecture)
    if not can_be_answered(window.spans, now, policy.check_s * 1000):
        return late.reason("check")
    return ""


async def _taken_until(session: AsyncSession, check: PresenceCheckRow, now: int) -> int | None:
    """When this check may be asked, if another one was just asked: a scheduler that was away owes several."""
    last = await session.scalar(
        select(func.max(PresenceCheckRow.closes_at)).where(
            PresenceCheckRow.lecture_id == check.lecture_id, PresenceCheckRow.id != check.id
        )
    )
    return last + PAUSE_MS if last is not None and last + PAUSE_MS > now else None


async def answer(
    session: AsyncSession, seat: Registration, check_id: str, *, identity: str, how: object, now: int
) -> None:
    """Note an answer; a second one changes nothing.

    Raises:
        NotFound: the lecture of the seat has no such check, or it was not asked. CheckClosed: too late.
    """
    rules.require_seat(seat)
    if how not in HOW:
        raise Invalid.at("how", "This page is out of date. Load it again.")
    check = await session.get(PresenceCheckRow, check_id)
    if check is None or check.lecture_id != seat.lecture_id or check.asked_at is None:
        raise NotFound
    if now > (check.closes_at or 0) + ON_THE_WAY_MS:
        raise CheckClosed
    await session.execute(
        insert_into(session, AnswerRow)
        .values(
            check_id=check_id,
            registration_id=seat.id,
            lecture_id=seat.lecture_id,
            identity=identity,
            # What was on its way in time was answered in time.
            answered_at=min(now, check.closes_at or now),
            how=how,
        )
        .on_conflict_do_nothing(index_elements=["check_id", "registration_id"])
    )


async def open_for(session: AsyncSession, seat: Registration, now: int) -> OpenCheck | None:
    """The check that can be answered now, as the seat sees it."""
    found = (
        await session.execute(
            select(PresenceCheckRow)
            .where(
                PresenceCheckRow.lecture_id == seat.lecture_id,
                PresenceCheckRow.asked_at <= now,
                PresenceCheckRow.closes_at > now,
            )
            .order_by(PresenceCheckRow.number.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if found is None or found.asked_at is None or found.closes_at is None:
        return None
    answers = select(func.count()).select_from(AnswerRow).where(AnswerRow.check_id == found.id)
    if not rules.is_host(seat):
        answers = answers.where(AnswerRow.registration_id == seat.id)
    count = await session.scalar(answers) or 0
    return OpenCheck(found.id, found.number, found.asked_at, found.closes_at, count)
