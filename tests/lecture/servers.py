"""The service's own processes around one media server and one database, to be killed, hung and restarted."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.evidence.rules import SWEEP_MS
from webinar.media.server import free_ports
from webinar.web.hooks import PATH

READY_S = 90
LEASE_MS = 1_000


@dataclass
class Servers:
    """`web`, `hooks` and the scheduler, each a process; `database_url` is migrated."""

    livekit: RunningLiveKit
    database_url: str
    folder: Path
    web_port: int
    hooks_port: int
    sweep_ms: int
    link_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _running: dict[str, Process] = field(default_factory=dict)

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    async def start(self, kind: str) -> None:
        """Return when the process answers (the scheduler answers nobody)."""
        log = self.folder / f"{kind}.log"
        with log.open("ab") as out:
            self._running[kind] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._command(kind), env=self._environment(), stdout=out, stderr=out
            )
        ports = {"web": self.web_port, "hooks": self.hooks_port}
        if kind in ports:
            await _answers(f"http://127.0.0.1:{ports[kind]}/healthz", self._running[kind], log)

    def kill(self, kind: str) -> None:
        """SIGKILL."""
        self._running.pop(kind).kill()

    def hang(self, kind: str) -> None:
        """It holds its connections and answers nothing, until `resume`."""
        self._running[kind].send_signal(signal.SIGSTOP)

    def resume(self, kind: str) -> None:
        self._running[kind].send_signal(signal.SIGCONT)

    async def end(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _command(self, kind: str) -> list[str]:
        if kind != "scheduler" or self.sweep_ms == SWEEP_MS:
            return ["webinar", kind, "--data", str(self.folder)]
        of = self.livekit
        times = (str(LEASE_MS), str(self.sweep_ms))
        return ["tests.processes.scheduler", self.database_url, of.http_url, of.key, of.secret, *times]

    def _environment(self) -> dict[str, str]:
        settings = {
            "DATABASE_URL": self.database_url,
            "PUBLIC_URL": self.site,
            "PORT": str(self.web_port),
            "HOOKS_PORT": str(self.hooks_port),
            "MEDIA_URL": self.livekit.http_url,
            "MEDIA_PUBLIC_URL": self.livekit.url,
            "MEDIA_API_KEY": self.livekit.key,
            "MEDIA_API_SECRET": self.livekit.secret,
            "LINK_KEY": self.link_key,
        }
        ours = {f"PENDOPO_{name}": value for name, value in settings.items()}
        return {name: value for name, value in os.environ.items() if not name.startswith("PENDOPO_")} | ours


@asynccontextmanager
async def running_servers(database_url: str, *, sweep_ms: int = SWEEP_MS) -> AsyncIterator[Servers]:
    """All of them, until the end of the block."""
    ports = [free_ports().http for _ in range(2)]
    hooks = f"http://127.0.0.1:{ports[1]}{PATH}"
    with tempfile.TemporaryDirectory(prefix="lecture-", ignore_cleanup_errors=True) as folder:
        async with running_livekit([hooks]) as livekit:
            servers = Servers(livekit, database_url, Path(folder), ports[0], ports[1], sweep_ms)
            try:
                await asyncio.gather(*(servers.start(kind) for kind in ("hooks", "web", "scheduler")))
                yield servers
            finally:
                await servers.end()


async def _answers(url: str, process: Process, log: Path) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(READY_S):
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"it ended: {log.read_text()}")
