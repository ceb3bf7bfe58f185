"""How many seconds are wrong for a person, by the clients' own clocks: called by `bench.attendance`.

Seven lectures of two and a half minutes with 40 real participants each, on real servers, with the product's
own intervals (a list every 30 s, a beat every 15 s); see tests/lecture. One after the other, since
connecting takes long on a machine with others at work, and that is nothing the service could know.
"""

import asyncio
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.lecture.lecture import FULL
from tests.lecture.scenarios import PEOPLE, SCENARIOS, lived
from tests.lecture.truth import Verdict
from tests.servers.postgres import Postgres, postgres
from webinar.attendance.rules import LONGEST_CUT_MS
from webinar.migrations import upgrade

AT_ONCE = 1
BIAS_S = LONGEST_CUT_MS / 1000
NEAR_S = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds wrong in one group of people; `to_reach` None where nothing was promised."""

    name: str
    value: float
    to_reach: float | None
    settings: dict[str, object]


def figures() -> Iterator[Figure]:
    """Live them all; the figures in the order of the scenarios."""
    with postgres() as cluster, postgres() as restarted:
        found = asyncio.run(_lived(cluster, restarted))
    for name, verdicts in found.items():
        yield from _of(name, verdicts)


async def _lived(cluster: Postgres, restarted: Postgres) -> dict[str, Sequence[Verdict]]:
    found: dict[str, Sequence[Verdict]] = {}
    for number, name in enumerate(SCENARIOS):
        on = restarted if name == "database restarted" else cluster
        url = await on.create(f"lecture{number}")
        await upgrade(url)
        found[name] = await lived(name, FULL, url, cluster=on)
    return found


def _of(name: str, verdicts: Sequence[Verdict]) -> Iterator[Figure]:
    """Who was not met by the fault, who was, and who vanished without a word."""
    stayed = [one for one in verdicts if not one.vanished]
    groups = {
        "others": ([one for one in stayed if not one.touched], NEAR_S),
        "met": ([one for one in stayed if one.touched], FULL.sweep_s),
        "vanished": ([one for one in verdicts if one.vanished], FULL.sweep_s + BIAS_S),
    }
    for group, (people, most) in groups.items():
        if people:
            wrong = [one.wrong_s for one in people]
            settings: dict[str, object] = {
                "scenario": name,
                "people": len(people),
                "of": PEOPLE,
                "slowest_connect_s": round(max(one.slack_s for one in people), 2),
            }
            label = f"wrong_{name.replace(' ', '_')}_{group}"
            median_to_reach = 1.0 if (name, group) == ("no faults", "others") else None
            yield Figure(f"{label}_p50", statistics.median(wrong), median_to_reach, settings)
            yield Figure(f"{label}_max", max(wrong), most, settings)
