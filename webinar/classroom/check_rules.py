"""When presence checks are asked: at moments that nobody can foresee, spread over the official window.

Instants in Unix ms.
"""

from collections.abc import Callable, Sequence

MINUTE_MS = 60_000
# Who has just come in or is about to go is not asked; of a short lecture this would be most of it.
MARGIN_MS = 5 * MINUTE_MS
MARGIN_SHARE = 8
# Of each share of the window this much at either side stays free, so that two checks are never close.
APART = 0.2

# Between the end of one question and the next one, so that nobody takes the second for the first.
PAUSE_MS = MINUTE_MS

Span = tuple[int, int]


def rest(spans: Sequence[Span], since: int) -> list[Span]:
    """The official window from an instant on: who began late has only that much time to ask in."""
    return [(max(start, since), end) for start, end in spans if end > since]


def moments(spans: Sequence[Span], count: int, check_ms: int, chance: Callable[[], float]) -> list[int]:
    """When to ask, in order: one random moment in each of `count` equal shares of the time that is left.

    Args:
        spans: the official window, in order and apart.
        check_ms: how long each can be answered; all of that lies inside one span.
        chance: a new number from 0 to 1 at each call.

    Returns:
        Fewer than `count` (perhaps none) when the window is too short for them.
    """
    usable = _usable(spans, check_ms)
    length = sum(end - start for start, end in usable)
    if not length:
        return []
    # As many as never overlap, whatever chance says.
    count = min(count, max(1, int(2 * APART * length / check_ms)))
    share = length / count
    offsets = (share * (number + APART + (1 - 2 * APART) * chance()) for number in range(count))
    return [_at(usable, round(offset)) for offset in offsets]


def _usable(spans: Sequence[Span], check_ms: int) -> list[Span]:
    """Where a check may begin."""
    if not spans:
        return []
    whole = sum(end - start for start, end in spans)
    margin = min(MARGIN_MS, whole // MARGIN_SHARE)
    first, last = spans[0][0] + margin, spans[-1][1] - margin
    cut = [(max(start, first), min(end, last) - check_ms) for start, end in spans]
    return [(start, end) for start, end in cut if end > start]


def _at(usable: Sequence[Span], offset: int) -> int:
    for start, end in usable:
        if offset < end - start:
            return start + offset
        offset -= end - start
    return usable[-1][1]


def can_be_answered(spans: Sequence[Span], asked_at: int, check_ms: int) -> bool:
    """Whether a check that is asked now can be answered in full inside the window, and not in a break."""
    return any(start <= asked_at and asked_at + check_ms <= end for start, end in spans)
