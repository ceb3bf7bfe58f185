"""What a lecture lacks at an instant, decided purely: seen -> actions and the next due time.

The plan is level-triggered: it looks at what is, not at what happened. Missing a look, looking
twice or dying half-way changes nothing but the time it takes.

| late, and          | what happens                                                        |
|--------------------|---------------------------------------------------------------------|
| still before its end | the room opens at once, the lecture goes live at once if it is time |
| already over       | no room: the lecture is ended, and the audit says why |
| quiet period over  | the hours are settled at once, unless a contest waits for a decision |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from recordings.rules import Recording
from webinar.core.ids import is_id
from webinar.lectures import empty_rules
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, Room, RoomState, main_room_name
from webinar.lectures.upcoming_rules import BY_SCHEDULE, final_at

# A try room that nobody entered yet is kept this long, one that was left this long.
TRIAL_EMPTY_S = 600
TRIAL_LEFT_S = 60
# A room outlives the lecture's latest end by this much, so that the reconciler closes it, not a timer.
MARGIN_S = 900


class Action(StrEnum):
    """What the scheduler can do about a lecture; each may be repeated without harm."""

    OPEN_ROOM = "open_room"
    WANT_RECORDING = "want_recording"
    GO_LIVE = "go_live"
    PLAN_CHECKS = "plan_checks"
    MISS = "miss"
    END = "end"
    END_IF_EMPTY = "end_if_empty"
    CLOSE_IF_EMPTY = "close_if_empty"
    STOP_RECORDING = "stop_recording"
    CLOSE_ROOM = "close_room"
    FINALISE = "finalise"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do; `room` is the name of the room that it concerns, "" where it is the whole lecture."""

    action: Action
    room: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A lecture as the database has it. The watch writes there what the media server has.

    `rooms` are all of the lecture's, the main one first; it is missing until it is first wanted. `recording`
    is None when none was ever wanted; `quiet_period_s` is how long after its end the hours are settled,
    and not while one of `open_contests` waits for a decision.
    """

    lecture: Lecture
    rooms: tuple[Room, ...]
    recording: Recording | None
    quiet_period_s: int
    # Presence checks that the policy asks for and whose moments are not chosen yet.
    checks_to_plan: int = 0
    open_contests: int = 0

    def room(self, name: str) -> Room | None:
        return next((room for room in self.rooms if room.name == name), None)

    @property
    def main(self) -> Room | None:
        return self.room(main_room_name(self.lecture.id))

    def with_room(self, changed: Room) -> "Seen":
        """The same with this room as it is now; a main room that was missing comes first."""
        if self.room(changed.name) is None:
            return replace(self, rooms=(changed, *self.rooms))
        rooms = tuple(changed if room.name == changed.name else room for room in self.rooms)
        return replace(self, rooms=rooms)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, in order, and when to look again (Unix ms); None: never by itself.

    Deeds of rooms that follow each other wait for none of their neighbours.
    """

    deeds: tuple[Deed, ...]
    next_at: int | None


def plan(seen: Seen, now: int) -> Plan:
    """What is missing now, and the next instant at which something will be."""
    match seen.lecture.state:
        case LectureState.SCHEDULED:
            return _before(seen, now)
        case LectureState.OPEN | LectureState.LIVE:
            return _in_session(seen, now)
        case LectureState.ENDED:
            return _after(seen, now)
        case _:
            return Plan(_wound_up(seen), None)


def _before(seen: Seen, now: int) -> Plan:
    lecture = seen.lecture
    if now >= lecture.latest_end_at:
        return Plan((Deed(Action.MISS),), now)
    if now >= lecture.opens_at:
        # Its main room may stand already, from before the lecture was moved by a little or called off.
        opens = Deed(Action.OPEN_ROOM, main_room_name(lecture.id))
        return Plan((opens, *(deed for deed in _rooms(seen) if deed != opens)), now)
    # A lecture moved to a later day may have a room from before.
    return Plan(_wound_up(seen), lecture.opens_at)


def _in_session(seen: Seen, now: int) -> Plan:
    lecture = seen.lecture
    if now >= lecture.latest_end_at or _left(seen):
        return Plan((Deed(Action.END),), now)
    if (empty := empty_rules.lecture_due(lecture, seen.rooms)) is not None and now >= empty:
        return Plan((Deed(Action.END_IF_EMPTY),), now)
    actions: list[Action] = []
    dues = [lecture.latest_end_at, *([empty] if empty is not None else ()), *_empty_dues(seen, now)]
    # A recording that is over, because the lecture was, goes on when the lecture does.
    if lecture.recorded and (seen.recording is None or seen.recording.may("want")):
        actions.append(Action.WANT_RECORDING)
    if lecture.state is LectureState.OPEN and lecture.live_by == BY_SCHEDULE:
        if now >= lecture.starts_at:
            actions.append(Action.GO_LIVE)
        else:
            dues.append(lecture.starts_at)
    if seen.checks_to_plan:
        actions.append(Action.PLAN_CHECKS)
    # The lecture goes on though a room is refused.
    return Plan((*map(Deed, actions), *_rooms(seen), *_empty(seen, now)), min(dues))


def _empty_dues(seen: Seen, now: int) -> list[int]:
    dues = [empty_rules.room_due(seen.lecture, room) for room in seen.rooms]
    return [due for due in dues if due is not None and due > now]


def _empty(seen: Seen, now: int) -> tuple[Deed, ...]:
    """Breakout rooms that have been empty for long enough."""
    dues = {room.name: empty_rules.room_due(seen.lecture, room) for room in seen.rooms}
    return tuple(
        Deed(Action.CLOSE_IF_EMPTY, name) for name, due in dues.items() if due is not None and now >= due
    )


def _rooms(seen: Seen) -> tuple[Deed, ...]:
    """What the rooms of a lecture in session lack: those that are needed stand open, the others do not."""
    main = main_room_name(seen.lecture.id)
    deeds = [] if seen.room(main) else [Deed(Action.OPEN_ROOM, main)]
    for room in seen.rooms:
        if room.needed and room.state is not RoomState.OPEN:
            deeds.append(Deed(Action.OPEN_ROOM, room.name))
        elif not room.needed and room.state is not RoomState.CLOSED:
            deeds.append(Deed(Action.CLOSE_ROOM, room.name))
    return tuple(deeds)


def _left(seen: Seen) -> bool:
    """A room that was tried out is over once it is gone from the media server."""
    main = seen.main
    return seen.lecture.trial and main is not None and main.state is RoomState.LOST


def _after(seen: Seen, now: int) -> Plan:
    due = final_at(seen.lecture.ended_at or now, seen.quiet_period_s)
    deeds = _wound_up(seen)
    if now < due:
        return Plan(deeds, due)
    if seen.open_contests:
        # Whoever decides the last one has the lecture looked at again.
        return Plan(deeds, None)
    return Plan((*deeds, Deed(Action.FINALISE)), due)


def _wound_up(seen: Seen) -> tuple[Deed, ...]:
    stop = (Deed(Action.STOP_RECORDING),) if seen.recording and seen.recording.may("stop") else ()
    standing = [room for room in seen.rooms if room.state is not RoomState.CLOSED]
    return (*stop, *(Deed(Action.CLOSE_ROOM, room.name) for room in standing))


def room_timeouts(lecture: Lecture, now: int) -> tuple[int, int]:
    """Seconds that the media server keeps the room before anybody came, and after everybody left."""
    if lecture.trial:
        return TRIAL_EMPTY_S, TRIAL_LEFT_S
    until_the_end = max(0, lecture.latest_end_at - now) // 1000 + MARGIN_S
    return until_the_end, until_the_end


@dataclass(frozen=True, slots=True)
class Difference:
    """Rooms that the media server should have and has not, and names that it has and nobody owes."""

    lost: tuple[Room, ...]
    strange: tuple[str, ...]


def compare(owed: Sequence[Room], present: Sequence[tuple[str, str]]) -> Difference:
    """What the media server lacks and has too much.

    Args:
        owed: every room that is not closed, read *before* the server was asked: one that was opened
            in between is then no false alarm.
        present: (name, SID) of each room of the server. Only names of our own form are looked at.
    """
    sids = dict(present)
    names = {room.name for room in owed}
    lost = [room for room in owed if room.state is RoomState.OPEN and sids.get(room.name) != room.sid]
    strange = [name for name in sids if name not in names and is_ours(name)]
    return Difference(tuple(lost), tuple(strange))


def is_ours(room_name: str) -> bool:
    """Whether a room name is `<lecture id>.<kind>`; others on a shared media server are left alone."""
    lecture_id, dot, kind = room_name.partition(".")
    return bool(dot) and is_id(lecture_id) and kind.isalnum()


def sweeps_on(lecture: Lecture | None, room: Room | None) -> bool:
    """Whether the room is still to be looked into."""
    return (
        lecture is not None
        and lecture.state in IN_SESSION
        and room is not None
        and room.state in {RoomState.OPEN, RoomState.LOST, RoomState.WANTED}
    )
