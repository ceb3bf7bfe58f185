"""What a runner counts while it works."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from tests.build import NINE, SECOND
from webinar.core import effects
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Outcome, Retry, Skip
from webinar.core.effects_rules import Effect, back_off
from webinar.core.effects_runner import Runner
from webinar.core.tables import EffectRow

OUTCOMES: Mapping[str, Outcome] = {
    "done": Done(),
    "again": Again(NINE + 3_600_000),
    "retried": Retry("no answer"),
    "skipped": Skip("too late"),
    "parked": Retry("no answer"),
}


async def test_a_runner_counts_how_late_it_began_and_how_it_ended(
    database: Database, clock: ManualClock
) -> None:
    async def handle(effect: Effect) -> Outcome:
        return OUTCOMES[effect.key]

    async with database.writing() as session:
        for key in OUTCOMES:
            await effects.owe(session, kind="note", key=key, subject="x", due_at=NINE - 5 * SECOND, now=NINE)
        nearly = update(EffectRow).where(EffectRow.key == "parked")
        await session.execute(nearly.values(attempts=back_off("note").tries - 1))
    runner = Runner(database, {"note": handle}, clock)
    await _all_done(runner)
    told: Any = runner.meter.told()["note"]
    assert told["ended"] == dict.fromkeys(sorted(OUTCOMES), 1)
    assert (sum(told["late"]), told["late_sum_ms"]) == (5, 25 * SECOND)
    await runner.close()


async def test_a_lease_that_was_lost_is_counted(database: Database, clock: ManualClock) -> None:
    async def taken_over(effect: Effect) -> Outcome:
        async with database.writing() as session:
            await session.execute(update(EffectRow).values(fence=effect.fence + 1))
        return Done()

    async with database.writing() as session:
        await effects.owe(session, kind="note", key="note:1", subject="x", due_at=NINE, now=NINE)
    runner = Runner(database, {"note": taken_over}, clock)
    await runner.step()
    await runner.drain()
    told: Any = runner.meter.told()["note"]
    assert told["ended"] == {"lease_lost": 1}
    await runner.close()


async def _all_done(runner: Runner) -> None:
    for _ in range(5):
        await runner.step()
        await runner.drain()
