"""A scheduler in a process of its own.

Takes the database's URL, the media server's URL, key, secret, the lease and the time between sweeps in ms.
"""

import asyncio
import signal
import sys

from scheduler.runner import Scheduler, own_handlers
from tests.pools import alone
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.evidence.rules import SWEEP_MS
from webinar.media.livekit import LiveKit


async def main(url: str, media_url: str, key: str, secret: str, lease_ms: int, sweep_ms: int) -> None:
    db = Database(url)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with LiveKit(media_url, key, secret) as media:
        clock = SystemClock()
        handlers = own_handlers(db, alone(media), clock, sweep_ms=sweep_ms)
        await Scheduler(db, alone(media), clock, handlers, lease_ms=lease_ms).run(stop)
    await db.close()


if __name__ == "__main__":
    url, media_url, key, secret, lease, *sweep = sys.argv[1:]
    asyncio.run(main(url, media_url, key, secret, int(lease), int(sweep[0]) if sweep else SWEEP_MS))
