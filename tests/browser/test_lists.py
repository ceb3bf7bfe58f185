"""Ticking people for a list handed in, by keyboard alone, with scripts and without, in real Chromium."""

import pytest
from playwright.async_api import expect

from tests.browser.service import chromium
from tests.integration.review_scene import a_review
from tests.site import RunningSite
from webinar.web.context import SESSION_COOKIE

pytestmark = pytest.mark.browser


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What is tested here is the page: one database is enough."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.mark.parametrize("scripts", [True, False])
async def test_people_are_searched_ticked_and_previewed_by_keyboard(site: RunningSite, scripts: bool) -> None:
    scene = await a_review(site)
    cookie = (await scene.ratna()).cookie(SESSION_COOKIE)
    async with chromium() as browser:
        context = await browser.new_context(
            viewport={"width": 360, "height": 780}, locale="id-ID", java_script_enabled=scripts
        )
        await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.url}])
        page = await context.new_page()
        await page.goto(site.url + scene.path.replace("/attendance", "/lists"))
        group = page.get_by_role("group", name="Centang yang hadir")
        boxes = group.get_by_role("checkbox")
        await expect(boxes).to_have_count(5)

        search = group.get_by_role("searchbox", name="Cari di antara peserta terdaftar")
        await search.focus()
        await page.keyboard.type("rahma")
        await page.keyboard.press("Enter")
        await expect(boxes).to_have_count(1)
        told = group.get_by_role("status")
        await expect(told).to_have_text("1 dari 1 orang ditampilkan, 0 dicentang.")
        await expect(told).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(boxes.first).to_be_focused()
        await page.keyboard.press("Space")
        await expect(boxes.first).to_be_checked()

        await search.focus()
        await page.keyboard.press("Control+A")
        await page.keyboard.type("kesehatan")
        await page.keyboard.press("Enter")
        await expect(boxes).to_have_count(4)
        await group.get_by_role("button", name="Centang semua yang tampil").press("Enter")
        await expect(told).to_have_text("3 dari 3 orang ditampilkan, 4 dicentang.")

        await page.get_by_label("Alasan").fill("Bersama di satu layar")
        await page.get_by_role("button", name="Tampilkan perubahannya").press("Enter")
        await expect(page.locator("input[name^='seen.']")).to_have_count(4)
        width = await page.evaluate("document.documentElement.scrollWidth") if scripts else 360
        assert width <= 360
        await context.close()
