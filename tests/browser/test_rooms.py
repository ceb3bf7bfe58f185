"""Groups in the classroom, in real browsers: made by the lecturer, entered, called back, and opened again."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.people import HESTI, SITI, Attendee, let_in
from tests.browser.service import chromium, running_service

pytestmark = pytest.mark.browser
# A folder for pictures of each step, to be looked at.
PICTURES = os.environ.get("PICTURES", "")


@dataclass
class Room:
    browser: Browser
    lecturer: Attendee
    siti: Attendee
    hesti: Attendee


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with running_service(demonstration=True) as service, chromium() as browser:
        yield Room(browser, *await let_in(browser, service, SITI, HESTI))


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
            await page.screenshot(path=f"{PICTURES}/{name}-{scheme}.png")


async def is_in(attendee: Attendee, title: str) -> None:
    """The page says that it is in a room of this title, and is connected there."""
    await attendee.state("connected")
    await expect(attendee.page.get_by_test_id("place")).to_contain_text(title, timeout=20_000)


async def test_groups_are_made_entered_called_back_and_opened_again(room: Room) -> None:
    lecturer, siti, hesti = room.lecturer, room.siti, room.hesti
    await lecturer.panel("rooms")
    await picture(lecturer.page, "host-before")
    await lecturer.page.get_by_test_id("add-rooms").click()
    await expect(lecturer.page.get_by_test_id("room")).to_have_count(3)
    # Each is told of the own group, and goes there by one press.
    for attendee in (siti, hesti):
        await expect(attendee.page.get_by_test_id("go-to-group")).to_be_visible(timeout=20_000)
    await picture(siti.page, "phone-told")
    await siti.panel("rooms")
    own = siti.page.locator("[data-testid=room]", has_text="Kelompok Anda")
    title = (await own.locator("h3").inner_text()).splitlines()[0]
    await siti.page.get_by_test_id("go-to-group").click()
    await is_in(siti, title)
    await picture(siti.page, "phone-in-group")
    inside = lecturer.page.locator("[data-testid=room]", has_text=title).get_by_test_id("inside")
    await expect(inside).to_contain_text("Siti", timeout=20_000)
    await picture(lecturer.page, "host-groups")
    # What is written in a group stays there.
    await siti.say("Hanya di kelompok")
    await hesti.panel("chat")
    await expect(hesti.page.get_by_text("Hanya di kelompok")).to_have_count(0)
    # A reload leads back into the group.
    await siti.page.reload()
    await siti.page.get_by_test_id("join").click()
    await is_in(siti, title)
    await lecturer.page.get_by_test_id("call-back").click()
    await expect(siti.page.get_by_test_id("notice")).to_contain_text("kembali", timeout=20_000)
    await siti.state("connected")
    await expect(siti.page.get_by_test_id("place")).to_have_count(0)
    # Taken back: the groups open again, and the way there is offered once more.
    await lecturer.page.get_by_test_id("undo").click()
    await expect(siti.page.get_by_test_id("go-to-group")).to_be_visible(timeout=20_000)
