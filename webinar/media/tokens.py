"""Tickets into one room, for a browser or the recorder.

They never carry roomCreate, roomAdmin or roomList: whoever holds one can enter one room under one
identity and nothing else. The media server cannot revoke them, so they are short-lived.
"""

from collections.abc import Sequence
from typing import Literal

import jwt

from webinar.media.rules import SOURCES

Kind = Literal["standard", "egress"]
DEFAULT_TTL_S = 300


def mint(
    key: str,
    secret: str,
    *,
    identity: str,
    name: str,
    room: str,
    now: int,
    ttl_s: int = DEFAULT_TTL_S,
    can_publish: bool = False,
    can_publish_sources: Sequence[str] = (),
    can_publish_data: bool = False,
    hidden: bool = False,
    kind: Kind = "standard",
    metadata: str = "",
) -> str:
    """A signed token (JWT, HS256) to join `room` as `identity`.

    `now` in Unix ms. `can_publish_sources` narrows what may be published (`rules.SOURCES`), empty
    means every source. The life matters for the first connect only: who is in gets fresh tokens.

    Raises:
        ValueError: identity, room, key or secret is empty, or a source is unknown.
    """
    if not (identity and room and key and secret):
        raise ValueError("a token needs an identity, a room, a key and a secret")
    if unknown := set(can_publish_sources).difference(SOURCES):
        raise ValueError(f"unknown sources: {sorted(unknown)}")
    video: dict[str, object] = {
        "roomJoin": True,
        "room": room,
        "canPublish": can_publish,
        "canSubscribe": True,
        "canPublishData": can_publish_data,
        "canUpdateOwnMetadata": False,
        "hidden": hidden,
    }
    # The list supersedes canPublish, so it must be absent where nothing may be published.
    if can_publish and can_publish_sources:
        video["canPublishSources"] = list(can_publish_sources)
    issued_at = now // 1000
    claims = {
        "iss": key,
        "sub": identity,
        "name": name,
        "nbf": issued_at,
        "exp": issued_at + ttl_s,
        "kind": kind,
        "video": video,
    }
    if metadata:
        claims["metadata"] = metadata
    return jwt.encode(claims, secret, algorithm="HS256")
