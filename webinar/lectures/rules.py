"""The life of a lecture and of its rooms, and every calculation about their times.

State diagrams are drawn from `LECTURE_MOVES` and `ROOM_MOVES` in docs/architecture.md.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webinar.core.errors import IllegalMove, Invalid

MINUTE_MS = 60_000
WALL_FORMAT = "%Y-%m-%dT%H:%M"
LONGEST_LECTURE_MS = 24 * 60 * MINUTE_MS
MOST_JP = 2_400


class LectureState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    LIVE = "live"
    ENDED = "ended"
    FINAL = "final"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"


class RoomState(StrEnum):
    WANTED = "wanted"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    LOST = "lost"


class RoomKind(StrEnum):
    """What a room is for: the lecture itself, a group apart, or more people than one room bears."""

    MAIN = "main"
    BREAKOUT = "breakout"
    SECOND = "second"


class Seat(StrEnum):
    """What somebody is registered as."""

    LECTURER = "lecturer"
    ORGANISER = "organiser"
    PARTICIPANT = "participant"


_S = LectureState
LECTURE_MOVES: Mapping[tuple[LectureState, str], LectureState] = {
    (_S.DRAFT, "book"): _S.SCHEDULED,
    (_S.SCHEDULED, "open"): _S.OPEN,
    # A host who is there before the scheduler, or a scheduler that was away at the opening.
    (_S.SCHEDULED, "start"): _S.LIVE,
    (_S.OPEN, "start"): _S.LIVE,
    (_S.SCHEDULED, "end"): _S.ENDED,
    (_S.OPEN, "end"): _S.ENDED,
    (_S.LIVE, "end"): _S.ENDED,
    (_S.ENDED, "resume"): _S.LIVE,
    (_S.ENDED, "finalise"): _S.FINAL,
    (_S.FINAL, "archive"): _S.ARCHIVED,
    (_S.SCHEDULED, "cancel"): _S.CANCELLED,
    (_S.OPEN, "cancel"): _S.CANCELLED,
    (_S.LIVE, "cancel"): _S.CANCELLED,
    (_S.SCHEDULED, "reschedule"): _S.SCHEDULED,
    # Moved to a later day while its room stood open, before it began.
    (_S.OPEN, "reschedule"): _S.SCHEDULED,
    # Moved by so little that its room stays open: nobody inside is sent out.
    (_S.OPEN, "postpone"): _S.OPEN,
    (_S.CANCELLED, "restore"): _S.SCHEDULED,
}

_R = RoomState
ROOM_MOVES: Mapping[tuple[RoomState, str], RoomState] = {
    (_R.WANTED, "open"): _R.OPEN,
    (_R.LOST, "open"): _R.OPEN,
    (_R.CLOSED, "want"): _R.WANTED,
    (_R.CLOSING, "want"): _R.WANTED,
    (_R.OPEN, "lose"): _R.LOST,
    (_R.OPEN, "close"): _R.CLOSING,
    (_R.LOST, "close"): _R.CLOSING,
    (_R.WANTED, "close"): _R.CLOSING,
    (_R.CLOSING, "closed"): _R.CLOSED,
}

IN_SESSION = frozenset({LectureState.OPEN, LectureState.LIVE})
UPCOMING = frozenset({LectureState.SCHEDULED, LectureState.OPEN, LectureState.LIVE})


@dataclass(frozen=True, slots=True)
class Lecture:
    """Instants in Unix ms, `jp` in hundredths, `*_s` in seconds; see `lectures/tables.py`."""

    id: str
    institution_id: str
    unit_id: str
    unit_path: str
    title: str
    description: str
    starts_wall: str
    ends_wall: str
    zone: str
    starts_at: int
    ends_at: int
    jp: int
    policy_id: str
    policy_version: int
    recorded: bool
    capacity: int | None
    state: LectureState
    open_before_s: int
    overrun_s: int
    live_by: str
    closes_at: int
    # How long its rooms may stand empty before it ends by itself, None: until the latest end; and whether
    # that may be before the end that was planned.
    empty_after_s: int | None
    empty_early: bool
    opened_at: int | None
    live_at: int | None
    ended_at: int | None
    final_at: int | None
    trial: bool
    sequence: int
    version: int

    def after(self, move: str) -> "Lecture":
        """This lecture in the state that the move leads to.

        Raises:
            IllegalMove: the state does not allow it.
        """
        state = LECTURE_MOVES.get((self.state, move))
        if state is None:
            raise IllegalMove(state=self.state.value, move=move)
        return replace(self, state=state)

    def may(self, move: str) -> bool:
        return (self.state, move) in LECTURE_MOVES

    @property
    def opens_at(self) -> int:
        return self.starts_at - self.open_before_s * 1000

    @property
    def latest_end_at(self) -> int:
        """When it ends by itself if no host ends it."""
        return self.closes_at + self.overrun_s * 1000


@dataclass(frozen=True, slots=True)
class Room:
    """A room on the media server, which knows it by `name`.

    `title` is what people read, "" of the main room; `position` is its place among the lecture's rooms, 0 of
    the main one. `needed` says that it shall stand while the lecture is in session; `state` says how it does.
    """

    id: str
    lecture_id: str
    kind: RoomKind
    position: int
    title: str
    needed: bool
    name: str
    state: RoomState
    media_server: str
    sid: str | None
    attempts: int
    last_error: str | None
    opened_at: int | None
    closed_at: int | None
    # As the last look found it since it opened; `left_at` is when a look first found nobody any more.
    occupied: bool
    left_at: int | None

    def after(self, move: str) -> "Room":
        """This room in the state that the move leads to.

        Raises:
            IllegalMove: the state does not allow it.
        """
        state = ROOM_MOVES.get((self.state, move))
        if state is None:
            raise IllegalMove(state=self.state.value, move=move)
        return replace(self, state=state)

    def may(self, move: str) -> bool:
        return (self.state, move) in ROOM_MOVES

    @property
    def has_stood(self) -> bool:
        """Whether a media server has made it since it was last closed."""
        return self.opened_at is not None and self.closed_at is None


@dataclass(frozen=True, slots=True)
class Registration:
    """A person's seat. `name`, `email`, `nip`, `unit_name`, `language` and `zone` are the person's."""

    id: str
    institution_id: str
    lecture_id: str
    person_id: str
    role: Seat
    seat: str
    state: str
    link_generation: int
    removed_at: int | None
    removed_reason: str | None
    name: str
    email: str | None
    unit_name: str
    language: str
    zone: str

    @property
    def active(self) -> bool:
        return self.state == "registered"


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides, while a lecture runs, whether a seat counts: no name, no address, one small row."""

    lecture_id: str
    seat: str
    generation: int
    active: bool
    removed: bool
    lecture_state: LectureState
    opens_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The official window: spans of (start, end) in Unix ms, in order and apart."""

    spans: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.spans) // 1000

    @property
    def starts_at(self) -> int:
        return self.spans[0][0]

    @property
    def ends_at(self) -> int:
        return self.spans[-1][1]


@dataclass(frozen=True, slots=True)
class Times:
    """What was agreed (wall time and zone), and the instants that follow from it."""

    starts_wall: str
    ends_wall: str
    zone: str
    starts_at: int
    ends_at: int


def main_room_name(lecture_id: str) -> str:
    return f"{lecture_id}.main"


def dealt(ids: Sequence[str], rooms: Sequence[str]) -> dict[str, str]:
    """One room for each id, in turn: no room has two more than another."""
    return {ident: rooms[number % len(rooms)] for number, ident in enumerate(ids)}


def room_name(lecture_id: str, kind: RoomKind, number: int) -> str:
    """The name of a room beside the main one on the media server: `<lecture>.b1`, `<lecture>.s2`."""
    return f"{lecture_id}.{kind.value[0]}{number}"


def scheduled_window(lecture: Lecture) -> Window:
    """The window as it was booked; it counts until an organiser fixes another."""
    return Window(((lecture.starts_at, lecture.ends_at),))


def instant_of(wall: str, zone: str, field: str) -> int:
    """The instant of a wall time "2026-11-25T09:00" in an IANA zone, in Unix ms.

    Raises:
        Invalid: no such zone, not a time, or a time that the zone's clocks skip.
    """
    try:
        tz = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid.at("zone", "This time zone does not exist.") from None
    try:
        naive = datetime.strptime(wall, WALL_FORMAT)  # noqa: DTZ007 - a wall time has no zone yet
    except ValueError:
        raise Invalid.at(field, "This is not a date and time, for example 2026-11-25 09:00.") from None
    aware = naive.replace(tzinfo=tz)
    back = datetime.fromtimestamp(aware.timestamp(), tz).replace(tzinfo=None)
    if back != naive:
        raise Invalid.at(field, "This time does not exist in this zone: the clocks jump over it.")
    return round(aware.timestamp() * 1000)


def agreed_times(starts_wall: str, ends_wall: str, zone: str) -> Times:
    """Check and convert what an organiser typed.

    Raises:
        Invalid: a time that does not exist, or an end that does not follow the start.
    """
    starts_at = instant_of(starts_wall, zone, "starts_wall")
    ends_at = instant_of(ends_wall, zone, "ends_wall")
    if ends_at <= starts_at:
        raise Invalid.at("ends_wall", "The end has to come after the start.")
    if ends_at - starts_at > LONGEST_LECTURE_MS:
        raise Invalid.at("ends_wall", "A lecture lasts 24 hours at most.")
    return Times(starts_wall, ends_wall, zone, starts_at, ends_at)


def wall_of(at: int, zone: str) -> str:
    """The wall time of an instant, as it is stored."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime(WALL_FORMAT)


def year_of(at: int, zone: str) -> int:
    """The calendar year of an instant in a zone; hours count in it."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).year


def checked_spans(spans: Sequence[tuple[int, int]]) -> Window:
    """An official window from spans that an organiser gives.

    Raises:
        Invalid: no span, one that ends before it starts, or two that touch or cross.
    """
    if not spans:
        raise Invalid.at("spans", "The official window needs at least one span.")
    for start, end in spans:
        if end <= start:
            raise Invalid.at("spans", "The end has to come after the start.")
    for (_, end), (start, _) in pairwise(spans):
        if start <= end:
            raise Invalid.at("spans", "Spans must be in order and may not overlap.")
    return Window(tuple((s, e) for s, e in spans))


def extended(lecture: Lecture, minutes: int, now: int, quiet_period_s: int) -> Lecture:
    """The lecture with a later end; one that has ended goes on, while its quiet period lasts.

    Raises:
        IllegalMove: it is over for good, or has not begun.
    """
    if lecture.state is LectureState.ENDED:
        if lecture.ended_at is not None and now >= lecture.ended_at + quiet_period_s * 1000:
            raise IllegalMove(state=lecture.state.value, move="resume")
        back = replace(lecture.after("resume"), ended_at=None, live_at=lecture.live_at or now)
        return replace(back, closes_at=max(lecture.closes_at, now) + minutes * MINUTE_MS)
    if lecture.state not in IN_SESSION:
        raise IllegalMove(state=lecture.state.value, move="extend")
    return replace(lecture, closes_at=max(lecture.closes_at, now) + minutes * MINUTE_MS)


def link_token(link_key: bytes, registration_id: str, generation: int) -> str:
    """The secret part of a join link: 160 bits, recomputed whenever it is needed, never stored."""
    mac = hmac.new(link_key, f"join:{registration_id}:{generation}".encode(), hashlib.sha256)
    return mac.hexdigest()[:40]


def link_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def join_url(public_url: str, registration_id: str, token: str) -> str:
    return f"{public_url}/j/{registration_id}.{token}"


JOIN_LINK = re.compile(r"([a-z2-7]{26})\.([0-9a-f]{40})")
