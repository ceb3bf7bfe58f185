"""The media servers of an installation as its settings name them: bytes in, servers out, no I/O."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

MAIN = "main"
"""What the server of a pool of one is called."""
SHORTEST_SECRET = 32
MOST_PEOPLE = 1_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NEEDED = frozenset({"name", "url", "public_url", "api_key", "api_secret", "capacity"})
_ALLOWED = _NEEDED | {"previous_api_key", "previous_api_secret", "drain"}
_HTTP, _WS = ("http", "https"), ("ws", "wss")


class WrongServers(ValueError):  # noqa: N818 - it reads as a sentence where it is raised
    """The list of media servers cannot be used; the text says what to correct, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Server:
    """One media server. `url` is its API, `public_url` where browsers connect (ws, wss).

    Tokens are signed with `key`; `keys` are those whose webhooks are taken, two while they are rotated.
    `capacity` is for how many people at once it is meant, 0 where nobody said; one that drains gets no
    new rooms.
    """

    name: str
    url: str
    public_url: str
    key: str
    secret: str = field(repr=False)
    capacity: int = 0
    drain: bool = False
    previous_key: str = ""
    previous_secret: str = field(default="", repr=False)

    @property
    def keys(self) -> dict[str, str]:
        pairs = ((self.key, self.secret), (self.previous_key, self.previous_secret))
        return {key: secret for key, secret in pairs if key and secret}

    @property
    def signal_url(self) -> str:
        """Where a recorder connects: the API's address, as a WebSocket."""
        return self.url.replace("http", "ws", 1)


def keys_of(servers: Sequence[Server]) -> dict[str, str]:
    """Every live key of a pool: whoever signs with one of them is one of its servers."""
    return {key: secret for server in servers for key, secret in server.keys.items()}


def servers_of(text: str) -> tuple[Server, ...]:
    """The servers of a file in TOML with one table `[[server]]` for each.

    Raises:
        WrongServers: it is no such file, or what it says cannot be.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongServers(f"it is no TOML: {error}") from error
    tables = read.pop("server", None)
    if read or not isinstance(tables, list) or not tables:
        raise WrongServers("it has to hold one table [[server]] for each media server, and nothing else")
    servers = tuple(_server(number, table) for number, table in enumerate(tables, 1))
    _require_apart(servers)
    return servers


def _server(number: int, table: Any) -> Server:
    if not isinstance(table, dict):
        raise WrongServers(f"server {number} is no table")
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WrongServers(f"server {number} needs a name of up to 40 small letters, digits and dashes")
    if missing := _NEEDED - table.keys():
        raise WrongServers(f"{name}: {', '.join(sorted(missing))} not set")
    if unknown := table.keys() - _ALLOWED:
        raise WrongServers(f"{name}: there is no setting {', '.join(sorted(unknown))}")
    previous_key = _text(name, table, "previous_api_key")
    return Server(
        name=name,
        url=_url(name, table, "url", _HTTP),
        public_url=_url(name, table, "public_url", _WS),
        key=_text(name, table, "api_key") or _refuse(name, "api_key is empty"),
        secret=_secret(name, table, "api_secret"),
        capacity=_capacity(name, table["capacity"]),
        drain=_drain(name, table.get("drain", False)),
        previous_key=previous_key,
        previous_secret=_secret(name, table, "previous_api_secret") if previous_key else "",
    )


def _refuse(name: str, why: str) -> Any:
    raise WrongServers(f"{name}: {why}")


def _text(name: str, table: Mapping[str, Any], what: str) -> str:
    found = table.get(what, "")
    return found if isinstance(found, str) else str(_refuse(name, f"{what} has to be text"))


def _secret(name: str, table: Mapping[str, Any], what: str) -> str:
    found = _text(name, table, what)
    if len(found) < SHORTEST_SECRET:
        raise WrongServers(f"{name}: {what} has to have at least {SHORTEST_SECRET} characters")
    return found


def _url(name: str, table: Mapping[str, Any], what: str, schemes: tuple[str, ...]) -> str:
    found = _text(name, table, what)
    try:
        parts = urlsplit(found)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    # It stands in a header of every page.
    if not good or not found.isascii() or any(c.isspace() or c in ";,'\"" for c in found):
        raise WrongServers(f"{name}: {what} has to look like {schemes[-1]}://media.example.go.id")
    return found.rstrip("/")


def _capacity(name: str, found: Any) -> int:
    if type(found) is not int or not 1 <= found <= MOST_PEOPLE:
        raise WrongServers(f"{name}: capacity has to be a number of people, 1 to {MOST_PEOPLE}")
    return found


def _drain(name: str, found: Any) -> bool:
    return found if isinstance(found, bool) else bool(_refuse(name, "drain has to be true or false"))


def _require_apart(servers: Sequence[Server]) -> None:
    """Raise WrongServers where two share what has to be theirs alone."""
    for what in ("name", "url"):
        values = [getattr(server, what) for server in servers]
        if twice := {value for value in values if values.count(value) > 1}:
            # One server under two names would close its rooms as strange to itself.
            raise WrongServers(f"two servers have the {what} {', '.join(sorted(twice))}")
    known: dict[str, str] = {}
    for server in servers:
        for key, secret in server.keys.items():
            if known.setdefault(key, secret) != secret:
                raise WrongServers(f"{server.name}: the key {key} has another secret than elsewhere")
