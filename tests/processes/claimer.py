"""A process that runs effects of kind `note` until none is left, and prints the id of each that it ran.

With `hang` as the third argument it prints the id and then never ends its handler.
"""

import asyncio
import sys

from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.effects import Done, Outcome
from webinar.core.effects_rules import Effect
from webinar.core.effects_runner import Runner


async def main(url: str, lease_ms: int, hang: bool) -> None:
    db = Database(url)

    async def note(effect: Effect) -> Outcome:
        print(effect.id, flush=True)
        if hang:
            await asyncio.sleep(3600)
        return Done()

    runner = Runner(db, {"note": note}, SystemClock(), concurrency=8, lease_ms=lease_ms)
    while await runner.step() is not None or runner.busy:
        await asyncio.sleep(0.01)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["hang"]))
