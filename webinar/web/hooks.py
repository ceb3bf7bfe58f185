"""The receiver of the media server's webhooks, a process of its own.

It needs only `media`, `evidence` and `core`, so that a deploy of the site loses no event. The media
server takes any 4xx for "delivered": 401 and the like are for what it never sent, 503 for what has
to come again. The answer's body is empty, since a non-empty one costs the notifier a new
connection for each event.
"""

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import hdrs, web

from webinar.core.clock import Clock, SystemClock
from webinar.evidence.append import StoreAway, WebhookLog, writer_for
from webinar.media.webhook import ForgedWebhook, UnreadableWebhook, parse

PATH = "/hooks/livekit"
LARGEST_BODY = 64 * 1024
READ_S = 5.0
# The notifier keeps its connection; ours must outlive its pauses.
KEEPALIVE_S = 120.0

log = structlog.get_logger(__name__)

LOG: web.AppKey[WebhookLog] = web.AppKey("log", WebhookLog)
CLOCK: web.AppKey[Clock] = web.AppKey("clock", Clock)
KEYS: web.AppKey[Mapping[str, str]] = web.AppKey("keys", Mapping)


def create_hooks_app(
    *, database_url: str, keys: Mapping[str, str], clock: Clock | None = None, wait_s: float = 3.0
) -> web.Application:
    """The receiver.

    Args:
        database_url: SQLAlchemy URL of a migrated database; it may be away when this starts.
        keys: live API keys of the media server, key to secret; two while they are rotated.
        wait_s: how long an event may wait for the disk before it is answered 503.
    """
    app = web.Application(client_max_size=LARGEST_BODY)
    app[KEYS] = keys
    app[CLOCK] = clock or SystemClock()
    app[LOG] = WebhookLog(writer_for(database_url), wait_s=wait_s)
    app.on_startup.append(_start)
    app.on_cleanup.append(_stop)
    app.router.add_post(PATH, receive)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", ready)
    return app


def hooks_runner(app: web.Application) -> web.AppRunner:
    """How the app has to be run: nothing is decompressed, and no request is logged with its header."""
    return web.AppRunner(
        app, access_log=None, auto_decompress=False, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=5.0
    )


async def receive(request: web.Request) -> web.Response:
    """Verify, append, 200."""
    received_at = request.app[CLOCK].now()
    authorization = request.headers.get(hdrs.AUTHORIZATION, "")
    if not authorization:
        return web.Response(status=401)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        return web.Response(status=415)
    if (request.content_length or 0) > LARGEST_BODY:
        return web.Response(status=413)
    try:
        async with asyncio.timeout(READ_S):
            body = await request.read()
    except TimeoutError:
        return web.Response(status=408)
    try:
        event = parse(body, authorization, request.app[KEYS], received_at)
    except (ForgedWebhook, UnreadableWebhook) as error:
        log.warning("webhook_refused", reason=error.code)
        return web.Response(status=error.status)
    try:
        await request.app[LOG].append(event, received_at)
    except StoreAway:
        return web.Response(status=503)
    return web.Response()


async def healthy(_request: web.Request) -> web.Response:
    return web.Response()


async def ready(request: web.Request) -> web.Response:
    return web.Response(status=200 if await request.app[LOG].ready() else 503)


async def _start(app: web.Application) -> None:
    await app[LOG].start()


async def _stop(app: web.Application) -> None:
    await app[LOG].close()
