"""What happens to a lecture: by its hosts, its organisers, and by itself.

Every function takes the open session, writes the audit line of its deed, owes what follows from
it, and never commits.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.audit import SYSTEM, Actor
from webinar.core.errors import IllegalMove, Stale
from webinar.core.ids import new_id
from webinar.lectures import store
from webinar.lectures.rules import (
    UPCOMING,
    Lecture,
    LectureState,
    Room,
    RoomKind,
    RoomState,
    checked_spans,
    extended,
    main_room_name,
)
from webinar.media.servers import MAIN
from webinar.policies import store as policies


async def note(
    session: AsyncSession, lecture: Lecture, action: str, *, now: int, actor: Actor = SYSTEM, **fields: object
) -> None:
    """A line on the lecture's timeline."""
    await audit.record(
        session,
        at=now,
        actor=actor,
        subject=("lecture", lecture.id),
        action=action,
        institution_id=lecture.institution_id,
        **fields,
    )


async def owe_reconciling(session: AsyncSession, lecture_id: str, now: int) -> None:
    """Have the scheduler look at the lecture now."""
    key = f"lecture:{lecture_id}"
    await effects.owe(session, kind="lecture", key=key, subject=key, due_at=now, now=now)


async def owe_announcing(session: AsyncSession, lecture: Lecture, now: int) -> None:
    """Have everybody concerned told what they do not know yet."""
    if lecture.trial:
        return
    await effects.owe(
        session,
        kind="announce",
        key=f"announce:{lecture.id}",
        subject=f"lecture:{lecture.id}",
        due_at=now,
        now=now,
    )


async def owe_consequences(session: AsyncSession, lecture: Lecture, now: int) -> None:
    """After a change of what everybody knows: have the room looked at, and everybody concerned told."""
    await owe_reconciling(session, lecture.id, now)
    await owe_announcing(session, lecture, now)


async def move(
    session: AsyncSession, lecture: Lecture, name: str, *, now: int, actor: Actor = SYSTEM, **changes: object
) -> Lecture:
    """Take one move of the state table, with the fields that change along with it."""
    moved = replace(lecture.after(name), **changes)  # type: ignore[arg-type]  # fields of the dataclass
    return await store.save(session, lecture, moved, now)


async def opened(session: AsyncSession, lecture: Lecture, now: int) -> Lecture:
    """The room stands open: participants may come in."""
    return await move(session, lecture, "open", now=now, opened_at=lecture.opened_at or now)


async def went_live(session: AsyncSession, lecture: Lecture, now: int, actor: Actor = SYSTEM) -> Lecture:
    """It has begun: by the schedule, or because the host started it."""
    live = await move(
        session, lecture, "start", now=now, live_at=lecture.live_at or now, opened_at=lecture.opened_at or now
    )
    await note(session, live, "went_live", now=now, actor=actor)
    return live


async def ended(session: AsyncSession, lecture: Lecture, now: int, actor: Actor = SYSTEM) -> Lecture:
    """It is over: by its host, or by the schedule and the overrun."""
    over = await move(session, lecture, "end", now=now, ended_at=now)
    await note(session, over, "ended", now=now, actor=actor)
    return over


async def finalised(session: AsyncSession, lecture: Lecture, now: int) -> Lecture:
    """The hours are settled; from here on there are adjustments only."""
    final = await move(session, lecture, "finalise", now=now, final_at=now)
    await note(session, final, "final", now=now)
    return final


async def start_now(session: AsyncSession, lecture: Lecture, now: int, actor: Actor) -> Lecture:
    """The host begins. A second click finds it live already, which is what was wanted."""
    if lecture.state is LectureState.LIVE:
        return lecture
    live = await went_live(session, lecture, now, actor)
    await owe_reconciling(session, lecture.id, now)
    return live


async def extend(session: AsyncSession, lecture: Lecture, minutes: int, now: int, actor: Actor) -> Lecture:
    """Move the end; a lecture that has just ended goes on."""
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    longer = await store.save(session, lecture, extended(lecture, minutes, now, policy.quiet_period_s), now)
    await note(session, longer, "extended", now=now, actor=actor, minutes=minutes, closes_at=longer.closes_at)
    await owe_reconciling(session, lecture.id, now)
    return longer


async def end_now(session: AsyncSession, lecture: Lecture, now: int, actor: Actor) -> Lecture:
    """The host ends it. A second click finds it ended already."""
    if lecture.state in {LectureState.ENDED, LectureState.FINAL}:
        return lecture
    over = await ended(session, lecture, now, actor)
    await owe_reconciling(session, lecture.id, now)
    return over


async def cancel(session: AsyncSession, lecture: Lecture, reason: str, now: int, actor: Actor) -> Lecture:
    """Call it off; everybody registered is told."""
    if lecture.state is LectureState.CANCELLED:
        return lecture
    off = await move(session, lecture, "cancel", now=now)
    await note(session, off, "cancelled", now=now, actor=actor, reason=reason)
    await owe_consequences(session, off, now)
    return off


async def fix_window(
    session: AsyncSession,
    lecture: Lecture,
    spans: Sequence[tuple[int, int]],
    *,
    reason: str,
    now: int,
    actor: Actor,
) -> None:
    """Say which time counts, where it differs from the schedule.

    Raises:
        IllegalMove: the hours are settled.
    """
    if lecture.state in {LectureState.FINAL, LectureState.ARCHIVED, LectureState.CANCELLED}:
        raise IllegalMove(state=lecture.state.value, move="fix_window")
    before = await store.window_of(session, lecture)
    window = checked_spans(spans)
    await store.add_window(session, lecture.id, window, reason=reason, set_by=actor.id, now=now)
    await note(
        session,
        lecture,
        "window_fixed",
        now=now,
        actor=actor,
        reason=reason,
        before=[list(span) for span in before.spans],
        after=[list(span) for span in window.spans],
    )


async def wanted_rooms(session: AsyncSession, places: Sequence[tuple[Lecture, str]]) -> Sequence[Room]:
    """The room of each (lecture, name), wanted if it was closed; a main room is made if there was none.

    Raises:
        Stale: a room beside the main one is there no longer; or the lecture was called off, ended or moved
            since it was read, and nobody would close the room.
    """
    have = dict(await store.rooms_named(session, [name for _, name in places]))
    await _require_wanting(
        session, [lecture for lecture, name in places if name not in have or have[name].may("want")]
    )
    new = {name: _main_room(lecture) for lecture, name in places if name not in have}
    if any(room.name != name for name, room in new.items()):
        raise Stale
    await store.add_rooms(session, list(new.values()))
    again = [
        (room, replace(room.after("want"), attempts=0, last_error=None))
        for room in have.values()
        if room.may("want")
    ]
    await store.change_rooms(session, again)
    rooms = have | new | {after.name: after for _, after in again}
    return [rooms[name] for _, name in places]


async def _require_wanting(session: AsyncSession, lectures: Sequence[Lecture]) -> None:
    if not lectures:
        return
    present = await store.opening_of(session, sorted({lecture.id for lecture in lectures}))
    for lecture in lectures:
        state, opens_at = present.get(lecture.id, ("", 0))
        if state not in UPCOMING or opens_at != lecture.opens_at:
            raise Stale


def _main_room(lecture: Lecture) -> Room:
    name = main_room_name(lecture.id)
    return a_room(lecture, RoomKind.MAIN, name, position=0, title="", state=RoomState.WANTED)


def a_room(
    lecture: Lecture, kind: RoomKind, name: str, *, position: int, title: str, state: RoomState
) -> Room:
    """A room that stands on no media server yet."""
    return Room(
        id=new_id(),
        lecture_id=lecture.id,
        kind=kind,
        position=position,
        title=title,
        needed=True,
        name=name,
        state=state,
        media_server=MAIN,
        sid=None,
        attempts=0,
        last_error=None,
        opened_at=None,
        closed_at=None,
        occupied=False,
        left_at=None,
    )
