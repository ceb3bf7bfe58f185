"""A real SMTP server on a free loopback port, whose behaviour a test scripts address by address."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = "drop"
SILENCE = "silence"


@dataclass
class Taken:
    """One message as it came over the wire."""

    sender: str
    recipients: list[str]
    content: bytes
    connection: int


@dataclass
class SmtpServer:
    """`at_rcpt` and `at_data` map an address ("*" for all) to a reply, to DROP or to SILENCE."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    at_rcpt: dict[str, str] = field(default_factory=dict)
    at_data: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    password: str = "right"
    _transports: list[asyncio.BaseTransport] = field(default_factory=list)
    _server: asyncio.Server | None = None

    def refuse(self, address: str, reply: str = "550 5.1.1 No such user") -> None:
        self.at_rcpt[address] = reply

    def defer(self, address: str, reply: str = "451 4.3.0 Try again later") -> None:
        self.at_rcpt[address] = reply

    def drop(self, address: str = "*") -> None:
        self.at_data[address] = DROP

    def heal(self) -> None:
        self.at_rcpt.clear()
        self.at_data.clear()

    def hang_up(self) -> None:
        """Close every open connection without a word."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    async def go_away(self) -> None:
        """Nothing listens any more."""
        self.hang_up()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds its hooks by these names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.at_rcpt.get(address) or self.at_rcpt.get("*")
        if reply:
            return await self._play(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        reply = self.at_data.get(envelope.rcpt_tos[0]) or self.at_data.get("*")
        if reply:
            return await self._play(server, reply)
        number = server.number  # type: ignore[attr-defined]  # set in _Numbered
        content = envelope.original_content or b""
        self.taken.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), content, number))
        return f"250 2.0.0 queued as {len(self.taken)}"

    async def _play(self, server: SMTP, reply: str) -> str:
        if reply == SILENCE:
            await asyncio.Event().wait()
        if reply == DROP:
            assert server.transport
            server.transport.abort()
            return "421 4.3.2 going"
        return reply

    def _authenticate(
        self, server: object, session: object, envelope: object, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == self.password.encode()
        return AuthResult(success=right, handled=False)


class _Numbered(SMTP):
    """Tells its connections apart."""

    def __init__(self, book: SmtpServer, **options: Any) -> None:
        super().__init__(book, **options)
        self._book = book
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.number:
            self._book.connections += 1
            self.number = self._book.connections
        self._book._transports.append(transport)
        super().connection_made(transport)


@asynccontextmanager
async def smtp_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, sign_in: bool = False
) -> AsyncIterator[SmtpServer]:
    """A server that takes everything until its `at_rcpt` or `at_data` say otherwise."""
    book = SmtpServer()

    def protocol() -> SMTP:
        return _Numbered(
            book,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=sign_in,
            auth_require_tls=False,
            authenticator=book._authenticate,
            hostname="mail.test",
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    book.port = server.sockets[0].getsockname()[1]
    book._server = server
    try:
        yield book
    finally:
        await book.go_away()
