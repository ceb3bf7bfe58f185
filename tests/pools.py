"""Pools of media servers for tests."""

from webinar.media.pool import Pool
from webinar.media.port import Media
from webinar.media.servers import MAIN, Server


def a_server(name: str = MAIN, *, key: str = "key", secret: str = "s" * 32, **more: object) -> Server:
    """A server that nobody connects to; `more` are its other fields."""
    fields = {"url": f"http://{name}.example", "public_url": f"wss://{name}.example"} | more
    return Server(name=name, key=key, secret=secret, **fields)  # type: ignore[arg-type]  # names of fields


def alone(media: Media, **fields: object) -> Pool:
    """A pool of one, as an installation with a single server has it."""
    return Pool((a_server(**fields), media))  # type: ignore[arg-type]  # names of fields
