"""Living a seed, what comes of it, and living it twice."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, Generic, Protocol, TypeVar

from tests.simulation.ground import Trace, fresh_database, seeded_ids
from tests.simulation.virtual import run


class Judged(Protocol):
    """What an oracle says; `violations` in words."""

    violations: list[str]


class Living(Protocol):
    """A world with everything in it."""

    async def run(self) -> None:
        """Its whole life."""

    def close(self) -> None:
        """Nothing of it is used after this."""


V = TypeVar("V", bound=Judged)
W = TypeVar("W", bound=Living)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[V]):
    """`digest` over all that happened, `events` of it; `seconds` of CPU."""

    seed: int
    verdict: V
    digest: str
    events: int
    seconds: float
    lines: tuple[str, ...] = ()

    @property
    def violations(self) -> list[str]:
        return self.verdict.violations


def lived(
    seed: int, world_of: Callable[[Path, Trace], W], judge: Callable[[W], Awaitable[V]], *, keep: bool
) -> Outcome[V]:
    """Live the world of a seed once, in virtual time and on a fresh database, and have it judged."""
    began, trace, folder = process_time(), Trace(keep), fresh_database()

    async def live() -> V:
        world = world_of(folder, trace)
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


def twice(live: Callable[[int], Outcome[Any]], seed: int) -> Outcome[Any]:
    """Run it twice: what differs depends on something other than the seed."""
    first, again = live(seed), live(seed)
    if first.digest != again.digest:
        first.violations.append(f"two runs differ: {first.digest[:12]} and {again.digest[:12]}")
    return first
