"""The recorder's seat in a room of the media server: what is shown and heard there, as it arrives.

The connection is level-triggered: every half second, and on each event of the room, it compares what the room
offers with what it is subscribed to. The media server may die and come back with an empty room of the same
name, or the room may be moved to another server; then it joins again, with a new pass, for as long as it is
asked to.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import structlog
from livekit import rtc

from recordings.compose import Picture
from recordings.encode import RATE
from recordings.rules import Pass, wait_before
from recordings.selection import Offer, Wanted, select
from recordings.sound import Samples

log = structlog.get_logger()

PassSource = Callable[[], Awaitable[Pass]]
Holds = Callable[[Pass], bool]
"""Whether the room is still where a pass leads; asked twice a second, so keep it cheap."""
OnSound = Callable[[str, Samples], None]
OnGone = Callable[[str], None]

_LOOK_EVERY_S = 0.5
_RECONNECT_S = 10.0
"""How long the library may try by itself before the seat joins anew, with a new token."""
_CONNECT_S = 8.0
_Event = Literal[
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "track_muted",
    "track_unmuted",
    "participant_disconnected",
    "active_speakers_changed",
    "connection_state_changed",
]
_EVENTS: tuple[_Event, ...] = get_args(_Event)
_SOURCES = {
    rtc.TrackSource.SOURCE_CAMERA: "camera",
    rtc.TrackSource.SOURCE_MICROPHONE: "microphone",
    rtc.TrackSource.SOURCE_SCREENSHARE: "screen",
    rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO: "screen_sound",
}


@dataclass(slots=True)
class _Stream:
    """One subscribed track and the task that reads it."""

    track: rtc.Track
    task: asyncio.Task[None]


class Seat:
    """One recorder in one room. `screen` and `camera` are the latest pictures, None where there are none.

    `fresh` is set whenever the larger of them has changed.
    """

    def __init__(
        self,
        passes: PassSource,
        *,
        holds: Holds,
        may_record: Callable[[str], bool],
        on_sound: OnSound,
        on_gone: OnGone,
    ) -> None:
        self._passes = passes
        self._holds = holds
        self._may_record = may_record
        self._on_sound = on_sound
        self._on_gone = on_gone
        self._room: rtc.Room | None = None
        self._look = asyncio.Event()
        self._streams: dict[str, _Stream] = {}
        self._pictures: dict[str, Picture] = {}
        self._wanted = Wanted()
        self._quality: dict[str, int] = {}
        self._speakers: tuple[str, ...] = ()
        self._reason = rtc.DisconnectReason.UNKNOWN_REASON
        self.fresh = asyncio.Event()
        self.connected = False
        self.closed = False

    @property
    def screen(self) -> Picture | None:
        return self._pictures.get(self._wanted.screen or "")

    @property
    def camera(self) -> Picture | None:
        return self._pictures.get(self._wanted.camera or "")

    async def run(self) -> None:
        """Stays in the room until it is deleted (`closed` is then True) or the task is cancelled."""
        failures = 0
        while not self.closed:
            try:
                await self._sit()
                failures = 0
            except Exception as error:
                # The library raises plain exceptions of many kinds here; each means "not now".
                log.info("recorder_not_connected", error=type(error).__name__, attempt=failures)
                failures += 1
            finally:
                await self._leave()
            if not self.closed:
                await asyncio.sleep(wait_before(failures))

    async def _sit(self) -> None:
        room = self._room = rtc.Room()
        self._reason = rtc.DisconnectReason.UNKNOWN_REASON
        for event in _EVENTS:
            room.on(event, self._looked_for)
        room.on("active_speakers_changed", self._spoke)
        room.on("disconnected", self._disconnected)
        options = rtc.RoomOptions(auto_subscribe=False, connect_timeout=_CONNECT_S / 2)
        given = await self._passes()
        async with asyncio.timeout(_CONNECT_S):
            await room.connect(given.url, given.token, options)
        log.info("recorder_connected")
        away_since: float | None = None
        now = asyncio.get_running_loop().time
        while room.isconnected() and not self.closed and self._holds(given):
            self._look.clear()
            self.connected = room.connection_state == rtc.ConnectionState.CONN_CONNECTED
            if self.connected:
                away_since = None
                await self._reconcile(room)
            else:
                away_since = now() if away_since is None else away_since
                await self._forget_all()
                if now() - away_since > _RECONNECT_S:
                    return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), _LOOK_EVERY_S)

    def _looked_for(self, *_: object) -> None:
        self._look.set()

    def _spoke(self, speakers: list[rtc.Participant]) -> None:
        self._speakers = tuple(speaker.identity for speaker in speakers)

    def _disconnected(self, reason: int) -> None:
        # Deleting a room is an act of its owner. Everything else (a crash, an empty room) is not the end.
        if reason == rtc.DisconnectReason.ROOM_DELETED:
            self.closed = True
        self._look.set()

    async def _reconcile(self, room: rtc.Room) -> None:
        """Subscribes to what is wanted, reads what has arrived, lets go of the rest."""
        publications = {
            publication.sid: (participant.identity, publication)
            for participant in room.remote_participants.values()
            for publication in participant.track_publications.values()
            if self._may_record(participant.identity) and publication.source in _SOURCES
        }
        offers = [
            Offer(sid, identity, _SOURCES[publication.source], publication.muted)
            for sid, (identity, publication) in publications.items()
        ]
        self._wanted = select(offers, self._speakers, self._wanted)
        for sid, (_, publication) in publications.items():
            if (sid in self._wanted.all) != publication.subscribed:
                publication.set_subscribed(sid in self._wanted.all)
            self._ask_quality(sid, publication)
        present = {
            sid: publication.track
            for sid, (_, publication) in publications.items()
            if sid in self._wanted.all and publication.track is not None
        }
        for sid in [s for s, stream in self._streams.items() if present.get(s) is not stream.track]:
            await self._forget(sid)
        for sid, track in present.items():
            if sid not in self._streams:
                self._read(sid, track)

    def _ask_quality(self, sid: str, publication: rtc.RemoteTrackPublication) -> None:
        """A camera in the corner needs its smallest layer only, which saves most of its decoding."""
        if not publication.simulcasted or sid not in self._wanted.pictures:
            return
        small = sid == self._wanted.camera and self._wanted.screen is not None
        quality = rtc.VideoQuality.VIDEO_QUALITY_LOW if small else rtc.VideoQuality.VIDEO_QUALITY_HIGH
        if self._quality.get(sid) != quality:
            publication.set_video_quality(quality)
            self._quality[sid] = quality

    def _read(self, sid: str, track: rtc.Track) -> None:
        reader: Coroutine[None, None, None]
        reader = self._watch(sid, track) if sid in self._wanted.pictures else self._listen(sid, track)
        self._streams[sid] = _Stream(track, asyncio.create_task(reader, name=f"track {sid}"))

    async def _watch(self, sid: str, track: rtc.Track) -> None:
        # One waiting frame is enough: only the latest is shown. Decoders give I420: nothing is converted.
        stream = rtc.VideoStream(track, capacity=1)
        try:
            async for event in stream:
                frame = event.frame
                if frame.type != rtc.VideoBufferType.I420:
                    frame = frame.convert(rtc.VideoBufferType.I420)
                turns = cast(int, event.rotation)
                self._pictures[sid] = Picture.from_i420(frame.data, frame.width, frame.height, turns)
                if sid == (self._wanted.screen or self._wanted.camera):
                    self.fresh.set()
        finally:
            await stream.aclose()

    async def _listen(self, sid: str, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
        try:
            async for event in stream:
                self._on_sound(sid, np.frombuffer(event.frame.data, np.int16))
        finally:
            await stream.aclose()

    async def _forget(self, sid: str) -> None:
        stream = self._streams.pop(sid)
        stream.task.cancel()
        await asyncio.wait([stream.task], timeout=2)
        self._pictures.pop(sid, None)
        self._quality.pop(sid, None)
        self._on_gone(sid)

    async def _forget_all(self) -> None:
        self._wanted = Wanted()
        self._quality.clear()
        for sid in list(self._streams):
            await self._forget(sid)

    async def _leave(self) -> None:
        self.connected = False
        await self._forget_all()
        room, self._room = self._room, None
        if room is not None:
            # A dead server never answers; the library then keeps nothing that matters.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(room.disconnect(), 3)
