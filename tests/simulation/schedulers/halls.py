"""What is out of place this second: lectures, their rooms, the people and recorders in them.

All of it is read from the database's rows and from the media servers; none of the service's rules are used.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.build import SECOND
from tests.simulation.schedulers.servers import Servers
from tests.simulation.schedulers.visitors import BEAT_S, Visitor

# The net of a scheduler that missed its wake-up, what others hold at this moment, and the way there.
LATE_MS = 8 * SECOND
# A scheduler looks so seldom at a server while no room is owed anywhere.
IDLE_MS = 15 * SECOND + LATE_MS
# A page beats, learns that its room is elsewhere, and knocks again.
FOLLOWS_MS = int((BEAT_S + 1) * SECOND) + 6 * SECOND + LATE_MS
# The lease of a recorder that died, and its next look.
RECORDS_MS = 15 * SECOND + LATE_MS
# Looks into a room are half a minute apart.
SWEEP_MS = 30 * SECOND
SEEN_MS = SWEEP_MS + LATE_MS

Wrong = tuple[str, str, int]
"""What is wrong, more of it, and for how long (ms) it may be."""


class Hall(NamedTuple):
    """A lecture, as far as it decides about its room."""

    id: str
    state: str
    starts_at: int
    opens_at: int
    ends_at: int
    latest_end_at: int
    live_by: str
    empty_after_s: int | None
    empty_early: bool

    @property
    def room(self) -> str:
        return f"{self.id}.main"

    def wants_room(self, now: int) -> bool:
        return self.state in {"scheduled", "open", "live"} and self.opens_at <= now < self.latest_end_at

    def wants_none(self, now: int) -> bool:
        if self.state in {"open", "live"}:
            return now >= self.latest_end_at
        return self.state != "scheduled" or not self.opens_at <= now < self.latest_end_at

    def wants_to_begin(self, now: int) -> bool:
        return self.wants_room(now) and self.live_by == "schedule" and now >= self.starts_at


_HALLS = """
SELECT id, state, starts_at, starts_at - open_before_s * 1000, closes_at, closes_at + overrun_s * 1000,
    live_by, empty_after_s, empty_early
FROM lectures
"""
_CLOSINGS = "SELECT subject_id, count(*) FROM audit WHERE action = 'room_closed' GROUP BY subject_id"
_SHOWN_OUT = "SELECT id FROM registrations WHERE removed_at IS NOT NULL OR state <> 'registered'"
_REELS = """
SELECT lecture_id, state, lease_until FROM recordings
WHERE state IN ('wanted', 'recording', 'paused', 'finishing')
"""


class Seen(NamedTuple):
    """What the database and the media servers say; `standing` has None for a server that is away."""

    now: int
    halls: Mapping[str, Hall]
    on: Mapping[str, str]
    closings: Mapping[str, int]
    standing: Mapping[str, set[str] | None]


def seen(eyes: sqlite3.Connection, standing: Mapping[str, set[str] | None], now: int) -> Seen:
    """By the name of each room `on` is the server that it is on, and `closings` how often it was closed."""
    halls = {hall.room: hall for hall in (Hall(*row) for row in eyes.execute(_HALLS))}
    closings = {f"{lecture}.main": count for lecture, count in eyes.execute(_CLOSINGS)}
    on = dict(eyes.execute("SELECT name, media_server FROM rooms"))
    return Seen(now, halls, on, closings, standing)


def lectures(at: Seen) -> Iterator[Wrong]:
    """Lectures that do not begin or end, rooms that are missing."""
    for name, hall in at.halls.items():
        if hall.wants_to_begin(at.now) and hall.state != "live":
            yield f"{hall.id} does not begin", str(hall), LATE_MS
        if hall.state in {"open", "live"} and at.now >= hall.latest_end_at:
            yield f"{hall.id} does not end", str(hall), LATE_MS
        here = at.standing.get(at.on.get(name, ""))
        if hall.wants_room(at.now) and (here is None or name not in here):
            yield f"{name} is missing", f"on {at.on.get(name)}, {hall}", LATE_MS


def rooms(at: Seen) -> Iterator[Wrong]:
    """Rooms that stand where none is owed: nowhere, or on another server."""
    busy = any(hall.wants_room(at.now) for hall in at.halls.values())
    for server, names in at.standing.items():
        for name in sorted(names or ()):
            hall = at.halls.get(name)
            if hall is None:
                yield f"{name} on {server} belongs to no lecture", "", LATE_MS
            elif hall.wants_none(at.now):
                yield f"{name} stands open on {server}", str(hall), LATE_MS if busy else IDLE_MS
            elif at.on.get(name) != server:
                yield f"{name} stands on {server}, too", f"its place is {at.on.get(name)}", LATE_MS


def empty_ones(at: Seen, visitors: Sequence[Visitor], came: Collection[tuple[str, int]]) -> Iterator[Wrong]:
    """Lectures that should have ended since nobody is in them any more.

    Args:
        came: rooms into which somebody had come, and how often each had been closed by then. Into one
            that was opened anew, since its lecture was extended after its end, nobody has come yet.
    """
    inside = Counter(visitor.place.room for visitor in visitors if visitor.place)
    for name, hall in at.halls.items():
        if hall.empty_after_s is None or not hall.wants_room(at.now) or inside[name]:
            continue
        if at.now < hall.ends_at and not (hall.empty_early and (name, at.closings.get(name, 0)) in came):
            continue
        yield (
            f"{hall.id} does not end though empty",
            str(hall),
            hall.empty_after_s * 1000 + 2 * SWEEP_MS + LATE_MS,
        )


def people(at: Seen, visitors: Sequence[Visitor], shown_out: set[str]) -> Iterator[Wrong]:
    """Whoever wants to be in a room that stands is in it, and who was shown out is not."""
    for one in visitors:
        out = one.seat is not None and one.seat.registration in shown_out
        if out and one.place is not None:
            yield f"{one.name} is in though shown out", str(one.place), LATE_MS
        name = f"{one.lecture}.main"
        hall, server = at.halls.get(name), at.on.get(name, "")
        stands = hall is not None and hall.wants_room(at.now) and name in (at.standing.get(server) or ())
        if (
            one.here
            and one.seat is not None
            and not out
            and stands
            and (not one.place or one.place.server != server)
        ):
            yield f"{one.name} is not in its room", f"{one.place}, and that is on {server}", FOLLOWS_MS


def recorders(at: Seen, eyes: sqlite3.Connection, servers: Servers) -> Iterator[Wrong]:
    """Whatever is to be recorded is held by a recorder, and by one alone in each room."""
    for lecture, state, lease_until in eyes.execute(_REELS):
        name = f"{lecture}.main"
        if (lease_until or 0) < at.now:
            yield f"the recording of {lecture} is held by nobody", state, LATE_MS
        elif state == "wanted" and name in (at.standing.get(at.on.get(name, "")) or ()):
            yield f"{lecture} is not recorded", state, RECORDS_MS
    chairs = Counter(room for server in servers for room, who in server.inside() if who.kind == "EGRESS")
    for room, count in sorted(chairs.items()):
        if count > 1:
            yield f"{count} recorders are in {room}", "", RECORDS_MS


def condemned(at: Seen, eyes: sqlite3.Connection, whole: Callable[[str], bool]) -> Iterator[Wrong]:
    """A server that is taken for silent though it answers, while there are rooms."""
    if not eyes.execute("SELECT 1 FROM rooms WHERE state <> 'closed' LIMIT 1").fetchone():
        return
    for name, error in eyes.execute("SELECT name, error FROM media_servers WHERE error IS NOT NULL"):
        if whole(name):
            yield f"server {name} is taken for silent", error, IDLE_MS


def shown_out(eyes: sqlite3.Connection) -> set[str]:
    """The registrations that may be in no room any more."""
    return {ident for (ident,) in eyes.execute(_SHOWN_OUT)}
