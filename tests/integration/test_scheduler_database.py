"""A database that cuts every connection in mid-work costs the scheduler time, and nothing else."""

import asyncio

from scheduler.runner import Scheduler
from tests.build import a_lecture
from tests.pools import alone
from tests.servers.postgres import Postgres
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.lectures import service, store
from webinar.media.fake import FakeMedia


async def test_a_scheduler_goes_on_after_the_database_cut_every_connection(
    postgres_cluster: Postgres, postgresql_url: str
) -> None:
    clock = SystemClock()
    db, own = Database(postgresql_url), Database(postgresql_url)
    media = FakeMedia(clock, "key", "s" * 32)
    stop = asyncio.Event()
    running = asyncio.create_task(Scheduler(db, alone(media), clock, watch_s=0.2).run(stop))
    await asyncio.sleep(0.5)
    for _ in range(3):
        await postgres_cluster.cut(postgresql_url.rpartition("/")[2])
        await asyncio.sleep(0.2)
    async with own.writing() as session:
        row = await a_lecture(session, starts_at=clock.now() - 1_000, open_before_s=0)
        await service.owe_reconciling(session, row.id, clock.now())

    async with asyncio.timeout(10):
        while not await media.list_rooms():
            assert not running.done(), "the scheduler ended"
            await asyncio.sleep(0.05)
    stop.set()
    await running
    async with own.reading() as session:
        lecture = await store.find(session, row.id)
    assert lecture is not None
    assert lecture.opened_at is not None
    await db.close()
    await own.close()
