"""Some dozens of seeds of several schedulers; `make simulate WHAT=schedulers` runs as many as one likes."""

import pytest

from tests.simulation.schedulers.simulate import simulate, simulate_twice

BLOCK = 8


@pytest.mark.parametrize("first", range(1, 25, BLOCK))
def test_no_scheduler_breaks_a_promise(first: int) -> None:
    found = {seed: simulate(seed).violations for seed in range(first, first + BLOCK)}
    assert {seed: violations for seed, violations in found.items() if violations} == {}


@pytest.mark.parametrize("seed", [10_001, 10_002])
def test_a_seed_of_schedulers_lives_the_same_life_again(seed: int) -> None:
    assert simulate_twice(seed).violations == []
