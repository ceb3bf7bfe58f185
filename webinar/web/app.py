"""The site as an aiohttp application: parts, middlewares, routes."""

from functools import wraps
from pathlib import Path

from aiohttp import hdrs, web

from recordings.streaming import Fetches
from webinar.classroom.heartbeats import Heartbeats
from webinar.classroom.whereabouts import Whereabouts
from webinar.web import middleware
from webinar.web.routes import ROUTES
from webinar.web.site import BEATS, FETCHES, SITE, WHEREABOUTS, Handler, Route, Site

STATIC = Path(__file__).parent / "static"
LARGEST_BODY = 32 * 1024 * 1024
A_YEAR = "public, max-age=31536000, immutable"


def create_app(site: Site) -> web.Application:
    """The site with its routes."""
    app = web.Application(middlewares=middleware.ALL, client_max_size=LARGEST_BODY)  # type: ignore[arg-type]
    app[SITE] = site
    app[BEATS], app[FETCHES] = Heartbeats(site.database), Fetches(site.database)
    app[WHEREABOUTS] = Whereabouts(site.media)
    app.on_cleanup.append(_store_what_waits)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _bound(route))
        if route.method == hdrs.METH_GET:
            # Mail scanners and proxies ask so before they open a link.
            app.router.add_route(hdrs.METH_HEAD, route.path, _bound(route))
    app.router.add_static("/static/", STATIC, follow_symlinks=False)
    app.on_response_prepare.append(_cache_built)
    return app


def _bound(route: Route) -> Handler:
    """The handler with its row of the table attached."""

    @wraps(route.handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        return await route.handler(request)

    handle.route = route  # type: ignore[attr-defined]  # read by the access check
    return handle


async def _store_what_waits(app: web.Application) -> None:
    await app[BEATS].close()
    await app[FETCHES].close()


async def _cache_built(request: web.Request, answer: web.StreamResponse) -> None:
    # Built files carry their digest in the name, so they never change.
    if request.path.startswith("/static/built/assets/") and answer.status == 200:
        answer.headers[hdrs.CACHE_CONTROL] = A_YEAR
