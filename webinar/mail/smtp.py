"""The mailer that speaks SMTP, through aiosmtplib."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from webinar.core.clock import monotonic
from webinar.mail import build
from webinar.mail.port import MailDeferred, MailNotSent, MailRefused, Message, Receipt

# Our own settings are wrong (RFC 4954): every message would be refused, and heals once they are right.
_OURS = frozenset({530, 534, 535, 538})
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b\s*")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to hand mail over; times in seconds.

    `security` is "none", "starttls" (port 587) or "tls" (port 465). A connection is used for at most
    `most_messages` messages and `longest_life` seconds, and given up after `longest_idle` seconds without
    one, since servers hang up on silent clients. `ca_file` names certificates (PEM) to trust beside those
    of the system.
    """

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0
    most_messages: int = 100
    longest_life: float = 120.0
    longest_idle: float = 15.0
    local_hostname: str | None = None
    ca_file: str | None = None


class SmtpMailer:
    """One connection, one message at a time; see `Mailer`."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Lock()
        self._connection: _Connection | None = None

    async def send(self, message: Message) -> Receipt:
        content = build.as_bytes(message)
        async with self._turn:
            while True:
                connection, reused = await self._connected()
                try:
                    return await self._hand_over(connection, message, content)
                except _HungUp as lost:
                    # A server may hang up between two messages without a word; a fresh connection tells.
                    if not reused:
                        raise lost.reason from lost

    async def check(self) -> str:
        """Connect and sign in, send nothing; the server's answer to NOOP. Raises as `send`."""
        async with self._turn:
            connection, _ = await self._connected()
            try:
                return (await connection.client.noop()).message
            except (aiosmtplib.SMTPException, OSError) as error:
                await self._drop()
                raise _not_sent(error) from error

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def _connected(self) -> tuple["_Connection", bool]:
        if self._connection and self._connection.fit(self._settings):
            return self._connection, True
        await self._drop()
        client = _client(self._settings)
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            failure = _not_sent(error)
            raise MailDeferred(failure.code, failure.text, failure.enhanced) from error
        self._connection = _Connection(client, born=monotonic())
        return self._connection, False

    async def _hand_over(self, connection: "_Connection", message: Message, content: bytes) -> Receipt:
        try:
            answer = await _transaction(connection, message, content)
        except BaseException as error:
            # Whatever went wrong, even a cancellation: the next message starts on a clean connection.
            await self._drop(polite=isinstance(error, aiosmtplib.SMTPResponseException))
            if _is_hang_up(error) and not connection.in_data:
                raise _HungUp(_not_sent(error)) from error
            if isinstance(error, aiosmtplib.SMTPException | OSError):
                raise _not_sent(error) from error
            raise
        connection.used(monotonic())
        return Receipt(message.message_id, answer)

    async def _drop(self, *, polite: bool = True) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if polite:
                await connection.client.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError):
            pass  # The connection is gone, which is what was wanted.
        finally:
            connection.client.close()


class _Connection:
    def __init__(self, client: aiosmtplib.SMTP, born: float) -> None:
        self.client = client
        self.born = self.last = born
        self.messages = 0
        self.in_data = False

    def fit(self, settings: SmtpSettings) -> bool:
        now = monotonic()
        return (
            self.client.is_connected
            and self.messages < settings.most_messages
            and now - self.born < settings.longest_life
            and now - self.last < settings.longest_idle
        )

    def used(self, at: float) -> None:
        self.messages += 1
        self.last = at
        self.in_data = False


class _HungUp(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, reason: MailNotSent) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _client(settings: SmtpSettings) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password or None,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        timeout=settings.timeout,
        local_hostname=settings.local_hostname,
        cert_bundle=settings.ca_file,
    )


async def _transaction(connection: _Connection, message: Message, content: bytes) -> str:
    client = connection.client
    await client.mail(message.sender.addr_spec)
    await client.rcpt(message.to.addr_spec)
    connection.in_data = True
    return (await client.data(content)).message


def _is_hang_up(error: BaseException) -> bool:
    lost = isinstance(error, aiosmtplib.SMTPServerDisconnected | ConnectionError)
    return lost or (isinstance(error, aiosmtplib.SMTPResponseException) and error.code == 421)


def _not_sent(error: BaseException) -> MailNotSent:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text, enhanced = _split(error.message)
        permanent = 500 <= error.code <= 599 and error.code not in _OURS
        return (MailRefused if permanent else MailDeferred)(error.code, text, enhanced)
    return _deferred(error)


def _deferred(error: BaseException) -> MailDeferred:
    return MailDeferred(0, build.one_line(str(error) or type(error).__name__)[:500])


def _split(answer: str) -> tuple[str, str]:
    """The server's words and its enhanced status, which leads the text or is not there (RFC 2034)."""
    found = _ENHANCED.match(answer)
    text = _ENHANCED.sub("", answer) if found else answer
    return build.one_line(text)[:500], found.group(1) if found else ""
