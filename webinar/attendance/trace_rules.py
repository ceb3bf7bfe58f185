"""What the sources said, gathered by connection and by room, before anything is decided."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from webinar.evidence.rules import Event, Evidence, Sweep

COUNTED_KINDS = frozenset({"standard", "sip"})


@dataclass(slots=True)
class Trace:
    """What the media server said about one connection."""

    room_name: str
    room_sid: str
    participant_sid: str
    identity: str = ""
    kind: str = "standard"
    joined: bool = False
    aborted: bool = False
    born: set[int] = field(default_factory=set)
    left: set[tuple[int, str]] = field(default_factory=set)
    told_at: set[int] = field(default_factory=set)
    seen_at: set[int] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str]:
        return self.room_sid, self.participant_sid

    @property
    def counts(self) -> bool:
        """An aborted connection never got as far as being in the room."""
        real = self.joined or self.left or (self.seen_at and not self.aborted)
        return bool(real and self.identity and self.kind in COUNTED_KINDS)

    @property
    def start(self) -> int:
        return min(self.born or (self.told_at | self.seen_at))


@dataclass(frozen=True, slots=True)
class Rooms:
    """What bounds the connections of the rooms: later SIDs, ends and lists."""

    superseded: Mapping[tuple[str, str], int]
    finished: Mapping[str, int]
    sweeps: Mapping[str, Sequence[Sweep]]


def traces_of(evidence: Evidence) -> dict[tuple[str, str], Trace]:
    traces: dict[tuple[str, str], Trace] = {}
    for event in evidence.events:
        if event.participant_sid and event.room_sid:
            key = (event.room_sid, event.participant_sid)
            trace = traces.setdefault(key, Trace(event.room_name, *key))
            _take(trace, event)
    for sweep in evidence.sweeps:
        for seen in sweep.participants if sweep.room_sid else ():
            key = (sweep.room_sid or "", seen.participant_sid)
            trace = traces.setdefault(key, Trace(sweep.room_name, *key))
            trace.identity, trace.kind = seen.identity, seen.kind
            trace.seen_at.add(sweep.at)
            if seen.joined_at_ms:
                trace.born.add(seen.joined_at_ms)
    return traces


def _take(trace: Trace, event: Event) -> None:
    trace.identity = event.identity or trace.identity
    trace.kind = (event.kind or trace.kind).lower()
    if event.joined_at_ms:
        trace.born.add(event.joined_at_ms)
    if event.event == "participant_joined":
        trace.joined = True
        trace.told_at.add(event.created_at_s * 1000)
    elif event.event == "participant_left":
        trace.left.add((event.created_at_s * 1000, event.reason or ""))
        trace.told_at.add(event.created_at_s * 1000)
    elif event.event == "participant_connection_aborted":
        trace.aborted = True


def rooms_of(evidence: Evidence) -> Rooms:
    exact: dict[str, dict[str, int]] = defaultdict(dict)
    coarse: dict[str, dict[str, int]] = defaultdict(dict)
    finished: dict[str, int] = {}
    sweeps: dict[str, dict[tuple[int, str | None], Sweep]] = defaultdict(dict)
    for event in evidence.events:
        if not event.room_sid:
            continue
        at = event.created_at_s * 1000
        _lower(coarse[event.room_name], event.room_sid, at)
        if event.joined_at_ms:
            _lower(exact[event.room_name], event.room_sid, event.joined_at_ms)
        if event.event == "room_finished":
            _lower(finished, event.room_sid, at)
    for sweep in evidence.sweeps:
        sweeps[sweep.room_name][(sweep.at, sweep.room_sid)] = sweep
        if sweep.room_sid:
            _lower(exact[sweep.room_name], sweep.room_sid, sweep.at)
    # Events are told in whole seconds, in which a server may die and be back: where something exact is
    # known of a room it decides which came first.
    first = {name: {**coarse[name], **exact[name]} for name in {*coarse, *exact}}
    in_order = {
        name: sorted(of.values(), key=lambda s: (s.at, s.room_sid or "")) for name, of in sweeps.items()
    }
    return Rooms(_superseded(first), finished, in_order)


def _lower(least: dict[str, int], key: str, at: int) -> None:
    least[key] = min(at, least.get(key, at))


def _superseded(first: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    """When the next room of the same name began, by (room name, SID)."""
    bounds = {}
    for name, sids in first.items():
        order = sorted((at, sid) for sid, at in sids.items())
        for (_, sid), (next_at, _) in pairwise(order):
            bounds[(name, sid)] = next_at
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
