"""`python -m tests.simulation --seeds 10000 --first 1`: many lectures, each lived twice.

Prints a line for each seed that fails, with the command that replays it alone, how far it came (on
stderr), and at the end how many ran, how many violations there were, how many events, and how long it took.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.simulation.scenario import scenario
from tests.simulation.simulate import Outcome, simulate, simulate_twice

PROCESSES = 2
PROGRESS_EVERY = 250


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--within", type=float, help="stop after so many seconds, and say how far it came")
    parser.add_argument("--once", action="store_true", help="live each seed once: twice as many, no digests")
    parser.add_argument("--trace", action="store_true", help="print all that happened; for one seed")
    asked = parser.parse_args()
    if asked.trace:
        outcome = simulate(asked.first, keep=True)
        print(scenario(asked.first), *outcome.lines, *outcome.violations, sep="\n")
        return bool(outcome.violations)
    seeds = range(asked.first, asked.first + asked.seeds)
    began = time.monotonic()
    if len(seeds) == 1:
        outcomes: Iterable[Outcome] = map(simulate_twice, seeds)
        return _report(outcomes, began)
    live = simulate if asked.once else simulate_twice
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        outcomes = _within(pool.imap_unordered(live, seeds, chunksize=5), began, asked.within)
        return _report(outcomes, began, "once" if asked.once else "twice")


def _within(outcomes: Iterable[Outcome], began: float, within_s: float | None) -> Iterator[Outcome]:
    for outcome in outcomes:
        yield outcome
        if within_s is not None and time.monotonic() - began > within_s:
            return


def _report(outcomes: Iterable[Outcome], began: float, lived: str = "twice") -> int:
    seeds = failed = events = 0
    wrong: Counter[int] = Counter()
    smooth: Counter[int] = Counter()
    cpu = 0.0
    violations = 0
    for outcome in outcomes:
        seeds += 1
        events += outcome.events
        cpu += outcome.seconds
        violations += len(outcome.violations)
        if seeds % PROGRESS_EVERY == 0:
            print(
                f"… {seeds} seeds, {failed} failed, {time.monotonic() - began:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        wrong.update(outcome.verdict.wrong_s)
        smooth.update(outcome.verdict.smooth_wrong_s)
        if outcome.violations:
            failed += 1
            first, again = outcome.violations[0], f"make simulate SEEDS=1 FIRST_SEED={outcome.seed} TRACE=1"
            print(f"seed {outcome.seed}: {first} ({len(outcome.violations)} in all; {again})", flush=True)
    print(
        f"{seeds} seeds, each {lived}, {failed} failed, {violations} violations, {events} events,"
        f" {time.monotonic() - began:.0f} s ({1000 * cpu / max(1, seeds):.0f} ms of CPU a run)"
    )
    print(f"seconds wrong: without faults {_figures(smooth)}; all {_figures(wrong)}")
    return 1 if failed else 0


def _figures(counts: Counter[int]) -> str:
    people = sum(counts.values())
    if not people:
        return "nobody"
    values = sorted(counts.elements())
    return f"p50 {values[people // 2]}, p99 {values[people * 99 // 100]}, max {values[-1]} ({people} people)"


if __name__ == "__main__":
    sys.exit(main())
