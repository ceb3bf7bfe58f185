"""Everybody's own hours of a year, with the reason for each."""

from aiohttp import web

from webinar.core.clock import to_datetime
from webinar.hours import service as hours
from webinar.people import store as people
from webinar.web.context import context
from webinar.web.forms import whole
from webinar.web.site import Access, Route

FIRST_YEAR = 2000


async def own_hours(request: web.Request) -> web.StreamResponse:
    """The own hours of a year against the target, with the reason for each."""
    asked = context(request)
    person = asked.signed_in
    async with asked.reading() as session:
        home = await people.institution(session, person.institution_id)
        this_year = to_datetime(asked.now, home.zone or person.zone).year
        year = _year(request.query.get("year", ""), this_year)
        found = await hours.year_of(session, asked.rights, person.id, year, asked.now, asked.language)
    began = to_datetime(person.created_at, home.zone or person.zone).year
    return asked.page(
        "hours/year.html",
        year=found,
        this_year=this_year,
        years=range(this_year, min(began, this_year - 1, year) - 1, -1),
    )


def _year(wish: str, this_year: int) -> int:
    return year if FIRST_YEAR <= (year := whole(wish)) <= this_year + 1 else this_year


ROUTES = (Route("GET", "/hours", own_hours, Access.SIGNED_IN),)
