"""The same as `credit_rules`, over arrays: many people of one lecture at once.

`rules` says what is right; a test holds this to it on random input. Arrays of one table have equal
length and any order. Instants are Unix ms and JP hundredths, both int64; `person` counts from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from webinar.attendance.check_rules import HOSTS
from webinar.attendance.connection_rules import WHOLE_SECOND_MS
from webinar.attendance.counted_rules import PERCENT_S
from webinar.attendance.credit_rules import State
from webinar.attendance.rules import BEAT_SLACK_MS, ENDED_BY_OTHERS, LONGEST_CUT_MS, TIMEOUT_MS
from webinar.evidence.rules import BEAT_MS, Check
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import (
    MINUTE_S,
    WHOLE_JP,
    Kind,
    Policy,
    needed_seconds,
    role_jp,
    tolerance_seconds,
)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# What `Ended.reason` says: left, vanished, back under the same identity, or ended by others.
SAID, TIMED_OUT, REPLACED, BY_OTHERS = range(4)
REASON = {
    "CONNECTION_TIMEOUT": TIMED_OUT,
    "DUPLICATE_IDENTITY": REPLACED,
    **dict.fromkeys(ENDED_BY_OTHERS, BY_OTHERS),
}
NEVER = -1
STATES = (State.CREDITED, State.NOT_CREDITED, State.ABSENT, State.DOUBTFUL)
_CREDITED, _NOT_CREDITED, _ABSENT, _DOUBTFUL = range(4)


@dataclass(frozen=True, slots=True)
class Ended:
    """Connections whose end the media server told, as a query has them.

    `last_sign` is the last instant between `start` and `told` at which the page lived, NEVER if none;
    `goodbye` that the page said then that it is left.
    """

    person: Ints
    start: Ints
    told: Ints
    reason: Ints
    last_sign: Ints
    goodbye: Bools


@dataclass(frozen=True, slots=True)
class Stays:
    """Intervals of people in a lecture; `uncertainty` is how far the end may be off, in ms."""

    person: Ints
    start: Ints
    end: Ints
    uncertainty: Ints


@dataclass(frozen=True, slots=True)
class Watched:
    """Instants of the lecture that the replay showed in time."""

    person: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True, slots=True)
class Answered:
    """The presence checks of a lecture; `answers[p, c]` when person p answered check c."""

    checks: Sequence[Check]
    answers: Bools


@dataclass(frozen=True, slots=True)
class Credits:
    """A value for each person; `state` is an index into `STATES`."""

    seconds: Ints
    uncertainty_s: Ints
    jp: Ints
    state: Ints
    replay_seconds: Ints
    checks_asked: Ints
    checks_answered: Ints


class _Numbers(dict[str, int]):
    """Who an identity is, `<seat>.<tab>`, looked up by its seat the first time; -1 for a stranger."""

    def __init__(self, seats: Sequence[str]) -> None:
        super().__init__()
        self._seats = {seat: number for number, seat in enumerate(seats)}

    def __missing__(self, identity: str) -> int:
        number = self[identity] = self._seats.get(identity.partition(".")[0], -1)
        return number


def people_of(identities: Sequence[str], seats: Sequence[str]) -> Ints:
    """The number of the person behind each identity: the place of the seat; -1 where it has none."""
    return np.fromiter(map(_Numbers(seats).__getitem__, identities), np.int64, len(identities))


def stays(ended: Ended) -> Stays:
    """Cut the tails that the media server noticed late, as `rules` does."""
    start, told, last = ended.start, np.maximum(ended.told, ended.start), ended.last_sign
    silent = told - last
    timed_out, replaced = ended.reason == TIMED_OUT, ended.reason == REPLACED
    vanished = np.minimum(np.maximum(told - TIMEOUT_MS, last), last + np.minimum(BEAT_MS, silent))
    back = np.where(silent <= BEAT_MS + BEAT_SLACK_MS, told, np.maximum(last, told - TIMEOUT_MS))
    gone = np.where(timed_out, np.maximum(vanished, told - LONGEST_CUT_MS), np.where(replaced, back, told))
    unknown = np.minimum(silent, np.where(timed_out, BEAT_MS, TIMEOUT_MS))
    gone = np.where(ended.goodbye, np.maximum(last, told - LONGEST_CUT_MS), gone)
    unknown = np.where(ended.goodbye, 0, unknown)
    late, heard = ended.reason != SAID, last != NEVER
    unheard = np.minimum(TIMEOUT_MS, told - start) + WHOLE_SECOND_MS
    return Stays(
        ended.person,
        start,
        np.where(late & heard, np.maximum(gone, start), told),
        np.where(late, np.where(heard, np.maximum(unknown, WHOLE_SECOND_MS), unheard), WHOLE_SECOND_MS),
    )


def credits(
    policy: Policy,
    jp: int,
    window: Window,
    roles: Sequence[Seat],
    stays: Stays,
    watched: Watched | None = None,
    answered: Answered | None = None,
) -> Credits:
    """What each of `len(roles)` people earns in a lecture worth `jp` hundredths."""
    people = len(roles)
    in_order = _in_order(stays)
    there = [_as_if(people, in_order, sign) for sign in (0, 1, -1)]
    found, most, least = (_found(policy, window, one, watched) for one in there)
    off = np.maximum(most.percent_ms - found.percent_ms, found.percent_ms - least.percent_ms)
    uncertainty_s = -(-off // PERCENT_S)
    seconds = found.percent_ms // PERCENT_S
    worth = _worth(policy, jp, roles)
    asked = [_asked(one, roles, answered) for one in there]
    enough = [answers >= np.minimum(policy.checks_needed, times) for times, answers in asked]
    value = np.where(enough[0], _earned(policy, worth, window.seconds, seconds), 0)
    lowest, highest = value, value
    for by in (-uncertainty_s, uncertainty_s):
        by_time = _earned(policy, worth, window.seconds, seconds + by)
        for one in enough:
            possible = np.where(one, by_time, 0)
            lowest, highest = np.minimum(lowest, possible), np.maximum(highest, possible)
    state = np.where(seconds == 0, _ABSENT, np.where(value > 0, _CREDITED, _NOT_CREDITED))
    state = np.where(lowest != highest, _DOUBTFUL, state)
    return Credits(seconds, uncertainty_s, value, state, seconds - found.live_ms // 1000, *asked[0])


@dataclass(frozen=True, slots=True)
class _Spans:
    """Spans of `people` people, sorted by person and start."""

    people: int
    person: Ints
    start: Ints
    end: Ints

    @classmethod
    def of(cls, people: int, person: Ints, start: Ints, end: Ints) -> "_Spans":
        some = end > start
        if not some.all():
            person, start, end = person[some], start[some], end[some]
        order = _order(person, start)
        return cls(people, person[order], start[order], end[order])

    def joined(self, gap_ms: int = 0) -> "_Spans":
        """The union, gaps of at most `gap_ms` filled."""
        firsts, lasts = _groups(self.person, self.start, self.end, gap_ms)
        return _Spans(self.people, self.person[firsts], self.start[firsts], lasts)

    def clipped(self, window: Window) -> "_Spans":
        parts = [
            (self.person, np.maximum(self.start, from_), np.minimum(self.end, to))
            for from_, to in window.spans
        ]
        person, start, end = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return _Spans.of(self.people, person, start, end)

    def with_more(self, other: "_Spans") -> "_Spans":
        mine, more = (self.person, self.start, self.end), (other.person, other.start, other.end)
        return _Spans.of(self.people, *(np.concatenate(both) for both in zip(mine, more, strict=True)))

    def lengths(self) -> Ints:
        """Milliseconds by person, of spans that are apart; a float has 53 bits, which are enough."""
        weights = (self.end - self.start).astype(np.float64)
        sums: Ints = np.bincount(self.person, weights, self.people).astype(np.int64)
        return sums

    def covering(self, start: int, end: int) -> Bools:
        """Who has one span with all of the other in it."""
        whole = self.person[(self.start <= start) & (end <= self.end)]
        found: Bools = np.bincount(whole, minlength=self.people) > 0
        return found


def _order(person: Ints, start: Ints) -> Ints:
    """By person, then by start; one key sorts several times faster than two."""
    if not len(person):
        return person
    first = start.min()
    order: Ints = np.argsort(person * (start.max() - first + 1) + (start - first))
    return order


def _groups(person: Ints, start: Ints, end: Ints, gap_ms: int) -> tuple[Ints, Ints]:
    """Where each group of spans that meet begins, and when it ends.

    All people stand one after the other on one line of time, too far apart for their spans to meet: then
    one running maximum does for all of them.
    """
    if not len(person):
        return person, end
    origin = min(start.min(), end.min())
    apart = max(start.max(), end.max()) - origin + gap_ms + 1
    offset = person * apart - origin
    latest = np.maximum.accumulate(end + offset)
    firsts = np.flatnonzero(np.concatenate(([True], start[1:] + offset[1:] - latest[:-1] > gap_ms)))
    lasts = np.concatenate((firsts[1:] - 1, [len(person) - 1]))
    return firsts, latest[lasts] - offset[firsts]


@dataclass(frozen=True, slots=True)
class _Found:
    live_ms: Ints
    percent_ms: Ints


def _found(policy: Policy, window: Window, there: _Spans, watched: Watched | None) -> _Found:
    live = there.joined(policy.grace_s * 1000).clipped(window)
    live_ms = live.lengths()
    percent_ms = live_ms * 100
    if policy.replay_percent and watched is not None:
        shown = _Spans.of(live.people, watched.person, watched.start, watched.end).clipped(window)
        percent_ms += (live.with_more(shown).joined().lengths() - live_ms) * policy.replay_percent
    return _Found(live_ms, percent_ms)


def _in_order(stays: Stays) -> Stays:
    order = _order(stays.person, stays.start)
    return Stays(stays.person[order], stays.start[order], stays.end[order], stays.uncertainty[order])


def _as_if(people: int, stays: Stays, sign: int) -> _Spans:
    """The union over devices and rooms of stays in order; with a sign, with late or early ends."""
    end = stays.end + sign * stays.uncertainty
    some = end > stays.start
    return _Spans(people, stays.person[some], stays.start[some], end[some]).joined()


def _asked(there: _Spans, roles: Sequence[Seat], answered: Answered | None) -> tuple[Ints, Ints]:
    """How often each was asked, and answered."""
    times, answers = np.zeros((2, len(roles)), np.int64)
    if answered is None or not answered.checks:
        return times, answers
    guest = np.array([role not in HOSTS for role in roles], np.bool_)
    for number, check in enumerate(answered.checks):
        did = answered.answers[:, number] & guest
        times += did | (there.covering(check.asked_at, check.closes_at) & guest)
        answers += did
    return times, answers


def _worth(policy: Policy, jp: int, roles: Sequence[Seat]) -> Ints:
    most = {role: role_jp(policy, jp, role) for role in Seat}
    return np.fromiter((most[role] for role in roles), np.int64, len(roles))


def _earned(policy: Policy, worth: Ints, window_s: int, seconds: Ints) -> Ints:
    """`policies.rules.earned` of each."""
    counted = seconds + tolerance_seconds(policy, window_s)
    if policy.kind is Kind.THRESHOLD:
        value = np.where(counted >= needed_seconds(policy, window_s), worth, 0)
    else:
        jp_s = policy.minutes_per_jp * MINUTE_S
        floored = np.minimum(worth, counted // jp_s * WHOLE_JP)
        value = np.where(counted * WHOLE_JP >= worth * jp_s, worth, floored)
    earned: Ints = np.where(seconds > 0, value, 0)
    return earned
