"""A seed, from its plan to the oracle's verdict."""

from time import process_time

from tests.simulation.ground import Trace, fresh_database, seeded_ids
from tests.simulation.outcome import Outcome, twice
from tests.simulation.schedulers.oracle import Verdict, judge
from tests.simulation.schedulers.plan import Plan, plan
from tests.simulation.schedulers.world import World
from tests.simulation.virtual import run


def simulate(seed: int, *, planned: Plan | None = None, keep: bool = False) -> Outcome[Verdict]:
    """Run the schedulers of a seed once."""
    planned, began = planned or plan(seed), process_time()
    trace = Trace(keep)
    folder = fresh_database()

    async def live() -> Verdict:
        world = World(planned, folder, trace)
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
