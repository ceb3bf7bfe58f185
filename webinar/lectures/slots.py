"""Find a time at which the lecturers are free, and most participants."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, false
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.clock import to_datetime
from webinar.core.errors import FieldError, Invalid
from webinar.lectures import clashes
from webinar.lectures.rules import MINUTE_MS, Seat
from webinar.lectures.slot_rules import (
    LONGEST_MINUTES,
    MOST_PROPOSALS,
    MOST_WEEKS,
    Proposal,
    candidates,
    proposals,
)
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.workdays import national
from webinar.workdays import store as workdays

WEEK_DAYS = 7
# A whole city's people would be some hundred thousand seats to compare.
MOST_PEOPLE = 5_000
# Nobody plans a lecture that begins in a minute.
NOTICE_MS = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Wish:
    """What a time is looked for. Participants are those of a unit, of a lecture, named, or all of these.

    `lecture_id` is the lecture that is to be moved: its own time does not count as busy.
    """

    minutes: int
    lecturer_ids: tuple[str, ...] = ()
    unit_id: str = ""
    lecture_id: str = ""
    person_ids: tuple[str, ...] = ()
    weeks: int = 4
    count: int = 6
    not_before: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Times, best first, and of how many participants the busy ones are some."""

    proposals: tuple[Proposal, ...]
    people: int


async def find(session: AsyncSession, scope: Scope, wish: Wish, now: int) -> Found:
    """Up to `count` times within office hours and off holidays, by the institution's clock.

    Raises:
        Invalid: a length, a number of weeks or of people out of range.
        NotFound: the unit is not the scope's.
    """
    _check(wish)
    participants = await _participants(session, scope, wish)
    people_count = await clashes.count(session, scope, participants)
    if people_count > MOST_PEOPLE:
        raise Invalid.at("unit_id", "A time can be found for at most %(most)s people.", most=MOST_PEOPLE)
    office, zone = await workdays.office(session, scope.institution_id)
    not_before = max(now + NOTICE_MS, wish.not_before)
    first = to_datetime(not_before, zone).date()
    days = wish.weeks * WEEK_DAYS
    times = candidates(first, days, wish.minutes, office, zone, national.is_holiday, not_before)
    if not times:
        return Found((), people_count)
    span = (times[0].starts_at, times[-1].ends_at)
    besides = [wish.lecture_id] if wish.lecture_id else []
    lecturing = await clashes.engagements(session, scope, _lecturers(wish), span, besides=besides)
    engaged = await clashes.engagements(session, scope, participants, span, besides=besides)
    busy = [(one.starts_at, one.ends_at) for one in lecturing]
    return Found(tuple(proposals(times, busy, engaged, wish.count)), people_count)


def _check(wish: Wish) -> None:
    errors: list[FieldError] = []
    for field, value, most in (
        ("minutes", wish.minutes, LONGEST_MINUTES),
        ("weeks", wish.weeks, MOST_WEEKS),
        ("count", wish.count, MOST_PROPOSALS),
    ):
        if not 1 <= value <= most:
            errors.append(FieldError(field, "This is a number from 1 to %(most)s.", {"most": most}))
    if errors:
        raise Invalid(errors)


def _lecturers(wish: Wish) -> ColumnElement[bool]:
    named: ColumnElement[bool] = clashes.named(wish.lecturer_ids)
    return named | clashes.registered([wish.lecture_id], Seat.LECTURER) if wish.lecture_id else named


async def _participants(session: AsyncSession, scope: Scope, wish: Wish) -> ColumnElement[bool]:
    found: ColumnElement[bool] = false()
    if wish.person_ids:
        found = found | clashes.named(wish.person_ids)
    if wish.lecture_id:
        found = found | clashes.registered([wish.lecture_id], Seat.PARTICIPANT)
    if wish.unit_id:
        found = found | clashes.of_unit((await people.unit(session, scope, wish.unit_id)).path)
    return found
