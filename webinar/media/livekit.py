"""The media server as it is: LiveKit, through its own client library."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
from livekit.api import LiveKitAPI, TwirpError, TwirpErrorCode
from livekit.protocol import models
from livekit.protocol import room as rooms

from webinar.core.errors import Refused
from webinar.media.port import (
    MediaMisconfigured,
    MediaUnavailable,
    ParticipantAbsent,
    ParticipantState,
    Permission,
    RoomState,
    TrackState,
)

TIMEOUT_S = 5.0


class LiveKit:
    """`Media` over LiveKit's HTTP API; one pooled connection set for all calls, made at the first one."""

    def __init__(self, url: str, key: str, secret: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._key, self._secret = url, key, secret
        self._timeout_s = timeout_s
        self._client: LiveKitAPI | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back; the next call would make new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @property
    def _api(self) -> LiveKitAPI:
        if self._client is None:
            # Its fail-over is for the vendor's cloud and would repeat calls behind our back.
            self._client = LiveKitAPI(self._url, self._key, self._secret, failover=False)
        return self._client

    @asynccontextmanager
    async def _asking(self, *, absent: type[Refused] | None = MediaUnavailable) -> AsyncIterator[None]:
        """One call: in bounded time, and its errors in the words of the port; see `_refusals`.

        The library hands each request "no time-out", which is stronger than that of its session.
        """
        async with _refusals(absent=absent), asyncio.timeout(self._timeout_s):
            yield

    async def open_room(
        self,
        name: str,
        *,
        empty_timeout_s: int = 300,
        departure_timeout_s: int = 20,
        max_participants: int = 0,
        metadata: str = "",
    ) -> RoomState:
        wish = rooms.CreateRoomRequest(
            name=name,
            empty_timeout=empty_timeout_s,
            departure_timeout=departure_timeout_s,
            max_participants=max_participants,
            metadata=metadata,
        )
        async with self._asking():
            made = await self._api.room.create_room(wish)
            if metadata and made.metadata != metadata:
                made = await self._api.room.update_room_metadata(
                    rooms.UpdateRoomMetadataRequest(room=name, metadata=metadata)
                )
        return _room_state(made)

    async def close_room(self, name: str) -> None:
        async with self._asking(absent=None):
            await self._api.room.delete_room(rooms.DeleteRoomRequest(room=name))

    async def list_rooms(self) -> list[RoomState]:
        return sorted(await self._rooms(), key=lambda state: state.name)

    async def _rooms(self, names: Sequence[str] = ()) -> list[RoomState]:
        async with self._asking():
            answer = await self._api.room.list_rooms(rooms.ListRoomsRequest(names=names))
        return [_room_state(raw) for raw in answer.rooms]

    async def list_participants(self, room: str) -> list[ParticipantState]:
        async with self._asking():
            answer = await self._api.room.list_participants(rooms.ListParticipantsRequest(room=room))
        return [_participant_state(p) for p in answer.participants]

    async def remove(self, room: str, identity: str) -> None:
        async with self._asking(absent=None):
            await self._api.room.remove_participant(
                rooms.RoomParticipantIdentity(room=room, identity=identity)
            )

    async def mute(self, room: str, identity: str, sources: Sequence[str] = ()) -> int:
        muted = 0
        for participant in await self.list_participants(room):
            if participant.identity != identity:
                continue
            for track in participant.tracks:
                if not track.muted and (not sources or track.source in sources):
                    await self._mute_track(room, identity, track.sid)
                    muted += 1
        return muted

    async def _mute_track(self, room: str, identity: str, track_sid: str) -> None:
        wish = rooms.MuteRoomTrackRequest(room=room, identity=identity, track_sid=track_sid, muted=True)
        try:
            async with self._asking(absent=None):
                await self._api.room.mute_published_track(wish)
        except MediaUnavailable:
            # For somebody who has just left, the media server waits 3 s and calls itself unavailable.
            if any(p.identity == identity for p in await self.list_participants(room)):
                raise

    async def send(self, room: str, topic: str, data: bytes, to: Sequence[str] | None = None) -> None:
        if to is not None and not to:
            return  # An empty list would mean everybody to the media server.
        message = rooms.SendDataRequest(
            room=room,
            topic=topic,
            data=data,
            kind=models.DataPacket.RELIABLE,
            destination_identities=to or (),
        )
        try:
            async with self._asking(absent=None):
                await self._api.room.send_data(message)
        except MediaUnavailable:
            # For a room that is not there, the media server waits 3 s and calls itself unavailable.
            if await self._rooms([room]):
                raise

    async def update_participant(
        self,
        room: str,
        identity: str,
        *,
        permission: Permission | None = None,
        metadata: str | None = None,
    ) -> None:
        change = rooms.UpdateParticipantRequest(
            room=room,
            identity=identity,
            permission=_permission(permission) if permission is not None else None,
            metadata=metadata or "",
        )
        async with self._asking(absent=ParticipantAbsent):
            await self._api.room.update_participant(change)

    async def health(self) -> None:
        await self._rooms(["-"])


@asynccontextmanager
async def _refusals(*, absent: type[Refused] | None) -> AsyncIterator[None]:
    """The library's errors in the words of the port; `absent` None: what is not there is fine."""
    try:
        yield
    except TwirpError as error:
        if error.code == TwirpErrorCode.NOT_FOUND:
            if absent is not None:
                raise absent() from error
        elif error.status >= 500:
            raise MediaUnavailable() from error
        else:
            raise MediaMisconfigured() from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise MediaUnavailable() from error


def _room_state(raw: models.Room) -> RoomState:
    return RoomState(
        name=raw.name,
        sid=raw.sid,
        num_participants=raw.num_participants,
        created_at_ms=raw.creation_time_ms or raw.creation_time * 1000,
        metadata=raw.metadata,
    )


def _participant_state(raw: models.ParticipantInfo) -> ParticipantState:
    return ParticipantState(
        identity=raw.identity,
        sid=raw.sid,
        name=raw.name,
        kind=models.ParticipantInfo.Kind.Name(raw.kind),
        state=models.ParticipantInfo.State.Name(raw.state),
        joined_at_ms=raw.joined_at_ms or raw.joined_at * 1000,
        hidden=raw.permission.hidden,
        is_publisher=raw.is_publisher,
        can_publish=raw.permission.can_publish,
        tracks=tuple(
            TrackState(t.sid, models.TrackSource.Name(t.source).lower(), t.muted) for t in raw.tracks
        ),
        metadata=raw.metadata,
    )


def _permission(wish: Permission) -> models.ParticipantPermission:
    return models.ParticipantPermission(
        can_subscribe=True,
        can_publish=wish.can_publish,
        can_publish_data=wish.can_publish_data,
        can_publish_sources=[s.upper() for s in wish.sources],
        hidden=wish.hidden,
    )
