"""What happens in the room when something breaks: everybody comes back by themselves."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, Error, expect

from tests.browser.people import HESTI, SITI, Attendee, let_in
from tests.browser.service import Service, chromium, running_service

pytestmark = pytest.mark.browser


@dataclass
class Room:
    """The demonstration's lecture that begins in a few minutes, with its lecturer and two people in it."""

    service: Service
    browser: Browser
    lecturer: Attendee
    siti: Attendee
    hesti: Attendee


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with running_service(demonstration=True) as service, chromium() as browser:
        lecturer, *audience = await let_in(browser, service, SITI, HESTI)
        for attendee in audience:
            await attendee.sees_moving()
        yield Room(service, browser, lecturer, *audience)


def media_server(service: Service) -> psutil.Process:
    """The LiveKit server among the processes of this service."""
    for child in psutil.Process(service.process.pid).children(recursive=True):
        if "livekit" in Path(child.exe()).name:
            return child
    raise AssertionError("no media server runs")


async def test_a_media_server_that_is_killed_costs_a_gap_and_nobody_a_click(room: Room) -> None:
    os.kill(media_server(room.service).pid, signal.SIGKILL)
    for attendee in (room.siti, room.hesti, room.lecturer):
        await attendee.state("reconnecting", "offline", "joining", "preparing", "media_away", within_s=30)
    for attendee in (room.siti, room.hesti, room.lecturer):
        await attendee.state("connected", within_s=60)
    await room.siti.sees_moving(within_s=30)
    await room.siti.say("Masih di sini")
    await expect(room.hesti.page.get_by_test_id("message").last).to_contain_text("Masih di sini")


async def test_a_second_tab_takes_over_and_the_first_can_take_it_back(room: Room) -> None:
    first = room.siti.page
    second = await room.siti.context.new_page()
    await second.goto(first.url)
    await second.get_by_test_id("join").click()
    await expect(second.locator("#classroom")).to_have_attribute("data-state", "connected", timeout=20_000)
    await room.siti.state("elsewhere")
    await first.get_by_test_id("again").click()
    await room.siti.state("connected", "check")
    if await first.get_by_test_id("join").count():
        await first.get_by_test_id("join").click()
    await room.siti.state("connected")


async def test_a_site_that_is_away_ends_nothing(room: Room) -> None:
    """Signalling does not pass through the site: the picture goes on while it restarts."""
    web = process_of(room.service, "web")
    web.kill()
    await room.siti.sees_moving()
    await room.siti.state("connected")
    async with asyncio.timeout(30):
        while True:
            try:
                answer = await room.siti.context.request.get(f"{room.service.url}/healthz")
                if answer.status == 200:
                    break
            except Error:
                # The site is away on purpose.
                await asyncio.sleep(0.3)
    await room.siti.say("Situs kembali")
    await expect(room.hesti.page.get_by_test_id("message").last).to_contain_text(
        "Situs kembali", timeout=40_000
    )


def process_of(service: Service, kind: str) -> psutil.Process:
    """One of the processes of this service."""
    for child in psutil.Process(service.process.pid).children(recursive=True):
        if child.cmdline()[-1:] == [kind]:
            return child
    raise AssertionError(f"no {kind} runs")


@pytest.mark.fault
async def test_a_site_that_hangs_for_a_minute_ends_nothing(room: Room) -> None:
    web = process_of(room.service, "web")
    web.suspend()
    try:
        await asyncio.sleep(30)
        await room.siti.sees_moving()
        await asyncio.sleep(30)
        await room.siti.sees_moving()
        await room.siti.state("connected")
    finally:
        web.resume()
    await room.siti.say("Kembali setelah satu menit")
    message = room.hesti.page.get_by_test_id("message").last
    await expect(message).to_contain_text("Kembali setelah satu menit", timeout=60_000)


@pytest.mark.fault
async def test_a_receiver_that_hangs_for_a_minute_loses_no_join_and_no_leave(room: Room) -> None:
    hooks = process_of(room.service, "hooks")
    identity = await room.hesti.page.locator("#classroom").get_attribute("data-connection")
    hooks.suspend()
    try:
        await room.hesti.leave()
        await asyncio.sleep(60)
    finally:
        hooks.resume()
    async with asyncio.timeout(60):
        while "participant_left" not in events_of(room.service, identity or ""):
            await asyncio.sleep(0.5)
    assert events_of(room.service, identity or "").count("participant_joined") == 1


def events_of(service: Service, identity: str) -> list[str]:
    """What the media server has told of one connection, as it is stored."""
    with closing(sqlite3.connect(f"file:{service.data}/pendopo.db?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT event FROM evidence_webhooks WHERE identity = ? ORDER BY id", (identity,)
        ).fetchall()
    return [event for (event,) in rows]
