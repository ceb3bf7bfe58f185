"""What the participants themselves told of when they were inside, and how far the service is off."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webinar.attendance.interval_rules import Span, clipped, length, union


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person. `slack_s` is how long the own connecting and closing took: in truth either end of it."""

    seat: str
    true_s: float
    credited_s: int
    stated_s: int
    slack_s: float
    vanished: bool
    touched: bool

    @property
    def wrong_s(self) -> float:
        return abs(self.credited_s - self.true_s)


class Diary:
    """Lines of the crowds, and the kills that they could not tell of. Instants in Unix ms."""

    def __init__(self) -> None:
        self._stays: dict[tuple[str, int], list[Span]] = defaultdict(list)
        self._since: dict[tuple[str, int], int] = {}
        self._slack: dict[str, int] = defaultdict(int)

    def note(self, line: Mapping[str, Any]) -> None:
        key = (line["seat"], line["stay"])
        self._slack[line["seat"]] += line["took"]
        if line["what"] == "in":
            self._since.setdefault(key, line["at"])
        elif line["what"] == "out" and key in self._since:
            self._stays[key].append((self._since.pop(key), line["at"]))

    def killed(self, stays: Iterable[int], at: int) -> None:
        """The process of these stays was killed."""
        numbers = set(stays)
        for key in [key for key in self._since if key[1] in numbers]:
            self._stays[key].append((self._since.pop(key), at))

    def everybody_out(self, at: int) -> None:
        """The media server was killed; the clients notice a moment later."""
        for key in list(self._since):
            self._stays[key].append((self._since.pop(key), at))

    def spans(self, seat: str) -> list[Span]:
        return union(span for (whose, _), spans in self._stays.items() if whose == seat for span in spans)

    def seconds(self, seat: str, window: Span) -> float:
        return length(clipped(self.spans(seat), [window])) / 1000

    def slack_s(self, seat: str) -> float:
        return self._slack[seat] / 1000

    def touched(self, seat: str, fault: Span | None) -> bool:
        """Whether somebody came or went while the fault lasted."""
        ends = [end for span in self.spans(seat) for end in span]
        return fault is not None and any(fault[0] <= end <= fault[1] for end in ends)
