"""Editing a lecture: what it is, when it is, how many come in. Its life under way is in `changes.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.audit import Actor
from webinar.core.errors import IllegalMove, Invalid, Stale
from webinar.lectures import service, store
from webinar.lectures.booking import Booking, checked, pinned
from webinar.lectures.change_rules import AGREED, PLAIN, TIME, moved_window, rescheduled
from webinar.lectures.rules import Lecture, LectureState, Times, scheduled_window
from webinar.people.access import Scope

NOT_BEGUN = frozenset({LectureState.SCHEDULED, LectureState.OPEN, LectureState.DRAFT})


@dataclass(frozen=True, slots=True)
class Change:
    """What an organiser changes; None leaves a field as it is; `clears` names those that are to be None."""

    title: str | None = None
    description: str | None = None
    starts_wall: str | None = None
    ends_wall: str | None = None
    zone: str | None = None
    jp: int | None = None
    policy_id: str | None = None
    recorded: bool | None = None
    capacity: int | None = None
    open_before_s: int | None = None
    overrun_s: int | None = None
    live_by: str | None = None
    empty_after_s: int | None = None
    empty_early: bool | None = None
    clears: frozenset[str] = frozenset()


# Without a limit of seats; without a rule for empty rooms.
CLEARABLE = frozenset({"capacity", "empty_after_s"})


def change_to(fields: Mapping[str, object]) -> Change:
    """A change of the fields of `Change` that are named, where None clears what can be cleared."""
    values = {name: value for name, value in fields.items() if value is not None}
    clears = frozenset(name for name in fields.keys() & CLEARABLE if fields[name] is None)
    return Change(**values, clears=clears)  # type: ignore[arg-type]  # named as the fields of Change


async def change(
    session: AsyncSession,
    scope: Scope,
    lecture: Lecture,
    wanted: Change,
    *,
    version: int,
    now: int,
    actor: Actor,
) -> Lecture:
    """Edit or reschedule a lecture; once it has begun, what was agreed stays. `version` is the one edited.

    Raises:
        Stale: somebody else changed it. Invalid. IllegalMove: it has begun, or is over.
    """
    if version != lecture.version:
        raise Stale
    given = given_in(wanted)
    booking = as_booking(lecture, given)
    _may(lecture, booking)
    retimed = any(getattr(lecture, name) != getattr(booking, name) for name in TIME)
    # A time that nobody touches may be past.
    times = checked(booking, now if retimed else min(now, lecture.starts_at))
    policy_version = lecture.policy_version
    if booking.policy_id != lecture.policy_id:
        policy_version = (await pinned(session, lecture.institution_id, booking.policy_id, now)).version
    after = edited(lecture, booking, times, policy_version, now)
    if after.capacity != lecture.capacity:
        await _enough_seats(session, after)
    if after == lecture:
        return lecture
    saved = await store.save(session, lecture, after, now)
    if retimed:
        await move_window(session, lecture, saved, now, actor)
    differs = {
        name: [getattr(lecture, name), getattr(saved, name)]
        for name in (*PLAIN, *TIME, "policy_version")
        if getattr(lecture, name) != getattr(saved, name)
    }
    if differs:
        action = "rescheduled" if retimed else "changed"
        await service.note(session, saved, action, now=now, actor=actor, changes=differs)
        await service.owe_consequences(session, saved, now)
    return saved


def given_in(wanted: Change) -> dict[str, object]:
    """The fields that are changed, by name."""
    given = {name: value for name in Change.__slots__ if (value := getattr(wanted, name)) is not None}
    del given["clears"]
    return {**given, **dict.fromkeys(wanted.clears)}


def as_booking(lecture: Lecture, given: Mapping[str, object]) -> Booking:
    kept = {name: getattr(lecture, name) for name in Booking.__slots__ if name != "lecturer_ids"}
    return Booking(**{**kept, **given}, lecturer_ids=())


def _may(lecture: Lecture, wanted: Booking) -> None:
    """Raise IllegalMove for a lecture that is over, and for one under way whose agreed parts would change."""
    if lecture.state in NOT_BEGUN:
        return
    touched = any(getattr(lecture, name) != getattr(wanted, name) for name in AGREED)
    if lecture.state is not LectureState.LIVE or touched:
        raise IllegalMove(state=lecture.state.value, move="reschedule")


def edited(lecture: Lecture, booking: Booking, times: Times, policy_version: int, now: int) -> Lecture:
    """The lecture as an edit makes it. Pure.

    Raises:
        IllegalMove: it is to be at another time, and has begun.
    """
    plain = {name: getattr(booking, name) for name in PLAIN}
    after = replace(lecture, **plain, policy_version=policy_version)
    if all(getattr(lecture, name) == getattr(booking, name) for name in TIME):
        return after
    return rescheduled(after, times, now)


async def _enough_seats(session: AsyncSession, wanted: Lecture) -> None:
    """Raise Invalid where more people are registered than there would be seats."""
    if wanted.capacity is None:
        return
    # Whoever registers people at this moment is waited for, so that the count is true.
    await store.lock(session, wanted.id)
    enough_seats(wanted, (await store.count_registrations(session, [wanted.id]))[wanted.id])


def enough_seats(wanted: Lecture, registered: int) -> None:
    """The same by what was counted. Pure."""
    if wanted.capacity is not None and wanted.capacity < registered:
        raise Invalid.at(
            "capacity",
            "%(registered)s people are registered. Give as many seats, or take registrations back first.",
            registered=registered,
        )


async def move_window(session: AsyncSession, before: Lecture, after: Lecture, now: int, actor: Actor) -> None:
    """Take the official time that was fixed, with its breaks, along to the new time of a lecture."""
    fixed = await store.fixed_window(session, before.id)
    if fixed is None:
        return
    spans = ((before.starts_at, before.ends_at), (after.starts_at, after.ends_at))
    window = moved_window(fixed, *spans) or scheduled_window(after)
    await store.add_window(session, after.id, window, reason="", set_by=actor.id, now=now)
