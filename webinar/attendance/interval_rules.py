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
    """What two unions have in common; both are in order and apart."""
    inside = []
    here, there = 0, 0
    while here < len(apart) and there < len(spans):
        (start, end), (from_, to) = apart[here], spans[there]
        if max(start, from_) < min(end, to):
            inside.append((max(start, from_), min(end, to)))
        if end < to:
            here += 1
        else:
            there += 1
    return inside


def missing(covered: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    """What of the spans is not covered; both are unions."""
    holes = []
    first = 0
    for from_, to in spans:
        while first < len(covered) and covered[first][1] <= from_:
            first += 1
        at, next_ = from_, first
        while next_ < len(covered) and covered[next_][0] < to:
            start, end = covered[next_]
            if start > at:
                holes.append((at, start))
            at = max(at, end)
            next_ += 1
        if at < to:
            holes.append((at, to))
    return holes


def covers(apart: Iterable[Span], span: Span) -> bool:
    """Whether one interval of a union has all of a span in it."""
    return any(start <= span[0] and span[1] <= end for start, end in apart)


def length(apart: Iterable[Span]) -> int:
    """Milliseconds covered by intervals that are apart."""
    return sum(end - start for start, end in apart)
