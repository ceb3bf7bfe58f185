"""Webhooks as the media server writes and signs them; for the fake one, tests and benchmarks."""

import base64
import hashlib
import json
from typing import Any

import jwt

from webinar.media.rules import STANDARD
from webinar.media.webhook import WebhookEvent


def body_of(event: WebhookEvent) -> bytes:
    """The event as the real server writes it: Protobuf's JSON, where defaults are left out."""
    raw: dict[str, Any] = {"event": event.event, "id": event.event_id, "createdAt": str(event.created_at_s)}
    if event.room_name:
        raw["room"] = {"sid": event.room_sid, "name": event.room_name, "turnPassword": "never-keep-this"}
    if event.participant_sid:
        raw["participant"] = {
            "sid": event.participant_sid,
            "identity": event.identity,
            "joinedAtMs": str(event.joined_at_ms),
            "permission": {"canSubscribe": True, **({"hidden": True} if event.hidden else {})},
            **({"kind": event.kind} if event.kind != STANDARD else {}),
            **({"disconnectReason": event.disconnect_reason} if event.disconnect_reason else {}),
        }
    return json.dumps(raw).encode()


def signed(event: WebhookEvent, key: str, secret: str, now_ms: int) -> tuple[bytes, str]:
    """The body and the `Authorization` header of a webhook, as the real server would send it."""
    body = body_of(event)
    return body, signature(body, key, secret, now_ms)


def signature(body: bytes, key: str, secret: str, now_ms: int) -> str:
    """The `Authorization` header that the real server would put on this body."""
    issued_at = now_ms // 1000
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": key, "nbf": issued_at, "iat": issued_at, "exp": issued_at + 300, "sha256": digest}
    return jwt.encode(claims, secret, algorithm="HS256")
