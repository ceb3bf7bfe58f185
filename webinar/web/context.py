"""What a request knows of itself: who asks, in which language, with which rights."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import language as wording
from webinar.core.audit import Actor
from webinar.core.errors import Unauthenticated
from webinar.core.language import Language
from webinar.operations.rules import MailHold
from webinar.people.access import Role, Scope
from webinar.people.rules import Person
from webinar.web import navigation
from webinar.web.rendering import Flash, Viewer, render
from webinar.web.site import SITE, Site

SESSION_COOKIE = "pendopo_session"
ANONYMOUS_COOKIE = "pendopo_visitor"
LANGUAGE_COOKIE = "pendopo_language"
FLASH_COOKIE = "pendopo_flash"
THEMES = frozenset({"pendopo", "pendopo-malam"})


@dataclass(slots=True)
class Context:
    """One request. `person` and `scope` are None for somebody who is not signed in."""

    request: web.Request
    site: Site
    language: Language
    # What CSRF tokens are bound to: the session, or a random value of a visitor without one.
    visitor: str
    person: Person | None = None
    scope: Scope | None = None
    session_secret: str = ""
    api_key_id: str = ""
    institution: str = ""
    # Of who organises: why mail of theirs does not go out.
    mail_hold: MailHold | None = None
    flashes: list[Flash] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.site.clock.now()

    @property
    def actor(self) -> Actor:
        """Who is written down as the author."""
        if self.api_key_id:
            return Actor("api_key", self.api_key_id)
        return Actor("person", self.signed_in.id)

    @property
    def signed_in(self) -> Person:
        """The person who is signed in.

        Raises:
            Unauthenticated: nobody is.
        """
        if self.person is None:
            raise Unauthenticated
        return self.person

    @property
    def rights(self) -> Scope:
        """The scope of whoever asks.

        Raises:
            Unauthenticated: nobody does.
        """
        if self.scope is None:
            raise Unauthenticated
        return self.scope

    @property
    def zone(self) -> str:
        return self.person.zone if self.person else "Asia/Jakarta"

    def _(self, message: str, **values: object) -> str:
        return wording.translator(self.language)(message, **values)

    @property
    def csrf_token(self) -> str:
        key = self.site.settings.link_key_bytes
        return hmac.new(key, f"csrf:{self.visitor}".encode(), hashlib.sha256).hexdigest()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self.site.database.reading() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Commits at the end of the block: leave it before answering."""
        async with self.site.database.writing() as session:
            yield session

    def page(self, template: str, *, status: int = 200, **shown: Any) -> web.Response:
        """The page as an answer, in its frame."""
        html = render(self.language, template, **self.frame(), **shown)
        return web.Response(text=html, content_type="text/html", status=status)

    def frame(self) -> dict[str, Any]:
        """What `base.html` shows around every page."""
        theme = self.request.cookies.get("theme", "")
        return {
            "viewer": self._viewer(),
            "nav": navigation.items(self.scope, self.request.path, self._) if self.person else (),
            "csrf_token": self.csrf_token,
            "theme": theme if theme in THEMES else "",
            "path": self._own_address(),
            "flashes": tuple(self.flashes),
            "institution": self.institution,
            "mail_hold": self.mail_hold,
            "now": self.now,
            "zone": self.zone,
        }

    def _own_address(self) -> str:
        """Where a switch of the language leads back to; what was posted has no address of its own."""
        if self.request.method in {"GET", "HEAD"}:
            return self.request.rel_url.path_qs
        return local_path(urlsplit(self.request.headers.get("Referer", "")).path)

    def _viewer(self) -> Viewer | None:
        if self.person is None:
            return None
        role = navigation.role_name(self.scope, self._)
        return Viewer(self.person.name, initials(self.person.name), role, self.person.zone)

    def redirect(
        self,
        to: str,
        flash: str = "",
        kind: Literal["success", "info", "warning", "error"] = "success",
        *,
        undo: tuple[str, str] = ("", ""),
    ) -> web.Response:
        """See other (303), with a message that the next page shows once.

        Args:
            undo: where a button posts to that takes it back, and what it says.
        """
        answer = web.Response(status=303, headers={"Location": local_path(to)})
        if flash:
            set_cookie(answer, self.site, FLASH_COOKIE, self._sealed(Flash(kind, flash, *undo)), max_age=60)
        return answer

    def _sealed(self, flash: Flash) -> str:
        body = urlsafe_b64encode(json.dumps(astuple(flash)).encode()).decode()
        return f"{body}.{self._seal(body)}"

    def _seal(self, body: str) -> str:
        key = self.site.settings.link_key_bytes
        return hmac.new(key, f"flash:{body}".encode(), hashlib.sha256).hexdigest()[:32]

    def open_flash(self, cookie: str) -> None:
        """Take the message out of the cookie, if we wrote it."""
        body, _, seal = cookie.partition(".")
        if body and hmac.compare_digest(seal, self._seal(body)):
            self.flashes.append(Flash(*json.loads(urlsafe_b64decode(body))))


CONTEXT = web.RequestKey("context", Context)


def context(request: web.Request) -> Context:
    """The context that the middleware made for this request."""
    found: Context = request[CONTEXT]
    return found


def site(request: web.Request) -> Site:
    return request.app[SITE]


def address_of(request: web.Request) -> str:
    """The network address of whoever asks: what the outermost proxy that is ours was spoken to from."""
    proxies = site(request).settings.trusted_proxies
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    return request.remote or ""


def initials(name: str) -> str:
    """Two letters for an avatar; titles such as "Dr." are passed over."""
    words = [w for w in name.replace(",", " ").split() if not w.endswith(".") and w[:1].isalpha()]
    return "".join(word[0] for word in (words or [name or "?"])[:2]).upper()


def local_path(to: str, otherwise: str = "/") -> str:
    """The address if it stays on this site, else the other one: a redirect never leaves.

    Browsers read `\\` as `/` and drop tabs and line ends, so that `/\\host` and `//host` are addresses of
    other sites.
    """
    if not to.startswith("/") or to[1:2] in {"/", "\\"} or any(ord(c) < 33 or c == "\\" for c in to):
        return otherwise
    parts = urlsplit(to)
    return to if not parts.scheme and not parts.netloc else otherwise


def set_cookie(
    answer: web.StreamResponse,
    here: Site,
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    path: str = "/",
    http_only: bool = True,
) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=max_age,
        path=path,
        httponly=http_only,
        secure=here.settings.secure,
        samesite="Lax",
    )


def has(scope: Scope | None, role: Role) -> bool:
    return scope is not None and scope.has(role)
