"""What a runner did since its process began: how often, how late, and how it ended, by kind.

Plain numbers that only grow. A process tells them with its sign of life, and whoever is asked for metrics
adds up those of all processes: a scheduler needs no port of its own.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

# Upper bounds in ms of what an effect may be late; the last bucket has none.
BOUNDS_MS = (10, 25, 50, 100, 200, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000, 3_600_000)

LEASE_LOST = "lease_lost"
NOT_WRITTEN = "not_written"


@dataclass(slots=True)
class Lateness:
    """How many began within each of `BOUNDS_MS` (one more for the rest), and the sum in ms."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    sum_ms: int = 0

    def add(self, late_ms: int) -> None:
        self.buckets[bisect_left(BOUNDS_MS, late_ms)] += 1
        self.sum_ms += late_ms


class Meter:
    """Counts for one process; `told()` is what is kept of it beside the process, as plain JSON."""

    def __init__(self) -> None:
        self._lateness: dict[str, Lateness] = {}
        self._ended: Counter[tuple[str, str]] = Counter()

    def began(self, kind: str, late_ms: int) -> None:
        """An effect was claimed and its handler begins, so long after it fell due."""
        self._lateness.setdefault(kind, Lateness()).add(max(0, late_ms))

    def ended(self, kind: str, how: str) -> None:
        """A try has ended: done, again, retried, parked, skipped, lease_lost or not_written."""
        self._ended[kind, how] += 1

    def told(self) -> Mapping[str, Mapping[str, object]]:
        """By kind: `late` (a number for each bucket), `late_sum_ms`, `ended` (how often it ended how)."""
        return {
            kind: {
                "late": list(late.buckets),
                "late_sum_ms": late.sum_ms,
                "ended": {how: count for (of, how), count in sorted(self._ended.items()) if of == kind},
            }
            for kind, late in sorted(self._lateness.items())
        }
