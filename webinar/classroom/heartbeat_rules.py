"""Whose sign of life counts: the seat is still good, and the lecture is in session or was a moment ago."""

from collections.abc import Mapping
from dataclasses import dataclass

from webinar.classroom.rules import Cancelled, Ended, NoSession, NotRegistered, Removed, TooEarly
from webinar.core.errors import Invalid, Refused
from webinar.lectures.rules import IN_SESSION, LectureState, Standing
from webinar.media.rules import parse_identity

GRACE_MS = 5 * 60_000
"""How long after the end a page may still tell: of its last minute, or that it is being left."""
LONGEST_SID = 40
LONGEST_ROOM = 64
LONGEST_SERVER = 40


@dataclass(frozen=True, slots=True)
class Beat:
    """What a page said. `generation` is that of the link its cookie was made of."""

    registration_id: str
    generation: int
    lecture_id: str
    identity: str
    participant_sid: str
    visible: bool
    leaving: bool
    at: int
    # Where the page says that it is connected; empty where it does not say.
    room: str = ""
    server: str = ""


def heard(registration_id: str, generation: int, lecture_id: str, said: dict[str, object], at: int) -> Beat:
    """The beat that a page's words make.

    Raises:
        Invalid: they name no connection.
    """
    identity = parse_identity(str(said.get("connection", "")))
    if identity is None:
        raise Invalid.at("connection", "This page is out of date. Load it again.")
    return Beat(
        registration_id=registration_id,
        generation=generation,
        lecture_id=lecture_id,
        identity=str(identity),
        participant_sid=str(said.get("sid") or "")[:LONGEST_SID],
        visible=bool(said.get("visible")),
        leaving=bool(said.get("leaving")),
        at=at,
        room=str(said.get("room") or "")[:LONGEST_ROOM],
        server=str(said.get("server") or "")[:LONGEST_SERVER],
    )


def moved(beat: Beat, servers: Mapping[str, str]) -> bool:
    """Whether the page is connected to a media server on which its room is no longer.

    Args:
        servers: the media server of each room that is open, by the room's name.
    """
    return bool(beat.server) and servers.get(beat.room, beat.server) != beat.server


def refusal(beat: Beat, standing: Standing | None) -> Refused | None:
    """Why a beat does not count; None when it does. `standing` is the seat's, None where there is none."""
    if standing is None or standing.lecture_id != beat.lecture_id or standing.generation != beat.generation:
        return NoSession()
    if not standing.active:
        return NotRegistered()
    if standing.removed:
        return Removed()
    if beat.identity.partition(".")[0] != standing.seat:
        return Invalid.at("connection", "This page is out of date. Load it again.")
    return _out_of_session(standing, beat.at)


def _out_of_session(standing: Standing, at: int) -> Refused | None:
    if standing.lecture_state in IN_SESSION:
        return None
    if standing.lecture_state is LectureState.CANCELLED:
        return Cancelled()
    if standing.lecture_state is LectureState.SCHEDULED:
        return TooEarly(opens_at=standing.opens_at, server_time=at)
    ended_a_moment_ago = standing.ended_at is not None and at <= standing.ended_at + GRACE_MS
    if standing.lecture_state is LectureState.ENDED and ended_a_moment_ago:
        return None
    return Ended()
