"""A few hundred lectures of the simulation; `make simulate` runs as many as one likes."""

import os
import subprocess
import sys

import pytest

from tests.simulation.simulate import simulate, simulate_twice

BLOCK = 20


@pytest.mark.parametrize("first", range(1, 200, BLOCK))
def test_no_lecture_breaks_a_promise(first: int) -> None:
    found = {seed: simulate(seed).violations for seed in range(first, first + BLOCK)}
    assert {seed: violations for seed, violations in found.items() if violations} == {}


@pytest.mark.parametrize("seed", [10_001, 10_002, 10_003])
def test_a_seed_lives_the_same_life_again(seed: int) -> None:
    assert simulate_twice(seed).violations == []


def test_a_seed_lives_the_same_life_in_another_process() -> None:
    here = simulate(10_004).digest
    script = "from tests.simulation.simulate import simulate; print(simulate(10_004).digest)"
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    there = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here
