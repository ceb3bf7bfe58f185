"""A LiveKit server of our own: its configuration and its process.

Used by `webinar up` and by tests. A site with a media server elsewhere needs only `configuration`.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import aiohttp

from webinar.core import clock

VERSION = "1.13.5"
BUILT = Path(__file__).resolve().parents[2] / "mediaserver" / "bin" / "livekit-server"
NO_STUN = "127.0.0.1:9"
"""With no STUN server named, LiveKit hands out public ones, which a closed network must not ask.
So it names the discard port of the browser's own machine, where nobody answers."""

_START_TIMEOUT_S = 20.0
_POLL_S = 0.02
_LOWEST_PORT, _HIGHEST_PORT = 15_000, 32_000
"""Below the ports that the kernel gives to outgoing connections (32768 and up), which would take
a chosen port away while the server is down between two starts."""


class MediaServerError(RuntimeError):
    """The LiveKit server is missing or did not start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """`http` carries signalling and the API (TCP), the others carry media."""

    http: int
    tcp: int
    udp: int


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a LiveKit server is set up.

    `keys` are key -> secret (32 characters at least); `webhook_key` names the one that signs.
    `empty_timeout_s` and `departure_timeout_s` hold for rooms that come back by themselves after a
    crash: LiveKit never changes them in a room that exists. `metrics_port` offers Prometheus
    figures, the only trace of webhooks that were dropped.
    """

    ports: Ports
    keys: Mapping[str, str] = field(repr=False)
    webhook_key: str
    webhook_urls: tuple[str, ...] = ()
    node_ip: str = "127.0.0.1"
    bind_addresses: tuple[str, ...] = ("127.0.0.1",)
    stun_servers: tuple[str, ...] = ()
    empty_timeout_s: int = 300
    departure_timeout_s: int = 120
    metrics_port: int | None = None
    log_level: str = "error"


def configuration(options: ServerOptions) -> str:
    """The configuration LiveKit reads. It is JSON, which every YAML reader takes."""
    config: dict[str, object] = {
        "port": options.ports.http,
        "bind_addresses": list(options.bind_addresses),
        "rtc": {
            "tcp_port": options.ports.tcp,
            "udp_port": options.ports.udp,
            "node_ip": options.node_ip,
            "use_external_ip": False,
            "stun_servers": list(options.stun_servers) or [NO_STUN],
        },
        "keys": dict(options.keys),
        # Off, a crash of the server would be the end for everybody: browsers take "no such room" as final.
        "room": {
            "auto_create": True,
            "empty_timeout": options.empty_timeout_s,
            "departure_timeout": options.departure_timeout_s,
        },
        # At "info" it logs names, at "warn" whole refused tokens and messages it could not pass on.
        "logging": {"level": options.log_level, "json": True},
    }
    if options.webhook_urls:
        config["webhook"] = {
            "api_key": options.webhook_key,
            "urls": list(options.webhook_urls),
            # The defaults (200 events, 30 s) lose nine of ten events when a full room empties at once.
            "resource_url_notifier": {"max_depth": 50_000, "max_age": "10m"},
            "filter_params": {"exclude_events": ["track_published", "track_unpublished"]},
        }
    if options.metrics_port is not None:
        config["prometheus"] = {"port": options.metrics_port}
    return json.dumps(config, indent=1)


def find_binary(wanted: Path | None = None) -> Path:
    """The LiveKit server of the pinned version: the one given, the one on PATH, or the one built here.

    Raises:
        MediaServerError: there is none; says how to get it.
    """
    if wanted is not None:
        if os.access(wanted, os.X_OK):
            return wanted
        raise MediaServerError(f"{wanted} is not a program that can be run")
    on_path = shutil.which("livekit-server")
    for candidate in (Path(on_path) if on_path else None, BUILT):
        if candidate is not None and _version(candidate) == VERSION:
            return candidate
    raise MediaServerError(
        f"the LiveKit server {VERSION} is not there: run mediaserver/build.sh (needs Go 1.26),"
        f" or put livekit-server {VERSION} on PATH"
    )


def _version(binary: Path) -> str | None:
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rpartition(" ")[2].strip()


def free_ports() -> Ports:
    """Three ports that nobody listens on at this moment."""
    return Ports(http=_free(socket.SOCK_STREAM), tcp=_free(socket.SOCK_STREAM), udp=_free(socket.SOCK_DGRAM))


def _free(kind: socket.SocketKind) -> int:
    for port in random.sample(range(_LOWEST_PORT, _HIGHEST_PORT), 200):
        if _can_bind(kind, "", port):
            return port
    raise MediaServerError("no free port was found for the LiveKit server")


def _taken(options: ServerOptions) -> int | None:
    """The first of its ports that somebody else listens on."""
    ports = options.ports
    wanted = [(socket.SOCK_STREAM, address, ports.http) for address in options.bind_addresses]
    wanted += [(socket.SOCK_STREAM, "", ports.tcp), (socket.SOCK_DGRAM, "", ports.udp)]
    return next((port for kind, address, port in wanted if not _can_bind(kind, address, port)), None)


def _can_bind(kind: socket.SocketKind, address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: connections that were closed a moment ago do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class MediaServer:
    """One LiveKit server as a child process. It may be stopped, killed and started again on its ports.

    The process is polled, not awaited, so that it can outlive the event loop that started it.
    """

    def __init__(self, options: ServerOptions, *, log: Path, binary: Path | None = None) -> None:
        self.options = options
        self.log = log
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def http_url(self) -> str:
        """Its API, as this machine reaches it."""
        return f"http://{self._host}:{self.options.ports.http}"

    @property
    def ws_url(self) -> str:
        """Its signalling, as a browser of this machine reaches it."""
        return f"ws://{self._host}:{self.options.ports.http}"

    @property
    def _host(self) -> str:
        address = next(iter(self.options.bind_addresses), "")
        if address in ("", "0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
            return "127.0.0.1"
        return f"[{address}]" if ":" in address else address

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start it and return once it answers.

        Raises:
            MediaServerError: no binary, or it ended or stayed silent; holds the end of its log.
        """
        if self.running:
            return
        binary = await asyncio.to_thread(find_binary, self._binary)
        # Asked first, or another server on that port would answer in its place.
        if taken := _taken(self.options):
            raise MediaServerError(f"port {taken} is in use: stop what listens there, or choose another port")
        self._spawn(binary)  # Not in a helper thread: the child ends with the thread that made it.
        try:
            await self._answered(clock.monotonic() + _START_TIMEOUT_S)
        except BaseException:
            await self.kill()
            raise

    async def stop(self, grace_s: float = 5.0) -> None:
        """End it in good order, by force after `grace_s` seconds."""
        if not self.running:
            return
        # The first SIGTERM waits until everybody has left; the second ends it, and sends what lefts it can.
        self._signal(signal.SIGTERM)
        await self._gone(min(grace_s, 0.5))
        self._signal(signal.SIGTERM)
        await self._gone(grace_s)
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        self._signal(signal.SIGKILL)
        await self._gone(10.0)

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        while True:
            if self._process is not None and (code := self._process.poll()) is not None:
                return code
            await asyncio.sleep(0.2)

    def _spawn(self, binary: Path) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = _run([str(binary)], configuration(self.options), log)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def _gone(self, within_s: float) -> None:
        deadline = clock.monotonic() + within_s
        while clock.monotonic() < deadline:
            if not self.running:
                return
            await asyncio.sleep(_POLL_S)

    async def _answered(self, deadline: float) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while clock.monotonic() < deadline:
                if not self.running:
                    raise MediaServerError(f"the LiveKit server ended at once: {self._last_words()}")
                if await _answers(session, self.http_url):
                    return
                await asyncio.sleep(_POLL_S)
        raise MediaServerError(f"the LiveKit server is silent on {self.http_url}: {self._last_words()}")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return " | ".join(lines[-3:]) or "its log is empty"


def _run(command: Sequence[str], config: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start it with its configuration, which holds secrets, in its environment.

    No other variable of ours goes there: LiveKit would let NODE_IP or LIVEKIT_KEYS win. It has its own
    session, so that Ctrl-C reaches only the supervisor, and ends with that one even when it is killed.
    """
    tie = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
    return subprocess.Popen(
        [*tie, *command],
        env={"LIVEKIT_CONFIG": config, "PATH": os.environ.get("PATH", "")},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
