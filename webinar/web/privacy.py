"""What is kept of people: the notice, an institution's settings, one's own data, the erasing of somebody."""

import json

from aiohttp import web

from webinar.core.clock import to_datetime
from webinar.core.errors import Invalid
from webinar.people import store as people
from webinar.people.access import Role
from webinar.people.rules import Person
from webinar.privacy import service
from webinar.privacy.rules import RETENTION, Kind, chosen
from webinar.privacy.wording import LASTING, WORDS
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route


async def notice(request: web.Request) -> web.StreamResponse:
    """What is kept, what for and for how long; in the numbers of the reader's institution."""
    asked = context(request)
    days = chosen({})
    if asked.person is not None:
        async with asked.reading() as session:
            own = await service.settings(session, asked.rights.institution_id)
        days = {one.kind: one.days for one in own}
    return asked.page("privacy/notice.html", words=WORDS, lasting=LASTING, days=days)


async def settings(request: web.Request) -> web.StreamResponse:
    return await _settings_page(context(request))


async def _settings_page(
    asked: Context,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        kinds = await service.settings(session, asked.rights.institution_id)
    return asked.page(
        "privacy/settings.html",
        status=status,
        kinds=kinds,
        words=WORDS,
        ours={kind: kept.days for kind, kept in RETENTION.items()},
        may_change=asked.rights.administers_institution,
        v=typed or {},
        e=errors or {},
    )


async def save(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    wish = {kind: _days(typed[kind]) for kind in Kind if kind in typed}
    try:
        async with asked.writing() as session:
            await service.set_days(session, asked.rights, wish, asked.now)
    except Invalid as invalid:
        return await _settings_page(asked, typed=typed, errors=messages(invalid, asked._), status=422)
    return asked.redirect("/settings/privacy", asked._("Saved. What is older goes within a day."))


def _days(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


async def own_data(request: web.Request) -> web.StreamResponse:
    """Everything that is kept of whoever asks."""
    asked = context(request)
    return await _export(asked, asked.signed_in)


async def data_of(request: web.Request) -> web.StreamResponse:
    """The same of somebody who asked an administrator for it."""
    asked = context(request)
    async with asked.reading() as session:
        person = await people.person(session, asked.rights, request.match_info["id"])
    asked.rights.require(Role.ADMINISTRATOR, person.unit_path)
    return await _export(asked, person)


async def _export(asked: Context, person: Person) -> web.Response:
    async with asked.reading() as session:
        found = await service.export_of_person(session, person, asked.now)
    day = to_datetime(asked.now).strftime("%Y-%m-%d")
    return web.Response(
        text=json.dumps(found, ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="data-{person.id[:8]}-{day}.json"'},
    )


async def erase(request: web.Request) -> web.StreamResponse:
    """Make somebody a pseudonym. There is no way back, so the page asks for the name and a reason."""
    asked = context(request)
    person_id = request.match_info["id"]
    reason = (await fields(request)).get("reason", "")
    async with asked.writing() as session:
        await service.erase(session, asked.rights, person_id, reason=reason, now=asked.now)
    return asked.redirect(
        f"/people/{person_id}", asked._("The personal data is erased. Hours and evidence stay.")
    )


ROUTES = (
    Route("GET", "/privacy-notice", notice, Access.PUBLIC),
    Route("GET", "/settings/privacy", settings, Access.ADMINISTRATOR),
    Route("POST", "/settings/privacy", save, Access.ADMINISTRATOR),
    Route("GET", "/profile/data.json", own_data, Access.SIGNED_IN),
    Route("GET", "/people/{id}/data.json", data_of, Access.ADMINISTRATOR),
    Route("POST", "/people/{id}/erase", erase, Access.ADMINISTRATOR),
)
