"""The whole service as a person starts it, and real Chromium to use it with."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from itertools import chain
from pathlib import Path
from typing import Any

import aiohttp
from icalendar import Calendar
from playwright.async_api import Browser, async_playwright

from webinar.core.clock import SystemClock, to_ms
from webinar.instance import settings_of

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--auto-accept-this-tab-capture",
    "--autoplay-policy=user-gesture-required",
)
READY_WITHIN_S = 90
SOON_MS = 3_600_000


@dataclass
class Service:
    """`webinar up` on a folder of its own."""

    url: str
    data: Path
    process: asyncio.subprocess.Process
    inbox: str
    environment: dict[str, str]

    async def command(self, *words: str, stdin: str = "") -> str:
        """Run `webinar …` on the same folder; answers what it printed."""
        run = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "webinar",
            *words,
            "--data",
            str(self.data),
            cwd=ROOT,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await run.communicate(stdin.encode())
        assert run.returncode == 0, printed.decode()
        return printed.decode()

    async def mails(self, address: str, *, count: int = 1, within_s: float = 30) -> list[EmailMessage]:
        """At least so many mails to an address, the oldest first."""
        async with aiohttp.ClientSession() as web, asyncio.timeout(within_s):
            while True:
                async with web.get(f"{self.inbox}mails.json", params={"q": address}) as answer:
                    found = await answer.json()
                if len(found) >= count:
                    break
                await asyncio.sleep(0.2)
            mails = []
            for one in reversed(found):
                async with web.get(f"{self.inbox}mails/{one['name']}/mail.eml") as answer:
                    mails.append(message_from_bytes(await answer.read(), policy=SMTP))
        return mails  # type: ignore[return-value]  # the SMTP policy makes EmailMessages

    async def first_link(self, address: str) -> str:
        """The personal link to the demonstration's lecture that is about to begin.

        It may be one of several that somebody is invited to, and the mails arrive in any order.
        """
        count = 0
        async with asyncio.timeout(60):
            while True:
                mails = await self.mails(address, count=count + 1, within_s=60)
                count = len(mails)
                for event in chain.from_iterable(map(_events, mails)):
                    if abs(to_ms(event["DTSTART"].dt) - SystemClock().now()) < SOON_MS:
                        return str(event["URL"])


def _events(mail: EmailMessage) -> list[Any]:
    """What a mail puts into a calendar."""
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return [
        event for part in parts for event in Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")
    ]


@asynccontextmanager
async def running_service(
    database_url: str = "", *, demonstration: bool = False, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Service]:
    """Start everything, as a rule without the demonstration; ends it and removes its folder.

    Args:
        settings: more of the environment, without `PENDOPO_`.
    """
    with tempfile.TemporaryDirectory(prefix="pendopo-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        port = free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PENDOPO_")}
        environment |= {f"PENDOPO_{name}": value for name, value in (settings or {}).items()}
        if database_url:
            environment["PENDOPO_DATABASE_URL"] = database_url
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "webinar", "up", "--port", str(port), "--data", str(data)),
            "--demo" if demonstration else "--no-demo",
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            await _ready(process)
            chosen = settings_of(data)
            inbox = chosen.mail_inbox_url.rstrip("/") + "/"
            yield Service(chosen.public_url, data, process, inbox, environment)
        finally:
            await _end(process)


async def _ready(process: asyncio.subprocess.Process) -> None:
    printed = []
    assert process.stdout is not None
    async with asyncio.timeout(READY_WITHIN_S):
        while line := await process.stdout.readline():
            printed.append(line.decode())
            if "Pendopo is ready" in printed[-1]:
                return
    raise AssertionError("webinar up ended: " + "".join(printed))


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(20):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Real Chromium with a fake camera and microphone."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), handle_sigint=False
        )
        try:
            yield browser
        finally:
            await browser.close()
