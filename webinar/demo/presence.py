"""Who was in the room of a past lecture, as the media server, its lists and the pages would tell it. Pure."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webinar.evidence.rules import BEAT_MS, SWEEP_MS
from webinar.media.port import ParticipantState
from webinar.media.rules import STANDARD
from webinar.media.webhook import (
    PARTICIPANT_JOINED,
    PARTICIPANT_LEFT,
    ROOM_FINISHED,
    ROOM_STARTED,
    WebhookEvent,
)

MINUTE_MS = 60_000
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LEFT, DROPPED, SENT_HOME = "CLIENT_INITIATED", "CONNECTION_TIMEOUT", "ROOM_DELETED"
# The media server notices that a connection is dead so much later.
NOTICED_MS = 16_000


@dataclass(frozen=True, slots=True)
class Stay:
    """One connection of a seat: instants in Unix ms; `why` is how the media server says that it ended."""

    registration_id: str
    identity: str
    sid: str
    joined_at: int
    left_at: int
    why: str

    @property
    def silent_at(self) -> int:
        """When the page was last heard of."""
        return self.left_at - NOTICED_MS if self.why == DROPPED else self.left_at


@dataclass(frozen=True, slots=True)
class Session:
    """A room from its opening to its end, and all who were in it."""

    room_name: str
    room_sid: str
    opened_at: int
    closed_at: int
    stays: tuple[Stay, ...]


def made_up(chance: random.Random, prefix: str, length: int = 12) -> str:
    """An id as the media server makes them."""
    return prefix + "".join(chance.choice(LETTERS) for _ in range(length))


def events(told: Session, chance: random.Random) -> list[tuple[WebhookEvent, int]]:
    """Webhooks in order, each with the instant at which it arrived."""
    moments: list[tuple[int, str, Stay | None]] = [
        (told.opened_at, ROOM_STARTED, None),
        (told.closed_at + 1, ROOM_FINISHED, None),
    ]
    for stay in told.stays:
        moments.append((stay.joined_at, PARTICIPANT_JOINED, stay))
        moments.append((stay.left_at, PARTICIPANT_LEFT, stay))
    moments.sort(key=lambda moment: moment[0])
    return [(_event(told, *m, chance), m[0] + chance.randint(4, 60)) for m in moments]


def _event(told: Session, at: int, name: str, stay: Stay | None, chance: random.Random) -> WebhookEvent:
    event_id = made_up(chance, "EV_")
    return WebhookEvent(
        event_id=event_id,
        event=name,
        room_name=told.room_name,
        room_sid=told.room_sid,
        participant_sid=stay.sid if stay else "",
        identity=stay.identity if stay else "",
        kind=STANDARD,
        joined_at_ms=stay.joined_at if stay else None,
        created_at_s=at // 1000,
        disconnect_reason=stay.why if stay and name == PARTICIPANT_LEFT else "",
        hidden=False,
        body_sha256=hashlib.sha256(event_id.encode()).hexdigest(),
    )


def sweeps(told: Session) -> Iterator[tuple[int, list[ParticipantState]]]:
    """What a list of the room would have shown every half minute."""
    for at in range(told.opened_at + SWEEP_MS, told.closed_at, SWEEP_MS):
        yield at, [_listed(stay) for stay in told.stays if stay.joined_at <= at < stay.left_at]


def _listed(stay: Stay) -> ParticipantState:
    return ParticipantState(
        identity=stay.identity,
        sid=stay.sid,
        name="",
        kind=STANDARD,
        state="ACTIVE",
        joined_at_ms=stay.joined_at,
        hidden=False,
        is_publisher=False,
    )


def heartbeats(lecture_id: str, stays: Sequence[Stay]) -> Iterator[dict[str, object]]:
    """Rows of `evidence_heartbeats`: one for each page and minute."""
    for stay in stays:
        beats = list(range(stay.joined_at, stay.silent_at, BEAT_MS))
        for minute in sorted({at // MINUTE_MS for at in beats}):
            inside = [at for at in beats if at // MINUTE_MS == minute]
            last = inside[-1] == beats[-1]
            yield {
                "registration_id": stay.registration_id,
                "identity": stay.identity,
                "participant_sid": stay.sid,
                "minute": minute,
                "lecture_id": lecture_id,
                "first_at": inside[0],
                "last_at": inside[-1],
                "beats": len(inside),
                "visible": len(inside),
                "left_at": stay.left_at if last and stay.why == LEFT else None,
            }
