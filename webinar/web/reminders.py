"""Reminders: when an institution sends them, and the page on which a person stops them without signing in."""

from collections.abc import Callable, Mapping

from aiohttp import web

from webinar.core.errors import Invalid, NotFound
from webinar.invites import reminder_rules as rules
from webinar.invites import reminders
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route


async def settings(request: web.Request) -> web.StreamResponse:
    return await _page(context(request))


async def _page(
    asked: Context, *, errors: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    async with asked.reading() as session:
        chosen = await reminders.times(session, asked.rights.institution_id)
    words = _words(asked._)
    return asked.page(
        "reminders/settings.html",
        status=status,
        choices=[(minutes, words[minutes]) for minutes in rules.CHOICES],
        chosen=chosen,
        may_change=asked.rights.administers_institution,
        e=errors or {},
    )


def _words(_: Callable[..., str]) -> Mapping[int, str]:
    return {
        3 * 24 * 60: _("Three days before"),
        24 * 60: _("A day before"),
        60: _("An hour before"),
        15: _("15 minutes before"),
    }


async def save(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    ticked = [name.removeprefix("at_") for name in form if name.startswith("at_")]
    try:
        chosen = rules.checked(ticked)
        async with asked.writing() as session:
            await reminders.set_times(session, asked.rights, chosen, asked.now)
    except Invalid as invalid:
        return await _page(asked, errors=messages(invalid, asked._), status=422)
    return asked.redirect("/settings/reminders", asked._("Saved."))


async def mine(request: web.Request) -> web.StreamResponse:
    """Opening the link changes nothing: mail programs open links by themselves."""
    asked = context(request)
    person_id = _person(asked)
    async with asked.reading() as session:
        refused = await reminders.refuses(session, person_id)
    return asked.page("reminders/mine.html", refused=refused, own_link=request.path)


async def choose(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    person_id = _person(asked)
    wanted = (await fields(request)).get("wanted") == "yes"
    await _set(asked, person_id, wanted)
    return asked.redirect(request.path, _said(asked, wanted))


async def of_profile(request: web.Request) -> web.StreamResponse:
    """The same, of the person who is signed in."""
    asked = context(request)
    wanted = (await fields(request)).get("wanted") == "yes"
    await _set(asked, asked.signed_in.id, wanted)
    return asked.redirect("/profile", _said(asked, wanted))


async def _set(asked: Context, person_id: str, wanted: bool) -> None:
    async with asked.writing() as session:
        if wanted:
            await reminders.accept(session, person_id)
        else:
            await reminders.refuse(session, person_id, asked.now)


def _said(asked: Context, wanted: bool) -> str:
    return asked._("You get reminders again.") if wanted else asked._("You get no more reminders.")


def _person(asked: Context) -> str:
    given = asked.request.match_info["reminders"]
    person_id = rules.person_of(asked.site.settings.link_key_bytes, given)
    if person_id is None:
        raise NotFound
    return person_id


ROUTES = (
    Route("GET", "/settings/reminders", settings, Access.ADMINISTRATOR),
    Route("POST", "/settings/reminders", save, Access.ADMINISTRATOR),
    Route("GET", "/reminders/{reminders}", mine, Access.PUBLIC),
    Route("POST", "/reminders/{reminders}", choose, Access.PUBLIC),
    Route("POST", "/profile/reminders", of_profile, Access.SIGNED_IN),
)
