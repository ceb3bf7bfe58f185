"""What comes of a seed, and living it twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Judged(Protocol):
    """What an oracle says; `violations` in words."""

    violations: list[str]


V = TypeVar("V", bound=Judged)


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


def twice(live: Callable[[int], Outcome[Any]], seed: int) -> Outcome[Any]:
    """Run it twice: what differs depends on something other than the seed."""
    first, again = live(seed), live(seed)
    if first.digest != again.digest:
        first.violations.append(f"two runs differ: {first.digest[:12]} and {again.digest[:12]}")
    return first
