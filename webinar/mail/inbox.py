"""The web inbox of the mail catcher: list, search, one mail as it looks, as text, its calendar, and raw."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import hdrs, web

from webinar.core.language import chosen
from webinar.mail.letters import TEMPLATES, environment
from webinar.mail.mailbox import Mailbox, Opened

SHOWN = 200
ZONE = "Asia/Jakarta"

_MAILBOX = web.AppKey("mailbox", Mailbox)
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# A mail is somebody else's HTML: no script, no form, nothing loaded, no origin; links open a new tab.
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def inbox_app(mailbox: Mailbox) -> web.Application:
    app = web.Application(middlewares=[_guard])
    app[_MAILBOX] = mailbox
    app.add_routes(
        [
            web.get("/", _list),
            web.get("/mails.json", _as_json),
            web.get("/mails/{name}", _show),
            web.get("/mails/{name}/html", _html),
            web.get("/mails/{name}/calendar.ics", _calendar),
            web.get("/mails/{name}/mail.eml", _raw),
            web.get("/inbox.css", _style),
            web.get("/healthz", _health),
        ]
    )
    return app


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    # A page elsewhere whose name is rebound to loopback would read people's sign-in links.
    if not _LOOPBACK.fullmatch(request.headers.get(hdrs.HOST, "")):
        return web.Response(status=421, text="Open this page as http://localhost.")
    response = await handler(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _list(request: web.Request) -> web.Response:
    query = request.query.get("q", "").strip()[:200]
    mails = await asyncio.to_thread(request.app[_MAILBOX].newest, query, limit=SHOWN)
    return _page(request, "mail/inbox.html", mails=mails, query=query, shown=SHOWN)


async def _as_json(request: web.Request) -> web.Response:
    """The list for programs: name, at (Unix ms), from, to, subject; newest first."""
    mails = await asyncio.to_thread(request.app[_MAILBOX].newest, request.query.get("q", ""), limit=SHOWN)
    return web.json_response(
        [{"name": m.name, "at": m.at, "from": m.sender, "to": m.to, "subject": m.subject} for m in mails]
    )


async def _show(request: web.Request) -> web.Response:
    opened = await _opened(request)
    if opened is None:
        return _page(request, "mail/inbox_missing.html", status=404)
    return _page(request, "mail/inbox_mail.html", mail=opened)


async def _html(request: web.Request) -> web.Response:
    opened = await _opened(request)
    if opened is None:
        raise web.HTTPNotFound
    return web.Response(
        # The doctype comes first: without it the mail would be laid out in quirks mode.
        text='<!doctype html><base target="_blank">' + opened.html,
        content_type="text/html",
        headers={"Content-Security-Policy": _MAIL_POLICY},
    )


async def _calendar(request: web.Request) -> web.Response:
    opened = await _opened(request)
    if opened is None or not opened.calendar:
        raise web.HTTPNotFound
    return _download(opened.calendar.encode(), "text/calendar", "invite.ics")


async def _raw(request: web.Request) -> web.Response:
    raw = await asyncio.to_thread(request.app[_MAILBOX].raw, request.match_info["name"])
    if raw is None:
        raise web.HTTPNotFound
    return _download(raw, "message/rfc822", "mail.eml")


async def _style(request: web.Request) -> web.FileResponse:
    return web.FileResponse(TEMPLATES / "mail" / "inbox.css")


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _opened(request: web.Request) -> Opened | None:
    return await asyncio.to_thread(request.app[_MAILBOX].open, request.match_info["name"])


def _download(content: bytes, kind: str, name: str) -> web.Response:
    disposition = f'attachment; filename="{name}"'
    return web.Response(body=content, content_type=kind, headers={hdrs.CONTENT_DISPOSITION: disposition})


def _page(request: web.Request, template: str, *, status: int = 200, **shown: Any) -> web.Response:
    language = chosen(request.headers.get(hdrs.ACCEPT_LANGUAGE))
    text = environment(language).get_template(template).render(shown, zone=ZONE)
    return web.Response(text=text, content_type="text/html", status=status)
