"""Pages of settings for administrators: the tree of units, and the API keys of programs."""

from aiohttp import web

from webinar.core.errors import Invalid
from webinar.people import api_keys, store, units
from webinar.people.access import API_SCOPES, Role
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages, whole
from webinar.web.people import unit_options
from webinar.web.site import Access, Route

DAY_MS = 86_400_000
LIVES = (30, 90, 365)


async def settings(request: web.Request) -> web.StreamResponse:
    return context(request).redirect("/settings/units")


async def show_units(request: web.Request) -> web.StreamResponse:
    return await _units_page(context(request))


async def _units_page(
    asked: Context,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        tree = await store.units(session, asked.rights)
        counts = await store.people_by_unit(session, asked.rights)
    mine = [unit for unit in tree if asked.rights.reaches(Role.ADMINISTRATOR, unit.path)]
    return asked.page(
        "people/units.html",
        status=status,
        tree=tree,
        counts=counts,
        mine={unit.id for unit in mine},
        parents=unit_options(mine),
        v=values or {},
        e=errors or {},
    )


async def create_unit(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            unit = await units.create_unit(
                session,
                asked.rights,
                parent_id=typed.get("parent_id", ""),
                name=typed.get("name", ""),
                code=typed.get("code", ""),
                now=asked.now,
            )
    except Invalid as invalid:
        return await _units_page(asked, values=typed, errors=messages(invalid, asked._), status=422)
    return asked.redirect("/settings/units", asked._("%(name)s is added.", name=unit.name))


async def rename_unit(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    async with asked.writing() as session:
        await units.rename_unit(
            session, asked.rights, request.match_info["id"], typed.get("name", ""), asked.now
        )
    return asked.redirect("/settings/units", asked._("Saved."))


async def show_keys(request: web.Request) -> web.StreamResponse:
    return await _keys_page(context(request))


async def _keys_page(
    asked: Context,
    *,
    secret: str = "",
    values: dict[str, str] | None = None,
    ticked: tuple[str, ...] = (),
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        keys = await api_keys.listed(session, asked.rights)
    return asked.page(
        "people/keys.html",
        status=status,
        keys=keys,
        secret=secret,
        scopes=_scope_words(asked),
        lives=[(str(days), asked._("%(days)s days", days=days)) for days in LIVES]
        + [("", asked._("Until it is revoked"))],
        v=values or {"days": "365"},
        ticked=ticked,
        e=errors or {},
    )


async def create_key(request: web.Request) -> web.StreamResponse:
    """Make a key; its secret is in this one answer and nowhere else."""
    asked = context(request)
    typed = await fields(request)
    ticked = tuple(await many(request, "scopes"))
    days = typed.get("days", "")
    expires_at = asked.now + whole(days) * DAY_MS if whole(days) in LIVES else None
    try:
        async with asked.writing() as session:
            _, secret = await api_keys.create(
                session,
                asked.rights,
                name=typed.get("name", ""),
                scopes=ticked,
                expires_at=expires_at,
                now=asked.now,
            )
    except Invalid as invalid:
        errors = messages(invalid, asked._)
        return await _keys_page(asked, values=typed, ticked=ticked, errors=errors, status=422)
    return await _keys_page(asked, secret=secret)


async def revoke_key(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    async with asked.writing() as session:
        await api_keys.revoke(session, asked.rights, request.match_info["id"], asked.now)
    return asked.redirect("/settings/keys", asked._("The key is revoked. Programs with it are refused now."))


def _scope_words(asked: Context) -> list[tuple[str, str]]:
    _ = asked._
    words = {
        "people:read": _("Read people"),
        "people:write": _("Add and change people"),
        "lectures:read": _("Read lectures"),
        "lectures:write": _("Book lectures and register people"),
        "attendance:read": _("Read attendance"),
        "hours:read": _("Read learning hours"),
        "hours:write": _("Adjust learning hours, decide contests, set year targets"),
    }
    return [(scope, words[scope]) for scope in API_SCOPES]


ROUTES = (
    Route("GET", "/settings", settings, Access.ADMINISTRATOR),
    Route("GET", "/settings/units", show_units, Access.ADMINISTRATOR),
    Route("POST", "/settings/units", create_unit, Access.ADMINISTRATOR),
    Route("POST", "/settings/units/{id}", rename_unit, Access.ADMINISTRATOR),
    Route("GET", "/settings/keys", show_keys, Access.ADMINISTRATOR),
    Route("POST", "/settings/keys", create_key, Access.ADMINISTRATOR),
    Route("POST", "/settings/keys/{id}/revoke", revoke_key, Access.ADMINISTRATOR),
)
