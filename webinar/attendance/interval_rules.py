"""Sets of instants as intervals: (start, end) in Unix ms, the end not included."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same instants as intervals in order and apart; empty ones go, touching ones become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def filled(apart: Sequence[Span], grace_ms: int) -> list[Span]:
    """Gaps of at most `grace_ms` count as present, longer ones are absent in full. Takes a union."""
    joined: list[Span] = []
    for start, end in apart:
        if joined and start - joined[-1][1] <= grace_ms:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def clipped(apart: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    """What of a union lies inside the spans; spans are in order and apart."""
    inside = []
    for start, end in apart:
        for from_, to in spans:
            if max(start, from_) < min(end, to):
                inside.append((max(start, from_), min(end, to)))
    return inside


def missing(inside: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    """What of the spans is not covered by intervals that lie inside them."""
    holes = []
    for from_, to in spans:
        at = from_
        for start, end in inside:
            if from_ <= start < to:
                if start > at:
                    holes.append((at, start))
                at = end
        if at < to:
            holes.append((at, to))
    return holes


def length(apart: Iterable[Span]) -> int:
    """Milliseconds covered by intervals that are apart."""
    return sum(end - start for start, end in apart)
