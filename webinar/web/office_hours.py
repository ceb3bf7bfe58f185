"""Office hours in the settings, with the national holidays that are known."""

from collections.abc import Mapping
from datetime import date, timedelta

from aiohttp import web

from webinar.core.clock import to_datetime
from webinar.core.errors import Invalid
from webinar.core.language import date_pattern
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route
from webinar.workdays import national, service, store, wording
from webinar.workdays.rules import WEEK, OfficeHours, clock, office_hours

A_MONDAY = date(2026, 11, 23)
AHEAD = timedelta(days=365)


async def settings(request: web.Request) -> web.StreamResponse:
    return await _page(context(request))


async def _page(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        hours, zone = await store.office(session, asked.rights.institution_id)
    today = to_datetime(asked.now, zone).date()
    ahead = national.between(asked.language, today, today + AHEAD)
    return asked.page(
        "workdays/office_hours.html",
        status=status,
        weekdays=[wording.weekday(asked.language, A_MONDAY + timedelta(days=n)) for n in range(WEEK)],
        holidays=[(date_pattern(asked.language, day, "EEEE, d MMMM y"), name) for day, name in ahead],
        office_zone=zone,
        may_change=_may_change(asked),
        v={**_written(hours), **(typed or {})},
        e=errors or {},
    )


def _may_change(asked: Context) -> bool:
    return asked.rights.administers_institution


def _written(hours: OfficeHours) -> dict[str, str]:
    shown = {}
    for number, span in enumerate(hours.days):
        shown[f"from_{number}"] = clock(span[0]) if span else ""
        shown[f"until_{number}"] = clock(span[1]) if span else ""
    return shown


async def save(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    try:
        wanted = office_hours([(form.get(f"from_{n}", ""), form.get(f"until_{n}", "")) for n in range(WEEK)])
        async with asked.writing() as session:
            await service.set_office_hours(session, asked.rights, wanted, asked.now)
    except Invalid as invalid:
        return await _page(asked, typed=form, errors=messages(invalid, asked._), status=422)
    return asked.redirect("/settings/office-hours", asked._("Saved."))


ROUTES = (
    Route("GET", "/settings/office-hours", settings, Access.ADMINISTRATOR),
    Route("POST", "/settings/office-hours", save, Access.ADMINISTRATOR),
)
