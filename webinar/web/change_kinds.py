"""The changes that the pages of a lecture offer: what each form shows first, and what it asks to be done.

What is typed are wall times of the lecture's zone. Each form says an end and never "some minutes more", so
that the same form sent twice asks for the same.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import Invalid
from webinar.lectures import changes, editing, service
from webinar.lectures.change_rules import MOST_BREAKS, breaks_of, present_break
from webinar.lectures.editing import Change, change_to
from webinar.lectures.rules import (
    MINUTE_MS,
    Lecture,
    LectureState,
    Registration,
    Window,
    agreed_times,
    instant_of,
    wall_of,
)
from webinar.web import times, windows
from webinar.web.context import Context
from webinar.web.forms import number
from webinar.web.lecture_booking import empty_seconds, empty_values

_S = LectureState
AHEAD = frozenset({_S.SCHEDULED, _S.OPEN})
ON = AHEAD | {_S.LIVE}
DAY_MS = 24 * 60 * MINUTE_MS
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """The lecture as the form found it."""

    lecture: Lecture
    window: Window
    lecturers: Sequence[Registration]
    now: int

    @property
    def minute(self) -> int:
        """Now, as a form can say it."""
        return self.now // MINUTE_MS * MINUTE_MS

    def clock(self, at: int) -> str:
        return wall_of(at, self.lecture.zone)[11:]


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form says: its fields, and who is ticked."""

    values: Mapping[str, str]
    lecturer_ids: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


Deed = Callable[[Context, AsyncSession, Lecture], Awaitable[Lecture]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One change: `first` is what its form shows, `read` what it asks for (or Invalid, at its fields)."""

    name: str
    states: frozenset[LectureState]
    first: Callable[[Seen], Mapping[str, str]]
    read: Callable[[Typed, Seen], Deed]

    def possible(self, seen: Seen) -> bool:
        """Whether the lecture is offered this change now."""
        if self.name == "go-on":
            return seen.lecture.state is _S.LIVE and present_break(seen.window, seen.now) is not None
        return seen.lecture.state in self.states


def _instant(typed: Typed, field: str, seen: Seen, not_before: int) -> int:
    """The instant of a typed time of day: the first one at or after another instant."""
    zone = seen.lecture.zone
    day = wall_of(not_before, zone)[:10]
    at = instant_of(f"{day}T{typed[field][:5]}", zone, field)
    return at if at >= not_before else at + DAY_MS


# --- times -------------------------------------------------------------------------------------


def _times_first(seen: Seen) -> dict[str, str]:
    return times.as_typed(seen.lecture.starts_wall, seen.lecture.ends_wall)


def _time(typed: Typed, seen: Seen) -> Deed:
    starts, ends = times.walls_of(typed.values)
    agreed_times(starts, ends, seen.lecture.zone)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await _edited(asked, session, lecture, Change(starts_wall=starts, ends_wall=ends))

    return deed


async def _edited(asked: Context, session: AsyncSession, lecture: Lecture, wanted: Change) -> Lecture:
    return await editing.change(
        session, asked.rights, lecture, wanted, version=lecture.version, now=asked.now, actor=asked.actor
    )


def _extend_first(seen: Seen) -> dict[str, str]:
    return {"until": seen.clock(max(seen.lecture.closes_at, seen.minute) + 15 * MINUTE_MS), "counts": ""}


def _extend(typed: Typed, seen: Seen) -> Deed:
    until = _instant(typed, "until", seen, seen.minute)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.extend_until(
            session, lecture, until, counts=bool(typed["counts"]), now=asked.now, actor=asked.actor
        )

    return deed


def _late_first(seen: Seen) -> dict[str, str]:
    began = seen.lecture.live_at or seen.minute
    return {"begins": seen.clock(max(began, seen.window.starts_at)), "reason": ""}


def _late(typed: Typed, seen: Seen) -> Deed:
    at = _instant(typed, "begins", seen, seen.lecture.starts_at)
    reason = _reason(typed)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.count_from(session, lecture, at, reason=reason, now=asked.now, actor=asked.actor)

    return deed


def _end_first(seen: Seen) -> dict[str, str]:
    return {"counts": "now", "ends": seen.clock(seen.minute), "reason": ""}


def _end(typed: Typed, seen: Seen) -> Deed:
    until = None
    if typed["counts"] != "keep":
        until = _instant(typed, "ends", seen, seen.window.starts_at)
    reason = _reason(typed) if until is not None else ""

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.end_early(
            session, lecture, counts_until=until, reason=reason, now=asked.now, actor=asked.actor
        )

    return deed


def _reason(typed: Typed) -> str:
    if not typed["reason"]:
        raise Invalid.at("reason", "Say why, for whoever reads it later.")
    return typed["reason"][:500]


# --- breaks ------------------------------------------------------------------------------------


def _breaks_first(seen: Seen) -> dict[str, str]:
    return windows.form_of(seen.window, seen.lecture.zone)


def _breaks(typed: Typed, seen: Seen) -> Deed:
    zone = seen.lecture.zone
    frame = {n: v for n, v in windows.form_of(seen.window, zone).items() if not n.startswith("break_")}
    rows = {
        name: typed[name]
        for row in range(1, MOST_BREAKS + 1)
        for name in (f"break_from_{row}", f"break_to_{row}")
    }
    breaks = breaks_of(Window(tuple(windows.spans_of({**frame, **rows}, zone))))

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.plan_breaks(session, lecture, breaks, now=asked.now, actor=asked.actor)

    return deed


def _pause_first(seen: Seen) -> dict[str, str]:
    return {"until": seen.clock(seen.minute + 10 * MINUTE_MS)}


def _pause(typed: Typed, seen: Seen) -> Deed:
    until = _instant(typed, "until", seen, seen.minute)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        now = asked.now // MINUTE_MS * MINUTE_MS
        return await changes.pause(session, lecture, until, now=now, actor=asked.actor)

    return deed


def _go_on(_typed: Typed, _seen: Seen) -> Deed:
    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        now = asked.now // MINUTE_MS * MINUTE_MS
        return await changes.go_on(session, lecture, now=now, actor=asked.actor)

    return deed


# --- people and the room -----------------------------------------------------------------------


def _lecturers(typed: Typed, _seen: Seen) -> Deed:
    ids = list(typed.lecturer_ids)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await telling.change_lecturers(
            session,
            lecture,
            ids,
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
        )

    return deed


def _seats(typed: Typed, _seen: Seen) -> Deed:
    capacity = number(typed["capacity"], "capacity") if typed["capacity"] else None

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        wanted = change_to({"capacity": capacity})
        return await _edited(asked, session, lecture, wanted)

    return deed


def _room_first(seen: Seen) -> dict[str, str]:
    lecture = seen.lecture
    return {
        "open_before": str(lecture.open_before_s // MINUTE_S),
        "overrun": str(lecture.overrun_s // MINUTE_S),
        "live_by": lecture.live_by,
        **empty_values(lecture),
    }


def _room(typed: Typed, seen: Seen) -> Deed:
    fields: dict[str, object] = {
        "overrun_s": number(typed["overrun"], "overrun") * MINUTE_S,
        "empty_after_s": empty_seconds(typed.values),
        "empty_early": bool(typed["empty_early"]),
    }
    if seen.lecture.state in AHEAD:
        fields["open_before_s"] = number(typed["open_before"], "open_before") * MINUTE_S
        fields["live_by"] = "host" if typed["live_by"] == "host" else "schedule"
    wanted = change_to(fields)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await _edited(asked, session, lecture, wanted)

    return deed


# --- off and on again --------------------------------------------------------------------------


def _cancel(typed: Typed, _seen: Seen) -> Deed:
    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await service.cancel(session, lecture, typed["reason"][:500], asked.now, asked.actor)

    return deed


def _restore(typed: Typed, seen: Seen) -> Deed:
    again = agreed_times(*times.walls_of(typed.values), seen.lecture.zone)

    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.restore(session, lecture, again, now=asked.now, actor=asked.actor)

    return deed


def _nothing(_seen: Seen) -> dict[str, str]:
    return {}


KINDS = (
    Kind("time", AHEAD, _times_first, _time),
    Kind("pause", frozenset({_S.LIVE}), _pause_first, _pause),
    Kind("go-on", frozenset({_S.LIVE}), _nothing, _go_on),
    Kind("extend", frozenset({_S.OPEN, _S.LIVE, _S.ENDED}), _extend_first, _extend),
    Kind("late", frozenset({_S.LIVE, _S.ENDED}), _late_first, _late),
    Kind("end", frozenset({_S.LIVE}), _end_first, _end),
    Kind("breaks", ON | {_S.ENDED}, _breaks_first, _breaks),
    Kind("lecturers", ON, _nothing, _lecturers),
    Kind("seats", ON, lambda seen: {"capacity": str(seen.lecture.capacity or "")}, _seats),
    Kind("room", ON, _room_first, _room),
    Kind("cancel", ON, _nothing, _cancel),
    Kind("restore", frozenset({_S.CANCELLED}), _times_first, _restore),
)
BY_NAME = {kind.name: kind for kind in KINDS}
