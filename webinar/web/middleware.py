"""What happens around every request, in this order.

Headers that tell the browser what is allowed; the host check; who asks; whether the form is ours;
whether the route is theirs; and one mapping from refusals to answers.
"""

import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web
from sqlalchemy.exc import SQLAlchemyError

from webinar.core import language as wording
from webinar.core.errors import Forbidden, NotFound, Refused, Unauthenticated
from webinar.core.ids import new_secret
from webinar.operations import store as operations
from webinar.people import access, api_keys, limits, sessions
from webinar.people import store as people
from webinar.people.access import Role
from webinar.people.sign_in_rules import DAY, address_limit
from webinar.web.context import (
    ANONYMOUS_COOKIE,
    CONTEXT,
    FLASH_COOKIE,
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Context,
    address_of,
    set_cookie,
)
from webinar.web.problems import (
    Compressed,
    KeyMissing,
    KeyRefused,
    LengthMissing,
    ScopeMissing,
    TooLarge,
    Unreadable,
    answer_refusal,
)
from webinar.web.site import SITE, Access, Handler, Route, Site

log = structlog.get_logger()
UNSAFE = frozenset({hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH, hdrs.METH_DELETE})
# Probes and webhooks come by whatever address the machine has.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})
VISITOR_S = 30 * 86_400


def security_headers(here: Site) -> Mapping[str, str]:
    """Headers of every answer; a page that needs more says so itself."""
    return _security_headers(tuple(server.public_url for server in here.pool), here.settings.secure)


@lru_cache
def _security_headers(media_urls: tuple[str, ...], secure: bool) -> Mapping[str, str]:
    media = " ".join(sorted({scheme(url) for url in media_urls for scheme in (_ws, _http)}))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' data: blob:; "
        f"connect-src 'self' {media}; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; frame-src 'self'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _ws(url: str) -> str:
    return url.replace("https://", "wss://", 1).replace("http://", "ws://", 1)


def _http(url: str) -> str:
    return url.replace("wss://", "https://", 1).replace("ws://", "http://", 1)


@web.middleware
async def headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the security headers on every answer, errors too."""
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        _put_headers(request, error)
        raise
    _put_headers(request, answer)
    return answer


def _put_headers(request: web.Request, answer: web.StreamResponse) -> None:
    if answer.prepared:
        return
    for name, value in security_headers(request.app[SITE]).items():
        answer.headers.setdefault(name, value)
    if not request.path.startswith("/static/"):
        answer.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The one place where a refusal becomes an answer, in the reader's language."""
    try:
        return await handler(request)
    except Refused as refused:
        if refused.status >= 500:
            log.warning("refused", code=refused.code, route=_route(request), why=repr(refused.__cause__))
        return answer_refusal(request, refused)
    except web.HTTPNotFound:
        return answer_refusal(request, NotFound())
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = answer_refusal(request, None, status=error.status)
        if hdrs.ALLOW in error.headers:
            answer.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return answer
    except ConnectionResetError:
        raise
    except SQLAlchemyError:
        log.exception("database_failed", route=_route(request))
        return answer_refusal(request, None, status=503)
    except Exception:
        log.exception("request_failed", route=_route(request), method=request.method)
        return answer_refusal(request, None, status=500)


def _route(request: web.Request) -> str:
    """The pattern of the address and not the address: join and sign-in links are secrets."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


@web.middleware
async def host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer for our own name only, so that no link, cache or redirect is ever made of a forged one."""
    here = request.app[SITE]
    ours = urlsplit(here.settings.public_url).netloc
    given = request.headers.getall(hdrs.HOST, [])
    if request.path in ANY_HOST or given == [ours]:
        return await handler(request)
    if request.method in {hdrs.METH_GET, hdrs.METH_HEAD} and len(given) == 1:
        return web.Response(
            status=307, headers={"Location": here.settings.public_url + request.rel_url.raw_path_qs}
        )
    return web.Response(status=421, text="Misdirected request\n")


@web.middleware
async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and check that they may call this route."""
    route: Route | None = getattr(request.match_info.handler, "route", None)
    here = request.app[SITE]
    cookie = request.cookies.get(SESSION_COOKIE, "")
    visitor = request.cookies.get(ANONYMOUS_COOKIE, "")
    asked = Context(request, here, _language(request), visitor or new_secret())
    request[CONTEXT] = asked
    _check_address(request)
    if route is not None:
        _check_size(request, route)
    if route is not None and route.access is Access.API:
        await _identify_key(asked, route)
    elif route is not None:
        if cookie and route.identifies:
            await identify_person(asked, cookie)
        if flash := request.cookies.get(FLASH_COOKIE):
            asked.open_flash(flash)
        # First who it is: a large form is read only for those who may send it.
        _check_access(asked, route)
        await _check_form(asked, route)
    elif cookie and not request.path.startswith("/static/"):
        # That there is no such page is said in the language of whoever is signed in.
        await identify_person(asked, cookie)
    answer = await handler(request)
    # Somebody whose session has ended needs a visitor's cookie too, or no form of theirs would be ours.
    _settle_cookies(asked, answer, fresh=not visitor and asked.person is None)
    return answer


def _check_address(request: web.Request) -> None:
    """A NUL is in no address of ours, and PostgreSQL takes it in no text."""
    if "\0" in request.path or "\0" in request.query_string:
        raise Unreadable


def _check_size(request: web.Request, route: Route) -> None:
    """Refuse a body by its announced length, before a byte of it is read."""
    if request.method not in UNSAFE or not request.can_read_body:
        return
    if request.content_length is None:
        raise LengthMissing
    if request.content_length > route.body:
        raise TooLarge
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        # What little is sent compressed could be much when it is unpacked.
        raise Compressed


def _settle_cookies(asked: Context, answer: web.StreamResponse, *, fresh: bool) -> None:
    if answer.prepared or asked.api_key_id or asked.request.path.startswith("/static/"):
        return
    if fresh and answer.content_type == "text/html":
        set_cookie(answer, asked.site, ANONYMOUS_COOKIE, asked.visitor, max_age=VISITOR_S)
    if asked.flashes and FLASH_COOKIE not in answer.cookies:
        answer.del_cookie(FLASH_COOKIE)


def _language(request: web.Request) -> wording.Language:
    """Programs that say nothing get English, people Indonesian."""
    if request.path.startswith("/api/"):
        return wording.chosen(request.headers.get(hdrs.ACCEPT_LANGUAGE), "en")
    return wording.chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get(hdrs.ACCEPT_LANGUAGE))


async def identify_person(asked: Context, cookie: str) -> None:
    """Who is signed in, if the session still lives."""
    here = asked.site
    life_ms = here.settings.session_days * DAY
    signed = await sessions.resolve(here.database, cookie, now=asked.now, life_ms=life_ms)
    if signed is None:
        return
    async with asked.reading() as session:
        asked.scope = await access.scope_of(session, signed.person_id)
        asked.person = await people.person(session, asked.scope, signed.person_id)
        asked.institution = (await people.institution(session, asked.scope.institution_id)).name
        if asked.scope.has(Role.ORGANISER):
            asked.mail_hold = await operations.mail_hold(session, asked.scope.institution_id)
    asked.session_secret = cookie
    # A session has CSRF tokens of its own; they end with it.
    asked.visitor = signed.digest
    if not asked.request.cookies.get(LANGUAGE_COOKIE):
        asked.language = wording.chosen(asked.person.language)


async def _identify_key(asked: Context, route: Route) -> None:
    """Who calls the API. Wrong keys are counted by address; a right one always gets through."""
    scheme, _, secret = asked.request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise KeyMissing
    key = await api_keys.resolve(asked.site.database, secret.strip(), asked.now)
    if key is None:
        limit = address_limit(address_of(asked.request), kind="keys")
        async with asked.writing() as session:
            await limits.count_try(session, [limit], asked.now)
        raise KeyRefused
    if route.api_scope not in key.scopes:
        raise ScopeMissing(scope=route.api_scope)
    asked.api_key_id = key.id
    asked.scope = key.scope


async def _check_form(asked: Context, route: Route) -> None:
    """Each unsafe request comes from our own page: same Origin, and the token of this session."""
    request = asked.request
    if request.method not in UNSAFE:
        return
    if request.headers.get(hdrs.ORIGIN) != _origin(asked.site.settings.public_url):
        raise Forbidden
    if route.access is Access.SEAT:
        # The page in the room has no form. The seat's cookie is SameSite, the Origin was checked, and
        # a body of this type cannot be sent across sites without asking first.
        if request.can_read_body and request.content_type != "application/json":
            raise Forbidden
        return
    token = request.headers.get("X-CSRF-Token", "")
    if not token:
        token = str((await request.post()).get("csrf_token", ""))
    if not hmac.compare_digest(token.encode(), asked.csrf_token.encode()):
        raise Forbidden


def _origin(public_url: str) -> str:
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}"


def _check_access(asked: Context, route: Route) -> None:
    if route.access in {Access.PUBLIC, Access.SEAT}:
        return
    if asked.person is None:
        raise Unauthenticated
    needed = {
        Access.ORGANISER: (Role.ORGANISER, Role.ADMINISTRATOR),
        Access.UNIT_MANAGER: (Role.UNIT_MANAGER, Role.ORGANISER, Role.ADMINISTRATOR),
        Access.ADMINISTRATOR: (Role.ADMINISTRATOR,),
    }.get(route.access)
    if needed and not any(asked.rights.has(role) for role in needed):
        raise Forbidden


ALL: tuple[Callable[..., object], ...] = (headers, host, refusals, who)
