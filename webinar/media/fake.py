"""A media server in memory, for unit tests: no media, but the rooms, identities and events of the real one.

It passes the contract suite of the real server. Time comes from the clock it is given; nothing
happens by itself but what the real server would tell at once. What takes time or goes wrong
(lost webhooks, late lefts, old lists) is in `simulator.py`, which is built on this one.
"""

import hashlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import jwt

from webinar.core.clock import Clock
from webinar.media.port import (
    MediaMisconfigured,
    MediaUnavailable,
    ParticipantAbsent,
    ParticipantState,
    Permission,
    RoomState,
    TrackState,
)
from webinar.media.rules import STANDARD, counts
from webinar.media.signing import body_of
from webinar.media.webhook import (
    PARTICIPANT_ABORTED,
    PARTICIPANT_JOINED,
    PARTICIPANT_LEFT,
    ROOM_FINISHED,
    ROOM_STARTED,
    WebhookEvent,
)

TOKEN_LEEWAY_MS = 60_000
ACTIVE, JOINING = "ACTIVE", "JOINING"


@dataclass(slots=True)
class _Room:
    sid: str
    created_at_ms: int
    metadata: str
    participants: dict[str, ParticipantState] = field(default_factory=dict)

    def state(self, name: str) -> RoomState:
        people = sum(counts(p.kind) for p in self.participants.values())
        return RoomState(name, self.sid, people, self.created_at_ms, self.metadata)


class FakeMedia:
    """`Media` in memory, and the doings of those inside: `join`, `leave`, `crash`, `come_back`.

    `events` holds every webhook that the real server would send, in order; `inbox` what was sent to
    each identity, as (topic, data); `on_event` is called with each event, for tests that want it at once.
    """

    def __init__(
        self, clock: Clock, key: str, secret: str, *, on_event: Callable[[WebhookEvent], None] | None = None
    ) -> None:
        self.key, self.secret = key, secret
        self.events: list[WebhookEvent] = []
        self.inbox: dict[str, list[tuple[str, bytes]]] = {}
        self._clock = clock
        self._on_event = on_event
        self._rooms: dict[str, _Room] = {}
        self._away = False
        self._refuses = False
        self._numbers = count(1)

    # What the port asks for.

    async def open_room(
        self,
        name: str,
        *,
        empty_timeout_s: int = 300,
        departure_timeout_s: int = 20,
        max_participants: int = 0,
        metadata: str = "",
    ) -> RoomState:
        self._answer()
        room = self._made(name)
        room.metadata = metadata or room.metadata
        return room.state(name)

    async def close_room(self, name: str) -> None:
        self._answer()
        if name not in self._rooms:
            return
        self._finish(name)

    async def list_rooms(self) -> list[RoomState]:
        self._answer()
        return [room.state(name) for name, room in sorted(self._rooms.items())]

    async def list_participants(self, room: str) -> list[ParticipantState]:
        self._answer()
        return list(self._rooms[room].participants.values()) if room in self._rooms else []

    async def remove(self, room: str, identity: str) -> None:
        self._answer()
        self._leave(room, identity, "PARTICIPANT_REMOVED")

    async def mute(self, room: str, identity: str, sources: Sequence[str] = ()) -> int:
        self._answer()
        tracks = self._rooms[room].participants[identity].tracks if self._holds(room, identity) else ()
        wanted = [t for t in tracks if not t.muted and (not sources or t.source in sources)]
        if wanted:
            changed = tuple(replace(t, muted=True) if t in wanted else t for t in tracks)
            self._change(room, identity, tracks=changed)
        return len(wanted)

    async def send(self, room: str, topic: str, data: bytes, to: Sequence[str] | None = None) -> None:
        self._answer()
        for identity in self._rooms[room].participants if room in self._rooms else ():
            if to is None or identity in to:
                self.inbox.setdefault(identity, []).append((topic, data))

    async def update_participant(
        self, room: str, identity: str, *, permission: Permission | None = None, metadata: str | None = None
    ) -> None:
        self._answer()
        if not self._holds(room, identity):
            raise ParticipantAbsent()
        if permission is not None:
            self._change(room, identity, hidden=permission.hidden, can_publish=permission.can_publish)
        if metadata:
            self._change(room, identity, metadata=metadata)

    async def health(self) -> None:
        self._answer()

    # What people and accidents do.

    def join(self, token: str) -> ParticipantState:
        """Come in with a token; the same identity inside is replaced.

        Raises:
            PermissionError: the token is not ours, has expired or lets nobody in.
        """
        room, participant = self.dial(token)
        return self.arrive(room, participant)

    def dial(self, token: str) -> tuple[str, ParticipantState]:
        """Make the participant, who is not connected yet; answers the room's name, too.

        Raises:
            PermissionError: the token is not ours, has expired or lets nobody in.
        """
        self._answer()
        claims = self._claims(token)
        video, identity = claims["video"], claims["sub"]
        name: str = video["room"]
        room = self._made(name)
        self._leave(name, identity, "DUPLICATE_IDENTITY")
        participant = ParticipantState(
            identity=identity,
            sid=self._sid("PA"),
            name=claims.get("name", ""),
            kind=claims.get("kind", "standard").upper(),
            state=JOINING,
            joined_at_ms=self._clock.now(),
            hidden=video.get("hidden", False),
            is_publisher=False,
            can_publish=video.get("canPublish", True),
            metadata=claims.get("metadata", ""),
        )
        room.participants[identity] = participant
        return name, participant

    def arrive(self, room: str, dialled: ParticipantState) -> ParticipantState:
        """Media flows: only now the participant counts as joined.

        Raises:
            MediaUnavailable: the participant, or the server, is gone in the meantime.
        """
        if not self.holds(room, dialled.sid):
            raise MediaUnavailable()
        participant = replace(dialled, state=ACTIVE)
        self._rooms[room].participants[dialled.identity] = participant
        self._emit(PARTICIPANT_JOINED, room, participant)
        return participant

    def leave(self, room: str, identity: str, reason: str = "CLIENT_INITIATED") -> None:
        """Go; `reason` CONNECTION_TIMEOUT for somebody whose connection broke 20 s ago."""
        self._leave(room, identity, reason)

    def publish(self, room: str, identity: str, source: str) -> TrackState:
        """Send a track; no webhook tells of it, since they are filtered out.

        Raises:
            PermissionError: the participant may not publish.
        """
        participant = self._rooms[room].participants[identity]
        if not participant.can_publish:
            raise PermissionError("this participant may not publish")
        track = TrackState(self._sid("TR"), source, muted=False)
        self._change(room, identity, tracks=(*participant.tracks, track), is_publisher=True)
        return track

    def crash(self) -> None:
        """Everything inside is lost and nobody is told; until `come_back` nothing answers."""
        self._rooms.clear()
        self._away = True

    def come_back(self) -> None:
        """Answer again, with no rooms. Those who were inside come back by `join`, into new room SIDs."""
        self._away = False

    def go_away(self) -> None:
        """Not reachable, but nothing is lost."""
        self._away = True

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.secret,
                algorithms=["HS256"],
                issuer=self.key,
                options={"verify_exp": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as error:
            raise PermissionError("not a token of ours") from error
        if not claims.get("video", {}).get("roomJoin") or not claims.get("sub"):
            raise PermissionError("this token lets nobody in")
        if claims["exp"] * 1000 + TOKEN_LEEWAY_MS <= self._clock.now():
            raise PermissionError("this token has expired")
        return claims

    def holds(self, room: str, sid: str) -> bool:
        """Whether the participant of this SID is in the room."""
        return self.participant(room, sid) is not None

    def participant(self, room: str, sid: str) -> ParticipantState | None:
        """Who has this SID in the room."""
        inside = self._rooms[room].participants.values() if room in self._rooms else ()
        return next((p for p in inside if p.sid == sid), None)

    def with_secret(self, secret: str) -> "FakeMedia":
        """The same server, as somebody sees it who signs with another secret."""
        other = copy(self)
        other._refuses = secret != self.secret
        return other

    def _answer(self) -> None:
        if self._away:
            raise MediaUnavailable()
        if self._refuses:
            raise MediaMisconfigured()

    def _sid(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):012d}"

    def _made(self, name: str) -> _Room:
        if name not in self._rooms:
            self._rooms[name] = _Room(self._sid("RM"), self._clock.now(), "")
            self._emit(ROOM_STARTED, name, None)
        return self._rooms[name]

    def _holds(self, room: str, identity: str) -> bool:
        return room in self._rooms and identity in self._rooms[room].participants

    def _change(self, room: str, identity: str, **fields: Any) -> None:
        inside = self._rooms[room].participants
        inside[identity] = replace(inside[identity], **fields)

    def _leave(self, room: str, identity: str, reason: str) -> None:
        if self._holds(room, identity):
            gone = self._rooms[room].participants.pop(identity)
            self._emit(PARTICIPANT_LEFT if gone.state == ACTIVE else PARTICIPANT_ABORTED, room, gone, reason)

    def _finish(self, name: str) -> None:
        """Everybody out, then the room."""
        for identity in list(self._rooms[name].participants):
            self._leave(name, identity, "ROOM_DELETED")
        self._emit(ROOM_FINISHED, name, None)
        del self._rooms[name]

    def _emit(self, event: str, room: str, who: ParticipantState | None, reason: str = "") -> None:
        told = WebhookEvent(
            event_id=self._sid("EV"),
            event=event,
            room_name=room,
            room_sid=self._rooms[room].sid,
            participant_sid=who.sid if who else "",
            identity=who.identity if who else "",
            kind=who.kind if who else STANDARD,
            joined_at_ms=who.joined_at_ms if who else None,
            created_at_s=self._clock.now() // 1000,
            disconnect_reason=reason,
            hidden=who.hidden if who else False,
            body_sha256="",
        )
        told = replace(told, body_sha256=hashlib.sha256(body_of(told)).hexdigest())
        self.events.append(told)
        if self._on_event is not None:
            self._on_event(told)
