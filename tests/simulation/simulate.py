"""A seed, from its scenario to the oracle's verdict."""

from dataclasses import dataclass
from time import process_time

from tests.simulation.oracle import Verdict, judge
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.virtual import run
from tests.simulation.world import Trace, World, fresh_database, seeded_ids


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed; `seconds` of CPU."""

    seed: int
    verdict: Verdict
    digest: str
    events: int
    seconds: float
    lines: tuple[str, ...] = ()

    @property
    def violations(self) -> list[str]:
        return self.verdict.violations


def simulate(seed: int, *, plan: Scenario | None = None, keep: bool = False) -> Outcome:
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


def simulate_twice(seed: int) -> Outcome:
    """Run it twice: what differs depends on something other than the seed."""
    first, again = simulate(seed), simulate(seed)
    if first.digest != again.digest:
        first.violations.append(f"two runs differ: {first.digest[:12]} and {again.digest[:12]}")
    return first
