"""Tickets into a room."""

from typing import Any

import jwt
import pytest

from webinar.media.tokens import mint

NOW = 1_795_000_000_123
SECRET = "s" * 43


def a_token(**changes: Any) -> str:
    given: dict[str, Any] = {"identity": "seat.tab", "name": "Siti", "room": "hall", "now": NOW}
    return mint("key", SECRET, **(given | changes))


def claims(token: str) -> dict[str, Any]:
    options: Any = {"verify_exp": False, "verify_nbf": False}
    return jwt.decode(token, SECRET, algorithms=["HS256"], options=options)


def test_a_token_lets_one_identity_into_one_room_to_watch() -> None:
    assert claims(a_token()) == {
        "iss": "key",
        "sub": "seat.tab",
        "name": "Siti",
        "nbf": 1_795_000_000,
        "exp": 1_795_000_300,
        "kind": "standard",
        "video": {
            "roomJoin": True,
            "room": "hall",
            "canPublish": False,
            "canSubscribe": True,
            "canPublishData": False,
            "canUpdateOwnMetadata": False,
            "hidden": False,
        },
    }


@pytest.mark.parametrize(
    "changes",
    [{}, {"can_publish": True, "can_publish_data": True}, {"kind": "egress", "hidden": True}],
)
def test_no_token_makes_lists_or_rules_rooms(changes: dict[str, Any]) -> None:
    assert (
        not {"roomCreate", "roomList", "roomAdmin", "roomRecord"} & claims(a_token(**changes))["video"].keys()
    )


def test_sources_are_named_only_where_something_may_be_published() -> None:
    sources = ("camera", "microphone")

    allowed = claims(a_token(can_publish=True, can_publish_sources=sources))["video"]
    denied = claims(a_token(can_publish=False, can_publish_sources=sources))["video"]

    assert (allowed["canPublish"], allowed["canPublishSources"]) == (True, list(sources))
    assert "canPublishSources" not in denied


@pytest.mark.parametrize("changes", [{"identity": ""}, {"room": ""}, {"can_publish_sources": ["window"]}])
def test_a_token_for_nobody_nowhere_or_nothing_is_not_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"identity|sources"):
        a_token(**changes)
