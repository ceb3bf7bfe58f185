"""Signing in and out, the forgotten password, and the links out of mails."""

from collections.abc import Mapping

from aiohttp import hdrs, web

from webinar.core.errors import Invalid, TooMany
from webinar.people import sessions, sign_in
from webinar.people.sign_in import Browser, LinkSpent, SignedIn, WrongSignIn
from webinar.people.sign_in_rules import DAY, DEVICE_KEPT_MS, Purpose
from webinar.web.context import SESSION_COOKIE, Context, address_of, context, local_path, set_cookie
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route

DEVICE_COOKIE = "pendopo_device"


def browser_of(request: web.Request) -> Browser:
    """Who knocks."""
    return Browser(
        address_of(request),
        request.cookies.get(DEVICE_COOKIE) or None,
        request.headers.get(hdrs.USER_AGENT, ""),
    )


def life_ms(asked: Context) -> int:
    return asked.site.settings.session_days * DAY


def remember(asked: Context, answer: web.StreamResponse, signed: SignedIn) -> web.StreamResponse:
    """Give the browser its two cookies."""
    set_cookie(answer, asked.site, SESSION_COOKIE, signed.session, max_age=life_ms(asked) // 1000)
    set_cookie(answer, asked.site, DEVICE_COOKIE, signed.device, max_age=DEVICE_KEPT_MS // 1000)
    return answer


async def secret_field(request: web.Request, name: str) -> str:
    """A password exactly as it was typed, blanks and all."""
    value = (await request.post()).get(name, "")
    return value if isinstance(value, str) else ""


async def form(request: web.Request) -> web.StreamResponse:
    """The sign-in page; somebody who is signed in goes on."""
    asked = context(request)
    to = local_path(request.query.get("next", "/"))
    if asked.person is not None:
        return asked.redirect(to)
    return _form_page(asked, {"next": to})


async def enter(request: web.Request) -> web.StreamResponse:
    """By e-mail and password."""
    asked = context(request)
    typed = await fields(request)
    try:
        signed = await sign_in.sign_in(
            asked.site.database,
            asked.site.passwords,
            email=typed.get("email", ""),
            password=await secret_field(request, "password"),
            browser=browser_of(request),
            now=asked.now,
            life_ms=life_ms(asked),
        )
    except (WrongSignIn, TooMany) as refused:
        text = asked._(type(refused).message, **refused.fields)
        return _form_page(asked, typed, error=text, status=refused.status)
    return remember(asked, asked.redirect(local_path(typed.get("next", "/"))), signed)


def _form_page(
    asked: Context, values: Mapping[str, str], *, error: str = "", status: int = 200
) -> web.Response:
    return asked.page("sign_in/sign_in.html", status=status, v=values, error=error)


async def leave(request: web.Request) -> web.StreamResponse:
    """Sign out: the session ends in the database, not only in the browser."""
    asked = context(request)
    if asked.session_secret:
        async with asked.writing() as session:
            await sessions.end(session, asked.session_secret)
    answer = asked.redirect("/sign-in", asked._("You are signed out."))
    answer.del_cookie(SESSION_COOKIE)
    return answer


# --- links by mail -----------------------------------------------------------------------------


async def ask_link(request: web.Request) -> web.StreamResponse:
    return _ask_page(context(request), Purpose.SIGN_IN)


async def ask_password(request: web.Request) -> web.StreamResponse:
    return _ask_page(context(request), Purpose.PASSWORD)


async def send_link(request: web.Request) -> web.StreamResponse:
    return await _send(request, Purpose.SIGN_IN)


async def send_password(request: web.Request) -> web.StreamResponse:
    return await _send(request, Purpose.PASSWORD)


async def _send(request: web.Request, purpose: Purpose) -> web.StreamResponse:
    """Owe the mail; the page says the same whether somebody has the address or not."""
    asked = context(request)
    email = (await fields(request)).get("email", "")
    try:
        await sign_in.ask_for_link(
            asked.site.database,
            email=email,
            purpose=purpose,
            browser=browser_of(request),
            link_key=asked.site.settings.link_key_bytes,
            now=asked.now,
        )
    except TooMany as refused:
        text = asked._(type(refused).message, **refused.fields)
        return _ask_page(asked, purpose, email=email, error=text, status=refused.status)
    return asked.page(
        "sign_in/sent.html", email=email, purpose=purpose, minutes=purpose.life_ms // 60_000,
        inbox=asked.site.settings.mail_inbox_url,
    )  # fmt: skip


def _ask_page(
    asked: Context, purpose: Purpose, *, email: str = "", error: str = "", status: int = 200
) -> web.Response:
    return asked.page("sign_in/ask.html", status=status, purpose=purpose, email=email, error=error)


async def link(request: web.Request) -> web.StreamResponse:
    """Where the mail leads. Nothing is used up by opening it: mail scanners open every link."""
    asked, token = context(request), request.match_info["token"]
    async with asked.reading() as session:
        if not await sign_in.link_alive(session, token, Purpose.SIGN_IN, asked.now):
            raise LinkSpent
    return _private(asked.page("sign_in/link.html", token=token))


async def enter_by_link(request: web.Request) -> web.StreamResponse:
    asked, token = context(request), request.match_info["token"]
    async with asked.writing() as session:
        signed = await sign_in.sign_in_by_link(
            session, token, browser=browser_of(request), now=asked.now, life_ms=life_ms(asked)
        )
    return remember(asked, asked.redirect("/"), signed)


async def password(request: web.Request) -> web.StreamResponse:
    """The page to choose a new password, behind a link out of a mail."""
    asked, token = context(request), request.match_info["token"]
    async with asked.reading() as session:
        if not await sign_in.link_alive(session, token, Purpose.PASSWORD, asked.now):
            raise LinkSpent
    return _private(asked.page("sign_in/password.html", token=token, errors={}))


async def set_password(request: web.Request) -> web.StreamResponse:
    asked, token = context(request), request.match_info["token"]
    try:
        signed = await sign_in.set_password_by_link(
            asked.site.database,
            asked.site.passwords,
            token,
            await secret_field(request, "password"),
            browser=browser_of(request),
            now=asked.now,
            life_ms=life_ms(asked),
        )
    except Invalid as invalid:
        errors = messages(invalid, asked._)
        return _private(asked.page("sign_in/password.html", status=422, token=token, errors=errors))
    return remember(asked, asked.redirect("/", asked._("Your new password is set.")), signed)


def _private(answer: web.Response) -> web.Response:
    """The address of this page is a secret: no other page learns it."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


ROUTES = (
    Route("GET", "/sign-in", form, Access.PUBLIC),
    Route("POST", "/sign-in", enter, Access.PUBLIC),
    Route("POST", "/sign-out", leave, Access.PUBLIC),
    Route("GET", "/sign-in/link", ask_link, Access.PUBLIC),
    Route("POST", "/sign-in/link", send_link, Access.PUBLIC),
    Route("GET", "/sign-in/link/{token}", link, Access.PUBLIC),
    Route("POST", "/sign-in/link/{token}", enter_by_link, Access.PUBLIC),
    Route("GET", "/password", ask_password, Access.PUBLIC),
    Route("POST", "/password", send_password, Access.PUBLIC),
    Route("GET", "/password/{token}", password, Access.PUBLIC),
    Route("POST", "/password/{token}", set_password, Access.PUBLIC),
)
