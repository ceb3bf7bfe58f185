"""What breaks in mid-lecture."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.lecture.lecture import CLOCK, Lesson

Fault = Callable[[Lesson], Awaitable[None]]
# Clients and the media server notice a moment later.
BACK_WITHIN_S = 15.0


async def nothing(_lesson: Lesson) -> None:
    """A lecture as it should be."""


async def media_server_killed(lesson: Lesson) -> None:
    """SIGKILL, and started again at once: everybody's connection is gone."""

    async def fault() -> None:
        await lesson.servers.livekit.kill()
        lesson.diary.everybody_out(CLOCK.now())
        await lesson.servers.livekit.restart()
        await asyncio.sleep(min(BACK_WITHIN_S, lesson.pace.outage_s))

    await lesson.broken(fault)


async def hooks_killed(lesson: Lesson) -> None:
    await _killed(lesson, "hooks")


async def site_killed(lesson: Lesson) -> None:
    await _killed(lesson, "web")


async def _killed(lesson: Lesson, kind: str) -> None:
    async def fault() -> None:
        lesson.servers.kill(kind)
        await asyncio.sleep(lesson.pace.outage_s)
        await lesson.servers.start(kind)

    await lesson.broken(fault)


async def receiver_away(lesson: Lesson) -> None:
    """It takes connections and answers nothing: the notifier waits without limit."""

    async def fault() -> None:
        lesson.servers.hang("hooks")
        await asyncio.sleep(lesson.pace.away_s)
        lesson.servers.resume("hooks")

    await lesson.broken(fault)


async def database_restarted(lesson: Lesson) -> None:
    """An immediate shutdown of PostgreSQL; it recovers from its log when it is started again."""
    cluster = lesson.cluster
    assert cluster is not None, "this needs PostgreSQL"

    async def fault() -> None:
        await asyncio.to_thread(cluster.restart_at_once)

    await lesson.broken(fault)
