"""A scheduler in a process of its own: database URL, media server's URL, key, secret, lease in ms."""

import asyncio
import signal
import sys

from scheduler.runner import Scheduler
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.media.livekit import LiveKit


async def main(url: str, media_url: str, key: str, secret: str, lease_ms: int) -> None:
    db = Database(url)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with LiveKit(media_url, key, secret) as media:
        await Scheduler(db, media, SystemClock(), lease_ms=lease_ms).run(stop)
    await db.close()


if __name__ == "__main__":
    *texts, lease = sys.argv[1:]
    asyncio.run(main(*texts, int(lease)))
