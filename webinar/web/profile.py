"""One's own profile: name, language and zone, password, and the browsers that are signed in."""

from aiohttp import web

from webinar.core.errors import FieldError, Invalid, Stale, TooMany
from webinar.invites import reminders
from webinar.people import service, sessions, sign_in
from webinar.people import store as people
from webinar.people.rules import zones
from webinar.web.context import LANGUAGE_COOKIE, Context, context, set_cookie
from webinar.web.forms import fields, messages, whole
from webinar.web.home import A_YEAR_S
from webinar.web.sign_in import browser_of, life_ms, remember, secret_field
from webinar.web.site import Access, Route

INDONESIAN_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(context(request))


async def _page(
    asked: Context,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    person = asked.signed_in
    async with asked.reading() as session:
        open_sessions = await sessions.of_person(session, person.id, asked.now)
        grants = await service.roles(session, person.id)
        unit = await people.unit(session, asked.rights, person.unit_id)
        no_reminders = await reminders.refuses(session, person.id)
    known = {
        "name": person.name,
        "phone": person.phone or "",
        "language": person.language,
        "zone": person.zone,
        "version": str(person.version),
    }
    return asked.page(
        "people/profile.html",
        status=status,
        person=person,
        unit=unit,
        grants=grants,
        no_reminders=no_reminders,
        v=known | (values or {}),
        e=errors or {},
        stale=stale,
        zones=zone_options(person.zone),
        sessions=open_sessions,
        browsers={one.digest: browser_name(one.user_agent) for one in open_sessions},
        this_session=asked.visitor,
    )


def zone_options(present: str) -> list[tuple[str, str]]:
    """Indonesia's three zones first, by name; then all others."""
    names = dict(zip(INDONESIAN_ZONES, ("WIB", "WITA", "WIT"), strict=True))
    first = [(zone, f"{names[zone]} ({zone})") for zone in INDONESIAN_ZONES]
    return first + [(zone, zone) for zone in sorted(zones() | {present}) if zone not in names]


# The first that occurs names it: browsers also call themselves by the names of those they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """`Chrome · Android`, or as much of it as can be told."""
    parts = [
        next((name for mark, name in known if mark in user_agent), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(part for part in parts if part)


async def save(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    version = whole(typed.get("version", ""))
    try:
        async with asked.writing() as session:
            person = await service.update_self(
                session,
                asked.rights,
                name=typed.get("name", ""),
                phone=typed.get("phone", ""),
                language=typed.get("language", ""),
                zone=typed.get("zone", ""),
                version=version,
                now=asked.now,
            )
    except Invalid as invalid:
        return await _page(asked, values=typed, errors=messages(invalid, asked._), status=422)
    except Stale:
        return await _page(asked, values=typed, stale=asked._(Stale.message), status=412)
    answer = asked.redirect("/profile", asked._("Your profile is saved."))
    set_cookie(answer, asked.site, LANGUAGE_COOKIE, person.language, max_age=A_YEAR_S)
    return answer


async def change_password(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    try:
        signed = await sign_in.change_password(
            asked.site.database,
            asked.site.passwords,
            asked.rights,
            old=await secret_field(request, "old"),
            new=await secret_field(request, "password"),
            browser=browser_of(request),
            now=asked.now,
            life_ms=life_ms(asked),
        )
    except TooMany as refused:
        invalid = Invalid([FieldError("old", refused.message, refused.fields)])
        return await _page(asked, errors=messages(invalid, asked._), status=429)
    except Invalid as invalid:
        return await _page(asked, errors=messages(invalid, asked._), status=422)
    done = asked._("Your new password is set. Other browsers were signed out.")
    return remember(asked, asked.redirect("/profile", done), signed)


async def end_session(request: web.Request) -> web.StreamResponse:
    """End one of one's own sessions, or all but this one."""
    asked = context(request)
    which = (await fields(request)).get("session", "")
    async with asked.writing() as session:
        if which == "others":
            await sessions.end_all(session, asked.signed_in.id, except_secret=asked.session_secret)
        else:
            await sessions.end_one(session, asked.signed_in.id, which)
    return asked.redirect("/profile#sessions", asked._("Signed out there."))


ROUTES = (
    Route("GET", "/profile", show, Access.SIGNED_IN),
    Route("POST", "/profile", save, Access.SIGNED_IN),
    Route("POST", "/profile/password", change_password, Access.SIGNED_IN),
    Route("POST", "/profile/sessions", end_session, Access.SIGNED_IN),
)
