"""The lectures that are lived through, by name; the same for tests and for the figures."""

from tests.lecture import faults
from tests.lecture.faults import Fault
from tests.lecture.lecture import Lesson, Pace
from tests.lecture.people import audience
from tests.lecture.servers import running_servers
from tests.lecture.truth import Verdict
from tests.servers.postgres import Postgres

PEOPLE = 40
SEED = 4
STORM_AT = 0.8

# The last one is a fault of the people themselves: they leave all at once.
SCENARIOS: dict[str, Fault] = {
    "no faults": faults.nothing,
    "media server killed": faults.media_server_killed,
    "receiver killed": faults.hooks_killed,
    "site killed": faults.site_killed,
    "database restarted": faults.database_restarted,
    "receiver hangs": faults.receiver_away,
    "all leave at once": faults.nothing,
}


async def lived(
    name: str,
    pace: Pace,
    database_url: str,
    *,
    cluster: Postgres | None = None,
    people: int = PEOPLE,
    seed: int = SEED,
) -> list[Verdict]:
    """Live one lecture and judge it. `cluster` is the database's, where that is PostgreSQL."""
    storm = pace.window_s * STORM_AT if name == "all leave at once" else None
    async with running_servers(database_url, sweep_ms=round(pace.sweep_s * 1000)) as servers:
        lesson = Lesson(servers, audience(people, pace.window_s, seed, storm_at=storm), pace, cluster)
        await lesson.begin()
        await SCENARIOS[name](lesson)
        return await lesson.verdicts()
