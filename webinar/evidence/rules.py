"""Facts of who was where, as the sources tell them. Instants are Unix ms unless a name says seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SWEEP_MS = 30_000
BEAT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Event:
    """A signed event of the media server."""

    event_id: str
    event: str
    room_name: str
    room_sid: str
    participant_sid: str | None
    identity: str | None
    kind: str | None
    joined_at_ms: int | None
    created_at_s: int
    reason: str | None
    received_at: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One connected participant in a list of the media server; kind in lower case."""

    identity: str
    participant_sid: str
    kind: str
    joined_at_ms: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Who was in a room at an instant; without a SID the room was absent."""

    room_name: str
    room_sid: str | None
    at: int
    participants: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Beats:
    """Signs of life of one page in one minute of our clock."""

    registration_id: str
    identity: str
    participant_sid: str
    minute: int
    first_at: int
    last_at: int
    beats: int
    visible: int
    left_at: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is about one lecture, and the last rows that were looked at."""

    events: tuple[Event, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    beats: tuple[Beats, ...] = ()
    high_water: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """The last rows of what is numbered; and the end of the last minute in which a page was heard, Unix ms.

    What pages tell is stamped with our own clock when it arrives: nothing was told after that instant.
    """

    webhooks: int
    sweeps: int
    heard_until: int
