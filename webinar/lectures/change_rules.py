"""What a change makes of a lecture and of its official time. Pure; instants are Unix ms.

Spans are (start, end), in order and apart, as in `Window`. The official time is the organiser's: each of
these functions is called because somebody decided so, and what it gives is written down beside the old one.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from webinar.core.errors import Invalid
from webinar.lectures.rules import (
    LONGEST_LECTURE_MS,
    MINUTE_MS,
    Lecture,
    LectureState,
    Times,
    Window,
    extended,
)

Span = tuple[int, int]

MOST_BREAKS = 8
# Who is in an open room is not sent out for a start that is at most so far ahead.
LONGEST_WAIT_MS = 60 * MINUTE_MS
SHORTEST_BREAK_MS = MINUTE_MS
# What is settled or called off keeps its official time.
WINDOW_STAYS = frozenset({LectureState.FINAL, LectureState.ARCHIVED, LectureState.CANCELLED})
# What an organiser says of a lecture: its time is changed as a whole, the rest field by field.
TIME = ("starts_wall", "ends_wall", "zone")
PLAIN = (
    *("title", "description", "jp", "policy_id", "recorded"),
    *("capacity", "open_before_s", "overrun_s", "live_by", "empty_after_s", "empty_early"),
)
# What a lecture is worth and when it is: agreed with everybody before it begins.
AGREED = (*TIME, "jp", "policy_id", "open_before_s", "live_by")


def rescheduled(lecture: Lecture, times: Times, now: int) -> Lecture:
    """The lecture at another time. One whose room may stay open keeps it, so that nobody is sent out.

    Raises:
        IllegalMove: it has begun, or is over.
    """
    stays = lecture.state is LectureState.OPEN and times.starts_at <= now + LONGEST_WAIT_MS
    base = lecture.after("postpone" if stays else "reschedule")
    return replace(_at(base, times), opened_at=lecture.opened_at if stays else None)


def restored(lecture: Lecture, times: Times, now: int) -> Lecture:
    """A cancelled lecture that takes place after all, at its old time or another one that lies ahead.

    Raises:
        IllegalMove: it is not cancelled. Invalid: that time is over.
    """
    back = lecture.after("restore")
    moved = (times.starts_at, times.ends_at) != (lecture.starts_at, lecture.ends_at)
    closes_at = times.ends_at if moved else max(lecture.closes_at, times.ends_at)
    if closes_at <= now:
        raise Invalid.at("starts_wall", "This time is already past. Choose one that lies ahead.")
    return replace(
        _at(back, times),
        closes_at=closes_at,
        live_at=None if moved else lecture.live_at,
        opened_at=None if moved else lecture.opened_at,
    )


def _at(lecture: Lecture, times: Times) -> Lecture:
    return replace(
        lecture,
        starts_wall=times.starts_wall,
        ends_wall=times.ends_wall,
        zone=times.zone,
        starts_at=times.starts_at,
        ends_at=times.ends_at,
        closes_at=times.ends_at,
        sequence=lecture.sequence + 1,
    )


def prolonged(lecture: Lecture, until: int, now: int, quiet_period_s: int) -> Lecture:
    """The lecture with a later end; one that has ended goes on, while its quiet period lasts.

    Raises:
        IllegalMove: it is over for good, or has not begun. Invalid: the end is not later, or too late.
    """
    going_on = extended(lecture, 0, now, quiet_period_s)
    over = lecture.state is LectureState.ENDED
    if until <= now or (until <= lecture.closes_at and not over):
        raise Invalid.at("until", "The new end has to be later than the present one.")
    if until - lecture.starts_at > LONGEST_LECTURE_MS:
        raise Invalid.at("until", "A lecture lasts 24 hours at most.")
    return replace(going_on, closes_at=until)


# --- the official time -------------------------------------------------------------------------


def breaks_of(window: Window) -> list[Span]:
    """The pauses between the spans."""
    return [(end, start) for (_, end), (start, _) in pairwise(window.spans)]


def with_breaks(start: int, end: int, breaks: Sequence[Span]) -> Window:
    """The official time from start to end, without the breaks.

    Raises:
        Invalid: breaks that cross, that are not inside, that are too short or too many.
    """
    if len(breaks) > MOST_BREAKS:
        raise Invalid.at("breaks", "At most %(most)s breaks.", most=MOST_BREAKS)
    marks = [start, *(at for span in sorted(breaks) for at in span), end]
    if any(later <= earlier for earlier, later in pairwise(marks)):
        raise Invalid.at("breaks", "Breaks lie inside the official time, one after the other.")
    if any(until - since < SHORTEST_BREAK_MS for since, until in breaks):
        raise Invalid.at("breaks", "A break lasts a minute at least.")
    return Window(tuple(zip(marks[::2], marks[1::2], strict=True)))


def present_break(window: Window, now: int) -> Span | None:
    """The break that is now, if there is one."""
    return next((span for span in breaks_of(window) if span[0] <= now < span[1]), None)


def paused(window: Window, now: int, until: int) -> Window:
    """The official time with a break from now on; one that is under way gets another end.

    Raises:
        Invalid: outside of the official time, or the end is not ahead.
    """
    under_way = present_break(window, now)
    since = under_way[0] if under_way else now
    kept = [span for span in breaks_of(window) if span[1] <= since or span[0] > until]
    return with_breaks(window.starts_at, window.ends_at, [*kept, (since, until)])


def gone_on(window: Window, now: int) -> Window:
    """The official time with the present break ended now; the same one where there is no break."""
    under_way = present_break(window, now)
    if under_way is None:
        return window
    kept = [span for span in breaks_of(window) if span != under_way]
    if now - under_way[0] >= SHORTEST_BREAK_MS:
        kept.append((under_way[0], now))
    return with_breaks(window.starts_at, window.ends_at, kept)


def begun(window: Window, at: int) -> Window:
    """The official time counted from a later start.

    Raises:
        Invalid: nothing would be left of it.
    """
    return _cut(window, at, window.ends_at, "begins")


def stopped(window: Window, at: int) -> Window:
    """The official time counted up to an earlier end.

    Raises:
        Invalid: nothing would be left of it.
    """
    return _cut(window, window.starts_at, at, "ends")


def _cut(window: Window, since: int, until: int, field: str) -> Window:
    cut = [(max(start, since), min(end, until)) for start, end in window.spans]
    left = tuple((start, end) for start, end in cut if start < end)
    if not left:
        raise Invalid.at(field, "Nothing would be left of the official time.")
    return Window(left)


def lengthened(window: Window, until: int) -> Window:
    """The official time up to a later end."""
    *before, (start, end) = window.spans
    return Window((*before, (start, max(end, until))))


def moved_window(window: Window, before: Span, after: Span) -> Window | None:
    """The official time that was fixed for a lecture, moved along with it; None where nothing is left of it.

    Args:
        before: start and end that were agreed. after: those that are agreed now.
    """
    by = after[0] - before[0]
    spans = [(start + by, end + by) for start, end in window.spans]
    inside = [(max(start, after[0]), min(end, after[1])) for start, end in spans]
    left = [(start, end) for start, end in inside if start < end]
    if not left:
        return None
    # It went to the lecture's end, and still does.
    if window.ends_at == before[1] and spans[-1][0] < after[1]:
        left[-1] = (left[-1][0], after[1])
    return Window(tuple(left))
