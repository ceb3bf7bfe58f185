"""What the sources said, gathered by connection and by room, before anything is decided."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from webinar.attendance.connection_rules import WHOLE_SECOND_MS
from webinar.evidence.rules import Event, Evidence, Sweep

COUNTED_KINDS = frozenset({"standard", "sip"})
# An event cannot tell of what happens after it was received; two clocks differ by a little.
AHEAD_MS = 5_000
# Nor of what is longer ago than the media server keeps what it could not deliver, and its last retries.
LATE_MS = 15 * 60_000
# An event that was received so soon after the second in which it happened was not waiting in a queue.
PROMPT_MS = 250

LAST_MS_OF_SECOND = 999
# Lists of a cluster may be so old.
STALE_MS = 5_000


@dataclass(slots=True)
class Trace:
    """What was said about one connection.

    `born` is when the media server made it. Where its clock cannot have been right, `mended` is the same by
    ours, as far as that can be told: best by the event of its joining. `trusted` when an event with a
    possible time told of it.
    """

    room_name: str
    room_sid: str
    participant_sid: str
    identity: str = ""
    kind: str = "standard"
    joined: bool = False
    aborted: bool = False
    jumped: bool = False
    trusted: bool = False
    born: int | None = None
    mended: tuple[bool, int] | None = None
    left: set[tuple[int, str]] = field(default_factory=set)
    told_at: list[int] = field(default_factory=list)
    seen_at: list[int] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        return self.room_sid, self.participant_sid

    @property
    def counts(self) -> bool:
        """An aborted connection never got as far as being in the room."""
        real = self.joined or self.left or (self.seen_at and not self.aborted)
        return bool(real and self.identity and self.kind in COUNTED_KINDS)

    @property
    def made_at(self) -> int | None:
        if self.mended is not None and (self.mended[0] or not self.trusted):
            return self.mended[1]
        return self.born

    @property
    def start(self) -> int:
        made_at = self.made_at
        return min((*self.told_at, *self.seen_at)) if made_at is None else made_at


@dataclass(frozen=True, slots=True)
class Rooms:
    """What bounds the connections of the rooms: later SIDs, ends, and lists; instants in order.

    `without` has by room name and SID the lists of that room, and those that found no room of the name;
    `gone` the latter alone, by room name.
    """

    superseded: Mapping[tuple[str, str], int]
    finished: Mapping[str, int]
    without: Mapping[tuple[str, str], Sequence[int]]
    gone: Mapping[str, Sequence[int]]


def told_at(event: Event) -> int:
    """When it happened, by the media server's clock; by ours where that one cannot have been right."""
    at = event.created_at_s * 1000
    return at if _possible(at, event) else event.received_at


def _left_at(event: Event, told: int) -> int:
    """When somebody left. Told is only the whole second, and the rest would be lost at each break.

    An event that did not wait was received a moment after it happened. Of one that did, the middle of the
    second is the least wrong. Never outside the second, whatever our clock says.
    """
    if told != event.created_at_s * 1000:
        return told
    after = max(0, event.received_at - told)
    late = after >= WHOLE_SECOND_MS + PROMPT_MS
    return told + (WHOLE_SECOND_MS // 2 if late else min(after, WHOLE_SECOND_MS - 1))


def _possible(at: int, event: Event) -> bool:
    return event.received_at - LATE_MS <= at <= event.received_at + AHEAD_MS


def traces_of(evidence: Evidence) -> dict[tuple[str, str], Trace]:
    traces: dict[tuple[str, str], Trace] = {}
    for event in evidence.events:
        if event.participant_sid and event.room_sid:
            key = (event.room_sid, event.participant_sid)
            trace = traces.get(key)
            if trace is None:
                trace = traces[key] = Trace(event.room_name, *key)
            _take(trace, event)
    for sweep in evidence.sweeps:
        if sweep.room_sid:
            _list(traces, sweep, sweep.room_sid)
    return traces


def _list(traces: dict[tuple[str, str], Trace], sweep: Sweep, room_sid: str) -> None:
    """Thousands of people in hundreds of lists: this is where a live lecture's time goes."""
    at = sweep.at
    for seen in sweep.participants:
        key = (room_sid, seen.participant_sid)
        trace = traces.get(key)
        if trace is None:
            trace = traces[key] = Trace(sweep.room_name, *key)
        if not trace.identity:
            trace.identity, trace.kind = seen.identity, seen.kind.lower()
        trace.seen_at.append(at)
        born = seen.joined_at_ms
        if born and born <= at + AHEAD_MS and (trace.born is None or born < trace.born):
            trace.born = born


def _take(trace: Trace, event: Event) -> None:
    trace.identity = event.identity or trace.identity
    trace.kind = (event.kind or trace.kind).lower()
    at = told_at(event)
    if event.joined_at_ms:
        _made(trace, event, event.joined_at_ms, at - event.created_at_s * 1000)
    if event.event == "participant_joined":
        trace.joined = True
        trace.told_at.append(at)
    elif event.event == "participant_left":
        trace.left.add((_left_at(event, at), event.reason or ""))
        trace.told_at.append(at)
    elif event.event == "participant_connection_aborted":
        trace.aborted = True


def _made(trace: Trace, event: Event, born: int, off: int) -> None:
    """`off` is by how much the clock was wrong when the event was made, 0 when it can have been right.

    It may have been right when the connection was made; where that cannot be told, the later instant
    counts: nobody earns by a clock.
    """
    if not off:
        trace.trusted = True
        trace.born = born if trace.born is None else min(born, trace.born)
        return
    trace.jumped = True
    made_at = born if off < 0 and born <= event.received_at else born + off
    mended = (event.event == "participant_joined", made_at)
    trace.mended = mended if trace.mended is None else max(mended, trace.mended)


def rooms_of(evidence: Evidence) -> Rooms:
    exact: dict[str, dict[str, int]] = defaultdict(dict)
    coarse: dict[str, dict[str, int]] = defaultdict(dict)
    finished: dict[str, int] = {}
    shown: dict[str, int] = {}
    for event in evidence.events:
        if not event.room_sid:
            continue
        at = told_at(event)
        _lower(coarse[event.room_name], event.room_sid, at)
        if event.joined_at_ms and at == event.created_at_s * 1000:
            _lower(exact[event.room_name], event.room_sid, event.joined_at_ms)
        if event.event == "room_finished":
            # Told in whole seconds: a list of the same second may still show people. Where one of two clocks
            # cannot be right the later one counts, since lists show who was there until the end.
            at = max(at, event.created_at_s * 1000)
            _lower(finished, event.room_sid, at + LAST_MS_OF_SECOND)
    for sweep in evidence.sweeps:
        if sweep.room_sid:
            _lower(exact[sweep.room_name], sweep.room_sid, sweep.at)
            if sweep.participants:
                shown[sweep.room_sid] = max(sweep.at, shown.get(sweep.room_sid, 0))
    # A room that lists show to have people in it cannot have ended long before: that clock is wrong.
    finished = {sid: shown[sid] if shown.get(sid, 0) > at + STALE_MS else at for sid, at in finished.items()}
    # Events are told in whole seconds, in which a server may die and be back: where something exact is
    # known of a room it decides which came first.
    first = {name: {**coarse[name], **exact[name]} for name in {*coarse, *exact}}
    without, gone = _lists(evidence.sweeps, first)
    listed: dict[tuple[str, str], int] = {}
    for sweep in evidence.sweeps:
        if sweep.room_sid:
            key = (sweep.room_name, sweep.room_sid)
            listed[key] = max(sweep.at, listed.get(key, sweep.at))
    return Rooms(_superseded(first, listed), finished, without, gone)


def _lists(
    sweeps: Iterable[Sweep], rooms: Mapping[str, Iterable[str]]
) -> tuple[dict[tuple[str, str], list[int]], dict[str, list[int]]]:
    listed: dict[tuple[str, str], list[int]] = defaultdict(list)
    gone: dict[str, list[int]] = defaultdict(list)
    for sweep in sweeps:
        if sweep.room_sid:
            listed[(sweep.room_name, sweep.room_sid)].append(sweep.at)
        else:
            gone[sweep.room_name].append(sweep.at)
    without = {
        (name, sid): sorted([*listed.get((name, sid), ()), *gone.get(name, ())])
        for name, sids in rooms.items()
        for sid in sids
    }
    return without, {name: sorted(ats) for name, ats in gone.items()}


def _lower(least: dict[str, int], key: str, at: int) -> None:
    least[key] = min(at, least.get(key, at))


def _superseded(
    first: Mapping[str, Mapping[str, int]], listed: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """When the next room of the same name began, by (room name, SID).

    One that lists show afterwards was not replaced by it: a browser that is left behind on another media
    server may make a room of that name there.

    Args:
        first: when each SID was first heard of.
        listed: the last list of each.
    """
    bounds = {}
    for name, sids in first.items():
        order = sorted((at, sid) for sid, at in sids.items())
        for number, (_, sid) in enumerate(order, 1):
            stood = listed.get((name, sid), 0) - STALE_MS
            after = next((at for at, _ in order[number:] if at >= stood), None)
            if after is not None:
                bounds[(name, sid)] = after
    return bounds


def successors_of(traces: Iterable[Trace]) -> dict[tuple[str, str], int]:
    """When the same identity joined the same room again: that removes the first one."""
    by_identity: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for trace in traces:
        by_identity[(trace.room_sid, trace.identity)].append((trace.start, trace.participant_sid))
    next_at = {}
    for (room_sid, _), starts in by_identity.items():
        starts.sort()
        for (_, sid), (at, _) in pairwise(starts):
            next_at[(room_sid, sid)] = at
    return next_at
