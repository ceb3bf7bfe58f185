"""Evidence becomes connections: who was in which room, from when to when, and how sure that is.

The written rule where sources disagree is docs/attendance.md; what the media server does and does
not say is in its section on webhooks. In short:

- A connection is one participant SID in one room SID. It starts when the media server made it.
- A "left" ends it. Its tail is cut by the page's heartbeat where the server noticed late. One that the
  server made by itself after its room stood elsewhere is none.
- Without a "left" it ends at the last instant at which a source saw it, once something proves that
  it is over: a later room SID, a later connection of the same identity, the room's end, the page
  saying goodbye, or two lists without it. What lies between the two is its uncertainty.
- With no such proof it goes on for as long as the last sight is fresh.

The result depends on the set of facts only, neither on their order nor on repetitions.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from webinar.attendance.connection_rules import HEARTBEAT, SWEEP, WEBHOOK, WHOLE_SECOND_MS, Connection
from webinar.attendance.trace_rules import STALE_MS, Rooms, Trace, rooms_of, successors_of, traces_of
from webinar.attendance.viewer_rules import viewers
from webinar.evidence.rules import BEAT_MS, SWEEP_MS, Beats, Evidence

__all__ = ["FRESH_MS", "RULES_VERSION", "Connection", "connections", "cut"]

RULES_VERSION = 4

# How late the media server notices that a client is gone without a word.
TIMEOUT_MS = 20_000
LONGEST_CUT_MS = TIMEOUT_MS + BEAT_MS
BEAT_SLACK_MS = 2_000
# A list that is taken less than STALE_MS after a sight may be from before it, and two that agree prove an
# absence only when they are so far apart.
FRESH_MS = 2 * SWEEP_MS + STALE_MS
FOREVER = 2**62
# The server ended a connection of which it may not have known yet that it was dead.
ENDED_BY_OTHERS = frozenset({"ROOM_DELETED", "ROOM_CLOSED", "PARTICIPANT_REMOVED", "SERVER_SHUTDOWN"})
LATE_REASONS = frozenset({"CONNECTION_TIMEOUT", "DUPLICATE_IDENTITY"}) | ENDED_BY_OTHERS


def connections(evidence: Evidence, now: int) -> list[Connection]:
    """Every connection of people (recorders and agents are none), in the order of their start."""
    told = traces_of(evidence)
    traces = [trace for trace in told.values() if trace.counts]
    rooms = rooms_of(evidence)
    successors = successors_of(traces)
    beats = _beats_by_connection(evidence.beats)
    made = []
    for trace in traces:
        signs = beats[trace.participant_sid] + beats[trace.identity]
        until = successors.get(trace.key)
        made.append(_connection(trace, rooms, until, signs, now))
    made += viewers(evidence, made, {sid for _, sid in told}, now)
    return sorted(made, key=_order)


def _order(one: Connection) -> tuple[int, int, str, str, str]:
    return one.start, one.end, one.room_sid, one.participant_sid, one.identity


def _beats_by_connection(beats: Iterable[Beats]) -> dict[str, list[Beats]]:
    """By participant SID, or by identity where the page did not know its SID."""
    found: dict[str, list[Beats]] = defaultdict(list)
    for row in beats:
        found[row.participant_sid or row.identity].append(row)
    return found


def _connection(
    trace: Trace, rooms: Rooms, successor: int | None, beats: Sequence[Beats], now: int
) -> Connection:
    start = trace.start
    reason, is_open = None, False
    left = [one for one in trace.left if not _told_behind(trace, rooms, *one)]
    if left:
        told, reason = min(left)
        told = max(told, start)
        end, uncertainty = cut(start, told, reason, beats)
    else:
        bound = _bound(trace, rooms, successor, beats)
        end = _last_sight(trace, beats, bound)
        is_open = bound is None and now - end <= FRESH_MS
        uncertainty = max(WHOLE_SECOND_MS, (now if bound is None else bound) - end)
        if is_open:
            end = max(now, start)
        else:
            uncertainty = max(uncertainty, _unnoticed(start, end, beats))
    if trace.made_at is None or trace.jumped:
        uncertainty = max(uncertainty, SWEEP_MS)
    sources = {
        WEBHOOK: trace.joined or trace.left,
        SWEEP: trace.seen_at,
        HEARTBEAT: _heard(beats, start, end + uncertainty),
    }
    return Connection(
        trace.room_name,
        trace.room_sid,
        trace.participant_sid,
        trace.identity,
        start,
        end,
        tuple(name for name, there in sources.items() if there),
        uncertainty,
        is_open,
        reason,
    )


def _told_behind(trace: Trace, rooms: Rooms, told: int, reason: str) -> bool:
    """Whether a "left" was made by a media server that had long lost the room to another, or that hung: then
    it says that nobody is there, and not since when."""
    after = rooms.superseded.get((trace.room_name, trace.room_sid))
    return after is not None and told > after + WHOLE_SECOND_MS and reason in LATE_REASONS


def cut(start: int, told: int, reason: str, beats: Sequence[Beats]) -> tuple[int, int]:
    """End and uncertainty of a connection that the media server said was left at `told`.

    Somebody who vanished is noticed up to 20 s late. The heartbeat shows when it happened; never
    more than those seconds and one beat are taken off, since a sleeping phone falls silent while
    its sound plays on, and since all pages are silent while the site is away.
    """
    if reason not in LATE_REASONS:
        return told, WHOLE_SECOND_MS
    signs = _signs(beats, start, told)
    if not signs:
        return told, min(TIMEOUT_MS, told - start) + WHOLE_SECOND_MS
    last = max(signs)
    if any(row.left_at == last for row in beats):
        return max(last, told - LONGEST_CUT_MS), WHOLE_SECOND_MS
    silent = told - last
    if reason == "CONNECTION_TIMEOUT":
        unknown = min(BEAT_MS, silent)
        gone = max(min(max(told - TIMEOUT_MS, last), last + unknown), told - LONGEST_CUT_MS)
    elif reason in ENDED_BY_OTHERS or silent <= BEAT_MS + BEAT_SLACK_MS:
        # Nothing says that it was over before, but until now the server need not have noticed.
        gone, unknown = told, min(silent, TIMEOUT_MS)
    else:
        # Back before the server had noticed, which takes it 20 s.
        gone = max(last, told - TIMEOUT_MS)
        unknown = told - gone
    return gone, max(unknown, WHOLE_SECOND_MS)


def _bound(trace: Trace, rooms: Rooms, successor: int | None, beats: Sequence[Beats]) -> int | None:
    """The first instant at which the connection was certainly over, if something proves that."""
    bounds = [
        rooms.superseded.get((trace.room_name, trace.room_sid)),
        rooms.finished.get(trace.room_sid),
        successor,
        _absent_since(trace, rooms),
        _goodbye(trace, beats),
    ]
    known = [at for at in bounds if at is not None]
    return max(min(known), trace.start) if known else None


def _absent_since(trace: Trace, rooms: Rooms) -> int | None:
    """The first list that was certainly made after the last sight, when another one agrees with it.

    That the room itself is gone needs no second look: it does not come back under its SID.
    """
    last = max(trace.seen_at, default=trace.start)
    without = rooms.without[(trace.room_name, trace.room_sid)]
    gone = rooms.gone.get(trace.room_name, ())
    is_gone = gone[bisect_right(gone, last) :][:1]
    after, sure = bisect_right(without, last), bisect_left(without, last + STALE_MS)
    agree = after < len(without) and without[-1] - without[after] >= STALE_MS
    return min([*is_gone, *(without[sure:][:1] if agree else ())], default=None)


def _goodbye(trace: Trace, beats: Sequence[Beats]) -> int | None:
    """When the page said that it is left, if nothing was seen of the connection afterwards."""
    said = [row.left_at for row in beats if row.left_at is not None and row.left_at >= trace.start]
    if not said:
        return None
    seen = max([*(row.last_at for row in beats), *trace.seen_at])
    return max(said) if max(said) >= seen else None


def _last_sight(trace: Trace, beats: Sequence[Beats], bound: int | None) -> int:
    horizon = FOREVER if bound is None else bound
    sights = [at for at in trace.seen_at if bound is None or at <= bound]
    return max([trace.start, *sights, *_signs(beats, trace.start, horizon)])


def _unnoticed(start: int, end: int, beats: Sequence[Beats]) -> int:
    """For how long before the last sight nobody may have been there: lists show who is lost for 20 s more."""
    return min(TIMEOUT_MS, end - max([start, *_signs(beats, start, end)]))


def _heard(beats: Iterable[Beats], start: int, end: int) -> bool:
    return any(start <= at <= end for row in beats for at in (row.first_at, row.last_at, row.left_at or 0))


def _signs(beats: Sequence[Beats], start: int, end: int) -> list[int]:
    """Instants between the two at which the page certainly lived."""
    signs = []
    for row in beats:
        signs += [
            at for at in (row.first_at, row.last_at, row.left_at) if at is not None and start <= at <= end
        ]
        # A row without a SID may go on for the connection that came next under the same identity: then
        # it hides when this one fell silent, and nothing can be cut.
        if not row.participant_sid and start <= row.first_at <= end < row.last_at:
            signs.append(end)
    return signs
