"""`python -m tests.simulation --seeds 10000 --first 1`: many lives, each lived twice.

What lives is a lecture with everything around it, or (`--what schedulers`) several schedulers on one
database.
Prints a line for each seed that fails, with the command that replays it alone, how far it came (on
stderr), and at the end how many ran, how many violations there were, how many events, and how long it took.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tests.simulation import simulate as attendance
from tests.simulation.outcome import Outcome
from tests.simulation.scenario import scenario
from tests.simulation.schedulers import simulate as schedulers
from tests.simulation.schedulers.faults import plan

PROCESSES = 2
PROGRESS_EVERY = 250


class Lives(NamedTuple):
    """What can be lived: a seed's plan, once, twice with equal digests, and the figures of many verdicts."""

    plan: Callable[[int], object]
    once: Callable[..., Outcome[Any]]
    twice: Callable[[int], Outcome[Any]]
    figures: "Callable[[], Figures]"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--what", choices=sorted(WHAT), default="attendance")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--within", type=float, help="stop after so many seconds, and say how far it came")
    parser.add_argument("--once", action="store_true", help="live each seed once: twice as many, no digests")
    parser.add_argument("--trace", action="store_true", help="print all that happened; for one seed")
    asked = parser.parse_args()
    lives = WHAT[asked.what]
    if asked.trace:
        outcome = lives.once(asked.first, keep=True)
        print(lives.plan(asked.first), *outcome.lines, *outcome.violations, sep="\n")
        return bool(outcome.violations)
    seeds = range(asked.first, asked.first + asked.seeds)
    report = Report(asked.what, lives.figures(), "once" if asked.once else "twice")
    live = lives.once if asked.once else lives.twice
    if len(seeds) == 1:
        return report.of(map(live, seeds))
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        return report.of(_within(pool.imap_unordered(live, seeds, chunksize=5), asked.within))


def _within(outcomes: Iterable[Outcome[Any]], within_s: float | None) -> Iterator[Outcome[Any]]:
    began = time.monotonic()
    for outcome in outcomes:
        yield outcome
        if within_s is not None and time.monotonic() - began > within_s:
            return


class Figures(Protocol):
    """What is to be said of the verdicts of one kind, besides their violations."""

    def add(self, verdict: Any) -> None:
        """Take the verdict of one seed into account."""

    def line(self) -> str:
        """What is to be said of all of them."""


class SecondsWrong:
    """Of the lectures: by how many seconds people's attendance was wrong."""

    def __init__(self) -> None:
        self.smooth: Counter[int] = Counter()
        self.all: Counter[int] = Counter()

    def add(self, verdict: Any) -> None:
        self.smooth.update(verdict.smooth_wrong_s)
        self.all.update(verdict.wrong_s)

    def line(self) -> str:
        return f"seconds wrong: without faults {_spread(self.smooth)}; all {_spread(self.all)} (people)"


class Claims:
    """Of the schedulers: how often effects were taken, how late where nothing broke, and where they died."""

    SUMS = ("claims", "takeovers", "mails", "repeats", "stays", "moves", "segments")

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.late_ms: Counter[int] = Counter()
        self.deaths: Counter[str] = Counter()

    def add(self, verdict: Any) -> None:
        self.late_ms.update(verdict.late_ms)
        self.deaths.update(verdict.deaths)
        for name in self.SUMS:
            self.sums[name] += getattr(verdict, name)

    def line(self) -> str:
        sums = self.sums
        return (
            f"{sums['claims']} claims, {sums['takeovers']} of them from the dead; {sums['mails']} mails,"
            f" {sums['repeats']} of them a second time after a death or a hang;"
            f" ms late where nothing broke: {_spread(self.late_ms)} (claims)\n"
            f"{sums['stays']} stays of people, {sums['moves']} rooms moved,"
            f" {sums['segments']} segments recorded; deaths at awaits: {_most(self.deaths)}"
        )


@dataclass
class Report:
    what: str
    figures: Figures
    lived: str
    seeds: int = 0
    failed: int = 0
    events: int = 0
    violations: int = 0
    cpu: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def of(self, outcomes: Iterable[Outcome[Any]]) -> int:
        for outcome in outcomes:
            self._add(outcome)
        print(
            f"{self.seeds} seeds, each {self.lived}, {self.failed} failed, {self.violations} violations,"
            f" {self.events} events, {self._took()} s"
            f" ({1000 * self.cpu / max(1, self.seeds):.0f} ms of CPU a run)"
        )
        print(self.figures.line())
        return 1 if self.failed else 0

    def _took(self) -> int:
        return round(time.monotonic() - self.began)

    def _add(self, outcome: Outcome[Any]) -> None:
        self.seeds += 1
        self.events += outcome.events
        self.cpu += outcome.seconds
        self.violations += len(outcome.violations)
        self.figures.add(outcome.verdict)
        if outcome.violations:
            self.failed += 1
            what = "" if self.what == "attendance" else f"WHAT={self.what} "
            again = f"make simulate {what}SEEDS=1 FIRST_SEED={outcome.seed} TRACE=1"
            first, count = outcome.violations[0], len(outcome.violations)
            print(f"seed {outcome.seed}: {first} ({count} in all; {again})", flush=True)
        if self.seeds % PROGRESS_EVERY == 0:
            so_far = f"… {self.seeds} seeds, {self.failed} failed, {self._took()} s"
            print(so_far, file=sys.stderr, flush=True)


def _most(counts: Counter[str]) -> str:
    """Each with how often, the most frequent first."""
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"


def _spread(counts: Counter[int]) -> str:
    many = sum(counts.values())
    if not many:
        return "none"
    values = sorted(counts.elements())
    return f"p50 {values[many // 2]}, p99 {values[many * 99 // 100]}, max {values[-1]} of {many}"


WHAT = {
    "attendance": Lives(scenario, attendance.simulate, attendance.simulate_twice, SecondsWrong),
    "schedulers": Lives(plan, schedulers.simulate, schedulers.simulate_twice, Claims),
}


if __name__ == "__main__":
    sys.exit(main())
