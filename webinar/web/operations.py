"""The operations page: what is owed and how it stands, trying again, skipping, and the hold on mail."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import processes
from webinar.core.processes import Process, clocks_apart
from webinar.operations import servers as media_servers
from webinar.operations import service, store
from webinar.operations.rules import LISTED, RETRIED, SKIPPED, KindCount, Listed, Standing, skippable
from webinar.operations.wording import error_words, kind_words, server_words, standing_words
from webinar.web.context import Context, context
from webinar.web.forms import fields, whole
from webinar.web.rendering import url
from webinar.web.site import Access, Route

PAGE = 50
PROCESSES = ("web", "hooks", "scheduler", "recorder")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: how effects stand, of which kind; empty for what needs somebody most."""

    standing: Standing | None
    kind: str
    after: store.After | None = None

    def address(self, **more: object) -> str:
        return url("operations", show=self.standing, kind=self.kind or None, **more)


def wished(asked: dict[str, str]) -> Wish:
    show = asked.get("show", "")
    at, _, ident = asked.get("after", "").partition("-")
    after = (int(at), int(ident)) if _number(at) and _number(ident) else None
    return Wish(Standing(show) if show in LISTED else None, asked.get("kind", "")[:40], after)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


async def show(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    service.require(asked.rights)
    wish = wished(dict(request.query))
    async with asked.reading() as session:
        whose = await service.reach(session, asked.rights)
        counted = await store.overview(session, whose, asked.now)
        wish = Wish(wish.standing or _first(counted), wish.kind, wish.after)
        effects = await _listed(session, whose, wish, counted, asked.now)
        about = await store.subjects(session, effects[:PAGE])
        known = await processes.known(session)
        servers = await media_servers.lines(session, asked.site.pool)
        hold = await store.mail_hold(session, asked.rights.institution_id)
        holder = await store.name_of(session, hold.held_by) if hold and hold.held_by else ""
    return asked.page(
        "operations/operations.html",
        **_of_effects(asked, wish, counted, effects),
        about=about,
        **_of_processes(asked, known),
        servers=servers,
        servers_full=media_servers.full(servers),
        server_states=server_words(asked._),
        hold=hold,
        holder=holder,
    )


def _first(counted: list[KindCount]) -> Standing | None:
    """What needs somebody most."""
    return next((how for how in LISTED if any(kind.counts.get(how) for kind in counted)), None)


async def _listed(
    session: AsyncSession, whose: str | None, wish: Wish, counted: list[KindCount], now: int
) -> list[Listed]:
    """One more than a page, so that one sees whether there is a next."""
    if wish.standing is None:
        return []
    kinds = [
        kind.kind
        for kind in counted
        if kind.counts.get(wish.standing) and (not wish.kind or kind.kind == wish.kind)
    ]
    return await store.listed(session, whose, wish.standing, kinds, now, after=wish.after, limit=PAGE + 1)


def _of_effects(
    asked: Context, wish: Wish, counted: list[KindCount], effects: list[Listed]
) -> dict[str, Any]:
    _ = asked._
    totals = {how: sum(kind.counts.get(how, 0) for kind in counted) for how in LISTED}
    of_standing = [kind for kind in counted if wish.standing and kind.counts.get(wish.standing)]
    more = len(effects) > PAGE
    last = effects[PAGE - 1] if more else None
    number = next((kind.counts[wish.standing] for kind in of_standing if kind.kind == wish.kind), 0)  # type: ignore[index]
    return {
        "wish": wish,
        "counted": counted,
        "totals": totals,
        "kinds": kind_words(_),
        "standings": standing_words(_),
        "errors": {kind.kind: error_words(_, kind.last_error) for kind in counted},
        "of_standing": of_standing,
        "effects": effects[:PAGE],
        "error_of": lambda effect: error_words(_, effect.last_error),
        "next": wish.address(after=f"{last.due_at}-{last.id}") if last else None,
        "number": number,
        "retry_all": bool(number) and wish.standing in RETRIED,
        "skip_all": bool(number) and wish.standing in SKIPPED and skippable(wish.kind),
    }


def _of_processes(asked: Context, known: list[Process]) -> dict[str, Any]:
    alive = [process for process in known if process.alive(asked.now)]
    return {
        "processes": known,
        "wrong_clocks": [process for process in alive if clocks_apart(process.clock_ahead_ms)],
        "absent": [kind for kind in PROCESSES if kind not in {process.kind for process in alive}],
    }


# --- acts --------------------------------------------------------------------------------------


async def retry(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    wish = wished(await fields(request))
    async with asked.writing() as session:
        found = await service.retry(session, asked.rights, whole(request.match_info["id"]), asked.now)
    if not found.retriable:
        return asked.redirect(wish.address(), asked._("It is settled already."), "info")
    return asked.redirect(wish.address(), asked._("It is tried now."))


async def skip(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    wish = wished(form)
    async with asked.writing() as session:
        found = await service.skip(
            session, asked.rights, whole(request.match_info["id"]), form.get("reason", ""), asked.now
        )
    if not found.skippable:
        return asked.redirect(wish.address(), asked._("It is settled already."), "info")
    return asked.redirect(wish.address(), asked._("Skipped. The reason is on record."))


async def retry_all(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    wish = wished(await fields(request))
    count = await _all(asked, service.retrying(asked.rights, _standing(wish), wish.kind, asked.now))
    return asked.redirect("/operations", asked._("%(count)s are tried now.", count=count))


async def skip_all(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    wish = wished(form)
    batch = service.skipping(asked.rights, _standing(wish), wish.kind, form.get("reason", ""), asked.now)
    count = await _all(asked, batch)
    return asked.redirect(
        "/operations", asked._("%(count)s are skipped. The reason is on record.", count=count)
    )


def _standing(wish: Wish) -> Standing:
    return wish.standing or Standing.PARKED


async def _all(asked: Context, batch: service.Batch) -> int:
    service.require(asked.rights)
    return await service.every(asked.writing, batch)


async def hold_mail(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    form = await fields(request)
    async with asked.writing() as session:
        await service.hold_mail(session, asked.rights, form.get("reason", ""), asked.now)
    return asked.redirect("/operations", asked._("Outgoing mail is held from now on."))


async def release_mail(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    async with asked.writing() as session:
        await service.release_mail(session, asked.rights, asked.now)
    return asked.redirect("/operations", asked._("Mail goes out again, that which was held first."))


def operates(asked: Context) -> bool:
    """Whether the operations page is this person's."""
    rights = asked.scope
    return rights is not None and rights.administers_institution


async def count_parked(asked: Context, session: AsyncSession) -> int:
    """What has stopped and waits for this person; 0 for whom it is none of their business."""
    if not operates(asked):
        return 0
    return await store.count_parked(session, await service.reach(session, asked.rights))


ROUTES = (
    Route("GET", "/operations", show, Access.ADMINISTRATOR),
    Route("POST", "/operations/effects/{id}/retry", retry, Access.ADMINISTRATOR),
    Route("POST", "/operations/effects/{id}/skip", skip, Access.ADMINISTRATOR),
    Route("POST", "/operations/retry", retry_all, Access.ADMINISTRATOR),
    Route("POST", "/operations/skip", skip_all, Access.ADMINISTRATOR),
    Route("POST", "/operations/mail/hold", hold_mail, Access.ADMINISTRATOR),
    Route("POST", "/operations/mail/release", release_mail, Access.ADMINISTRATOR),
)
