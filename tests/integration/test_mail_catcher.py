"""The mail catcher: every mail is kept, shown, and can do no harm to who looks at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.unit.test_mail_build import CALENDAR, a_message
from webinar.core.clock import ManualClock
from webinar.mail.build import as_bytes
from webinar.mail.catcher import Catcher, catcher
from webinar.mail.mailbox import Mailbox
from webinar.mail.port import MailDeferred
from webinar.mail.smtp import SmtpMailer, SmtpSettings

NINE = 1_795_572_000_000


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Catcher]:
    async with catcher(tmp_path / "mail") as catching:
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", catching.smtp_port, security="none", timeout=5))
        await mailer.send(
            a_message("Siti <b>Rahma</b>", "Undangan <script>", html="<p>Halo</p><script>x()</script>")
        )
        await mailer.close()
        yield catching


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Accept-Language": "en"}) as session:
        yield session


async def test_a_caught_mail_is_listed_found_and_shown(
    running: Catcher, browser: aiohttp.ClientSession
) -> None:
    found = await (await browser.get(running.url + "mails.json", params={"q": "SITI@dinkes"})).json()
    assert [mail["subject"] for mail in found] == ["Undangan <script>"]
    page = await (await browser.get(running.url)).text()
    assert "Undangan &lt;script&gt;" in page
    assert "&lt;b&gt;Rahma" in page
    mail = running.url + "mails/" + found[0]["name"]
    shown = await (await browser.get(mail)).text()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown
    assert "BEGIN:VCALENDAR" in shown
    assert await (await browser.get(mail + "/calendar.ics")).read() == CALENDAR.content
    raw = await browser.get(mail + "/mail.eml")
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert (await raw.read()).startswith(b"From: Pendopo <undangan@pendopo.test>\r\n")


async def test_a_mail_that_does_not_match_is_not_listed(
    running: Catcher, browser: aiohttp.ClientSession
) -> None:
    assert await (await browser.get(running.url + "mails.json", params={"q": "budi"})).json() == []
    assert "No mail matches" in await (await browser.get(running.url, params={"q": "budi"})).text()


async def test_the_html_of_a_mail_runs_and_loads_nothing(
    running: Catcher, browser: aiohttp.ClientSession
) -> None:
    (mail,) = await (await browser.get(running.url + "mails.json")).json()
    answer = await browser.get(f"{running.url}mails/{mail['name']}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:8025", "127.0.0.1.evil.test", "localhost@evil.test"]
)
async def test_a_page_under_another_name_reads_nothing(
    running: Catcher, browser: aiohttp.ClientSession, host: str
) -> None:
    answer = await browser.get(running.url + "mails.json", headers={"Host": host})
    assert answer.status == 421
    assert "Undangan" not in await answer.text()


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc%2fpasswd", "x", "%00", "1795572000000-" + "a" * 26, "..", "."]
)
@pytest.mark.parametrize("part", ["", "/html", "/calendar.ics", "/mail.eml"])
async def test_a_name_that_is_no_mail_is_not_found(
    running: Catcher, browser: aiohttp.ClientSession, name: str, part: str
) -> None:
    from yarl import URL

    answer = await browser.get(URL(f"{running.url}mails/{name}{part}", encoded=True))
    assert answer.status in (400, 404)


async def test_the_page_speaks_indonesian_first(running: Catcher) -> None:
    async with aiohttp.ClientSession() as session:
        assert 'lang="id"' in await (await session.get(running.url)).text()


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    clock = ManualClock(NINE)
    mailbox = Mailbox(tmp_path, clock, most=3)
    names = []
    for number in range(5):
        names.append(mailbox.keep(as_bytes(a_message(subject=f"mail {number}"))))
        clock.advance(1_000)
    assert [mail.subject for mail in mailbox.newest()] == ["mail 4", "mail 3", "mail 2"]
    assert sorted(path.stem for path in tmp_path.iterdir()) == names[2:]


def test_a_mailbox_knows_the_mails_of_the_run_before_and_ignores_other_files(tmp_path: Path) -> None:
    Mailbox(tmp_path, ManualClock(NINE)).keep(as_bytes(a_message()))
    (tmp_path / ".1795572000000-x.part").write_bytes(b"half")
    (tmp_path / "notes.eml").write_bytes(b"mine")
    assert len(Mailbox(tmp_path, ManualClock(NINE)).newest()) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"Subject: =?utf-8?q?=00?=\n\n", b"no header at all"]
)
def test_a_mail_that_is_none_is_kept_and_shown_all_the_same(tmp_path: Path, content: bytes) -> None:
    mailbox = Mailbox(tmp_path, ManualClock(NINE))
    name = mailbox.keep(content)
    assert mailbox.raw(name) == content
    assert mailbox.open(name)


async def test_no_room_defers_the_mail(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    async with catcher(folder) as catching:
        folder.rmdir()
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", catching.smtp_port, security="none", timeout=5))
        with pytest.raises(MailDeferred) as deferred:
            await mailer.send(a_message())
        await mailer.close()
        assert (deferred.value.code, deferred.value.enhanced) == (452, "4.3.1")
