"""Contesting a value: a participant says what is not right, an organiser accepts or refuses with a reason.

Whoever opens, withdraws or decides holds the lecture as adjusting does, so that a lecture is not settled
while a contest is opened, and of two who decide at once one is told that the other was faster.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.core import audit, effects
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.hours import adjustments, contest_store, store
from webinar.hours.adjust_rules import To, checked_reason, value_of
from webinar.hours.adjustments import Because
from webinar.hours.contest_rules import (
    Contest,
    ContestClosed,
    ContestOpen,
    ContestState,
    checked_text,
    require_contestable,
)
from webinar.hours.posting import window_of
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.people.access import Scope
from webinar.policies import store as policies

OPENED, DECIDED = "opened", "decided"


async def value_now(session: AsyncSession, lecture: Lecture, person_id: str, now: int) -> int | None:
    """What counts for somebody in a lecture, hundredths of a JP; None without a seat."""
    entry = await attendance.of_person(session, lecture, person_id, now)
    if entry is None:
        return None
    changed = (await store.effective_of(session, [entry.registration.id])).get(entry.registration.id)
    return changed.jp if changed else entry.credit.jp


async def contest(session: AsyncSession, scope: Scope, lecture_id: str, *, text: str, now: int) -> Contest:
    """Say that the own value of a lecture is not right.

    Raises:
        NotFound: no such lecture, or no seat in it.
        IllegalMove, ContestTooLate: it is too early, or too late.
        ContestOpen: there is an open one.
        Invalid: nothing was said.
    """
    said = checked_text(text)
    lecture = await lectures.get(session, scope, lecture_id)
    require_contestable(lecture, now)
    await attendances.held(session, lecture.id)
    # Read again: it may have become final while we waited for our turn.
    lecture = await lectures.get(session, scope, lecture_id)
    require_contestable(lecture, now)
    seat = await lectures.registration_of(session, lecture.id, scope.person_id or "")
    jp = await value_now(session, lecture, scope.person_id or "", now) if seat else None
    if seat is None or jp is None:
        raise NotFound
    if await contest_store.open_of(session, seat.id):
        raise ContestOpen
    made = Contest(
        id=new_id(),
        institution_id=lecture.institution_id,
        lecture_id=lecture.id,
        registration_id=seat.id,
        person_id=seat.person_id,
        text=said,
        state=ContestState.OPEN,
        jp=jp,
        opened_at=now,
    )
    await contest_store.add(session, made)
    await _note(session, scope, made, "contest_opened", now)
    for person_id in await contest_store.organisers_of(session, lecture.unit_path):
        await _owe_mail(session, made, OPENED, person_id, now)
    return made


async def withdraw(session: AsyncSession, scope: Scope, contest_id: str, now: int) -> Contest:
    """Take the own contest back.

    Raises:
        NotFound: no such contest, or somebody else's.
        ContestClosed: it is decided.
    """
    found = await contest_store.find(session, contest_id)
    if found is None or found.person_id != scope.person_id:
        raise NotFound
    await attendances.held(session, found.lecture_id)
    return await _closed(session, scope, found, "withdraw", None, now)


async def accept(
    session: AsyncSession, scope: Scope, contest_id: str, *, to: To, seen: int, reason: str, now: int
) -> Contest:
    """Agree: the value is adjusted, with the reason.

    Args:
        seen: the value that the organiser saw.

    Raises:
        NotFound: no such contest, or of a lecture that the scope does not manage.
        ContestClosed: somebody was faster.
        Invalid, ValuesChanged, NothingToDo: as for an adjustment.
    """
    said = checked_reason(reason)
    found = await _managed(session, scope, contest_id)
    lecture, final = await adjustments.held(session, scope, found.lecture_id)
    done = await _closed(session, scope, found, "accept", said, now)
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window_s = (await window_of(session, lecture, final)).seconds
    await adjustments.apply(
        session,
        scope,
        lecture,
        seen={found.registration_id: seen},
        wanted=lambda seat: value_of(to, lecture, policy, window_s, seat.role),
        because=Because(said, scope.person_id or scope.key_id, contest_id=found.id),
        final=final,
        now=now,
    )
    await _owe_mail(session, done, DECIDED, done.person_id, now)
    return done


async def refuse(session: AsyncSession, scope: Scope, contest_id: str, *, reason: str, now: int) -> Contest:
    """Keep the value, and say why.

    Raises:
        NotFound, ContestClosed, Invalid: as for accepting.
    """
    said = checked_reason(reason)
    found = await _managed(session, scope, contest_id)
    await attendances.held(session, found.lecture_id)
    done = await _closed(session, scope, found, "refuse", said, now)
    await _owe_mail(session, done, DECIDED, done.person_id, now)
    return done


async def _managed(session: AsyncSession, scope: Scope, contest_id: str) -> Contest:
    found = await contest_store.find(session, contest_id)
    if found is None:
        raise NotFound
    await lectures.get(session, scope, found.lecture_id, to_change=True)
    return found


async def _closed(
    session: AsyncSession, scope: Scope, before: Contest, move: str, decision: str | None, now: int
) -> Contest:
    current = await contest_store.find(session, before.id)
    if current is None:
        raise NotFound
    done = replace(
        current.after(move), decided_at=now, decided_by=scope.person_id or scope.key_id, decision=decision
    )
    if not await contest_store.save(session, done):
        raise ContestClosed
    await _note(session, scope, done, f"contest_{done.state.value}", now)
    # The lecture may have waited for this to become final.
    await lecture_service.owe_reconciling(session, done.lecture_id, now)
    return done


async def _note(session: AsyncSession, scope: Scope, contest: Contest, action: str, now: int) -> None:
    """On the trail of the lecture; the words themselves stay with the contest."""
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("lecture", contest.lecture_id),
        action=action,
        institution_id=contest.institution_id,
        contest_id=contest.id,
        person_id=contest.person_id,
    )


async def _owe_mail(session: AsyncSession, contest: Contest, what: str, person_id: str, now: int) -> None:
    await effects.owe(
        session,
        kind="contest",
        key=f"contest:{contest.id}:{what}:{person_id}",
        subject=f"lecture:{contest.lecture_id}",
        payload={"contest": contest.id, "what": what, "person": person_id},
        due_at=now,
        now=now,
    )
