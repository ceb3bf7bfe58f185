"""Who watched without being in the room: the page's heartbeats, cross-checked with segments handed out.

A page can say what it likes, and the media server knows nothing of these viewers. What segments confirm
is presence; what only the page says counts nothing, and its length is the uncertainty of the interval,
so that an organiser looks where it would make a difference.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from webinar.attendance.connection_rules import HEARTBEAT, SEGMENTS, WHOLE_SECOND_MS, Connection
from webinar.attendance.interval_rules import Span, clipped, missing, union
from webinar.evidence.rules import BEAT_MS, Beats, Evidence

# Stands for the room of those who are in none.
HLS = "hls"
# A page that misses one beat is still there.
SILENCE_MS = 2 * BEAT_MS + 2_000
# A segment handed out confirms the minute before it and the one after it: players read ahead.
CONFIRMS_MS = 60_000


@dataclass(frozen=True, slots=True)
class Run:
    """A page that told without a pause that it lives; `left` when it said goodbye at the end."""

    identity: str
    registration_id: str
    start: int
    end: int
    left: bool


def viewers(
    evidence: Evidence, in_rooms: Iterable[Connection], known: Collection[str], now: int
) -> list[Connection]:
    """Connections of pages that no room knew.

    Args:
        in_rooms: what the media server proves; what a page says meanwhile adds nothing to that.
        known: participant SIDs that the media server spoke of: their beats belong to those connections.
    """
    rows = [row for row in evidence.beats if row.participant_sid not in known and row.first_at <= now]
    if not rows:
        return []
    covered = _covered(in_rooms)
    confirmed = _confirmed(evidence)
    found: list[Connection] = []
    for run in _runs(rows, now):
        apart = missing(covered.get(run.identity, ()), [(run.start, run.end)])
        found += _seen(run, apart, confirmed.get(run.registration_id, ()), now)
    return found


def _covered(in_rooms: Iterable[Connection]) -> Mapping[str, Sequence[Span]]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for one in in_rooms:
        after = one.end + one.uncertainty_ms + SILENCE_MS
        spans[one.identity].append((one.start - SILENCE_MS, after))
    return {identity: union(of) for identity, of in spans.items()}


def _confirmed(evidence: Evidence) -> Mapping[str, Sequence[Span]]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for row in evidence.segments:
        spans[row.registration_id].append((row.first_at - CONFIRMS_MS, row.last_at + CONFIRMS_MS))
    return {registration: union(of) for registration, of in spans.items()}


def _runs(rows: Iterable[Beats], now: int) -> Iterator[Run]:
    by_page: dict[tuple[str, str], list[Beats]] = defaultdict(list)
    for row in rows:
        by_page[(row.identity, row.registration_id)].append(row)
    for (identity, registration_id), of in sorted(by_page.items()):
        of.sort(key=lambda row: (row.first_at, row.last_at, row.left_at or 0))
        start, end, left_at = of[0].first_at, of[0].first_at, 0
        for row in of:
            if row.first_at - end > SILENCE_MS:
                yield Run(identity, registration_id, start, end, left_at == end)
                start, end = row.first_at, row.first_at
            end = max(end, min(row.last_at, now))
            left_at = max(left_at, row.left_at or 0)
        yield Run(identity, registration_id, start, end, left_at == end)


def _seen(run: Run, apart: Sequence[Span], confirmed: Sequence[Span], now: int) -> Iterator[Connection]:
    for start, end in clipped(apart, confirmed):
        last = end == run.end
        is_open = last and not run.left and now - end <= SILENCE_MS
        uncertainty = WHOLE_SECOND_MS if last and run.left else BEAT_MS
        if is_open:
            uncertainty = max(WHOLE_SECOND_MS, now - end)
        yield _connection(run, (start, now if is_open else end), (HEARTBEAT, SEGMENTS), uncertainty, is_open)
    for start, end in missing(confirmed, apart):
        yield _connection(run, (start, start), (HEARTBEAT,), end - start, False)


def _connection(
    run: Run, span: Span, sources: tuple[str, ...], uncertainty_ms: int, is_open: bool
) -> Connection:
    return Connection(HLS, "", "", run.identity, *span, sources, uncertainty_ms, is_open)
