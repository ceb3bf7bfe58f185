"""How many people were in the room from minute to minute, and one person's presence as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from webinar.attendance.check_rules import Asked
from webinar.attendance.credit_rules import MINUTE_MS, Presence
from webinar.attendance.interval_rules import Span
from webinar.attendance.log_rules import AttendanceLog
from webinar.lectures.rules import Window

# What is shown before the official window and after it.
MARGIN_MS = 10 * MINUTE_MS
# An end that is off by less is not worth a mark, in ms.
NOTEWORTHY_MS = 5_000
# A mark of doubt is at least this share of the bar, so that it can be seen at all.
LEAST_MARK = 80


@dataclass(frozen=True, slots=True)
class Curve:
    """Points are (instant, people), a minute apart from `start` to `end`."""

    start: int
    end: int
    points: tuple[tuple[int, int], ...]

    @property
    def most(self) -> int:
        return max((count for _, count in self.points), default=0)


@dataclass(frozen=True, slots=True)
class Bar:
    """Instants of presence, and where it is unsure; everything else within the window is absence.

    `watched` was seen in the replay; `answered` and `missed` are instants of presence checks.
    """

    spans: tuple[Span, ...]
    doubtful: tuple[Span, ...]
    watched: tuple[Span, ...] = ()
    answered: tuple[int, ...] = ()
    missed: tuple[int, ...] = ()


def curve(log: AttendanceLog) -> Curve:
    """Registered people present at each minute around the official window, until the log was computed."""
    start = log.window.starts_at - MARGIN_MS
    end = log.window.ends_at + MARGIN_MS
    if log.provisional:
        end = max(min(end, log.computed_at), log.window.starts_at)
    minutes = (end - start) // MINUTE_MS + 1
    changes = [0] * (minutes + 1)
    for entry in log.entries:
        for interval in entry.presence.intervals:
            first, after = _minutes(interval.start, interval.end, start, minutes)
            changes[first] += 1
            changes[after] -= 1
    counts = accumulate(changes[:minutes])
    points = tuple((start + number * MINUTE_MS, count) for number, count in enumerate(counts))
    return Curve(start, log.window.ends_at + MARGIN_MS, points)


def _minutes(start: int, end: int, origin: int, minutes: int) -> tuple[int, int]:
    """The first whole minute at which somebody is there, and the first at which they no longer are."""
    first, after = (-((origin - at) // MINUTE_MS) for at in (start, end))
    return min(max(first, 0), minutes), min(max(after, 0), minutes)


def bar(presence: Presence, window: Window, asked: Sequence[Asked] = ()) -> Bar:
    """One person's presence, with its unsure ends and the presence checks that the person was asked."""
    least = (window.ends_at - window.starts_at) // LEAST_MARK
    doubtful = []
    for interval in presence.intervals:
        if interval.start == interval.end:
            # Nothing proves it: it may have lasted for all of its uncertainty, and never began before.
            doubtful.append((interval.end, interval.end + interval.uncertainty_ms))
        elif interval.uncertainty_ms >= NOTEWORTHY_MS:
            half = max(interval.uncertainty_ms, least // 2)
            doubtful.append((interval.end - half, interval.end + half))
    return Bar(
        tuple((i.start, i.end) for i in presence.intervals),
        tuple(doubtful),
        presence.watched,
        tuple(one.asked_at for one in asked if one.answered_at is not None),
        tuple(one.asked_at for one in asked if one.answered_at is None),
    )
