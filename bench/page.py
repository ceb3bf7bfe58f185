"""From a tap on the link to the first moving picture, and how much script that takes.

The whole service as `webinar up` starts it, with its demonstration. The lecturer is in the room with a
camera; an audience member on a phone's screen opens the personal link out of the mail, presses the one
button, and the second frame that the browser shows of the lecturer's picture ends the measure. Each
time a fresh browser context: its cookies and cache are empty, the service is warm.
"""

import asyncio
import gzip
import json
import os
import statistics
import time

from playwright.async_api import Browser

from tests.browser.people import Attendee
from tests.browser.service import chromium, running_service
from webinar.web.rendering import BUILT

TIMES = 12
TO_REACH = {"first_picture_p50": 2.0, "join_script_gzip": 300.0}
LECTURER, AUDIENCE = "endang.lestari@", "siti.rahma@"
# Resolves in the page once it has shown two frames of somebody's camera; the element may change on the way.
SHOWN = """() => new Promise((resolve) => {
  const look = () => {
    const videos = [...document.querySelectorAll('video[data-source="camera"]:not([data-local="true"])')];
    const shown = videos.some((v) => v.videoWidth && v.getVideoPlaybackQuality().totalVideoFrames >= 2);
    shown ? resolve(true) : setTimeout(look, 10);
  };
  look();
})"""


def figure(name: str, value: float, unit: str, **settings: object) -> None:
    """One line of JSON."""
    load = {"load_average": round(os.getloadavg()[0], 1)}
    wanted = {"to_reach": TO_REACH.get(name), "better": "lower", "settings": {**settings, **load}}
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, **wanted}), flush=True)


def script_sizes() -> None:
    """The script of the join page, everything it may load, compressed as a server would."""
    manifest = json.loads((BUILT / "manifest.json").read_text("utf-8"))
    seen: set[str] = set()

    def add(key: str) -> None:
        chunk = manifest[key]
        if chunk["file"] in seen:
            return
        seen.add(chunk["file"])
        for further in [*chunk.get("imports", []), *chunk.get("dynamicImports", [])]:
            add(further)

    add("src/classroom/main.ts")
    scripts = [(BUILT / name).read_bytes() for name in seen if name.endswith(".js")]
    figure(
        "join_script_gzip", sum(len(gzip.compress(s, 6)) for s in scripts) / 1000, "kB", files=len(scripts)
    )


async def one_join(browser: Browser, link: str) -> tuple[float, float]:
    """Seconds from the tap to the picture, and of these to the button."""
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, locale="id-ID"
    )
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(link, wait_until="commit")
    button = page.get_by_test_id("join")
    await button.wait_for(state="visible")
    ready = time.perf_counter() - began
    shown = asyncio.ensure_future(page.evaluate(SHOWN))
    await button.click()
    async with asyncio.timeout(30):
        await shown
    took = time.perf_counter() - began
    await context.close()
    return took, ready


async def main() -> None:
    script_sizes()
    async with running_service(demonstration=True) as service, chromium() as browser:
        lecturer = await Attendee.open(browser, await service.first_link(LECTURER, invites=2), phone=False)
        await lecturer.enter()
        link = await service.first_link(AUDIENCE)
        await one_join(browser, link)
        joins = [await one_join(browser, link) for _ in range(TIMES)]
    took = sorted(join[0] for join in joins)
    figure("first_picture_p50", statistics.median(took), "s", joins=TIMES)
    figure("first_picture_max", took[-1], "s")
    figure("button_p50", statistics.median(join[1] for join in joins), "s")


if __name__ == "__main__":
    asyncio.run(main())
