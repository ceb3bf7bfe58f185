"""The attendance review in real Chromium: ticking, adjusting many at once, taking it back; newer values."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.service import chromium
from tests.build import MINUTE, NINE
from tests.integration.pages_world import stayed
from tests.integration.review_scene import Reviewed, a_review
from tests.site import RunningSite
from webinar.web.context import SESSION_COOKIE

pytestmark = pytest.mark.browser


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What is tested here is the page: one database is enough."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def context(site: RunningSite) -> AsyncIterator[BrowserContext]:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="id-ID")
        yield context
        await context.close()


async def opened(scene: Reviewed, context: BrowserContext, query: str = "") -> Page:
    """The review as the organiser sees it, with nothing wrong in its console."""
    cookie = (await scene.ratna()).cookie(SESSION_COOKIE)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": scene.site.url}])
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    await page.goto(scene.site.url + scene.path + query)
    await expect(page.locator("form[data-review][data-ready]")).to_have_count(1)
    return page


async def values(page: Page) -> dict[str, str]:
    """JP by the first name, as the boxes carry it."""
    rows = await page.locator("#log-rows tr").evaluate_all(
        "rows => rows.map(r => [r.querySelector('.person-name').textContent, r.querySelector('input').value])"
    )
    return {name.split()[0].lower(): value.rpartition(".")[2] for name, value in rows}


async def test_several_are_ticked_with_shift_adjusted_with_one_reason_and_taken_back(
    site: RunningSite, context: BrowserContext
) -> None:
    scene = await a_review(site)
    page = await opened(scene, context)
    before = await values(page)
    bar = page.locator("[data-pick-bar]")
    await expect(bar).to_be_hidden()
    boxes = page.locator('input[name="registration"]')
    # Agus, Ani, Budi by the mouse; Dewi and Siti by the keyboard.
    await boxes.nth(0).click()
    await boxes.nth(2).click(modifiers=["Shift"])
    await expect(bar).to_be_visible()
    await boxes.nth(2).press("Shift+ArrowDown")
    await expect(boxes.nth(3)).to_be_focused()
    await expect(boxes.nth(3)).to_be_checked()
    await boxes.nth(3).press("Escape")
    await expect(bar).to_be_hidden()
    await boxes.nth(0).click()
    await boxes.nth(4).click()
    await expect(page.locator("[data-pick-adjust]")).to_contain_text("2")
    await page.locator("[data-pick-adjust]").click()
    dialog = page.locator("dialog[open]")
    await expect(dialog).to_contain_text("Agus Salim, Siti Rahma")
    # Without a reason the browser itself says what is missing.
    await dialog.locator('button[name="do"]').click()
    await expect(dialog).to_be_visible()
    await dialog.locator("textarea").fill("Listrik padam di kantor")
    await dialog.locator('button[name="do"]').click()
    await expect(page.locator(".notice-deed")).to_be_visible()
    assert await values(page) == before | {"agus": "200", "siti": "200"}
    await page.locator(".notice-deed button").click()
    await expect(page.locator(".notice-deed")).to_have_count(0)
    assert await values(page) == before


async def test_without_javascript_the_same_is_done_by_pages(site: RunningSite) -> None:
    scene = await a_review(site)
    async with chromium() as browser:
        context = await browser.new_context(java_script_enabled=False)
        cookie = (await scene.ratna()).cookie(SESSION_COOKIE)
        await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": site.url}])
        page = await context.new_page()
        await page.goto(site.url + scene.path)
        await page.locator(f"#r-{scene.seats['siti'].id} input[type=checkbox]").click()
        await page.locator("[data-pick-adjust]").click()
        await page.locator("#adjust-reason").fill("Listrik padam")
        await page.locator("form.panel button.btn-primary").click()
        await expect(page.locator(".notice-deed")).to_be_visible()
        assert (await values(page))["siti"] == "200"


async def test_newer_values_come_by_themselves_and_leave_the_focus_where_it_is(
    site: RunningSite, context: BrowserContext
) -> None:
    scene = await a_review(site, state="live")
    site.clock.at = NINE + 60 * MINUTE
    await context.clock.install()
    page = await opened(scene, context)
    agus = page.locator(f"#r-{scene.seats['agus'].id}")
    await expect(agus).to_have_class(re.compile("row-absent"))
    link = page.locator(f"#r-{scene.seats['siti'].id} a")
    await link.focus()
    async with site.database.writing() as session:
        await stayed(session, scene.lecture, scene.seats["agus"], NINE + 10 * MINUTE, NINE + 50 * MINUTE)
    site.clock.advance(2 * MINUTE)
    await context.clock.fast_forward(31_000)
    await expect(agus).not_to_have_class(re.compile("row-absent"))
    await expect(agus.locator(".log-minutes")).to_contain_text("40")
    await expect(link).to_be_focused()
