"""Pools of media servers for tests."""

from sqlalchemy import update

from webinar.core.database import Database
from webinar.media.pool import Pool
from webinar.media.port import Media
from webinar.media.servers import MAIN, Server
from webinar.media.tables import MediaServerRow


def a_server(name: str = MAIN, *, key: str = "key", secret: str = "s" * 32, **more: object) -> Server:
    """A server that nobody connects to; `more` are its other fields."""
    fields = {"url": f"http://{name}.example", "public_url": f"wss://{name}.example"} | more
    return Server(name=name, key=key, secret=secret, **fields)  # type: ignore[arg-type]  # names of fields


async def heard_earlier(database: Database, ms: int) -> None:
    """As if everything that was heard of media servers had been heard so much earlier."""
    values = {name: getattr(MediaServerRow, name) - ms for name in ("since", "asked_at", "answered_at")}
    async with database.writing() as session:
        await session.execute(update(MediaServerRow).values(**values))


def alone(media: Media, **fields: object) -> Pool:
    """A pool of one, as an installation with a single server has it."""
    return Pool((a_server(**fields), media))  # type: ignore[arg-type]  # names of fields
