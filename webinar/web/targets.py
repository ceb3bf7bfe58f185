"""Year targets in the settings, and exemptions on the page of a person."""

from collections.abc import Mapping

from aiohttp import web

from webinar.core.errors import FieldError, Invalid
from webinar.core.language import jp as jp_text
from webinar.hours.target_rules import Target
from webinar.hours.targets import set_targets, targets
from webinar.people import exemptions
from webinar.people.rules import Employment
from webinar.web.amounts import hundredths
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.people import employment_words, person_page
from webinar.web.site import Access, Route


async def settings(request: web.Request) -> web.StreamResponse:
    return await _settings_page(context(request))


async def _settings_page(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        found = await targets(session, asked.rights.institution_id)
    shown = {}
    for kind, one in found.items():
        shown[f"target_{kind}"] = jp_text(asked.language, one.target)
        shown[f"most_{kind}"] = "" if one.most is None else jp_text(asked.language, one.most)
    return asked.page(
        "hours/targets.html",
        status=status,
        kinds=[(kind.value, word) for kind, word in employment_words(asked).items()],
        may_change=asked.rights.administers_institution,
        v={**shown, **(typed or {})},
        e=errors or {},
    )


async def save(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    try:
        asked.rights.require_institution()
        wanted = _targets(form)
        async with asked.writing() as session:
            await set_targets(session, asked.rights, wanted, asked.now)
    except Invalid as invalid:
        errors = messages(invalid, asked._)
        return await _settings_page(asked, typed=form, errors=errors, status=422)
    return asked.redirect("/settings/targets", asked._("Saved."))


def _targets(form: Mapping[str, str]) -> dict[Employment, Target]:
    """What was typed; every amount that is none is told at once."""
    wanted, wrong = {}, list[FieldError]()
    for kind in Employment:
        if f"target_{kind.value}" not in form:
            continue
        target, most = (_amount(form, f"{name}_{kind.value}", wrong) for name in ("target", "most"))
        wanted[kind] = Target(target or 0, most)
    if wrong:
        raise Invalid(wrong)
    return wanted


def _amount(form: Mapping[str, str], name: str, wrong: list[FieldError]) -> int | None:
    """Hundredths; an empty limit is none, an empty target is no amount."""
    text = form.get(name, "")
    if not text and name.startswith("most_"):
        return None
    try:
        return hundredths(text, name)
    except Invalid as invalid:
        wrong += invalid.errors
        return None


async def exempt(request: web.Request) -> web.StreamResponse:
    """Take somebody out of the figures for some days, with a reason."""
    asked, person_id = context(request), request.match_info["id"]
    form = await fields(request)
    said = {name: form.get(name, "") for name in ("reason", "starts_on", "ends_on")}
    try:
        async with asked.writing() as session:
            await exemptions.add(session, asked.rights, person_id, **said, now=asked.now)
    except Invalid as invalid:
        errors = messages(invalid, asked._)
        return await person_page(asked, person_id, typed=said, errors=errors, status=422)
    return asked.redirect(f"/people/{person_id}#exemptions", asked._("The exemption is on record."))


async def take_back(request: web.Request) -> web.StreamResponse:
    asked, person_id = context(request), request.match_info["id"]
    async with asked.writing() as session:
        await exemptions.take_back(
            session, asked.rights, person_id, request.match_info["exemption"], asked.now
        )
    return asked.redirect(f"/people/{person_id}#exemptions", asked._("The exemption is taken back."))


ROUTES = (
    Route("GET", "/settings/targets", settings, Access.ADMINISTRATOR),
    Route("POST", "/settings/targets", save, Access.ADMINISTRATOR),
    Route("POST", "/people/{id}/exemptions", exempt, Access.ORGANISER),
    Route("POST", "/people/{id}/exemptions/{exemption}/take-back", take_back, Access.ORGANISER),
)
