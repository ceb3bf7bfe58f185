"""What only the real mailer can get wrong: connections, TLS, signing in, timeouts."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.test_mail import a_message
from tests.servers.smtp import DROP, SILENCE, SmtpServer, smtp_server
from webinar.mail.port import MailDeferred, MailRefused
from webinar.mail.smtp import SmtpMailer, SmtpSettings


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    async with smtp_server() as running:
        yield running


def a_mailer(server: SmtpServer, **settings: object) -> SmtpMailer:
    defaults: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "timeout": 5.0,
    }
    return SmtpMailer(SmtpSettings(**(defaults | settings)))  # type: ignore[arg-type]  # one place of defaults


async def test_a_batch_goes_over_one_connection(server: SmtpServer) -> None:
    mailer = a_mailer(server)
    for number in range(5):
        await mailer.send(a_message(number=number))
    await mailer.close()
    assert (len(server.taken), server.connections) == (5, 1)


async def test_many_at_once_take_turns(server: SmtpServer) -> None:
    mailer = a_mailer(server)
    await asyncio.gather(*(mailer.send(a_message(number=number)) for number in range(20)))
    await mailer.close()
    assert (len(server.taken), server.connections) == (20, 1)


async def test_a_connection_is_renewed_after_its_share_of_messages(server: SmtpServer) -> None:
    mailer = a_mailer(server, most_messages=2)
    for number in range(5):
        await mailer.send(a_message(number=number))
    await mailer.close()
    assert server.connections == 3


async def test_a_connection_is_renewed_after_its_time(server: SmtpServer) -> None:
    mailer = a_mailer(server, longest_life=0.0)
    await mailer.send(a_message())
    await mailer.send(a_message())
    await mailer.close()
    assert server.connections == 2


async def test_a_server_that_hung_up_between_two_messages_is_called_again(server: SmtpServer) -> None:
    mailer = a_mailer(server)
    await mailer.send(a_message(number=1))
    server.hang_up()
    await mailer.send(a_message(number=2))
    await mailer.close()
    assert (len(server.taken), server.connections) == (2, 2)


async def test_a_connection_lost_in_the_data_defers_and_is_not_repeated_at_once(server: SmtpServer) -> None:
    server.at_data["*"] = DROP
    mailer = a_mailer(server)
    with pytest.raises(MailDeferred):
        await mailer.send(a_message())
    assert server.connections == 1
    server.heal()
    await mailer.send(a_message())
    await mailer.close()


async def test_a_silent_server_defers_after_the_timeout(server: SmtpServer) -> None:
    server.at_rcpt["*"] = SILENCE
    mailer = a_mailer(server, timeout=0.2)
    async with asyncio.timeout(5):
        with pytest.raises(MailDeferred):
            await mailer.send(a_message())
        await mailer.close()


async def test_a_policy_that_refuses_the_content_is_a_refusal(server: SmtpServer) -> None:
    server.at_data["*"] = "554 5.7.1 Looks like spam"
    with pytest.raises(MailRefused) as refused:
        await a_mailer(server).send(a_message())
    assert (refused.value.code, refused.value.enhanced, refused.value.text) == (
        554,
        "5.7.1",
        "Looks like spam",
    )


async def test_a_full_mailbox_is_a_refusal_and_greylisting_is_not(server: SmtpServer) -> None:
    mailer = a_mailer(server)
    server.refuse("siti@dinkes.test", "552 5.2.2 Mailbox full")
    with pytest.raises(MailRefused):
        await mailer.send(a_message())
    server.defer("siti@dinkes.test", "450 4.7.1 Greylisted")
    with pytest.raises(MailDeferred):
        await mailer.send(a_message())
    await mailer.close()


async def test_a_server_that_goes_down_politely_defers(server: SmtpServer) -> None:
    server.defer("siti@dinkes.test", "421 4.3.2 Shutting down")
    with pytest.raises(MailDeferred) as deferred:
        await a_mailer(server).send(a_message())
    assert deferred.value.code == 421


async def test_a_wrong_password_of_ours_defers_and_never_blames_the_address() -> None:
    async with smtp_server(sign_in=True) as server:
        with pytest.raises(MailDeferred) as deferred:
            await a_mailer(server, username="pendopo", password="wrong").send(a_message())
        assert deferred.value.code == 535
        mailer = a_mailer(server, username="pendopo", password="right")
        await mailer.send(a_message())
        await mailer.close()
        assert len(server.taken) == 1


async def test_a_missing_password_of_ours_defers() -> None:
    async with smtp_server(sign_in=True) as server:
        with pytest.raises(MailDeferred) as deferred:
            await a_mailer(server).send(a_message())
        assert deferred.value.code == 530


async def test_a_cancelled_send_leaves_the_mailer_usable(server: SmtpServer) -> None:
    server.at_rcpt["*"] = SILENCE
    mailer = a_mailer(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await mailer.send(a_message())
    server.heal()
    await mailer.send(a_message())
    await mailer.close()


async def test_a_check_connects_and_sends_nothing(server: SmtpServer) -> None:
    mailer = a_mailer(server)
    assert await mailer.check()
    await mailer.close()
    await server.go_away()
    with pytest.raises(MailDeferred):
        await mailer.check()
    assert server.taken == []


def test_a_password_is_not_in_the_settings_repr() -> None:
    assert "hunter2" not in repr(SmtpSettings("h", 25, password="hunter2"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest.fixture
def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*map(str, certificate))
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_goes_encrypted(
    security: str, certificate: tuple[Path, Path], server_tls: ssl.SSLContext
) -> None:
    contexts = {security: server_tls}
    async with smtp_server(**contexts) as server:  # type: ignore[arg-type]  # starttls or tls
        mailer = a_mailer(server, security=security, ca_file=str(certificate[0]))
        await mailer.send(a_message(number=1))
        await mailer.send(a_message(number=2))
        await mailer.close()
        assert len(server.taken) == 2


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_signed_defers_and_nothing_is_sent(
    security: str, server_tls: ssl.SSLContext
) -> None:
    contexts = {security: server_tls}
    async with smtp_server(**contexts) as server:  # type: ignore[arg-type]  # starttls or tls
        with pytest.raises(MailDeferred):
            await a_mailer(server, security=security).send(a_message())
        assert server.taken == []


async def test_starttls_that_is_not_offered_defers_rather_than_going_in_the_clear(server: SmtpServer) -> None:
    with pytest.raises(MailDeferred):
        await a_mailer(server, security="starttls").send(a_message())
    assert server.taken == []
