"""The media servers that an installation has, by name, and how to speak to each."""

from collections.abc import Iterator
from typing import ClassVar

from webinar.media.port import Media, MediaUnavailable
from webinar.media.servers import Server


class ServerUnknown(MediaUnavailable):
    """No media server of that name is in the settings any more."""

    code: ClassVar[str] = "media_server_unknown"
    message: ClassVar[str] = "The video server is no longer in the settings."


class Pool:
    """`pool.of(name)` is how to speak to a server, `pool.server(name)` what the settings say of it.

    Args:
        servers: each with the way to speak to it; at least one.
    """

    def __init__(self, *servers: tuple[Server, Media]) -> None:
        self._servers = {server.name: server for server, _ in servers}
        self._media = {server.name: media for server, media in servers}

    def __iter__(self) -> Iterator[Server]:
        return iter(self._servers.values())

    def __len__(self) -> int:
        return len(self._servers)

    def __contains__(self, name: str) -> bool:
        return name in self._servers

    @property
    def first(self) -> Server:
        """Where rooms go while there is nothing to choose."""
        return next(iter(self))

    def server(self, name: str) -> Server:
        """Raises ServerUnknown."""
        try:
            return self._servers[name]
        except KeyError:
            raise ServerUnknown from None

    def of(self, name: str) -> Media:
        """Raises ServerUnknown."""
        self.server(name)
        return self._media[name]
