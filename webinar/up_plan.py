"""What `webinar up` starts, and with which settings: what the environment sets, it leaves alone."""

import random
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

from webinar.config import sqlite_in
from webinar.instance import CannotStart
from webinar.media.server import Ports, ServerOptions

LOOPBACK = "127.0.0.1"
PREFIX = "PENDOPO_"
# Below the ports that the kernel gives to outgoing connections.
LOWEST, HIGHEST = 15_000, 32_000
# What a firewall is told to open has to stay the same.
PUBLIC_MEDIA_PORTS = Ports(http=7880, tcp=7881, udp=7882)


class UpSettings(BaseSettings):
    """Settings that only `webinar up` reads; 0 and "" mean that it chooses."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    media_http_port: int = 0
    media_tcp_port: int = 0
    media_udp_port: int = 0
    media_node_ip: str = ""
    media_stun_servers: str = ""
    catcher_smtp_port: int = 0
    catcher_http_port: int = 0


@dataclass(frozen=True, slots=True)
class Catching:
    """The ports of the mail catcher."""

    smtp_port: int
    http_port: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`environment` is for every process of the service; a part that is None runs elsewhere."""

    environment: Mapping[str, str]
    chosen: Mapping[str, str]
    media: ServerOptions | None
    catching: Catching | None


def plan(
    *,
    environ: Mapping[str, str],
    keys: Mapping[str, str],
    before: Mapping[str, str],
    data: Path,
    port: int,
    public_url: str,
    demonstration: bool,
) -> Plan:
    """Decide on everything that is not set.

    Args:
        before: what was chosen at the last start; ports that are still free stay the same, so that
            pages that stand open find their way back.

    Raises:
        CannotStart: the public URL is none.
    """
    url = public_url or environ.get(f"{PREFIX}PUBLIC_URL", "") or f"http://{LOOPBACK}:{port}"
    public = bool(public_url or environ.get(f"{PREFIX}PUBLIC_URL"))
    chosen = {
        "DATA": str(data),
        "PORT": str(port),
        "PUBLIC_URL": _checked_url(url),
        "DATABASE_URL": sqlite_in(data),
        "DEMONSTRATION": str(demonstration).lower(),
    }
    if public:
        # TLS is in front, on this machine: what it says of the browser's address is believed.
        chosen["TRUSTED_PROXIES"] = "1"
    ports = _Ports(before, taken={port})
    chosen["HOOKS_PORT"] = str(ports.pick("HOOKS_PORT"))
    media = None
    elsewhere = any(f"{PREFIX}{name}" in environ for name in ("MEDIA_URL", "MEDIA_SERVERS"))
    if not elsewhere:
        own = UpSettings()
        media_ports = _media_ports(own, ports, public=public)
        chosen["MEDIA_HTTP_PORT"] = str(media_ports.http)
        chosen["MEDIA_TCP_PORT"] = str(media_ports.tcp)
        chosen["MEDIA_UDP_PORT"] = str(media_ports.udp)
        chosen["MEDIA_URL"] = f"http://{LOOPBACK}:{media_ports.http}"
        chosen["MEDIA_PUBLIC_URL"] = _websocket(url) if public else f"ws://{LOOPBACK}:{media_ports.http}"
    catching = None
    if f"{PREFIX}SMTP_HOST" not in environ:
        own = UpSettings()
        catching = Catching(
            own.catcher_smtp_port or ports.pick("CATCHER_SMTP_PORT"),
            own.catcher_http_port or ports.pick("CATCHER_HTTP_PORT"),
        )
        chosen["CATCHER_SMTP_PORT"] = str(catching.smtp_port)
        chosen["CATCHER_HTTP_PORT"] = str(catching.http_port)
        chosen["SMTP_HOST"], chosen["SMTP_PORT"] = LOOPBACK, str(catching.smtp_port)
        chosen["MAIL_INBOX_URL"] = f"http://{LOOPBACK}:{catching.http_port}/"
    prefixed = {f"{PREFIX}{name}": value for name, value in chosen.items()}
    # The command line was asked for just now; all else that somebody set is left as it is.
    asked = {f"{PREFIX}{name}" for name in ("DATA", "PORT", "PUBLIC_URL", "DEMONSTRATION")}
    environment = {**keys, **prefixed, **environ, **{name: prefixed[name] for name in asked}}
    if not elsewhere:
        media = _media_options(UpSettings(), media_ports, environment, public=public)
    return Plan(environment, prefixed, media, catching)


def _media_ports(own: UpSettings, ports: "_Ports", *, public: bool) -> Ports:
    fixed = PUBLIC_MEDIA_PORTS if public else None
    return Ports(
        http=own.media_http_port or (fixed.http if fixed else ports.pick("MEDIA_HTTP_PORT")),
        tcp=own.media_tcp_port or (fixed.tcp if fixed else ports.pick("MEDIA_TCP_PORT")),
        udp=own.media_udp_port or (fixed.udp if fixed else ports.pick("MEDIA_UDP_PORT")),
    )


def _media_options(
    own: UpSettings, ports: Ports, environment: Mapping[str, str], *, public: bool
) -> ServerOptions:
    key = environment[f"{PREFIX}MEDIA_API_KEY"]
    keys = {key: environment[f"{PREFIX}MEDIA_API_SECRET"]}
    previous = environment.get(f"{PREFIX}MEDIA_PREVIOUS_API_KEY", "")
    if previous:
        keys[previous] = environment.get(f"{PREFIX}MEDIA_PREVIOUS_API_SECRET", "")
    hooks = f"http://{LOOPBACK}:{environment[f'{PREFIX}HOOKS_PORT']}/hooks/livekit"
    return ServerOptions(
        ports=ports,
        keys=keys,
        webhook_key=key,
        webhook_urls=(hooks,),
        node_ip=own.media_node_ip or (machine_address() if public else LOOPBACK),
        stun_servers=tuple(part.strip() for part in own.media_stun_servers.split(",") if part.strip()),
    )


class _Ports:
    """Free ports, each given once."""

    def __init__(self, before: Mapping[str, str], taken: set[int]) -> None:
        self._before = before
        self._taken = taken

    def pick(self, name: str) -> int:
        """The port of the last start if it is still free, else another."""
        last = self._before.get(f"{PREFIX}{name}", "")
        candidates = [int(last)] if last.isdigit() else []
        candidates += random.sample(range(LOWEST, HIGHEST), 200)
        for port in candidates:
            if port not in self._taken and is_free(port) and is_free(port, kind=socket.SOCK_DGRAM):
                self._taken.add(port)
                return port
        raise CannotStart("No free port was found: stop something, or set the ports yourself.")


def is_free(port: int, host: str = LOOPBACK, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether nobody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: connections that were closed a moment ago do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def machine_address() -> str:
    """The address from which this machine speaks to the world. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOOPBACK
        address: str = probe.getsockname()[0]
        return address


def command(kind: str) -> list[str]:
    """How a process of the service is started: the same Python, whatever PATH says."""
    return [sys.executable, "-m", "webinar", kind]


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise CannotStart(f"{url} is no public URL: it has to look like https://pendopo.example.go.id")
    return url.rstrip("/")


def _websocket(url: str) -> str:
    return "ws" + url.rstrip("/").removeprefix("http")
