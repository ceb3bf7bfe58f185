"""Who is let into the room, and what may be said there."""

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass

from webinar.core.errors import Invalid, Refused
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, Registration, Room, RoomState, Seat

TOKEN_TTL_S = 300
LONGEST_MESSAGE = 2_000
TAB = re.compile(r"[a-z0-9]{8}")
HOSTS = frozenset({Seat.LECTURER, Seat.ORGANISER})
# Line feeds and tabs are text; other control characters only ever hide something.
_KEPT_CONTROLS = frozenset("\n\t")


class NotRegistered(Refused):
    code = "not_registered"
    status = 403
    message = "You are not registered for this lecture. Ask the organiser for an invitation."


class LinkExpired(Refused):
    code = "link_expired"
    status = 410
    message = "This link is no longer valid. Ask the organiser to send you a new one."


class NoSession(Refused):
    code = "no_session"
    status = 401
    message = "Open the link in your invitation again."


class TooEarly(Refused):
    """Raise with `opens_at` and `server_time`, Unix ms."""

    code = "too_early"
    status = 425
    message = "The room is not open yet."


class Ended(Refused):
    code = "ended"
    status = 410
    message = "This lecture is over."


class Cancelled(Refused):
    code = "cancelled"
    status = 410
    message = "This lecture was cancelled."


class Removed(Refused):
    code = "removed"
    status = 403
    message = "The host has removed you from this room."


class RoomPreparing(Refused):
    code = "room_preparing"
    status = 503
    message = "The room is being prepared. You will be let in by yourself in a moment."


class MediaAway(Refused):
    code = "media_away"
    status = 503
    message = "The video server does not answer right now. You will be let in by yourself as soon as it does."


@dataclass(frozen=True, slots=True)
class Admission:
    """What somebody is let in with: the room, the media server it is on, and what they may publish there."""

    room: str
    server: str
    can_publish: bool
    sources: tuple[str, ...]


EVERYTHING = ("camera", "microphone", "screen_share", "screen_share_audio")
VOICE_AND_PICTURE = ("camera", "microphone")


def require_seat(seat: Registration) -> None:
    """Raise NotRegistered or Removed unless the seat may take part at all."""
    if not seat.active:
        raise NotRegistered
    if seat.removed_at is not None:
        raise Removed


def require_welcome(lecture: Lecture, seat: Registration, now: int) -> None:
    """Say why somebody may not take part at this instant, whether in the room or as a viewer.

    Raises:
        NotRegistered, Removed, Cancelled, Ended, TooEarly, RoomPreparing.
    """
    require_seat(seat)
    if lecture.state is LectureState.CANCELLED:
        raise Cancelled
    if lecture.state is LectureState.SCHEDULED and now < lecture.opens_at:
        raise TooEarly(opens_at=lecture.opens_at, server_time=now)
    if lecture.state is LectureState.SCHEDULED:
        raise RoomPreparing
    if lecture.state not in IN_SESSION:
        raise Ended


def admit(lecture: Lecture, seat: Registration, room: Room | None, now: int) -> Admission:
    """Let somebody in, or say why not.

    Raises:
        NotRegistered, Removed, Cancelled, Ended, TooEarly, RoomPreparing, MediaAway.
    """
    require_welcome(lecture, seat, now)
    if room is None or room.state is not RoomState.OPEN:
        raise MediaAway if room is not None and room.last_error else RoomPreparing
    host = seat.role in HOSTS
    return Admission(room.name, room.media_server, True, EVERYTHING if host else VOICE_AND_PICTURE)


def is_host(seat: Registration) -> bool:
    return seat.role in HOSTS


def checked_tab(tab: object) -> str:
    """The id of a browser tab.

    Raises:
        Invalid: it is none.
    """
    if not isinstance(tab, str) or not TAB.fullmatch(tab):
        raise Invalid.at("tab", "This page is out of date. Load it again.")
    return tab


def checked_message(text: object) -> str:
    """A chat message in its one form: NFC, no control characters, trimmed.

    Raises:
        Invalid: it is empty or too long.
    """
    if not isinstance(text, str):
        raise Invalid.at("text", "Write something first.")
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(c for c in composed if c in _KEPT_CONTROLS or unicodedata.category(c)[0] != "C").strip()
    if not plain:
        raise Invalid.at("text", "Write something first.")
    if len(plain) > LONGEST_MESSAGE:
        raise Invalid.at("text", "At most %(most)s characters.", most=LONGEST_MESSAGE)
    return plain


def seat_cookie(link_key: bytes, seat: Registration) -> str:
    """What the browser keeps in exchange for the join link; dies with the link's generation."""
    body = f"{seat.id}.{seat.link_generation}"
    return f"{body}.{_mac(link_key, body)}"


def opened_seat_cookie(link_key: bytes, cookie: str) -> tuple[str, int] | None:
    """(registration id, generation) of a cookie that we made, else None."""
    body, _, mac = cookie.rpartition(".")
    ident, _, generation = body.partition(".")
    if not generation.isdigit() or not hmac.compare_digest(mac.encode(), _mac(link_key, body).encode()):
        return None
    return ident, int(generation)


def _mac(link_key: bytes, body: str) -> str:
    return hmac.new(link_key, f"seat:{body}".encode(), hashlib.sha256).hexdigest()[:40]
