"""A seed, from its scenario to the oracle's verdict."""

from tests.simulation.oracle import Verdict, judge
from tests.simulation.outcome import Outcome, lived, twice
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.world import World


def simulate(seed: int, *, plan: Scenario | None = None, keep: bool = False) -> Outcome[Verdict]:
    """Run the lecture of a seed once."""
    played = plan or scenario(seed)
    return lived(seed, lambda folder, trace: World(played, folder, trace), judge, keep=keep)


def simulate_twice(seed: int) -> Outcome[Verdict]:
    return twice(simulate, seed)
