"""What every handler of the site can reach, and the keys under which the application keeps it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from recordings.storage import Storage
from recordings.streaming import Fetches
from webinar.classroom.heartbeats import Heartbeats
from webinar.classroom.whereabouts import Whereabouts
from webinar.config import Settings
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.media.pool import Pool
from webinar.media.port import RoomMedia
from webinar.people.passwords import Passwords

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of one running site, built in `wiring.py`."""

    settings: Settings
    database: Database
    clock: Clock
    pool: Pool
    # What is said to a room goes to the server that it is on.
    media: RoomMedia
    storage: Storage
    passwords: Passwords


SITE = web.AppKey("site", Site)
BEATS = web.AppKey("beats", Heartbeats)
WHEREABOUTS = web.AppKey("whereabouts", Whereabouts)
FETCHES = web.AppKey("fetches", Fetches)


class Access(StrEnum):
    """Who may call a route at all; what they may see there is decided by their scope."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    ORGANISER = "organiser"
    # Whoever holds an office: unit managers, organisers, administrators.
    UNIT_MANAGER = "unit_manager"
    ADMINISTRATOR = "administrator"
    # Somebody with a seat in the lecture of the path, by join cookie or by session.
    SEAT = "seat"
    # A bearer API key with the scope that the route names.
    API = "api"


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the route table. There is no default for `access`: a route without one cannot be built."""

    method: str
    path: str
    handler: Handler
    access: Access
    api_scope: str = ""
    # Largest request body in bytes.
    body: int = 256 * 1024
    # Whether the person of the session is looked up beforehand; else the handler does, when it has to.
    identifies: bool = True
