"""Dozens of real participants, real servers, and something that breaks: how far is each person's time off?

Truth is what the clients noted of their own coming and going. Real durations: `make faults`.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import cycle

import pytest

from tests.lecture.lecture import FULL, SHORT, Pace
from tests.lecture.scenarios import SCENARIOS, lived
from tests.lecture.truth import Verdict
from tests.servers.postgres import Postgres, postgres
from webinar.attendance.rules import LONGEST_CUT_MS
from webinar.migrations import upgrade

KINDS = ("sqlite", "postgresql")
FEW = 32
# Seconds that may be off without any fault.
NEAR_S = 2
# How late a loss without a word is noticed, and a beat.
BIAS_S = LONGEST_CUT_MS / 1000
# Faults after which nothing at all may be missing: the media server tells everything later.
HARMLESS = {"no faults", "database restarted", "receiver hangs", "all leave at once"}


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Postgres]:
    """A PostgreSQL that may be restarted under everybody."""
    with postgres() as cluster:
        yield cluster


@pytest.fixture
async def durable_url(own_cluster: Postgres) -> AsyncIterator[str]:
    url = await own_cluster.create("lecture")
    await upgrade(url)
    yield url
    await own_cluster.drop("lecture")


def most_wrong_s(one: Verdict, name: str, pace: Pace) -> float:
    """What docs/attendance.md allows; and the time that the client itself took to connect and to close."""
    fault = pace.sweep_s if one.touched and name not in HARMLESS else 0
    return (BIAS_S if one.vanished else NEAR_S) + fault + one.slack_s


def wronged(found: Sequence[Verdict], name: str, pace: Pace) -> list[Verdict]:
    return [one for one in found if one.wrong_s > most_wrong_s(one, name, pace)]


# In turn on each kind of database.
ON = list(zip([name for name in SCENARIOS if name != "database restarted"], cycle(KINDS), strict=False))


@pytest.mark.parametrize(("name", "database_url"), ON, indirect=["database_url"])
async def test_nobody_is_wronged_by_more_than_is_stated(name: str, database_url: str) -> None:
    assert wronged(await lived(name, SHORT, database_url, people=FEW), name, SHORT) == []


async def test_a_database_that_is_restarted_costs_nobody_a_second(
    durable_url: str, own_cluster: Postgres
) -> None:
    name = "database restarted"
    found = await lived(name, SHORT, durable_url, cluster=own_cluster, people=FEW)
    assert wronged(found, name, SHORT) == []


@pytest.mark.fault
@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "database restarted"])
async def test_nobody_is_wronged_in_real_time(name: str, database_url: str) -> None:
    assert wronged(await lived(name, FULL, database_url), name, FULL) == []


@pytest.mark.fault
async def test_a_database_that_is_restarted_costs_nobody_a_second_in_real_time(
    durable_url: str, own_cluster: Postgres
) -> None:
    name = "database restarted"
    assert wronged(await lived(name, FULL, durable_url, cluster=own_cluster), name, FULL) == []
