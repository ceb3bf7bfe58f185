"""A person's learning hours of a year over the API."""

from aiohttp import web

from webinar.core.clock import to_datetime
from webinar.hours import service
from webinar.hours.rules import DEFAULT_ZONE
from webinar.people import store as people
from webinar.web.api import models, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.wire import reply
from webinar.web.context import context


async def show(request: web.Request) -> web.StreamResponse:
    """Hours against the target, with each lecture they come from."""
    asked = context(request)
    wish = wire.query(request, models.YearQuery)
    async with asked.reading() as session:
        home = await people.institution(session, asked.rights.institution_id)
        year = wish.year or to_datetime(asked.now, home.zone or DEFAULT_ZONE).year
        found = await service.year_of(
            session, asked.rights, request.match_info["id"], year, asked.now, asked.language
        )
    hours = models.Hours(
        person_id=found.person_id,
        year=found.year,
        zone=found.zone,
        target_jp=models.jp_number(found.target),
        total_jp=models.jp_number(found.total),
        provisional_jp=models.jp_number(found.provisional),
        missing_jp=models.jp_number(found.missing),
        items=[
            models.HoursEntry(
                lecture_id=one.lecture_id,
                title=one.title,
                starts_at=models.moment(one.starts_at, one.zone),
                ends_at=models.moment(one.ends_at, one.zone),
                role=one.role,
                seconds=one.seconds,
                lecture_jp=models.jp_number(one.worth),
                jp=models.jp_number(one.jp),
                state=one.state,
                why=one.why,
                provisional=one.provisional,
            )
            for one in found.entries
        ],
    )
    return reply(hours).written()


ENDPOINTS = (
    Endpoint(
        "GET", "/people/{id}/hours", show, "hours:read", "A person's learning hours of a year",
        query=models.YearQuery, gives=models.Hours, errors=(404,),
    ),
)  # fmt: skip
