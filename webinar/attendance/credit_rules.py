"""Connections of one person become presence, seconds in the official window, and JP with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webinar.attendance.interval_rules import Span, clipped, filled, length, missing, union
from webinar.attendance.rules import Connection
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import (
    MINUTE_S,
    WHOLE_JP,
    Kind,
    Policy,
    Sentence,
    earned,
    minutes_up,
    needed_seconds,
    role_jp,
    tolerance_seconds,
)

MINUTE_MS = 60_000


class State(StrEnum):
    CREDITED = "credited"
    NOT_CREDITED = "not_credited"
    ABSENT = "absent"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Interval:
    """A person in a lecture, over all devices and rooms; how far its end may be off."""

    start: int
    end: int
    sources: tuple[str, ...]
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class Presence:
    """All of a person's intervals, also those outside the official window, in order and apart."""

    intervals: tuple[Interval, ...] = ()
    here: bool = False

    @property
    def first_join(self) -> int | None:
        return self.intervals[0].start if self.intervals else None

    @property
    def last_leave(self) -> int | None:
        return self.intervals[-1].end if self.intervals else None


@dataclass(frozen=True, slots=True)
class Credit:
    """`jp` in hundredths; `why` are clauses that `policies.wording.joined` makes one sentence of."""

    seconds: int
    uncertainty_s: int
    jp: int
    state: State
    why: tuple[Sentence, ...]


def presence(connections: Iterable[Connection]) -> Presence:
    """The union over devices and rooms: two devices at the same time are one presence."""
    merged: list[Interval] = []
    here = False
    for one in sorted(connections, key=lambda c: (c.start, c.end, c.sources, c.uncertainty_ms)):
        here = here or one.open
        if one.end <= one.start and not one.uncertainty_ms:
            continue
        if merged and one.start <= merged[-1].end:
            merged[-1] = _merged(merged[-1], one)
        else:
            merged.append(Interval(one.start, one.end, one.sources, one.uncertainty_ms))
    return Presence(tuple(merged), here)


def _merged(one: Interval, other: Connection) -> Interval:
    end = max(one.end, other.end)
    latest = max(one.end + one.uncertainty_ms, other.end + other.uncertainty_ms)
    sources = tuple(sorted({*one.sources, *other.sources}, reverse=True))
    return Interval(one.start, end, sources, latest - end)


def seconds_in(presence: Presence, window: Window, grace_s: int) -> tuple[int, int]:
    """Seconds inside the window, floored once, and how far they may be off."""
    counted = _counted(presence.intervals, window, grace_s, 0)
    most = _counted(presence.intervals, window, grace_s, 1)
    least = _counted(presence.intervals, window, grace_s, -1)
    off = max(length(most) - length(counted), length(counted) - length(least))
    return length(counted) // 1000, -(-off // 1000)


def _counted(intervals: Sequence[Interval], window: Window, grace_s: int, sign: int) -> list[Span]:
    spans = union((i.start, i.end + sign * i.uncertainty_ms) for i in intervals)
    return clipped(filled(spans, grace_s * 1000), window.spans)


def credit(policy: Policy, jp: int, window: Window, presence: Presence, role: Seat) -> Credit:
    """What a person earns in a lecture worth `jp` hundredths."""
    seconds, uncertainty_s = seconds_in(presence, window, policy.grace_s)
    if not earns(policy, role):
        state = State.NOT_CREDITED if seconds else State.ABSENT
        return Credit(seconds, uncertainty_s, 0, state, _why_unpaid(window, seconds))
    jp = role_jp(policy, jp, role)
    value = earned(policy, jp, window.seconds, seconds)
    doubtful = earned(policy, jp, window.seconds, seconds - uncertainty_s) != earned(
        policy, jp, window.seconds, seconds + uncertainty_s
    )
    state = _state(seconds, value, doubtful)
    why = _why(policy, jp, window, presence, seconds, value)
    if doubtful:
        why += (
            Sentence("unsure by %(unsure)s seconds, so an organiser should look", {"unsure": uncertainty_s}),
        )
    return Credit(seconds, uncertainty_s, value, state, why)


def earns(policy: Policy, role: Seat) -> bool:
    """Whether somebody in this role can earn JP at all."""
    return role_jp(policy, WHOLE_JP, role) > 0


def _state(seconds: int, value: int, doubtful: bool) -> State:
    if doubtful:
        return State.DOUBTFUL
    if not seconds:
        return State.ABSENT
    return State.CREDITED if value else State.NOT_CREDITED


def _why_unpaid(window: Window, seconds: int) -> tuple[Sentence, ...]:
    attended = {"attended": seconds // MINUTE_S, "window": window.seconds // MINUTE_S}
    return (
        Sentence("%(attended)s of %(window)s minutes", attended),
        Sentence("this role earns no JP in this lecture", {}),
    )


def _why(
    policy: Policy, jp: int, window: Window, presence: Presence, seconds: int, value: int
) -> tuple[Sentence, ...]:
    if not seconds:
        if presence.intervals:
            return (Sentence("in the room, but not during the official window", {}),)
        return (Sentence("not in the room", {}),)
    figures = {"attended": seconds // MINUTE_S, "window": window.seconds // MINUTE_S}
    if policy.kind is Kind.THRESHOLD:
        first = _threshold_clause(policy, window.seconds, seconds, value, figures)
    else:
        first = Sentence("%(attended)s of %(window)s minutes give %(jp)s JP", {**figures, "jp": value})
    return (first, *(_hole(policy, window, presence) if value < jp else ()))


def _threshold_clause(
    policy: Policy, window_s: int, seconds: int, value: int, figures: dict[str, int]
) -> Sentence:
    needed = minutes_up(needed_seconds(policy, window_s))
    if not value:
        short = max(1, needed - figures["attended"])
        return Sentence(
            "%(attended)s of %(window)s minutes, %(short)s short of the %(needed)s needed",
            {**figures, "short": short, "needed": needed},
        )
    if figures["attended"] < needed:
        tolerance = minutes_up(tolerance_seconds(policy, window_s))
        return Sentence(
            "%(attended)s of %(window)s minutes, enough for %(needed)s with the tolerance of %(tolerance)s",
            {**figures, "tolerance": tolerance, "needed": needed},
        )
    return Sentence(
        "%(attended)s of %(window)s minutes, where %(needed)s were needed", {**figures, "needed": needed}
    )


def _hole(policy: Policy, window: Window, presence: Presence) -> tuple[Sentence, ...]:
    """The longest absence within the window, when it lasted a minute."""
    holes = missing(_counted(presence.intervals, window, policy.grace_s, 0), window.spans)
    start, end = max(holes, key=lambda hole: (hole[1] - hole[0], -hole[0]), default=(0, 0))
    minutes = (end - start) // MINUTE_MS
    if not minutes:
        return ()
    if start == window.starts_at:
        return (Sentence("came %(late)s minutes after the start", {"late": minutes}),)
    if end == window.ends_at:
        return (Sentence("left %(early)s minutes before the end", {"early": minutes}),)
    return (Sentence("a gap of %(gap)s minutes from %(gap_at)s", {"gap": minutes, "gap_at": start}),)
