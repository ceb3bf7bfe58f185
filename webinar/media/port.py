"""What Pendopo needs of a media server, in its own words.

The adapter (`livekit.py`) and the fake (`fake.py`) pass the same contract suite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from webinar.core.errors import NotFound, Unavailable


class MediaUnavailable(Unavailable):
    """The media server cannot be reached, did not answer in time or answered 5xx."""

    code: ClassVar[str] = "media_unavailable"
    message: ClassVar[str] = "The media server does not answer right now. Nothing is lost; try again shortly."


class MediaMisconfigured(MediaUnavailable):
    """The media server answers, but refuses our key or our request: an operator must act."""

    code: ClassVar[str] = "media_misconfigured"
    message: ClassVar[str] = "The media server refuses this site. Its administrator must look at the keys."


class ParticipantAbsent(NotFound):
    """Nobody of that identity is in the room."""

    code: ClassVar[str] = "participant_absent"
    message: ClassVar[str] = "This participant is not in the room."


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room as the media server has it.

    `num_participants` counts hidden ones but no recorders, and is up to 5 s late: to show, not to decide by.
    """

    name: str
    sid: str
    num_participants: int
    created_at_ms: int
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class TrackState:
    """A published track; `source` is one of `rules.SOURCES`."""

    sid: str
    source: str
    muted: bool


@dataclass(frozen=True, slots=True)
class ParticipantState:
    """Somebody in a room. `kind` and `state` are the media server's words (STANDARD, ACTIVE)."""

    identity: str
    sid: str
    name: str
    kind: str
    state: str
    joined_at_ms: int
    hidden: bool
    is_publisher: bool
    can_publish: bool = False
    tracks: tuple[TrackState, ...] = ()
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """All that a participant may do; an update replaces all of it.

    `sources` narrows what may be published; empty means every source when `can_publish`.
    """

    can_publish: bool = False
    can_publish_data: bool = False
    hidden: bool = False
    sources: tuple[str, ...] = ()


class RoomMedia(Protocol):
    """What is asked of a media server about one of its rooms, or of several by the server of each room.

    Every method may raise `MediaUnavailable` and takes a bounded time.
    """

    async def close_room(self, name: str) -> None:
        """Send everybody out and end the room; fine when there is none."""

    async def list_participants(self, room: str) -> list[ParticipantState]:
        """Everybody in the room, hidden ones and recorders too; empty for an absent room."""

    async def remove(self, room: str, identity: str) -> None:
        """Send somebody out; fine when absent. Their token still lets them in again until it expires."""

    async def mute(self, room: str, identity: str, sources: Sequence[str] = ()) -> int:
        """Mute these sources of a participant, all when empty; how many tracks that muted."""

    async def send(self, room: str, topic: str, data: bytes, to: Sequence[str] | None = None) -> None:
        """Broadcast to everybody in the room or to some identities; fine when nobody is there."""

    async def update_participant(
        self, room: str, identity: str, *, permission: Permission | None = None, metadata: str | None = None
    ) -> None:
        """Change what somebody in the room may do.

        Raises:
            ParticipantAbsent: nobody of that identity is in the room.
        """


class Media(RoomMedia, Protocol):
    """One media server. Every method may raise `MediaUnavailable` and takes a bounded time."""

    async def open_room(
        self,
        name: str,
        *,
        empty_timeout_s: int = 300,
        departure_timeout_s: int = 20,
        max_participants: int = 0,
        metadata: str = "",
    ) -> RoomState:
        """Make the room, or give the one that is there.

        The time-outs and the limit of a room that exists stay as they are (the media server ignores
        them then); its metadata is brought up to date. `max_participants` 0 is no limit.
        """

    async def list_rooms(self) -> list[RoomState]:
        """Every room that is open, by name."""

    async def health(self) -> None:
        """Return when the media server answers and takes our key.

        Raises:
            MediaMisconfigured: it answers and refuses us.
        """
