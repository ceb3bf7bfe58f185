"""Connections of one person become presence, seconds in the official window, and JP with a reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from webinar.attendance.check_rules import NONE_ASKED, Asked, Checks, answers, asked_of, enough
from webinar.attendance.connection_rules import Connection
from webinar.attendance.counted_rules import PERCENT_S, Counted, counted
from webinar.attendance.interval_rules import Span, clipped, filled, length, union
from webinar.attendance.why_rules import MINUTE_MS, Case, why, why_unpaid
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import WHOLE_JP, Policy, Sentence, earned, role_jp

__all__ = [
    "MINUTE_MS",
    "Credit",
    "Interval",
    "Presence",
    "State",
    "credit",
    "credit_knowing",
    "earns",
    "presence",
    "seconds_in",
]


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
    """All of a person's intervals, also those outside the official window, in order and apart.

    `watched` are the instants of the lecture that the replay showed in time, a union. `stays` are
    (start, end, uncertainty) of each connection: an end that another one covers may have been before that one
    began, which the interval of the two cannot say. They are not stored.
    """

    intervals: tuple[Interval, ...] = ()
    here: bool = False
    watched: tuple[Span, ...] = ()
    stays: tuple[tuple[int, int, int], ...] = field(default=(), compare=False)

    @property
    def first_join(self) -> int | None:
        return self.intervals[0].start if self.intervals else None

    @property
    def last_leave(self) -> int | None:
        return self.intervals[-1].end if self.intervals else None


@dataclass(frozen=True, slots=True)
class Credit:
    """`jp` in hundredths; `why` are clauses that `policies.wording.joined` makes one sentence of.

    Of `seconds`, `replay_seconds` came from watching the replay.
    """

    seconds: int
    uncertainty_s: int
    jp: int
    state: State
    why: tuple[Sentence, ...]
    replay_seconds: int = 0
    checks_asked: int = 0
    checks_answered: int = 0


def presence(connections: Iterable[Connection], watched: tuple[Span, ...] = ()) -> Presence:
    """The union over devices and rooms: two devices at the same time are one presence."""
    merged: list[Interval] = []
    stays: list[tuple[int, int, int]] = []
    here = False
    for one in sorted(connections, key=lambda c: (c.start, c.end, c.sources, c.uncertainty_ms)):
        here = here or one.open
        if one.end <= one.start and not one.uncertainty_ms:
            continue
        stays.append((one.start, one.end, one.uncertainty_ms))
        if merged and one.start <= merged[-1].end:
            merged[-1] = _merged(merged[-1], one)
        else:
            merged.append(Interval(one.start, one.end, one.sources, one.uncertainty_ms))
    return Presence(tuple(merged), here, watched, tuple(stays))


def _merged(one: Interval, other: Connection) -> Interval:
    end = max(one.end, other.end)
    latest = max(one.end + one.uncertainty_ms, other.end + other.uncertainty_ms)
    sources = tuple(sorted({*one.sources, *other.sources}, reverse=True))
    return Interval(one.start, end, sources, latest - end)


def seconds_in(presence: Presence, window: Window, grace_s: int) -> tuple[int, int]:
    """Seconds in the room inside the window, floored once, and how far they may be off."""
    found, most, least = (
        length(clipped(filled(union(spans_of(presence, sign)), grace_s * 1000), window.spans))
        for sign in (0, 1, -1)
    )
    return found // 1000, -(-max(most - found, found - least) // 1000)


def spans_of(presence: Presence, sign: int = 0) -> list[Span]:
    """When somebody was in the room; with a sign, each end as late or as early as it may have been."""
    if sign and presence.stays:
        return [(start, end + sign * unsure) for start, end, unsure in presence.stays]
    return [(i.start, i.end + sign * i.uncertainty_ms) for i in presence.intervals]


def credit(
    policy: Policy, jp: int, window: Window, presence: Presence, role: Seat, checks: Checks = NONE_ASKED
) -> Credit:
    """What a person earns in a lecture worth `jp` hundredths."""
    found, most, least = (_found(policy, window, presence, role, checks, sign) for sign in (0, 1, -1))
    uncertainty_s = _off(found.counted, most.counted, least.counted)
    worth = role_jp(policy, jp, role)
    possible = {
        earned(policy, worth, window.seconds, found.counted.seconds + off) if enough(policy, one.asked) else 0
        for off in (-uncertainty_s, uncertainty_s)
        for one in (found, most, least)
    }
    return _told(policy, worth, window, presence, role, found, uncertainty_s, len(possible) > 1)


def credit_knowing(
    policy: Policy,
    jp: int,
    window: Window,
    presence: Presence,
    role: Seat,
    checks: Checks,
    *,
    uncertainty_s: int,
    doubtful: bool,
) -> Credit:
    """The same as `credit` where `bulk` has found out how unsure it is, which is most of the work."""
    found = _found(policy, window, presence, role, checks, 0)
    worth = role_jp(policy, jp, role)
    return _told(policy, worth, window, presence, role, found, uncertainty_s, doubtful)


def _value(policy: Policy, worth: int, window: Window, found: "_Found") -> int:
    if not enough(policy, found.asked):
        return 0
    return earned(policy, worth, window.seconds, found.counted.seconds)


def _told(
    policy: Policy,
    worth: int,
    window: Window,
    presence: Presence,
    role: Seat,
    found: "_Found",
    uncertainty_s: int,
    doubtful: bool,
) -> Credit:
    seconds = found.counted.seconds
    value = _value(policy, worth, window, found)
    case = Case(
        policy=policy,
        window=window,
        counted=found.counted,
        asked=found.asked,
        was_there=any(i.end > i.start for i in presence.intervals),
        claimed=bool(presence.intervals),
        most=worth,
        by_time=earned(policy, worth, window.seconds, seconds),
        unsure_s=uncertainty_s if doubtful else None,
    )
    return Credit(
        seconds=seconds,
        uncertainty_s=uncertainty_s,
        jp=value,
        state=_state(seconds, value, doubtful),
        why=why(case) if earns(policy, role) else why_unpaid(case),
        replay_seconds=found.counted.replay_seconds,
        checks_asked=len(found.asked),
        checks_answered=answers(found.asked),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    counted: Counted
    asked: Sequence[Asked]


def _found(
    policy: Policy, window: Window, presence: Presence, role: Seat, checks: Checks, sign: int
) -> _Found:
    there = union(spans_of(presence, sign))
    return _Found(counted(there, presence.watched, window, policy), asked_of(checks, there, role))


def _off(found: Counted, most: Counted, least: Counted) -> int:
    """How many seconds the result may be off, rounded up."""
    off = max(most.percent_ms - found.percent_ms, found.percent_ms - least.percent_ms)
    return -(-off // PERCENT_S)


def earns(policy: Policy, role: Seat) -> bool:
    """Whether somebody in this role can earn JP at all."""
    return role_jp(policy, WHOLE_JP, role) > 0


def _state(seconds: int, value: int, doubtful: bool) -> State:
    if doubtful:
        return State.DOUBTFUL
    if not seconds:
        return State.ABSENT
    return State.CREDITED if value else State.NOT_CREDITED
