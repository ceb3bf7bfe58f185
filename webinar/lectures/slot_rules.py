"""Find a time: which times to propose, from who is busy when. Pure.

Instants are Unix ms. A time qualifies when it lies within office hours of one day that is no holiday,
ahead of now, and no lecturer is busy. Of those, the fewest busy participants come first, then the
earliest; no two that are proposed overlap, and a day gets at most `A_DAY`, so that there is a choice.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from webinar.core.errors import Invalid
from webinar.lectures.rules import MINUTE_MS, instant_of
from webinar.workdays.rules import OfficeHours, clock

STEP_MINUTES = 30
A_DAY = 2
MOST_PROPOSALS = 20
MOST_WEEKS = 12
LONGEST_MINUTES = 8 * 60

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A time that could be proposed; `day` is its day by the office's clock."""

    day: date
    starts_at: int
    ends_at: int

    def meets(self, span: Span) -> bool:
        return self.starts_at < span[1] and span[0] < self.ends_at


@dataclass(frozen=True, slots=True)
class Engagement:
    """A lecture, and who of those in question has a seat in it."""

    starts_at: int
    ends_at: int
    person_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A time, and how many participants have another lecture then."""

    starts_at: int
    ends_at: int
    busy: int


def candidates(
    first: date,
    days: int,
    minutes: int,
    office: OfficeHours,
    zone: str,
    is_holiday: Callable[[date], bool],
    not_before: int,
) -> list[Candidate]:
    """Every time of that length within office hours, each half hour from their beginning, in order."""
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        hours = office.on(day)
        if hours is None or is_holiday(day):
            continue
        for start in range(hours[0], hours[1] - minutes + 1, STEP_MINUTES):
            try:
                starts_at = instant_of(f"{day}T{clock(start)}", zone, "")
            except Invalid:  # the clocks jump over it
                continue
            if starts_at >= not_before:
                found.append(Candidate(day, starts_at, starts_at + minutes * MINUTE_MS))
    return found


def proposals(
    times: Iterable[Candidate], lecturers: Sequence[Span], engaged: Sequence[Engagement], count: int
) -> list[Proposal]:
    """The best of the times, best first.

    Args:
        lecturers: when any of the lecturers is busy.
        engaged: what participants are busy with.
    """
    by_start = sorted(engaged, key=lambda one: one.starts_at)
    starts = [one.starts_at for one in by_start]
    longest = max((one.ends_at - one.starts_at for one in by_start), default=0)

    def busy(time: Candidate) -> int:
        low = bisect_left(starts, time.starts_at - longest)
        high = bisect_left(starts, time.ends_at)
        met = (one.person_ids for one in by_start[low:high] if time.meets((one.starts_at, one.ends_at)))
        return len(frozenset().union(*met))

    free = [time for time in times if not any(time.meets(span) for span in lecturers)]
    ranked = sorted(((busy(time), time) for time in free), key=lambda pair: (pair[0], pair[1].starts_at))
    return _apart(ranked, count)


def _apart(ranked: Iterable[tuple[int, Candidate]], count: int) -> list[Proposal]:
    chosen: list[tuple[int, Candidate]] = []
    for busy, time in ranked:
        if len(chosen) == count:
            break
        that_day = [other for _, other in chosen if other.day == time.day]
        if len(that_day) < A_DAY and not any(time.meets((o.starts_at, o.ends_at)) for o in that_day):
            chosen.append((busy, time))
    return [Proposal(time.starts_at, time.ends_at, busy) for busy, time in chosen]
