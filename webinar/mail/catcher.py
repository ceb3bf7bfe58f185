"""The mail catcher of the demonstration: every mail is taken, kept in a folder, shown on a page.

It listens on loopback only, and answers only to loopback's names: what it shows lets people sign in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from webinar.core.clock import Clock, SystemClock
from webinar.mail.inbox import inbox_app
from webinar.mail.mailbox import Mailbox

LOOPBACK = "127.0.0.1"
_LARGEST = 25_000_000


@dataclass(frozen=True, slots=True)
class Catcher:
    """Where it listens."""

    smtp_port: int
    http_port: int
    mailbox: Mailbox

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.http_port}/"


async def run_catcher(folder: Path, smtp_port: int, http_port: int) -> None:
    """Catch mails until cancelled.

    Raises:
        OSError: a port is in use, or the folder cannot be made.
    """
    async with catcher(folder, smtp_port, http_port):
        await asyncio.Event().wait()


@asynccontextmanager
async def catcher(
    folder: Path, smtp_port: int = 0, http_port: int = 0, *, clock: Clock | None = None, most: int = 2_000
) -> AsyncIterator[Catcher]:
    """A running catcher; port 0 takes a free one."""
    mailbox = Mailbox(folder, clock or SystemClock(), most=most)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _smtp(mailbox), LOOPBACK, smtp_port)
    runner = web.AppRunner(inbox_app(mailbox), access_log=None, shutdown_timeout=1)
    try:
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, http_port)
        await site.start()
        yield Catcher(server.sockets[0].getsockname()[1], runner.addresses[0][1], mailbox)
    finally:
        server.close()
        await runner.cleanup()


class _Sink:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds its hook by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        try:
            name = await asyncio.to_thread(self._mailbox.keep, envelope.original_content or b"")
        except OSError as error:
            return f"452 4.3.1 {error.strerror or 'No room'}"
        return f"250 2.0.0 kept as {name}"


def _smtp(mailbox: Mailbox) -> SMTP:
    return SMTP(_Sink(mailbox), data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="pendopo.localhost")
