"""Refusals as answers: a page for a person, an RFC 9457 problem document for a program."""

from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web

from webinar.core import language as wording
from webinar.core.errors import (
    Forbidden,
    IllegalMove,
    Invalid,
    NotFound,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from webinar.web.context import CONTEXT, Context
from webinar.web.rendering import render
from webinar.web.site import SITE

PROBLEM = "application/problem+json"
PAGES = frozenset({400, 401, 403, 404, 409, 410, 412, 413, 422, 429, 500, 503})


class TooLarge(Refused):
    code = "too_large"
    status = 413
    message = "This is too large to be taken."


class LengthMissing(Refused):
    code = "length_missing"
    status = 411
    message = "The request does not say how long its body is."


class Compressed(Refused):
    code = "compressed"
    status = 415
    message = "A compressed body is not taken."


class Unreadable(Refused):
    code = "unreadable"
    status = 400
    message = "This address cannot be read."


class NotAllowed(Refused):
    code = "method_not_allowed"
    status = 405
    message = "This cannot be done at this address."


class KeyMissing(Unauthenticated):
    code = "key_missing"
    message = "Send an API key: Authorization: Bearer …"


class KeyRefused(Unauthenticated):
    code = "key_refused"
    message = "This API key does not exist, has expired or was revoked."


class ScopeMissing(Forbidden):
    code = "scope_missing"
    message = "This API key lacks the scope %(scope)s."


class Broken(Refused):
    code = "internal"
    status = 500
    message = "Something went wrong on our side. It was written down; please try again."


BY_STATUS: dict[int, type[Refused]] = {
    403: Forbidden,
    404: NotFound,
    405: NotAllowed,
    413: TooLarge,
    429: TooMany,
    500: Broken,
    503: Unavailable,
}


def wants_json(request: web.Request) -> bool:
    """Whether a program reads the answer."""
    accept = request.headers.get(hdrs.ACCEPT, "")
    return (
        request.path.startswith("/api/")
        or "json" in accept
        or (request.content_type == "application/json" and "text/html" not in accept)
    )


def answer_refusal(
    request: web.Request, refused: Refused | None, *, status: int | None = None
) -> web.StreamResponse:
    """The answer to a refusal, or to a bare HTTP status."""
    code = refused.status if refused else (status or 500)
    if refused is None:
        refused = BY_STATUS.get(code, Broken if code >= 500 else Forbidden)()
    asked = request.get(CONTEXT)
    if wants_json(request):
        return problem(asked.language if asked else "en", refused, code)
    if isinstance(refused, Unauthenticated) and request.method == hdrs.METH_GET:
        back = quote(request.rel_url.raw_path_qs, safe="/")
        to = f"/sign-in?next={back}" if request.path != "/" else "/sign-in"
        return web.Response(status=303, headers={"Location": to})
    return _page(request, asked, refused, code)


def problem(language: wording.Language, refused: Refused, status: int, **more: Any) -> web.Response:
    """An RFC 9457 document; `errors` names each field that is wrong."""
    _ = wording.translator(language)
    document: dict[str, Any] = {
        "type": f"urn:pendopo:problem:{refused.code}",
        "title": in_words(_, refused),
        "status": status,
        "code": refused.code,
        **{name: value for name, value in refused.fields.items() if isinstance(value, (str, int, bool))},
        **more,
    }
    if isinstance(refused, Invalid):
        document["errors"] = [
            {"field": e.field, "detail": _(e.message, **e.fields) if e.fields else _(e.message)}
            for e in refused.errors
        ]
        document["detail"] = "; ".join(f"{e['field']}: {e['detail']}" for e in document["errors"])
    answer = web.json_response(document, status=status, content_type=PROBLEM)
    if status in {429, 503}:
        answer.headers["Retry-After"] = str(int(refused.fields.get("retry_after_s", 5)))
    if challenge := _challenge(refused, status):
        answer.headers["WWW-Authenticate"] = challenge
    return answer


def in_words(_: wording.Translate, refused: Refused) -> str:
    """Why something was refused, as its reader would say it; a state is a word of theirs, too."""
    fields = dict(refused.fields)
    if isinstance(refused, IllegalMove):
        fields["state"] = _state(_, str(fields.get("state", "")))
    return _(type(refused).message, **fields)


def _state(_: wording.Translate, state: str) -> str:
    words = {
        "draft": _("Draft"),
        "scheduled": _("Scheduled"),
        "open": _("Room open"),
        "live": _("Under way"),
        "ended": _("Ended"),
        "final": _("Final"),
        "archived": _("Archived"),
        "cancelled": _("Cancelled"),
    }
    return words.get(state, state).lower()


def _challenge(refused: Refused, status: int) -> str:
    """What a program is told of its key (RFC 6750 section 3)."""
    if isinstance(refused, KeyRefused):
        return 'Bearer error="invalid_token"'
    if isinstance(refused, ScopeMissing):
        return f'Bearer error="insufficient_scope", scope="{refused.fields["scope"]}"'
    return "Bearer" if status == 401 else ""


def _page(request: web.Request, asked: Context | None, refused: Refused, status: int) -> web.Response:
    language = asked.language if asked else "id"
    _ = wording.translator(language)
    text = in_words(_, refused)
    template = f"errors/{status}.html" if status in PAGES else "errors/409.html"
    frame: dict[str, Any] = asked.frame() if asked else {"now": request.app[SITE].clock.now()}
    html = render(language, template, **frame, message=text, code=refused.code)
    answer = web.Response(text=html, content_type="text/html", status=status)
    if status in {429, 503}:
        answer.headers["Retry-After"] = "5"
    return answer
