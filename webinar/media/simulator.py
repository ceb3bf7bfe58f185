"""A media server in memory that behaves as the real one does when time passes and things go wrong.

It is `FakeMedia` with what takes time: connecting, noticing late that somebody is gone, lists that are
seconds old, rooms that end by themselves, and webhooks that wait in a queue and get lost
(`notifier.py`). Time is the event loop's, so it runs in real as in simulated time. What it tells
is checked against recorded traces of the real server (tests/simulation/traces).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from webinar.core.clock import Clock
from webinar.media.fake import FakeMedia
from webinar.media.notifier import Notifier
from webinar.media.port import ParticipantState, RoomState
from webinar.media.webhook import PARTICIPANT_ABORTED, PARTICIPANT_LEFT, WebhookEvent

CRASHED = "SERVER_CRASHED"
"""Told to clients whose server died; no webhook has this reason."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that things take: `connect_s` from dialling to media, `notice_s` until somebody who
    vanished without a word is given up, `last_words_s` in which a server that is stopped still sends
    webhooks, and what a room does by itself when nobody says otherwise. Measured on the real one."""

    connect_s: float = 0.1
    notice_s: float = 21.0
    last_words_s: float = 0.05
    empty_s: float = 300.0
    departure_s: float = 20.0


class MediaSimulator(FakeMedia):
    """`Media`, and what people and accidents do to it.

    Args:
        notifier: where the webhooks go.
        timing: asked anew for each thing that takes time.
        on_out: told of each participant SID that is no longer inside, with the reason.
    """

    def __init__(
        self,
        clock: Clock,
        key: str,
        secret: str,
        notifier: Notifier,
        *,
        timing: Callable[[], Timing] = Timing,
        on_out: Callable[[str, str], None] = lambda _sid, _reason: None,
    ) -> None:
        super().__init__(clock, key, secret, on_event=self._happened)
        self.notifier = notifier
        self.list_age_s = 0.0
        self._timing = timing
        self._on_out = on_out
        self._vanished: dict[str, asyncio.TimerHandle] = {}
        self._closing: dict[str, asyncio.TimerHandle] = {}
        self._departure_s: dict[str, float] = {}
        self._past: dict[str, deque[tuple[float, list[ParticipantState]]]] = {}

    # What the port asks for, where time changes the answer.

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
        if name not in self._rooms:
            self._departure_s[name] = departure_timeout_s
            self._close_in(name, empty_timeout_s)
        return await super().open_room(name, metadata=metadata)

    async def list_participants(self, room: str) -> list[ParticipantState]:
        now = await super().list_participants(room)
        past = self._past.get(room)
        if not self.list_age_s or not past:
            return now
        then = _time() - self.list_age_s
        return next((list(people) for at, people in reversed(past) if at <= then), [])

    # What people and accidents do.

    async def connect(self, token: str) -> ParticipantState:
        """Dial, and wait until media flows. Cancelled on the way, it is an aborted connection.

        Raises:
            PermissionError: the token lets nobody in.
            MediaUnavailable: the server died on the way.
        """
        room, dialled = self.dial(token)
        try:
            await asyncio.sleep(self._timing().connect_s)
        except asyncio.CancelledError:
            if self.holds(room, dialled.sid):
                self._leave(room, dialled.identity, "JOIN_FAILURE")
            raise
        self._stay_open(room)
        return self.arrive(room, dialled)

    def vanish(self, room: str, who: ParticipantState) -> None:
        """The network is gone: the server notices late."""
        if self.holds(room, who.sid):
            loop = asyncio.get_running_loop()
            wait_s = self._timing().notice_s
            self._vanished[who.sid] = loop.call_later(wait_s, self._give_up, room, who)

    def resume(self, room: str, who: ParticipantState) -> bool:
        """The network is back; whether the connection went on, of which no webhook tells."""
        if self.holds(room, who.sid) and who.sid in self._vanished:
            self._vanished.pop(who.sid).cancel()
            return True
        return False

    def crash(self) -> None:
        """SIGKILL: nobody is told anything, and the webhooks that wait are gone, too."""
        inside = [p.sid for room in self._rooms.values() for p in room.participants.values()]
        super().crash()
        self._forget()
        self.notifier.crash()
        for sid in inside:
            self._on_out(sid, CRASHED)

    def terminate(self) -> None:
        """SIGTERM: lefts are queued, and as many told as can be until the process ends a moment later."""
        inside = [(name, identity) for name, room in self._rooms.items() for identity in room.participants]
        for name, identity in inside:
            self._leave(name, identity, "SERVER_SHUTDOWN")
        super().crash()
        self._forget()
        asyncio.get_running_loop().call_later(self._timing().last_words_s, self.notifier.crash)

    def _forget(self) -> None:
        for timer in (*self._vanished.values(), *self._closing.values()):
            timer.cancel()
        for known in (self._vanished, self._closing, self._departure_s, self._past):
            known.clear()

    def _happened(self, event: WebhookEvent) -> None:
        name = event.room_name
        room = self._rooms[name]
        self._past.setdefault(name, deque(maxlen=500)).append((_time(), list(room.participants.values())))
        self.notifier.tell(event)
        if event.event not in {PARTICIPANT_LEFT, PARTICIPANT_ABORTED}:
            return
        if timer := self._vanished.pop(event.participant_sid, None):
            timer.cancel()
        if not room.participants:
            self._close_in(name, self._departure_s.get(name, self._timing().departure_s))
        self._on_out(event.participant_sid, event.disconnect_reason)

    def _give_up(self, room: str, who: ParticipantState) -> None:
        self._vanished.pop(who.sid, None)
        if self.holds(room, who.sid):
            self._leave(room, who.identity, "CONNECTION_TIMEOUT")

    def _close_in(self, name: str, wait_s: float) -> None:
        self._stay_open(name)
        self._closing[name] = asyncio.get_running_loop().call_later(wait_s, self._end_by_itself, name)

    def _stay_open(self, name: str) -> None:
        if timer := self._closing.pop(name, None):
            timer.cancel()

    def _end_by_itself(self, name: str) -> None:
        self._closing.pop(name, None)
        if name in self._rooms:
            self._finish(name)

    def _finish(self, name: str) -> None:
        super()._finish(name)
        self._stay_open(name)
        self._departure_s.pop(name, None)
        self._past.pop(name, None)


def _time() -> float:
    return asyncio.get_running_loop().time()
