"""People in front of a browser: an organiser at a desk, a lecturer, an ASN with a phone."""

import asyncio
import re
import time
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.service import Service

LECTURER, SITI, HESTI = "endang.lestari@", "siti.rahma@", "hesti.wulandari@"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
# Frames that a page has shown of somebody's picture, by what the browser itself counts.
FRAMES = """([seat, source]) => {
  const video = document.querySelector(`video[data-seat="${seat}"][data-source="${source}"]`);
  return video ? [video.getVideoPlaybackQuality().totalVideoFrames, video.currentTime] : [0, 0];
}"""
# A small picture of what is shown, to see that it differs from the one before.
PIXELS = """(source) => {
  const video = [...document.querySelectorAll(`video[data-source="${source}"]`)].find((v) => v.videoWidth);
  if (!video) return "";
  const canvas = document.createElement("canvas");
  canvas.width = 32; canvas.height = 18;
  canvas.getContext("2d").drawImage(video, 0, 0, 32, 18);
  return [...canvas.getContext("2d").getImageData(0, 0, 32, 18).data].join(",");
}"""
# What is there when nothing moves, for whoever reads the failure.
VIDEOS = """() => [...document.querySelectorAll("video")].map((v) => [
  v.dataset.source, v.dataset.local, v.videoWidth, v.paused, v.readyState,
  v.getVideoPlaybackQuality().totalVideoFrames,
])"""


@dataclass
class Attendee:
    """Somebody who opens the link out of the own mail. `stays` are the client's own (connect, leave), ms."""

    context: BrowserContext
    page: Page
    link: str
    stays: list[list[int]] = field(default_factory=list)

    @classmethod
    async def open(cls, browser: Browser, link: str, *, phone: bool = True) -> "Attendee":
        context = await browser.new_context(
            viewport=PHONE if phone else DESK,
            is_mobile=phone,
            has_touch=phone,
            locale="id-ID",
            permissions=["camera", "microphone"],
        )
        page = await context.new_page()
        await page.goto(link)
        return cls(context, page, link)

    async def state(self, *names: str, within_s: float = 20) -> None:
        """Wait until the page is in one of the states."""
        pattern = re.compile("^(" + "|".join(names) + ")$")
        await expect(self.page.locator("#classroom")).to_have_attribute(
            "data-state", pattern, timeout=within_s * 1000
        )

    async def enter(self) -> None:
        """Press the one button that matters, and be in the room."""
        await self.page.get_by_test_id("join").click()
        await self.state("connected")
        self.stays.append([round(time.time() * 1000), 0])

    def left(self) -> None:
        self.stays[-1][1] = round(time.time() * 1000)

    async def leave(self) -> None:
        self.left()
        await self.page.get_by_test_id("leave").click()
        confirm = self.page.get_by_test_id("confirm")
        if await confirm.count():
            await confirm.click()
        await expect(self.page.locator("#classroom")).not_to_have_attribute("data-state", "connected")

    async def drop(self) -> None:
        """The phone is gone from one instant to the next: no good-bye is sent."""
        self.left()
        session = await self.context.new_cdp_session(self.page)
        async with self.page.expect_event("crash", timeout=10_000):
            # The page that crashes never answers.
            crash = asyncio.ensure_future(session.send("Page.crash"))
        crash.cancel()

    async def come_back(self) -> None:
        self.page = await self.context.new_page()
        await self.page.goto(self.link)
        await self.enter()

    async def sees_moving(self, source: str = "camera", within_s: float = 20) -> None:
        """Wait until two looks at the picture differ."""
        deadline = time.monotonic() + within_s
        first = ""
        while time.monotonic() < deadline:
            pixels = await self.page.evaluate(PIXELS, source)
            if first and pixels and pixels != first:
                return
            first = first or pixels
            await self.page.wait_for_timeout(150)
        seen = await self.page.evaluate(VIDEOS)
        raise AssertionError(f"nothing of {source} moves; the page shows {seen}")

    async def say(self, text: str) -> None:
        await self.panel("chat")
        await self.page.get_by_test_id("chat-input").fill(text)
        await self.page.get_by_test_id("chat-send").click()

    async def panel(self, name: str) -> None:
        """Show chat or people, which a phone hides behind a tab."""
        tab = self.page.get_by_test_id(f"tab-{name}")
        if not await tab.is_visible():
            await self.page.get_by_test_id("panel-toggle").click()
        await tab.click()

    def seconds_in(self, start: int, end: int) -> float:
        """Own seconds inside a window."""
        return sum(max(0, min(b, end) - max(a, start)) for a, b in self.stays) / 1000


async def let_in(browser: Browser, service: Service, *audience: str) -> list[Attendee]:
    """The demonstration's lecturer at a desk, then others on phones, each inside by the own link."""
    people = []
    for address in (LECTURER, *audience):
        link = await service.first_link(address)
        attendee = await Attendee.open(browser, link, phone=address != LECTURER)
        await attendee.enter()
        people.append(attendee)
    return people
