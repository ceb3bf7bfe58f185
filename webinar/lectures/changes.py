"""What an organiser decides about a lecture on its way: later, longer, shorter, with a break, with others.

Each takes the open session, says what is wanted in absolute terms (an end, not "15 minutes more"), and
gives back the lecture as it was when that is so already: a double click does it once. The version rises with
each change, so that of two organisers who decide at once the slower one is told.
"""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.audit import Actor
from webinar.core.errors import IllegalMove, Invalid
from webinar.lectures import booking, service, store
from webinar.lectures.booking import CLOSED
from webinar.lectures.change_rules import (
    WINDOW_STAYS,
    Span,
    begun,
    breaks_of,
    gone_on,
    lengthened,
    paused,
    prolonged,
    restored,
    stopped,
    with_breaks,
)
from webinar.lectures.editing import move_window
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, Registration, Seat, Times, Window
from webinar.policies import store as policies

OVER = frozenset({LectureState.ENDED, LectureState.FINAL})


async def extend_until(
    session: AsyncSession, lecture: Lecture, until: int, *, counts: bool, now: int, actor: Actor
) -> Lecture:
    """Move the end of a lecture under way to an instant; one that has just ended goes on.

    Args:
        counts: whether the time that is added belongs to the official time.
    """
    if lecture.closes_at == until and lecture.state in IN_SESSION:
        return lecture
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    longer = prolonged(lecture, until, now, policy.quiet_period_s)
    saved = await store.save(session, lecture, longer, now)
    minutes = max(0, until - max(lecture.closes_at, now)) // 60_000
    await service.note(session, saved, "extended", now=now, actor=actor, minutes=minutes, closes_at=until)
    await service.owe_reconciling(session, lecture.id, now)
    if counts:
        await _fix(session, saved, lambda window: lengthened(window, until), now=now, actor=actor)
    return saved


async def end_early(
    session: AsyncSession, lecture: Lecture, *, counts_until: int | None, reason: str, now: int, actor: Actor
) -> Lecture:
    """End it for everybody; the official time ends at `counts_until`, or stays as it is for None."""
    if lecture.state in OVER:
        return lecture
    over = await service.end_now(session, lecture, now, actor)
    if counts_until is not None:
        await _fix(
            session, over, lambda window: stopped(window, counts_until), now=now, actor=actor, reason=reason
        )
    return over


async def count_from(
    session: AsyncSession, lecture: Lecture, at: int, *, reason: str, now: int, actor: Actor
) -> Lecture:
    """It began late: the official time counts from that instant on."""
    if (await store.window_of(session, lecture)).starts_at == at:
        return lecture
    return await _decide(
        session, lecture, lambda window: begun(window, at), now=now, actor=actor, reason=reason
    )


async def plan_breaks(
    session: AsyncSession, lecture: Lecture, breaks: Sequence[Span], *, now: int, actor: Actor
) -> Lecture:
    """Which breaks the official time has, all of them."""

    def broken(window: Window) -> Window:
        return with_breaks(window.starts_at, window.ends_at, breaks)

    return await _decide(session, lecture, broken, now=now, actor=actor)


async def pause(session: AsyncSession, lecture: Lecture, until: int, *, now: int, actor: Actor) -> Lecture:
    """A break from now on, or another end of the one that is.

    Raises:
        IllegalMove: it is not under way. Invalid: outside of the official time.
    """
    if lecture.state is not LectureState.LIVE:
        raise IllegalMove(state=lecture.state.value, move="pause")
    window = await store.window_of(session, lecture)
    if any(span[1] == until for span in breaks_of(window)):
        return lecture
    return await _decide(session, lecture, lambda window: paused(window, now, until), now=now, actor=actor)


async def go_on(session: AsyncSession, lecture: Lecture, *, now: int, actor: Actor) -> Lecture:
    """End the present break; where there is none, nothing is to be done."""
    return await _decide(session, lecture, lambda window: gone_on(window, now), now=now, actor=actor)


async def _decide(
    session: AsyncSession,
    lecture: Lecture,
    change: Callable[[Window], Window],
    *,
    now: int,
    actor: Actor,
    reason: str = "",
) -> Lecture:
    """Another official time as a change of the lecture: its version rises, its room is looked at."""
    if lecture.state in WINDOW_STAYS:
        raise IllegalMove(state=lecture.state.value, move="fix_window")
    before = await store.window_of(session, lecture)
    if change(before) == before:
        return lecture
    saved = await store.save(session, lecture, lecture, now)
    await _fix(session, saved, change, now=now, actor=actor, reason=reason)
    await service.owe_consequences(session, saved, now)
    return saved


async def _fix(
    session: AsyncSession,
    lecture: Lecture,
    change: Callable[[Window], Window],
    *,
    now: int,
    actor: Actor,
    reason: str = "",
) -> None:
    before = await store.window_of(session, lecture)
    after = change(before)
    if after == before:
        return
    await store.add_window(session, lecture.id, after, reason=reason, set_by=actor.id, now=now)
    breaks = breaks_of(before) != breaks_of(after)
    await service.note(
        session,
        lecture,
        "breaks_changed" if breaks else "window_fixed",
        now=now,
        actor=actor,
        reason=reason,
        before=[list(span) for span in before.spans],
        after=[list(span) for span in after.spans],
    )


async def restore(
    session: AsyncSession, lecture: Lecture, times: Times, *, now: int, actor: Actor
) -> Lecture:
    """A cancelled lecture takes place after all. Everybody registered keeps the own link, and is told.

    Raises:
        IllegalMove: it is not cancelled. Invalid: that time is past.
    """
    again = (lecture.starts_at, lecture.ends_at) == (times.starts_at, times.ends_at)
    if lecture.state is LectureState.SCHEDULED and again:
        return lecture
    saved = await store.save(session, lecture, restored(lecture, times, now), now)
    await move_window(session, lecture, saved, now, actor)
    await service.note(session, saved, "restored", now=now, actor=actor)
    await service.owe_consequences(session, saved, now)
    return saved


async def change_lecturers(
    session: AsyncSession,
    lecture: Lecture,
    person_ids: Sequence[str],
    *,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> tuple[Lecture, list[Registration]]:
    """Who lectures, all of them. Whoever was registered otherwise keeps the seat and its link.

    Returns:
        The lecture, and the seats of those who lecture no longer: they are taken back.

    Raises:
        IllegalMove: it is called off or settled. Invalid: a person does not exist.
    """
    present = (await store.lecturers_of(session, [lecture.id]))[lecture.id]
    wanted = list(dict.fromkeys(person_ids))
    if {seat.person_id for seat in present} == set(wanted):
        return lecture, []
    if lecture.state in CLOSED or lecture.state is LectureState.ENDED:
        raise IllegalMove(state=lecture.state.value, move="change_lecturers")
    saved = await store.save(session, lecture, lecture, now)
    gone = [seat for seat in present if seat.person_id not in wanted]
    for seat in gone:
        await store.change_registration(session, seat.id, state="cancelled")
    await seat_lecturers(session, saved, wanted, now=now, actor=actor, link_key=link_key)
    await service.note(
        session,
        saved,
        "lecturers_changed",
        now=now,
        actor=actor,
        before=[seat.person_id for seat in present],
        after=wanted,
    )
    await service.owe_announcing(session, saved, now)
    return saved, gone


async def seat_lecturers(
    session: AsyncSession,
    lecture: Lecture,
    person_ids: Sequence[str],
    *,
    now: int,
    actor: Actor,
    link_key: bytes,
) -> None:
    """Have these people lecture; whoever was registered otherwise keeps the seat and its link.

    Raises:
        Invalid: a person does not exist.
    """
    seats = {seat.person_id: seat for seat in await store.registrations(session, lecture.id)}
    for person_id in person_ids:
        if person_id in seats:
            await store.change_registration(session, seats[person_id].id, role=Seat.LECTURER.value)
    fresh = [person_id for person_id in person_ids if person_id not in seats]
    try:
        await booking.register(
            session, lecture, fresh, role=Seat.LECTURER, now=now, actor=actor, link_key=link_key
        )
    except Invalid:
        raise Invalid.at("lecturer", "This person does not exist.") from None
