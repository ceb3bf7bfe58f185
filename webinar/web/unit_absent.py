"""Who of a unit was registered for a lecture and did not come."""

from itertools import groupby

from aiohttp import web

from webinar.core.errors import NotFound
from webinar.reports import absent_store, unit_service
from webinar.web.context import context
from webinar.web.site import Access, Route


async def index(request: web.Request) -> web.StreamResponse:
    """The newest lectures that people of the unit were registered for."""
    asked = context(request)
    async with asked.reading() as session:
        unit = await unit_service.reached(session, asked.rights, request.match_info["id"])
        found = await absent_store.lectures(session, unit)
    return asked.page("hours/unit_lectures.html", unit=unit, lectures=found)


async def show(request: web.Request) -> web.StreamResponse:
    """The absentees of one lecture, unit by unit."""
    asked, lecture_id = context(request), request.match_info["lecture"]
    async with asked.reading() as session:
        unit = await unit_service.reached(session, asked.rights, request.match_info["id"])
        lecture = next(iter(await absent_store.lectures(session, unit, lecture_id=lecture_id)), None)
        if lecture is None:
            raise NotFound
        people = await absent_store.absentees(session, asked.rights, unit, lecture_id)
    groups = [
        (name, list(those)) for (_, name), those in groupby(people, lambda one: (one.unit_id, one.unit_name))
    ]
    return asked.page("hours/unit_absent.html", unit=unit, lecture=lecture, groups=groups)


ROUTES = (
    Route("GET", "/units/{id}/lectures", index, Access.UNIT_MANAGER),
    Route("GET", "/units/{id}/lectures/{lecture}", show, Access.UNIT_MANAGER),
)
