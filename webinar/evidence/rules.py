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
class Check:
    """A presence check that was asked, and until when it could be answered."""

    id: str
    number: int
    asked_at: int
    closes_at: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a presence check; `how` is "click", or "speaking" of those who were not asked for it."""

    check_id: str
    registration_id: str
    identity: str
    answered_at: int
    how: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What one player showed in one minute of our clock; `spans` are instants of the lecture."""

    registration_id: str
    player: str
    minute: int
    recording_id: str
    spans: tuple[tuple[int, int], ...]
    first_at: int
    last_at: int
    beats: int


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments handed out to one viewer in one minute, with the instants of the lecture that they show."""

    registration_id: str
    minute: int
    first_at: int
    last_at: int
    segments: int
    from_at: int
    to_at: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is about one lecture, and the last rows that were looked at.

    `high_water` has the last id of `webhooks` and `sweeps`, and the last instant of `heartbeats`, `checks`,
    `answers`, `replays` and `segments`.
    """

    events: tuple[Event, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    beats: tuple[Beats, ...] = ()
    checks: tuple[Check, ...] = ()
    answers: tuple[Answer, ...] = ()
    replays: tuple[Replay, ...] = ()
    segments: tuple[Segments, ...] = ()
    high_water: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """The last rows of what is numbered; and the end of the last minute in which a page was heard, Unix ms.

    What pages tell is stamped with our own clock when it arrives: nothing was told after that instant.
    """

    webhooks: int
    sweeps: int
    heard_until: int
