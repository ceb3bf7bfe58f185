"""The processes of the service: each runs until it is told to stop, and says every few seconds that it lives.

Imports stand inside the functions where they are heavy: the receiver of webhooks needs no video
encoder, and a process that starts fast is back fast.
"""

import asyncio
import contextlib
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
import uvloop
from aiohttp import web

from webinar import logs
from webinar.config import Settings
from webinar.core import processes
from webinar.core.clock import Clock, DatabaseClock, SystemClock, own_time, put_right
from webinar.core.database import Database, DatabaseAway
from webinar.core.effects_runner import worker_name
from webinar.media.servers import WrongServers, keys_of

SHORTEST_SECRET = 32
SHUTDOWN_S = 5.0
# A lecture of thousands begins in one moment, and all of them come in it.
BACKLOG = 2048
MOST_FILES = 65_536

log = structlog.get_logger()

Process = Callable[[Settings, asyncio.Event], Awaitable[None]]


class WrongSettings(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """The settings cannot work; the text says which and what to do."""


def run(kind: str, settings: Settings) -> None:
    """Run one process until SIGTERM or SIGINT.

    Raises:
        WrongSettings: a secret is missing.
    """
    require_secrets(settings)
    logs.configure(settings, process=kind)
    allow_connections()
    # What serves HTTP runs on uvloop: on the way of a webhook it takes a tenth of the processor time off.
    start = uvloop.run if kind in {"web", "hooks"} else asyncio.run
    start(_until_told(PROCESSES[kind], settings))


def allow_connections() -> None:
    """As many open files as we may have: most systems begin with 1,024, and a viewer's beat is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def require_secrets(settings: Settings) -> None:
    """Raise WrongSettings unless the keys are there and long enough, and the list of media servers is one."""
    secrets = {"PENDOPO_LINK_KEY": settings.link_key}
    if settings.media_servers is None:
        secrets["PENDOPO_MEDIA_API_SECRET"] = settings.media_api_secret
    for name, secret in secrets.items():
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise WrongSettings(
                f"{name} has to be set to at least {SHORTEST_SECRET} random characters"
                " (webinar up makes it by itself)"
            )
    try:
        settings.pool  # noqa: B018 - it is read once, here
    except WrongServers as wrong:
        raise WrongSettings(f"PENDOPO_MEDIA_SERVERS ({settings.media_servers}): {wrong}") from wrong
    token = settings.metrics_token.get_secret_value()
    if token and len(token) < SHORTEST_SECRET:
        raise WrongSettings(f"PENDOPO_METRICS_TOKEN has to have at least {SHORTEST_SECRET} random characters")


async def _until_told(process: Process, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process(settings, stop)


async def run_web(settings: Settings, stop: asyncio.Event) -> None:
    """The site."""
    from webinar import wiring
    from webinar.web.app import create_app

    async with wiring.site(settings) as site:
        # Requests are logged by the site itself, without addresses and tokens.
        runner = web.AppRunner(create_app(site), access_log=None, shutdown_timeout=SHUTDOWN_S)
        async with (
            signs_of_life(site.database, "web", site.clock),
            _served(runner, settings.host, settings.port),
        ):
            await stop.wait()


async def run_hooks(settings: Settings, stop: asyncio.Event) -> None:
    """The receiver of the media server's webhooks."""
    from webinar.web.hooks import create_hooks_app, hooks_runner

    runner = hooks_runner(create_hooks_app(database_url=settings.database_url, keys=keys_of(settings.pool)))
    db = Database(settings.database_url, pool_size=1)
    try:
        async with _served(runner, settings.hooks_host, settings.hooks_port), signs_of_life(db, "hooks"):
            await stop.wait()
    finally:
        await db.close()


async def run_scheduler(settings: Settings, stop: asyncio.Event) -> None:
    """What happens by itself: rooms, mails, the settling of hours."""
    from webinar import wiring

    async with wiring.scheduler(settings) as scheduler:
        settle()
        await scheduler.run(stop)


async def run_recorder(settings: Settings, stop: asyncio.Event) -> None:
    """The recorder of lectures."""
    from webinar import wiring

    async with wiring.recorder(settings) as recorder:
        await recorder.run(stop)


PROCESSES: dict[str, Process] = {
    "web": run_web,
    "hooks": run_hooks,
    "scheduler": run_scheduler,
    "recorder": run_recorder,
}


def settle() -> None:
    """Leave what was loaded to the end out of every later collection of garbage.

    A full one walks through all modules: 70 to 100 ms in which the receiver answers no event, and a write
    transaction of a scheduler holds up all others.
    """
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def _served(runner: web.BaseRunner, host: str, port: int) -> AsyncIterator[None]:
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        settle()
        log.info("listening", host=host, port=port)
        yield
    finally:
        await runner.cleanup()
        log.info("ended")


@asynccontextmanager
async def signs_of_life(db: Database, kind: str, clock: Clock | None = None) -> AsyncIterator[None]:
    """Say while the block runs that a process of this kind lives, and at its end that it has gone.

    Args:
        clock: put right before the block and then each time, when it is one that follows the database's:
            what somebody books in the first moment is due by the right time, too.
    """
    name = worker_name()
    follows = clock or DatabaseClock(SystemClock())
    with contextlib.suppress(DatabaseAway):
        await _ask_time(db, follows)
    beating = asyncio.create_task(_beat(db, name, kind, follows), name="signs-of-life")
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        with contextlib.suppress(DatabaseAway):
            async with db.writing() as session:
                await processes.gone(session, name)


async def _ask_time(db: Database, clock: Clock) -> None:
    asked_at = clock.now()
    put_right(clock, await db.now(), asked_at)


async def _beat(db: Database, name: str, kind: str, clock: Clock) -> None:
    started_at = 0
    away = False
    while True:
        try:
            await _ask_time(db, clock)
            started_at = started_at or clock.now()
            async with db.writing() as session:
                await processes.beat(
                    session,
                    name=name,
                    kind=kind,
                    started_at=started_at,
                    now=clock.now(),
                    detail={"clock_ahead_ms": own_time(clock) - clock.now()},
                )
            away = False
        except DatabaseAway:
            if not away:
                log.warning("database_away")
            away = True
        await asyncio.sleep(processes.BEAT_EVERY_S)
