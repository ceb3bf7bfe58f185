"""A seed, from its scenario to the oracle's verdict."""

from time import process_time

from tests.simulation.ground import Trace, fresh_database, seeded_ids
from tests.simulation.oracle import Verdict, judge
from tests.simulation.outcome import Outcome, twice
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.virtual import run
from tests.simulation.world import World


def simulate(seed: int, *, plan: Scenario | None = None, keep: bool = False) -> Outcome[Verdict]:
    """Run the lecture of a seed once."""
    plan, began = plan or scenario(seed), process_time()
    trace = Trace(keep)
    folder = fresh_database()

    async def live() -> Verdict:
        world = World(plan, folder, trace)
        try:
            await world.run()
            verdict = await judge(world)
        finally:
            world.close()
        for violation in verdict.violations:
            trace.note(0, violation)
        return verdict

    with seeded_ids(seed):
        verdict = run(live())
    return Outcome(seed, verdict, trace.digest, trace.events, process_time() - began, tuple(trace.lines))


def simulate_twice(seed: int) -> Outcome[Verdict]:
    return twice(simulate, seed)
