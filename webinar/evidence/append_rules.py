"""An event as the row that is kept: named fields, cut to what both databases take."""

from typing import NamedTuple, Protocol

LARGEST_INTEGER = 2**63 - 1


class Told(Protocol):
    """What is needed of an event (`media.webhook.WebhookEvent`)."""

    @property
    def event_id(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def room_name(self) -> str: ...
    @property
    def room_sid(self) -> str: ...
    @property
    def participant_sid(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def joined_at_ms(self) -> int | None: ...
    @property
    def created_at_s(self) -> int: ...
    @property
    def disconnect_reason(self) -> str: ...
    @property
    def body_sha256(self) -> str: ...


class Row(NamedTuple):
    """The columns of `evidence_webhooks`, in the order in which the writers insert them."""

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
    body_sha256: str


def row_of(event: Told, received_at: int) -> Row:
    """The row of an event. One that no database would take must not spoil the group it is in."""
    somebody = bool(event.participant_sid)
    return Row(
        event_id=_text(event.event_id, 64),
        event=_text(event.event, 40),
        room_name=_text(event.room_name, 64),
        room_sid=_text(event.room_sid, 40),
        participant_sid=_text(event.participant_sid, 40) if somebody else None,
        identity=_text(event.identity, 64) if somebody else None,
        kind=_text(event.kind, 12).lower() if somebody else None,
        joined_at_ms=_integer(event.joined_at_ms) if event.joined_at_ms is not None else None,
        created_at_s=_integer(event.created_at_s),
        reason=_text(event.disconnect_reason, 32) or None,
        received_at=received_at,
        body_sha256=event.body_sha256,
    )


def _text(text: str, longest: int) -> str:
    """Without NUL and lone surrogates, which PostgreSQL and UTF-8 refuse."""
    if text.isascii() and "\x00" not in text:
        return text[:longest]
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


def _integer(number: int) -> int:
    return max(-LARGEST_INTEGER, min(LARGEST_INTEGER, number))
