"""Pages of people: the list, one person, the form, and roles."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from webinar.core.clock import to_datetime
from webinar.core.errors import Invalid, Stale
from webinar.people import exemptions, service, store
from webinar.people.access import Role
from webinar.people.rules import Employment, Person, PersonDraft, Unit
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages, whole
from webinar.web.profile import zone_options
from webinar.web.site import Access, Route

GRANTABLE = (Role.ORGANISER, Role.UNIT_MANAGER, Role.LECTURER, Role.ADMINISTRATOR)


async def index(request: web.Request) -> web.StreamResponse:
    """People by name, of all units or of one, with search."""
    asked = context(request)
    said = request.query
    text, unit_id, gone = said.get("q", "").strip(), said.get("unit", ""), said.get("state") == "deactivated"
    async with asked.reading() as session:
        units = await store.units(session, asked.rights)
        unit = next((unit for unit in units if unit.id == unit_id), None)
        path = unit.path if unit else None
        page = await store.persons(
            session, asked.rights, text=text, unit_path=path, active=not gone, after=said.get("after") or None
        )
        total = await store.count_persons(session, asked.rights, text=text, unit_path=path, active=not gone)
        grants = await store.grants(session, [person.id for person in page.people])
    return asked.page(
        "people/index.html",
        people=page.people,
        after=page.next,
        first=not said.get("after"),
        total=total,
        text=text,
        gone=gone,
        unit_id=unit.id if unit else "",
        units=unit_options(units),
        grants={id: role_names(asked, found) for id, found in grants.items()},
        may_edit=asked.rights.has(Role.ORGANISER),
    )


async def show(request: web.Request) -> web.StreamResponse:
    return await person_page(context(request), request.match_info["id"])


async def person_page(
    asked: Context,
    person_id: str,
    *,
    error: str = "",
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """One person; `typed` and `errors` are those of a new exemption."""
    async with asked.reading() as session:
        person = await store.person(session, asked.rights, person_id)
        exempt = await exemptions.of_person(session, asked.rights, person_id)
        grants = await service.roles(session, person_id)
        tops = asked.rights.paths(Role.ADMINISTRATOR)
        units = await store.units(session, asked.rights, below=tops)
    return asked.page(
        "people/person.html",
        status=status,
        person=person,
        grants=grants,
        role_names=role_words(asked),
        employment=employment_words(asked)[person.employment],
        units=unit_options(units),
        roles=[(role.value, role_words(asked)[role]) for role in GRANTABLE],
        may_edit=asked.rights.reaches(Role.ORGANISER, person.unit_path),
        may_erase=asked.rights.reaches(Role.ADMINISTRATOR, person.unit_path),
        may_grant=bool(tops),
        reachable=[g for g in grants if asked.rights.reaches(Role.ADMINISTRATOR, g.unit_path)],
        error=error,
        exemptions=exempt,
        today=to_datetime(asked.now, asked.zone).strftime("%Y-%m-%d"),
        v=typed or {},
        e=errors or {},
    )


async def new(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    zone = asked.zone
    values = {"zone": zone, "language": "id", "employment": "pns", "unit_id": asked.signed_in.unit_id}
    return await _form_page(asked, None, values)


async def create(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            person = await service.create_person(session, asked.rights, _draft(typed), asked.now)
    except Invalid as invalid:
        return await _form_page(asked, None, typed, messages(invalid, asked._), status=422)
    return asked.redirect(f"/people/{person.id}", asked._("%(name)s is added.", name=person.name))


async def edit(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    person = await _editable(asked, request.match_info["id"])
    draft = service.draft_of(person)
    values = {name: getattr(draft, name) for name in PersonDraft.__slots__}
    return await _form_page(asked, person, values | {"version": str(person.version)})


async def save(request: web.Request) -> web.StreamResponse:
    """Save what was edited, unless somebody else was faster: then both stay readable."""
    asked = context(request)
    person = await _editable(asked, request.match_info["id"])
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            await service.update_person(
                session, asked.rights, person.id, _draft(typed), _version(typed), asked.now
            )
    except Invalid as invalid:
        return await _form_page(asked, person, typed, messages(invalid, asked._), status=422)
    except service.NeedsAdministrator as refused:
        errors = {"email": asked._(refused.message)}
        return await _form_page(asked, person, typed, errors, status=403)
    except Stale:
        # What was typed is shown again; the next save is meant to win over what is saved now.
        kept = typed | {"version": str(person.version)}
        return await _form_page(asked, person, kept, stale=asked._(Stale.message), status=412)
    return asked.redirect(f"/people/{person.id}", asked._("Saved."))


async def _editable(asked: Context, person_id: str) -> Person:
    async with asked.reading() as session:
        person = await store.person(session, asked.rights, person_id)
    asked.rights.require(Role.ORGANISER, person.unit_path)
    return person


def _draft(typed: Mapping[str, str]) -> PersonDraft:
    return PersonDraft(**{name: typed.get(name, "") for name in PersonDraft.__slots__})


def _version(typed: Mapping[str, str]) -> int:
    return whole(typed.get("version", ""))


async def _form_page(
    asked: Context,
    person: Person | None,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        units = await store.units(session, asked.rights, below=asked.rights.paths(Role.ORGANISER))
    return asked.page(
        "people/form.html",
        status=status,
        person=person,
        v=values,
        e=errors or {},
        stale=stale,
        units=unit_options(units),
        zones=zone_options(values.get("zone") or asked.zone),
        employments=[(kind.value, word) for kind, word in employment_words(asked).items()],
    )


async def deactivate(request: web.Request) -> web.StreamResponse:
    return await _turn(request, service.deactivate, "They can no longer sign in. Hours and records stay.")


async def reactivate(request: web.Request) -> web.StreamResponse:
    return await _turn(request, service.reactivate, "They can sign in again.")


async def _turn(request: web.Request, deed: Any, done: str) -> web.StreamResponse:
    asked, person_id = context(request), request.match_info["id"]
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            await deed(session, asked.rights, person_id, _version(typed), asked.now)
    except (service.LastAdministrator, service.NeedsAdministrator, Stale) as refused:
        return await person_page(asked, person_id, error=asked._(refused.message), status=refused.status)
    return asked.redirect(f"/people/{person_id}", asked._(done))


async def grant(request: web.Request) -> web.StreamResponse:
    asked, person_id = context(request), request.match_info["id"]
    typed = await fields(request)
    role = _role(typed)
    async with asked.writing() as session:
        await service.grant(session, asked.rights, person_id, role, typed.get("unit_id", ""), asked.now)
    return asked.redirect(f"/people/{person_id}", asked._("The role is given."))


async def withdraw(request: web.Request) -> web.StreamResponse:
    asked, person_id = context(request), request.match_info["id"]
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            await service.withdraw(
                session, asked.rights, person_id, _role(typed), typed.get("unit_id", ""), asked.now
            )
    except service.LastAdministrator as refused:
        return await person_page(asked, person_id, error=asked._(refused.message), status=refused.status)
    return asked.redirect(f"/people/{person_id}", asked._("The role is taken back."))


def _role(typed: Mapping[str, str]) -> Role:
    try:
        return Role(typed.get("role", ""))
    except ValueError as error:
        raise Invalid.at("role", "Choose one of: %(choices)s.", choices=", ".join(Role)) from error


# --- words -------------------------------------------------------------------------------------


def unit_options(units: Sequence[Unit]) -> list[tuple[str, str]]:
    """The tree as choices: deeper units stand further in."""
    return [(unit.id, "\u2003" * unit.depth + unit.name) for unit in units]


def role_words(asked: Context) -> dict[Role, str]:
    _ = asked._
    return {
        Role.ADMINISTRATOR: _("Administrator"),
        Role.ORGANISER: _("Organiser"),
        Role.UNIT_MANAGER: _("Unit manager"),
        Role.LECTURER: _("Lecturer"),
        Role.PARTICIPANT: _("Participant"),
    }


def role_names(asked: Context, grants: Sequence[Any]) -> list[str]:
    """Each role once, in words."""
    return list(dict.fromkeys(role_words(asked)[found.role] for found in grants))


def employment_words(asked: Context) -> dict[Employment, str]:
    return {
        Employment.PNS: asked._("PNS (permanent)"),
        Employment.PPPK: asked._("PPPK (contract)"),
        Employment.OTHER: asked._("From outside"),
    }


ROUTES = (
    Route("GET", "/people", index, Access.SIGNED_IN),
    Route("GET", "/people/new", new, Access.ORGANISER),
    Route("POST", "/people", create, Access.ORGANISER),
    Route("GET", "/people/{id}", show, Access.SIGNED_IN),
    Route("GET", "/people/{id}/edit", edit, Access.ORGANISER),
    Route("POST", "/people/{id}/edit", save, Access.ORGANISER),
    Route("POST", "/people/{id}/deactivate", deactivate, Access.ORGANISER),
    Route("POST", "/people/{id}/reactivate", reactivate, Access.ORGANISER),
    Route("POST", "/people/{id}/roles", grant, Access.ADMINISTRATOR),
    Route("POST", "/people/{id}/roles/withdraw", withdraw, Access.ADMINISTRATOR),
)
