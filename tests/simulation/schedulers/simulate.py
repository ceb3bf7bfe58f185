"""A seed, from its plan to the oracle's verdict."""

from tests.simulation.outcome import Outcome, lived, twice
from tests.simulation.schedulers.faults import plan
from tests.simulation.schedulers.oracle import Verdict, judge
from tests.simulation.schedulers.plan import Plan
from tests.simulation.schedulers.world import World


def simulate(seed: int, *, planned: Plan | None = None, keep: bool = False) -> Outcome[Verdict]:
    """Run the schedulers of a seed once."""
    played = planned or plan(seed)
    return lived(seed, lambda folder, trace: World(played, folder, trace), judge, keep=keep)


def simulate_twice(seed: int) -> Outcome[Verdict]:
    return twice(simulate, seed)
