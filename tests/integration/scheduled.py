"""A database and the handlers of a scheduler, whose time the test moves."""

from tests import by_hand
from webinar.core import audit
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_runner import Runner
from webinar.lectures import store
from webinar.lectures.rules import Room


class Scheduled:
    """What the worlds of scheduler tests have in common; they wait `most_steps` for rest at most."""

    db: Database
    clock: ManualClock
    runner: Runner
    most_steps = 20

    async def at(self, now: int) -> None:
        """Move the clock, and do what is due by then."""
        self.clock.at = now
        await self.settle()

    async def settle(self) -> None:
        for _ in range(self.most_steps):
            due = await by_hand.next_due(self.db)
            if due is None or due > self.clock.now():
                return
            await self.runner.step()
            await self.runner.drain()
        raise AssertionError("it does not come to rest")

    async def room(self, id: str) -> Room:
        async with self.db.reading() as session:
            [room] = await store.rooms_of(session, id)
        return room

    async def told(self, id: str) -> list[str]:
        async with self.db.reading() as session:
            return [entry.action for entry in await audit.of(session, ("lecture", id))]
