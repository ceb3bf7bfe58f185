"""How what lies ahead of a lecture stands: planned, due, in progress, late, failing, stopped, held. Pure.

The lecture's own rules say what comes and when (`lectures/upcoming_rules.py`), its effects say whether
somebody is at it. What has happened stands in the audit trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from webinar.lectures.rules import IN_SESSION, Lecture, Room, RoomState
from webinar.lectures.upcoming_rules import Step, Upcoming
from webinar.operations.rules import HELD_KINDS, LATE_AFTER_MS, Standing, standing

CARE = "lecture"
# Of these nobody needs to know while they go well.
QUIET_KINDS = frozenset({"sweep", "tally", "remove", "announce", "remind"})
TROUBLE = (Standing.PARKED, Standing.FAILING, Standing.LATE)
# A recorder has so long to come after the room has opened.
RECORDER_LATE_MS = 60_000


@dataclass(frozen=True, slots=True)
class OfLecture:
    """How many effects of a lecture are of one kind and state, tried before or not.

    `first_due_at` and `last_finished_at` in Unix ms; `error` also holds why some were skipped.
    """

    kind: str
    state: str
    tried: bool
    count: int
    first_due_at: int
    last_finished_at: int | None
    error: str | None

    def standing(self, now: int) -> Standing:
        return standing(self.state, int(self.tried), self.first_due_at, now)


class Sort(StrEnum):
    """What a foreseen thing is made of."""

    STEP = "step"
    MAILS = "mails"
    CHECKS = "checks"
    REMINDERS = "reminders"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One line of what lies ahead, or of mails that went out; `at` in Unix ms.

    `what` is a step or a kind of effect; `count` is of effects, of contests where `standing` is waiting,
    and of minutes for `ends_empty`; `error` is as the effect or the room keeps it.
    """

    at: int
    sort: Sort
    what: str
    standing: Standing
    count: int = 1
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a lecture: its steps ahead, its rooms, its effects, its contests.

    `recorder_waits` says that it is to be recorded, and no recorder has begun.
    """

    lecture: Lecture
    steps: Sequence[Upcoming]
    rooms: Sequence[Room]
    effects: Sequence[OfLecture]
    open_contests: int = 0
    recorder_waits: bool = False


def foreseen(seen: Seen, now: int) -> list[Foreseen]:
    """Everything that is still to come and how it stands, and the mails that went, by time."""
    care = next((effect for effect in seen.effects if effect.kind == CARE), None)
    lines = [_step(seen, step, care, now) for step in seen.steps]
    if seen.recorder_waits and seen.lecture.state in IN_SESSION:
        lines.append(_recorder(seen.lecture, now))
    for effects in _together(seen.effects):
        if effects.kind != CARE:
            lines += _of_effects(effects, seen.lecture, now)
    return sorted(lines, key=lambda line: line.at)


def _together(effects: Sequence[OfLecture]) -> list[OfLecture]:
    """Mails that wait for their turn are counted with those that go out right now."""
    going = {e.kind: e for e in effects if e.state == "claimed" and e.kind in HELD_KINDS}
    found = []
    for one in effects:
        if one.state == "owed" and not one.tried and one.kind in going:
            running = going.pop(one.kind)
            first = min(one.first_due_at, running.first_due_at)
            found.append(replace(running, count=one.count + running.count, first_due_at=first))
        elif one.state != "claimed" or one.kind not in HELD_KINDS:
            found.append(one)
    return [*found, *going.values()]


def _step(seen: Seen, step: Upcoming, care: OfLecture | None, now: int) -> Foreseen:
    how = _of_care(care, now)
    error = care.error if care is not None and how in TROUBLE else None
    if step.step is Step.ENDS_EMPTY:
        # No deed of that instant, but what holds from then on.
        minutes = (seen.lecture.empty_after_s or 0) // 60
        return Foreseen(step.at, Sort.STEP, step.step.value, Standing.AHEAD, minutes)
    if how is Standing.PARKED:
        return Foreseen(step.at, Sort.STEP, step.step.value, how, error=error)
    if step.step is Step.FINAL and seen.open_contests:
        return Foreseen(step.at, Sort.STEP, step.step.value, Standing.WAITING, seen.open_contests)
    if step.at > now:
        return Foreseen(step.at, Sort.STEP, step.step.value, Standing.AHEAD)
    trouble = next((room.last_error for room in seen.rooms if room.last_error and _waits(room)), None)
    if trouble or how is Standing.FAILING:
        return Foreseen(step.at, Sort.STEP, step.step.value, Standing.FAILING, error=trouble or error)
    late = Standing.LATE if now - step.at > LATE_AFTER_MS else Standing.DUE
    running = Standing.RUNNING if how is Standing.RUNNING else late
    return Foreseen(step.at, Sort.STEP, step.step.value, running)


def _of_care(care: OfLecture | None, now: int) -> Standing:
    """How the lecture's own effect stands. One that was skipped looks after nothing any more."""
    if care is None:
        return Standing.AHEAD
    how = care.standing(now)
    return Standing.PARKED if how is Standing.SKIPPED else how


def _waits(room: Room) -> bool:
    return room.state in {RoomState.WANTED, RoomState.LOST, RoomState.CLOSING}


def _recorder(lecture: Lecture, now: int) -> Foreseen:
    since = lecture.opened_at or lecture.opens_at
    how = Standing.LATE if now - since > RECORDER_LATE_MS else Standing.RUNNING
    return Foreseen(since, Sort.STEP, Step.RECORDING_STARTED.value, how)


def _of_effects(effects: OfLecture, lecture: Lecture, now: int) -> list[Foreseen]:
    how = effects.standing(now)
    if effects.kind in HELD_KINDS:
        at = effects.last_finished_at if how in {Standing.DONE, Standing.SKIPPED} else effects.first_due_at
        kept = effects.error if how in {*TROUBLE, Standing.SKIPPED} else None
        return [Foreseen(at or effects.first_due_at, Sort.MAILS, effects.kind, how, effects.count, kept)]
    if effects.kind == "check" and how is Standing.AHEAD:
        # When they are asked nobody can foresee, who organises neither.
        return [Foreseen(lecture.starts_at, Sort.CHECKS, effects.kind, how, effects.count)]
    if effects.kind == "remind" and how is Standing.AHEAD:
        return [Foreseen(effects.first_due_at, Sort.REMINDERS, effects.kind, how)]
    if how in TROUBLE or (how is Standing.RUNNING and effects.kind not in QUIET_KINDS):
        return [Foreseen(effects.first_due_at, Sort.WORK, effects.kind, how, effects.count, effects.error)]
    return []
