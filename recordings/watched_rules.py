"""What of a lecture a player showed: media time as instants, no faster than time. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recordings.rules import Segment
from webinar.attendance.interval_rules import union

Span = tuple[int, int]
FASTEST_PERCENT = 110
"""A stretch counts for the time that passed and a tenth, since reports do not come to the millisecond."""
LONGEST_PAUSE_MS = 60_000
"""A player reports every 15 s; what it says of more than a minute is not believed."""
MOST_STRETCHES = 50


@dataclass(frozen=True, slots=True)
class Part:
    """A run of segments without a hole: where it begins in the recording and in the lecture, in ms."""

    media_from: int
    media_to: int
    at: int


def parts_of(segments: Iterable[Segment]) -> tuple[Part, ...]:
    """The runs of a recording, its segments in order; init files have no duration and are passed over."""
    runs: list[Part] = []
    media = 0
    for one in segments:
        if not one.duration_ms:
            continue
        last = runs[-1] if runs else None
        if last is not None and abs(last.at + (last.media_to - last.media_from) - one.started_at) < 1_000:
            runs[-1] = Part(last.media_from, media + one.duration_ms, last.at)
        else:
            runs.append(Part(media, media + one.duration_ms, one.started_at))
        media += one.duration_ms
    return tuple(runs)


def instants(parts: Sequence[Part], stretches: Iterable[Span]) -> list[Span]:
    """Stretches of media time as instants of the lecture; what is outside of the recording is left out."""
    found: list[Span] = []
    for start, end in stretches:
        for part in parts:
            first, last = max(start, part.media_from), min(end, part.media_to)
            if first < last:
                found.append((part.at + first - part.media_from, part.at + last - part.media_from))
    return found


def believed(stretches: Sequence[Span], now: int, last_at: int | None) -> list[Span]:
    """The first of what was played, as much as can have been since this person's player was last heard of.

    Who plays at four times the speed, or in two windows, gets no more than the time that passed. The first
    report only says that a player begins.
    """
    left = 0 if last_at is None else min(max(0, now - last_at), LONGEST_PAUSE_MS) * FASTEST_PERCENT // 100
    found: list[Span] = []
    for start, end in stretches:
        if left <= 0:
            break
        found.append((start, min(end, start + left)))
        left -= end - start
    return found


def checked(said: object) -> list[Span] | None:
    """Stretches that a page told, [[from, to], …] in seconds of media time, as ms; None if they are none."""
    if not isinstance(said, list) or len(said) > MOST_STRETCHES:
        return None
    spans: list[Span] = []
    for one in said:
        if not isinstance(one, list) or len(one) != 2 or not all(_is_seconds(value) for value in one):
            return None
        spans.append((int(one[0] * 1000), int(one[1] * 1000)))
    return union(spans)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**6
