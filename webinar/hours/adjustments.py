"""Adjusting what counts: many people at once, with one reason, and taking it back.

Whoever adjusts, takes back or settles a lecture holds the header of its stored attendance until the
transaction ends, so that they take turns. After finality an adjustment is in the ledger at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.hours import posting, store
from webinar.hours.adjust_rules import (
    Adjustment,
    NothingToDo,
    NotNewest,
    To,
    ValuesChanged,
    by_registration,
    checked_reason,
    effective,
    named,
    require_adjustable,
    standing,
    value_of,
)
from webinar.hours.store import SeatValue
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.people.access import Scope
from webinar.policies import store as policies

__all__ = ["Batch", "adjust", "apply", "held", "undo"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One deed: whose value it changed, and how many had the value already."""

    id: str
    made: tuple[Adjustment, ...]
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Because:
    """Why and by whom; `author_id` None for the policy itself."""

    reason: str
    author_id: str | None
    list_id: str | None = None
    contest_id: str | None = None


async def adjust(
    session: AsyncSession,
    scope: Scope,
    lecture_id: str,
    *,
    seen: Mapping[str, int],
    to: To,
    reason: str,
    now: int,
) -> Batch:
    """Give many registrations of a lecture a value, with one reason.

    Args:
        seen: by registration, the value that the asker saw and decided about.

    Raises:
        NotFound: no such lecture or registration, or not the scope's to change.
        IllegalMove: the lecture is not over.
        Invalid: no reason, or a value that the lecture is not worth.
        ValuesChanged: somebody was faster; nothing was changed.
        NothingToDo: everybody has the value already.
    """
    said = checked_reason(reason)
    lecture, final = await held(session, scope, lecture_id)
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window_s = (await posting.window_of(session, lecture, final)).seconds

    def wanted(seat: SeatValue) -> int:
        return value_of(to, lecture, policy, window_s, seat.role)

    because = Because(said, scope.person_id or scope.key_id)
    return await apply(
        session, scope, lecture, seen=seen, wanted=wanted, because=because, final=final, now=now
    )


async def apply(
    session: AsyncSession,
    scope: Scope,
    lecture: Lecture,
    *,
    seen: Mapping[str, int],
    wanted: Callable[[SeatValue], int],
    because: Because,
    final: bool,
    now: int,
) -> Batch:
    """The same for a lecture that is `held`, with a value for each seat."""
    current = await _current(session, lecture, list(seen), final, now)
    changed = [seat.name for seat, jp, _ in current.values() if jp != seen[seat.registration_id]]
    if changed:
        raise ValuesChanged(names=named(changed))
    batch_id = new_id()
    made = [
        _adjustment(lecture, seat, before, after, because, batch_id, now)
        for seat, before, _ in current.values()
        if (after := wanted(seat)) != before
    ]
    if not made:
        raise NothingToDo
    return await _written(session, scope, lecture, batch_id, made, len(current) - len(made), final, now)


async def undo(
    session: AsyncSession,
    scope: Scope,
    lecture_id: str,
    *,
    adjustment_id: str = "",
    batch_id: str = "",
    reason: str = "",
    now: int,
) -> Batch:
    """Take back one adjustment, or all of one deed; without a reason it repeats that of what it takes back.

    Raises:
        NotFound: no such lecture, adjustment or deed, or not the scope's to change.
        NotNewest: a value was adjusted again since, or this was taken back before; nothing was changed.
    """
    lecture, final = await held(session, scope, lecture_id)
    if batch_id:
        back = await store.of_batch(session, lecture.id, batch_id)
    else:
        one = await store.find(session, lecture.id, adjustment_id)
        back = [one] if one else []
    if not back:
        raise NotFound
    said = checked_reason(reason) if reason.strip() else ""
    current = await _current(session, lecture, [one.registration_id for one in back], final, now)
    late = [
        current[one.registration_id][0].name
        for one in back
        if (top := standing(current[one.registration_id][2])) is None or top.id != one.id
    ]
    if late:
        raise NotNewest(names=named(late))
    made = []
    undoing = new_id()
    for one in back:
        seat, before, history = current[one.registration_id]
        after = effective(seat.computed or 0, [other for other in history if other.id != one.id])
        because = Because(said or one.reason, scope.person_id or scope.key_id)
        made.append(_adjustment(lecture, seat, before, after, because, undoing, now, undoes=one.id))
    return await _written(session, scope, lecture, undoing, made, 0, final, now)


async def held(session: AsyncSession, scope: Scope, lecture_id: str) -> tuple[Lecture, bool]:
    """A lecture that the scope may change and whose values may be adjusted, held; whether it is settled.

    Raises:
        NotFound, IllegalMove.
    """
    lecture = await lectures.get(session, scope, lecture_id, to_change=True)
    require_adjustable(lecture)
    final, _ = await attendances.held(session, lecture.id)
    # Read again: it may have become final while we waited for our turn.
    lecture = await lectures.get(session, scope, lecture_id, to_change=True)
    require_adjustable(lecture)
    return lecture, final


async def _current(
    session: AsyncSession, lecture: Lecture, ids: Sequence[str], final: bool, now: int
) -> dict[str, tuple[SeatValue, int, list[Adjustment]]]:
    """By registration: the seat, what counts for it, and what was adjusted.

    Raises:
        NotFound: one of them is no seat of this lecture.
    """
    seats = await store.seats(session, lecture.id, ids, final=final)
    if len(seats) != len(set(ids)):
        raise NotFound
    if any(seat.computed is None for seat in seats.values()):
        seats = await _computed(session, lecture, seats, now)
    changes = by_registration(await store.history(session, lecture.id, ids))
    found = {}
    for id, seat in seats.items():
        mine = changes.get(id, [])
        found[id] = (seat, effective(seat.computed or 0, mine), mine)
    return found


async def _computed(
    session: AsyncSession, lecture: Lecture, seats: Mapping[str, SeatValue], now: int
) -> dict[str, SeatValue]:
    """The seats with what is computed now, where nobody has looked at the lecture since it ended."""
    log = (await attendance.gather(session, lecture)).computed(now)
    jp = {entry.registration.id: entry.credit.jp for entry in log.entries}
    return {id: replace(seat, computed=jp.get(id, 0)) for id, seat in seats.items()}


def _adjustment(
    lecture: Lecture,
    seat: SeatValue,
    before: int,
    after: int,
    because: Because,
    batch_id: str,
    now: int,
    undoes: str | None = None,
) -> Adjustment:
    return Adjustment(
        number=0,
        id=new_id(),
        institution_id=lecture.institution_id,
        lecture_id=lecture.id,
        registration_id=seat.registration_id,
        person_id=seat.person_id,
        before_jp=before,
        after_jp=after,
        reason=because.reason,
        author_id=because.author_id,
        at=now,
        batch_id=batch_id,
        undoes=undoes,
        list_id=because.list_id,
        contest_id=because.contest_id,
    )


async def _written(
    session: AsyncSession,
    scope: Scope,
    lecture: Lecture,
    batch_id: str,
    made: Sequence[Adjustment],
    unchanged: int,
    final: bool,
    now: int,
) -> Batch:
    written = await store.add(session, made)
    if final:
        await posting.post_adjustments(session, lecture, written, now)
    await lecture_service.note(
        session,
        lecture,
        "adjusted" if made[0].undoes is None else "adjustment_undone",
        now=now,
        actor=scope.actor,
        batch_id=batch_id,
        people=len(made),
        reason=made[0].reason,
    )
    return Batch(batch_id, tuple(written), unchanged)
