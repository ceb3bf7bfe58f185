"""Reading the media server's webhooks: bytes in, named fields out, no I/O.

The `Authorization` header is a bare JWT (no "Bearer"): HS256, `iss` the API key, `exp` five minutes
ahead, `sha256` the base64 digest of the body (webhook/resource_url_notifier.go of LiveKit). Bodies
carry the room's TURN password, so what is not named here is dropped and never logged.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from webinar.core.errors import Refused
from webinar.media.hs256 import signed_claims
from webinar.media.rules import STANDARD

ROOM_STARTED = "room_started"
ROOM_FINISHED = "room_finished"
PARTICIPANT_JOINED = "participant_joined"
PARTICIPANT_LEFT = "participant_left"
PARTICIPANT_ABORTED = "participant_connection_aborted"

LEEWAY_S = 60
"""How far the clocks of the two machines may differ; the media server allows us the same."""


LATEST = 2**53
"""The largest instant that is taken, in ms some 285,000 years from now."""


class ForgedWebhook(Refused):
    """Not signed by our media server, or not what it signed. Answer 401 and keep nothing."""

    code: ClassVar[str] = "forged_webhook"
    status: ClassVar[int] = 401
    message: ClassVar[str] = "The signature of this webhook is not valid."


class UnreadableWebhook(Refused):
    """Well signed, but not an event: a media server of another version. Sending it again cannot help."""

    code: ClassVar[str] = "unreadable_webhook"
    status: ClassVar[int] = 400
    message: ClassVar[str] = "This webhook is not an event that can be read."


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. `event_id` is the same on each retry; fields an event does not have are empty or None.

    `created_at_s` is whole seconds; `joined_at_ms` is when the participant was created.
    """

    event_id: str
    event: str
    room_name: str
    room_sid: str
    participant_sid: str
    identity: str
    kind: str
    joined_at_ms: int | None
    created_at_s: int
    disconnect_reason: str
    hidden: bool
    body_sha256: str


def parse(body: bytes, authorization: str, keys: Mapping[str, str], now_ms: int) -> WebhookEvent:
    """The event of a signed body; `keys` are the live ones (key -> secret), two while they are rotated.

    Raises:
        ForgedWebhook: a claim is missing, wrong or expired, or the body is not the signed one.
        UnreadableWebhook: rightly signed, but no event.
    """
    return _event(body, verify(body, authorization, keys, now_ms).hex())


def verify(body: bytes, authorization: str, keys: Mapping[str, str], now_ms: int) -> bytes:
    """The SHA-256 digest of the body, once it is known that one of the keys signed it a moment ago.

    Raises:
        ForgedWebhook: a claim is missing, wrong or expired, or the body is not the signed one.
    """
    digest = hashlib.sha256(body).digest()
    claims = _claims(authorization, keys)
    if not _is_fresh(claims.get("exp"), now_ms) or not _is_digest(claims.get("sha256"), digest):
        raise ForgedWebhook()
    return digest


def _claims(token: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The claims of a token that one of the keys signed in its own name."""
    for key, secret in keys.items():
        # An empty secret would verify what anybody can sign.
        claims = signed_claims(token, secret.encode()) if key else None
        if claims is not None and claims.get("iss") == key:
            return claims
    raise ForgedWebhook()


def _is_fresh(ends: object, now_ms: int) -> bool:
    """Whether it has not ended. `nbf` is not looked at: whoever can sign can date, and an event that is
    refused since a clock is ahead is lost for good, for the media server takes a 401 for delivered.
    """
    # True is an int, too.
    return type(ends) is int and (ends + LEEWAY_S) * 1000 > now_ms


def _is_digest(claim: object, digest: bytes) -> bool:
    return (
        isinstance(claim, str)
        and claim.isascii()
        and hmac.compare_digest(claim.encode(), base64.b64encode(digest))
    )


def _event(body: bytes, body_sha256: str) -> WebhookEvent:
    try:
        raw = json.loads(body.decode())
        room, participant = raw.get("room") or {}, raw.get("participant") or {}
        joined_at = participant.get("joinedAtMs")
        event = WebhookEvent(
            event_id=raw["id"],
            event=raw["event"],
            room_name=room.get("name", ""),
            room_sid=room.get("sid", ""),
            participant_sid=participant.get("sid", ""),
            identity=participant.get("identity", ""),
            # Protobuf's JSON leaves out values that are the default.
            kind=str(participant.get("kind", STANDARD)),
            joined_at_ms=_instant(joined_at) if joined_at is not None else None,
            created_at_s=_instant(raw.get("createdAt", 0)),
            disconnect_reason=str(participant.get("disconnectReason", "")),
            hidden=(participant.get("permission") or {}).get("hidden") is True,
            body_sha256=body_sha256,
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableWebhook() from error
    texts = (
        event.event_id,
        event.event,
        event.room_name,
        event.room_sid,
        event.participant_sid,
        event.identity,
    )
    if not all(map(_is_text, texts)) or not event.event_id or not event.event:
        raise UnreadableWebhook()
    return event


def _instant(number: Any) -> int:
    """Protobuf writes 64-bit numbers as text.

    Raises:
        ValueError: no clock ever shows it.
    """
    found = int(number)
    if not 0 <= found <= LATEST:
        raise ValueError("an instant outside of time")
    return found


def _is_text(value: object) -> bool:
    """Whether it is text that can be stored: no NUL, no half characters."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
