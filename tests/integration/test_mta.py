"""An invite through a real mail server: what leaves us is what arrives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.servers.mta import opensmtpd
from tests.unit.test_invite_mails import HOUSE, NINE, NOTICE
from webinar.invites.render import Reader, invite_message
from webinar.invites.rules import first
from webinar.mail.catcher import Catcher, catcher
from webinar.mail.mailbox import Caught
from webinar.mail.port import MailRefused, Message
from webinar.mail.smtp import SmtpMailer, SmtpSettings

ARRIVES_WITHIN = 20.0


@dataclass
class Road:
    """Our mailer, the mail server, and the catcher behind it."""

    mailer: SmtpMailer
    catcher: Catcher


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    async with (
        catcher(tmp_path / "mail") as catching,
        opensmtpd(tmp_path, catching.smtp_port, "dinkes.test") as port,
    ):
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", port, security="none", timeout=10))
        yield Road(mailer, catching)
        await mailer.close()


def an_invite_to(email: str) -> Message:
    reader = Reader("Siti Rahma, Dr. Ñ", email, "id", "Asia/Makassar")
    return invite_message(
        first("r" * 26, "l" * 26, "pendopo.test"), NOTICE, reader, HOUSE, now=NINE - 86_400_000
    )


async def the_arrival(catching: Catcher) -> Caught:
    async with asyncio.timeout(ARRIVES_WITHIN):
        while not (found := catching.mailbox.newest()):
            await asyncio.sleep(0.05)
    (mail,) = found
    return mail


async def test_an_invite_arrives_intact_through_a_mail_server(road: Road) -> None:
    sent = an_invite_to("siti@dinkes.test")
    assert sent.calendar
    receipt = await road.mailer.send(sent)
    assert receipt.answer
    raw = road.catcher.mailbox.raw((await the_arrival(road.catcher)).name)
    assert raw
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0
    mail = message_from_bytes(raw, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    assert mail["Received"]
    assert "DKIM-Signature" not in mail
    assert (mail["Message-ID"], mail["Subject"]) == (sent.message_id, sent.subject)
    parts = {part.get_content_type(): part for part in mail.walk() if not part.is_multipart()}
    assert list(parts) == ["text/plain", "text/html", "text/calendar", "application/ics"]
    assert parts["text/plain"].get_content().replace("\r\n", "\n") == sent.text
    assert parts["text/html"].get_content().replace("\r\n", "\n").strip() == sent.html.strip()
    assert parts["text/calendar"]["Content-Type"].params["method"] == "REQUEST"
    for kind in ("text/calendar", "application/ics"):
        assert parts[kind].get_payload(decode=True) == sent.calendar.content
    (event,) = Calendar.from_ical(sent.calendar.content).walk("VEVENT")
    assert (event["URL"], str(event["SUMMARY"])) == (NOTICE.join_url, NOTICE.title)


async def test_a_mail_server_that_does_not_know_the_address_is_a_refusal(road: Road) -> None:
    with pytest.raises(MailRefused) as refused:
        await road.mailer.send(an_invite_to("siti@elsewhere.test"))
    assert refused.value.code == 550
    assert road.catcher.mailbox.newest() == []
