"""Everybody leaves at once, and the media server's own notifier tells of it."""

import subprocess

import pytest

from bench.storm import MEDIASERVER, PEOPLE, SHARP_MS, our_queue, run
from webinar.evidence.rules import SWEEP_MS

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module", autouse=True)
def notifier() -> None:
    subprocess.run([MEDIASERVER / "build.sh", "--storm"], check=True)


async def test_ten_thousand_leaves_in_two_seconds_lose_nothing_with_the_queue_that_we_set(
    postgresql_url: str,
) -> None:
    told = await run(postgresql_url, PEOPLE, our_queue(), SHARP_MS)
    assert (told.notifier["delivered"], told.notifier["dropped"], told.wrong) == (PEOPLE, 0, 0)


async def test_what_the_default_queue_drops_is_repaired_by_the_sweep(postgresql_url: str) -> None:
    told = await run(postgresql_url, PEOPLE, {}, SWEEP_MS + SHARP_MS)
    assert told.notifier["dropped"] > PEOPLE / 2
    assert told.wrong_before > 0
    assert told.wrong == 0
