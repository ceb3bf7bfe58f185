"""Who is let into the room, and what may be said there."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from webinar.core.errors import Invalid, Refused
from webinar.lectures.rules import (
    IN_SESSION,
    Lecture,
    LectureState,
    Registration,
    Room,
    RoomKind,
    RoomState,
    Seat,
)

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


class OtherRoom(Refused):
    code = "other_room"
    status = 403
    message = "You have a place in another group."


class MediaAway(Refused):
    code = "media_away"
    status = 503
    message = "The video server does not answer right now. You will be let in by yourself as soon as it does."


@dataclass(frozen=True, slots=True)
class Admission:
    """What somebody is let in with: the room, the media server it is on, and what they may publish there."""

    room: Room
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
    # In a group everybody may show what they work on.
    shares = seat.role in HOSTS or room.kind is RoomKind.BREAKOUT
    return Admission(room, True, EVERYTHING if shares else VOICE_AND_PICTURE)


def chosen_room(
    seat: Registration, rooms: Sequence[Room], places: Collection[str], wanted: str
) -> Room | None:
    """The room that a seat is let into; None where even the main one is missing.

    A room that is closed leads back to the main one: a page which lost its connection there finds its way.

    Args:
        places: the ids of the rooms that the seat was given.
        wanted: the id of the room asked for; "" stands for the second room that was given, or the main one.

    Raises:
        OtherRoom: it is a breakout room, and the seat has its place in another one.
    """
    main = next((room for room in rooms if room.kind is RoomKind.MAIN), None)
    given = given_rooms(rooms, places)
    if not wanted:
        return given.get(RoomKind.SECOND, main)
    found = next((room for room in rooms if room.id == wanted and room.needed), main)
    if not may_enter(seat, found, given.get(RoomKind.BREAKOUT)):
        raise OtherRoom
    return found


def given_rooms(rooms: Sequence[Room], places: Collection[str]) -> Mapping[RoomKind, Room]:
    """The rooms that a seat was given and that are needed: one of a kind at most."""
    return {room.kind: room for room in rooms if room.id in places and room.needed}


def may_enter(seat: Registration, room: Room | None, group: Room | None) -> bool:
    """Whether the seat may be in a room; `group` is the breakout room that it was given, None: it chooses."""
    if room is None or room.kind is not RoomKind.BREAKOUT or is_host(seat):
        return True
    return group is None or group.id == room.id


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
