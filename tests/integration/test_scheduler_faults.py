"""A scheduler that dies at any point of a lecture's life, enumerated: another goes on, and nothing is lost.

A point is a commit (dying just before it, or just after) or a call to the media server (the same).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.runner import own_handlers
from scheduler.watch import Watch
from tests import by_hand
from tests.build import HOUR, MINUTE, NINE, a_lecture, a_person, a_registration, an_institution
from tests.pools import alone
from webinar.core import audit
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_runner import Runner
from webinar.core.ids import new_id
from webinar.lectures import service, store
from webinar.lectures.rules import LectureState
from webinar.media.fake import FakeMedia
from webinar.media.servers import MAIN

MOMENTS = (NINE - 15 * MINUTE, NINE, NINE + 100 * MINUTE, NINE + 26 * HOUR)


class Death(BaseException):
    """The process is gone; nothing after this line of it happens."""


class Fate:
    """Kills at the point of a number; counts them when the number is never reached."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Death


class MortalDatabase(Database):
    """Dies before or after a commit."""

    fate: Fate

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with super().writing() as session:
            yield session
            self.fate.point()
        self.fate.point()


class MortalMedia:
    """Dies before or after a call to the media server."""

    def __init__(self, media: FakeMedia, fate: Fate) -> None:
        self._media = media
        self._fate = fate

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            self._fate.point()
            answer = await getattr(self._media, name)(*arguments, **named)
            self._fate.point()
            return answer

        return call


async def live(db: MortalDatabase, clock: ManualClock, media: FakeMedia, fate: Fate) -> bool:
    """One process: does what is due until it rests (False), or dies (True)."""
    db.fate = fate
    mortal: Any = MortalMedia(media, fate)
    runner = Runner(db, own_handlers(db, alone(mortal), clock), clock, concurrency=1, lease_ms=20)
    try:
        await Watch(db, alone(mortal), MAIN, clock).look()
        for _ in range(30):
            due = await by_hand.next_due(db)
            if due is None or due > clock.now():
                return False
            await runner.step()
            await runner.drain()
            if fate.passed == fate.at:
                return True
        raise AssertionError("it does not come to rest")
    except Death:
        return True
    finally:
        await runner.close()


async def leases_end(db: MortalDatabase) -> None:
    """Until the database's time, not the story's, is beyond every lease of the dead."""
    async with db.reading() as session:
        last = await session.scalar(text("SELECT max(lease_until) FROM effects WHERE state = 'claimed'"))
    while await db.now() <= (last or 0):
        await asyncio.sleep(0.001)


async def story(db: MortalDatabase, media: FakeMedia, clock: ManualClock, fate: Fate) -> list[str]:
    """A lecture's whole life, with a death on the way; what its timeline tells."""
    db.fate = Fate(0)
    async with db.writing() as session:
        # What the stories before left behind is not of this one.
        await session.execute(text("DELETE FROM effects"))
        unit = await an_institution(session, code=new_id())
        row = await a_lecture(session, unit, recorded=True)
        await a_registration(session, row, await a_person(session, unit))
        await service.owe_reconciling(session, row.id, clock.now())
    for clock.at in MOMENTS:
        if await live(db, clock, media, fate):
            await leases_end(db)
            await live(db, clock, media, fate)  # the next process
    async with db.reading() as session:
        lecture = await store.find(session, row.id)
        [room] = await store.rooms_of(session, row.id)
        told = [entry.action for entry in await audit.of(session, ("lecture", row.id))]
    assert lecture is not None
    assert (lecture.state, room.state.value) == (LectureState.FINAL, "closed")
    assert await media.list_rooms() == []
    return told


@pytest.fixture
async def mortal_database(sqlite_url: str) -> AsyncIterator[MortalDatabase]:
    db = MortalDatabase(sqlite_url)
    yield db
    await db.close()


async def test_a_death_at_any_commit_or_call_changes_nothing_but_the_time_it_takes(
    mortal_database: MortalDatabase,
) -> None:
    async def told_with(fate: Fate) -> list[str]:
        clock = ManualClock(NINE - HOUR)
        return await story(mortal_database, FakeMedia(clock, "key", "s" * 32), clock, fate)

    nobody_dies = Fate(0)
    expected = await told_with(nobody_dies)
    assert expected == ["room_opened", "went_live", "ended", "room_closed", "final"]
    for point in range(1, nobody_dies.passed + 1):
        assert await told_with(Fate(point)) == expected, f"died at point {point}"
