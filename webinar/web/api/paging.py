"""Lists come in pages: a cursor is where the page before ended, opaque to those who follow `next`."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from webinar.core.errors import Invalid
from webinar.web.context import Context

T = TypeVar("T")


def sealed(*place: str | int) -> str:
    """A place in a list as a cursor."""
    return urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def opened(cursor: str | None, *types: type) -> Any:
    """The place of a cursor, None without one.

    Raises:
        Invalid: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(types):
        raise Invalid.at("cursor", "This is not a cursor of this list.")
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in place):
        raise Invalid.at("cursor", "This is not a cursor of this list.")
    return tuple(place)


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """The rows of this page, and the last of them if one more was found behind it."""
    shown = rows[:limit]
    return shown, shown[-1] if len(rows) > limit else None


def next_link(asked: Context, cursor: str | None) -> str | None:
    """The address of the page behind a cursor, with everything else that was asked for."""
    if cursor is None:
        return None
    request = asked.request
    return asked.site.settings.public_url + str(request.rel_url.update_query(cursor=cursor))


def link(following: str | None) -> str | None:
    """The same as a header (RFC 8288)."""
    return f'<{following}>; rel="next"' if following else None
