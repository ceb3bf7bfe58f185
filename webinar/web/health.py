"""Whether this process lives, and whether everything it needs is there."""

import asyncio

from aiohttp import web
from sqlalchemy import select

from webinar.core import processes
from webinar.core.errors import Refused
from webinar.core.tables import ProcessRow
from webinar.web.context import site
from webinar.web.rendering import built
from webinar.web.site import Access, Route, Site

KINDS = ("hooks", "recorder", "scheduler")


async def healthz(_request: web.Request) -> web.StreamResponse:
    """The process answers."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.StreamResponse:
    """200 once everything runs; before, 503 and what is missing."""
    here = site(request)
    missing = await missing_parts(here)
    body = {"ready": not missing, "missing": missing}
    return web.json_response(body, status=503 if missing else 200)


async def missing_parts(here: Site) -> list[str]:
    """What does not answer: database, processes, media server, built pages."""
    checks = await asyncio.gather(_processes(here), _media(here))
    missing = [name for found in checks for name in found]
    return missing if built() else [*missing, "pages (run npm run build in frontend/)"]


async def _processes(here: Site) -> list[str]:
    try:
        async with here.database.reading() as session:
            rows = (await session.execute(select(ProcessRow.kind, ProcessRow.seen_at))).all()
    except Refused:
        return ["database"]
    alive = {kind for kind, seen_at in rows if here.clock.now() - seen_at < processes.SILENT_AFTER_MS}
    return [kind for kind in KINDS if kind not in alive]


async def _media(here: Site) -> list[str]:
    """Lectures go on with one of several away; that is for the operations page to say."""
    answers = await asyncio.gather(*(_answers(here, server.name) for server in here.pool))
    return [] if any(answers) else ["media server"]


async def _answers(here: Site, server: str) -> bool:
    try:
        await here.pool.of(server).health()
    except Refused:
        return False
    return True


ROUTES = (
    Route("GET", "/healthz", healthz, Access.PUBLIC),
    Route("GET", "/readyz", readyz, Access.PUBLIC),
)
