"""What will happen to a lecture by itself, and when: the scheduler acts on it, its page shows it."""

from dataclasses import dataclass
from enum import StrEnum

from webinar.lectures.rules import Lecture, LectureState

BY_SCHEDULE = "schedule"


class Step(StrEnum):
    """A thing that happens by itself, in the words of the audit trail."""

    ROOM_OPENED = "room_opened"
    RECORDING_STARTED = "recording_started"
    WENT_LIVE = "went_live"
    ENDS_EMPTY = "ends_empty"
    ENDED = "ended"
    ROOM_CLOSED = "room_closed"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A step and its instant in Unix ms; one that is late already has an instant in the past."""

    at: int
    step: Step


def upcoming(lecture: Lecture, quiet_period_s: int) -> list[Upcoming]:
    """Everything that is still to come if nobody interferes, in order.

    Args:
        quiet_period_s: the pinned policy's time between the end and the settling of hours.
    """
    if lecture.state in {LectureState.SCHEDULED, LectureState.OPEN, LectureState.LIVE}:
        return _until_the_end(lecture) + _after_the_end(lecture.latest_end_at, quiet_period_s)
    if lecture.state is LectureState.ENDED:
        return _after_the_end(lecture.ended_at or lecture.latest_end_at, quiet_period_s)[1:]
    return []


def _until_the_end(lecture: Lecture) -> list[Upcoming]:
    steps = []
    if lecture.state is LectureState.SCHEDULED:
        steps.append(Upcoming(lecture.opens_at, Step.ROOM_OPENED))
        if lecture.recorded:
            steps.append(Upcoming(lecture.opens_at, Step.RECORDING_STARTED))
    if lecture.state is not LectureState.LIVE and lecture.live_by == BY_SCHEDULE:
        steps.append(Upcoming(lecture.starts_at, Step.WENT_LIVE))
    if lecture.empty_after_s is not None and lecture.empty_after_s < lecture.overrun_s:
        steps.append(Upcoming(lecture.closes_at, Step.ENDS_EMPTY))
    return [*steps, Upcoming(lecture.latest_end_at, Step.ENDED)]


def _after_the_end(ended_at: int, quiet_period_s: int) -> list[Upcoming]:
    return [Upcoming(ended_at, Step.ROOM_CLOSED), Upcoming(final_at(ended_at, quiet_period_s), Step.FINAL)]


def final_at(ended_at: int, quiet_period_s: int) -> int:
    """When the hours are settled."""
    return ended_at + quiet_period_s * 1000
