"""Everybody's own hours of a year, with the reason for each, and what lies ahead."""

from collections.abc import Sequence
from datetime import date

from aiohttp import web

from webinar.core import language as wording
from webinar.core.clock import to_datetime
from webinar.core.errors import NotFound
from webinar.core.language import Language
from webinar.hours import service as hours
from webinar.hours.outlook_rules import outlook
from webinar.hours.rules import YearEntry
from webinar.lectures import store as lectures
from webinar.lectures.rules import UPCOMING, Lecture, year_of
from webinar.people import store as people
from webinar.people.rules import Person
from webinar.reports import year_file
from webinar.reports.calendar_rules import Month, day_of, month, wished
from webinar.web.context import Context, context
from webinar.web.forms import whole
from webinar.web.reports import sent
from webinar.web.site import Access, Route

FIRST_YEAR = 2000
AHEAD = 200


async def own_hours(request: web.Request) -> web.StreamResponse:
    """The own hours of a year against the target: what counted, what did not, what is still to come."""
    asked = context(request)
    return await _page(asked, asked.signed_in, "/hours")


async def of_person(request: web.Request) -> web.StreamResponse:
    """The same of somebody else, for those who hold an office in that person's unit."""
    asked, person_id = context(request), request.match_info["id"]
    async with asked.reading() as session:
        person = await people.person(session, asked.rights, person_id)
    if not people.may_see_private(asked.rights, person.id, person.unit_path):
        raise NotFound
    return await _page(asked, person, f"/people/{person.id}/hours")


async def _page(asked: Context, person: Person, base: str) -> web.Response:
    query = asked.request.query
    async with asked.reading() as session:
        home = await people.institution(session, person.institution_id)
        this_year = to_datetime(asked.now, home.zone or person.zone).year
        year = _year(query.get("year", ""), this_year)
        found = await hours.year_of(session, asked.rights, person.id, year, asked.now, asked.language)
        seats = await lectures.of_person(
            session, person.id, since=asked.now, states=tuple(UPCOMING), limit=AHEAD
        )
    ahead = [lecture for lecture, _ in seats if not lecture.trial]
    began = to_datetime(person.created_at, home.zone or person.zone).year
    return asked.page(
        "hours/year.html",
        person=person,
        own=person.id == asked.signed_in.id,
        base=base,
        year=found,
        groups=_groups(found.entries),
        outlook=outlook(found, [one for one in ahead if year_of(one.starts_at, found.zone) == year]),
        ahead=ahead,
        month=_month(asked, ahead, query.get("month", "")),
        month_name=lambda day: wording.month_name(asked.language, day),
        weekdays=_weekdays(asked.language),
        this_year=this_year,
        years=range(this_year, min(began, this_year - 1, year) - 1, -1),
    )


async def as_pdf(request: web.Request) -> web.StreamResponse:
    """The own hours of a year on paper."""
    asked = context(request)
    person = asked.signed_in
    async with asked.reading() as session:
        home = await people.institution(session, person.institution_id)
        this_year = to_datetime(asked.now, home.zone or person.zone).year
        year = _year(request.query.get("year", ""), this_year)
        found = await hours.year_of(session, asked.rights, person.id, year, asked.now, asked.language)
        head = await hours.head_of(session, person.institution_id)
    return sent(await year_file.year_pdf(found, person, home.name, head, asked.now, asked.language))


def _groups(entries: Sequence[YearEntry]) -> list[tuple[str, list[YearEntry]]]:
    """The newest first: what is provisional, what counted, what did not."""
    newest = list(reversed(entries))
    return [
        ("provisional", [one for one in newest if one.provisional]),
        ("counted", [one for one in newest if not one.provisional and one.jp]),
        ("nothing", [one for one in newest if not one.provisional and not one.jp]),
    ]


def _month(asked: Context, ahead: Sequence[Lecture], wish: str) -> Month:
    """The month that was asked for, else that of the next lecture."""
    next_at = ahead[0].starts_at if ahead else asked.now
    return month(wished(wish) or day_of(next_at, asked.zone), ahead, asked.zone, asked.now)


def _weekdays(language: Language) -> list[tuple[str, str]]:
    """(short, long) from Monday on."""
    # 2 November 2026 is a Monday.
    days = [date(2026, 11, number) for number in range(2, 9)]
    return [
        (wording.date_pattern(language, day, "EEEEEE"), wording.date_pattern(language, day, "EEEE"))
        for day in days
    ]


def _year(wish: str, this_year: int) -> int:
    return year if FIRST_YEAR <= (year := whole(wish)) <= this_year + 1 else this_year


ROUTES = (
    Route("GET", "/hours", own_hours, Access.SIGNED_IN),
    Route("GET", "/hours.pdf", as_pdf, Access.SIGNED_IN),
    Route("GET", "/people/{id}/hours", of_person, Access.SIGNED_IN),
)
