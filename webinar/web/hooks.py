"""The receiver of the media server's webhooks, a process of its own.

It needs only `media`, `evidence` and `core`, so that a deploy of the site loses no event. The media
server takes any 4xx for "delivered": 401 and the like are for what it never sent, 503 for what has
to come again. The answer's body is empty, since a non-empty one costs the notifier a new
connection for each event.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

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
# How long we read on and throw away after a refusal, so that the other side can read why.
LINGER_S = 1.0
TELL_EVERY_MS = 1_000

log = structlog.get_logger(__name__)
_silent = logging.Logger("webinar.web.hooks.http", logging.CRITICAL)

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


class Receiver:
    """The receiver's three addresses.

    They stand on aiohttp's server without its application: of what that does for each request (routes,
    middlewares, signals) nothing is needed here, and it takes a sixth of the time of an event.

    Args:
        log: where events are appended; whoever runs the receiver starts and closes it.
        keys: live API keys of the media server, key to secret; two while they are rotated.
        read_s: how long a body may take to come in after its head.
    """

    def __init__(
        self, log: WebhookLog, keys: Mapping[str, str], clock: Clock, *, read_s: float = READ_S
    ) -> None:
        self.log = log
        self._keys = keys
        self._read_s = read_s
        self._refused: Counter[str] = Counter()
        self._told_at = 0
        self._clock = clock
        self._routes: dict[str, dict[str, Handler]] = {
            PATH: {"POST": self.receive},
            "/healthz": {"GET": self.healthy, "HEAD": self.healthy},
            "/readyz": {"GET": self.ready, "HEAD": self.ready},
        }

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Whatever is asked: an answer without a body."""
        methods = self._routes.get(request.path)
        if methods is None:
            return web.Response(status=404)
        handler = methods.get(request.method)
        if handler is None:
            return web.Response(status=405, headers={"Allow": ", ".join(methods)})
        try:
            return await handler(request)
        except (OSError, asyncio.CancelledError):
            raise  # The other side went away.
        except Exception:
            # Whatever it was, it may be gone when the event comes again.
            log.exception("webhook_failed")
            return web.Response(status=503)

    async def receive(self, request: web.BaseRequest) -> web.Response:
        """Verify, append, 200."""
        received_at = self._clock.now()
        authorization = request.headers.get(hdrs.AUTHORIZATION, "")
        if refused := _refused_unread(request, authorization):
            return _unread(refused)
        try:
            # What arrived together with its head needs no timer: that is nearly every webhook.
            async with asyncio.timeout(None if request.content.is_eof() else self._read_s):
                body = await request.read()
            event = parse(body, authorization, self._keys, received_at)
            await self.log.append(event, received_at)
        except TimeoutError:
            return _unread(408)
        except web.HTTPRequestEntityTooLarge:
            return _unread(413)
        except (ForgedWebhook, UnreadableWebhook) as error:
            self._tell(error.code, received_at)
            return web.Response(status=error.status)
        except StoreAway:
            return web.Response(status=503)
        return web.Response()

    def _tell(self, reason: str, now: int) -> None:
        """One line a second at most: whoever can reach us must not fill our disk."""
        self._refused[reason] += 1
        if now - self._told_at >= TELL_EVERY_MS:
            log.warning("webhooks_refused", **self._refused)
            self._refused.clear()
            self._told_at = now

    async def healthy(self, _request: web.BaseRequest) -> web.Response:
        return web.Response()

    async def ready(self, _request: web.BaseRequest) -> web.Response:
        return web.Response(status=200 if await self.log.ready() else 503)


def _refused_unread(request: web.BaseRequest, authorization: str) -> int:
    """The status of what is refused before a byte of its body is read, else 0."""
    if not authorization:
        return 401
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        return 415
    return 413 if (request.content_length or 0) > LARGEST_BODY else 0


def _unread(status: int) -> web.Response:
    """An answer to what was not read to its end: what follows on this connection is no request."""
    answer = web.Response(status=status)
    answer.force_close()
    return answer


class HooksRunner(web.ServerRunner):
    """Runs a receiver: its log is open before the first event and closed after the last answer."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        server = web.Server(
            receiver.answer,
            request_factory=_request,
            # No request is logged with its header, and nothing is decompressed.
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGER_S,
            # What is no HTTP is answered 400; aiohttp would log the bytes, too, and these may be a token.
            logger=_silent,
        )
        super().__init__(server, shutdown_timeout=5.0)

    async def setup(self) -> None:
        await self._receiver.log.start()
        await super().setup()

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._receiver.log.close()


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    """A request whose body, announced or not, is read up to our limit only."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)


def create_hooks_app(
    *,
    database_url: str,
    keys: Mapping[str, str],
    clock: Clock | None = None,
    wait_s: float = 3.0,
    read_s: float = READ_S,
) -> Receiver:
    """The receiver.

    Args:
        database_url: SQLAlchemy URL of a migrated database; it may be away when this starts.
        keys: see `Receiver`, and `read_s`, too.
        wait_s: how long an event may wait for the disk before it is answered 503.
    """
    log = WebhookLog(writer_for(database_url), wait_s=wait_s)
    return Receiver(log, keys, clock or SystemClock(), read_s=read_s)


def hooks_runner(app: Receiver) -> HooksRunner:
    """How the receiver has to be run. Call it inside a running loop."""
    return HooksRunner(app)
