"""`webinar up`: everything on one machine, supervised until it is told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from webinar import instance, up_plan
from webinar.config import Settings
from webinar.core.clock import monotonic
from webinar.instance import CannotStart
from webinar.media.server import MediaServer, MediaServerError
from webinar.media.servers import WrongServers
from webinar.supervisor import Child, Command, Kept, keep
from webinar.up_plan import LOOPBACK, Catching, Plan

T = TypeVar("T")

READY_WITHIN_S = 60.0
ASK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line. `demonstration` None: only without a public URL."""

    port: int
    data: Path
    public_url: str = ""
    demonstration: bool | None = None


def up(wish: Wish) -> None:
    """Run until Ctrl-C or SIGTERM.

    Raises:
        CannotStart: with one line that says what to do.
    """
    asyncio.run(_up(wish))


async def _up(wish: Wish) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    data = wish.data.resolve()
    instance.prepare(data)
    with instance.locked(data):
        plan = _plan(wish, data)
        instance.write(data / instance.CHOSEN, plan.chosen)
        settings = instance.settings_of(data)
        try:
            settings.pool  # noqa: B018 - before anything starts
        except WrongServers as wrong:
            raise CannotStart(f"PENDOPO_MEDIA_SERVERS ({settings.media_servers}): {wrong}") from wrong
        if not up_plan.is_free(settings.port, settings.host):
            raise CannotStart(
                f"Port {settings.port} is in use by another program: stop that one, or choose another"
                f" port, for example PORT={settings.port + 1} make up"
            )
        running = asyncio.create_task(_run(plan, settings, stop), name="up")
        await running


def _plan(wish: Wish, data: Path) -> Plan:
    public = wish.public_url or os.environ.get(f"{up_plan.PREFIX}PUBLIC_URL", "")
    demonstration = wish.demonstration if wish.demonstration is not None else not public
    return up_plan.plan(
        environ=dict(os.environ),
        keys=instance.keys_of(data),
        before=instance.read(data / instance.CHOSEN),
        data=data,
        port=wish.port,
        public_url=wish.public_url,
        demonstration=demonstration,
    )


async def _run(plan: Plan, settings: Settings, stop: asyncio.Event) -> None:
    sign_ins: list[str] = []
    await _step("Database", lambda: _migrate(settings))
    if settings.demonstration:
        sign_ins = await _step("Demonstration", lambda: _demonstrate(settings))
    async with AsyncExitStack() as everything:
        if plan.catching is not None:
            await everything.enter_async_context(_caught(settings.data / "mail", plan.catching))
        # Ended in the reverse order: the media server says who left to a receiver that still listens.
        await _start(everything, _child("hooks", plan, settings))
        if plan.media is not None:
            media = _Media(MediaServer(plan.media, log=settings.data / "logs" / "livekit.log"))
            await _step("Media server", lambda: _start(everything, media))
        async with _children([_child(k, plan, settings) for k in ("scheduler", "recorder", "web")]):
            ready = await _step("Service", lambda: _ready(settings, stop))
            if ready:
                _welcome(settings, sign_ins)
            await stop.wait()
            _say("Stopping …")
    _say("Stopped.")


async def _migrate(settings: Settings) -> None:
    from webinar.migrations import upgrade

    await upgrade(settings.database_url)


async def _demonstrate(settings: Settings) -> list[str]:
    from webinar import demo

    new, sign_ins = await demo.sign_ins_if_there(settings)
    return await demo.put_in(settings) if new else sign_ins


@asynccontextmanager
async def _caught(folder: Path, ports: Catching) -> AsyncIterator[None]:
    """The mail catcher, inside this process: it has nothing that could end it."""
    from webinar.mail.catcher import catcher

    try:
        async with catcher(folder, ports.smtp_port, ports.http_port):
            yield
    except OSError as error:
        raise CannotStart(f"The mail catcher cannot listen: {error.strerror or error}") from error


async def _start(everything: AsyncExitStack, kept: Kept) -> None:
    """Start it, keep it running, and have it ended with everything."""
    try:
        await kept.start()
    except MediaServerError as error:
        raise CannotStart(f"The media server does not start: {error}") from error
    everything.push_async_callback(kept.stop)
    keeper = asyncio.create_task(keep(kept, _say), name=f"keep-{kept.name}")
    everything.push_async_callback(_cancel, keeper)


@asynccontextmanager
async def _children(children: list[Child]) -> AsyncIterator[None]:
    """Several at once, started and ended side by side."""
    keepers = []
    try:
        for child in children:
            await child.start()
            keepers.append(asyncio.create_task(keep(child, _say), name=f"keep-{child.name}"))
        yield
    finally:
        for keeper in keepers:
            await _cancel(keeper)
        await asyncio.gather(*(child.stop() for child in children))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _child(kind: str, plan: Plan, settings: Settings) -> Child:
    log = settings.data / "logs" / f"{kind}.log"
    return Child(Command(kind, up_plan.command(kind), plan.environment, log))


class _Media:
    """The media server as the supervisor keeps it."""

    name = "media server"

    def __init__(self, server: MediaServer) -> None:
        self._server = server

    @property
    def hint(self) -> str:
        return f"see {self._server.log}"

    async def start(self) -> None:
        await self._server.start()

    async def wait(self) -> int:
        return await self._server.wait()

    async def stop(self) -> None:
        await self._server.stop()


async def _ready(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait until the site says that everything runs; False when it is to stop before.

    Raises:
        CannotStart: it takes too long; says what is missing.
    """
    host = LOOPBACK if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared with
    missing = "the site does not answer"
    deadline = monotonic() + READY_WITHIN_S
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
        while monotonic() < deadline and not stop.is_set():
            try:
                async with session.get(f"http://{host}:{settings.port}/readyz") as answer:
                    if answer.status == 200:
                        return True
                    missing = ", ".join((await answer.json()).get("missing", []))
            except (aiohttp.ClientError, TimeoutError, ValueError):
                pass
            await asyncio.sleep(ASK_EVERY_S)
    if stop.is_set():
        return False
    raise CannotStart(
        f"Not everything runs after {READY_WITHIN_S:g} s, missing: {missing}. See {settings.data / 'logs'}"
    )


async def _step(name: str, work: Callable[[], Awaitable[T]]) -> T:
    began = monotonic()
    done = await work()
    _say(f"  {name:<28}{monotonic() - began:7.1f} s")
    return done


def _welcome(settings: Settings, sign_ins: list[str]) -> None:
    lines = ["", f"Pendopo is ready:  {settings.public_url}"]
    if settings.mail_inbox_url:
        lines.append(f"Mails land in:     {settings.mail_inbox_url}")
    lines += ["", *sign_ins] if sign_ins else []
    lines += ["", f"Ctrl-C stops everything. Logs: {settings.data / 'logs'}"]
    _say("\n".join(lines))


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
