"""A recording of two parts plays in a real browser through hls.js, over the seam, without an error."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from recordings.compose import Picture
from recordings.encode import RATE, SOUND_FRAME
from recordings.hls import HlsWriter
from recordings.part import Part
from recordings.playlist import MASTER
from recordings.rules import Segment
from recordings.storage import open_storage, recording_prefix
from webinar.core.ids import new_id

HLS_JS = Path(__file__).parents[2] / "frontend/node_modules/hls.js/dist/hls.min.js"
NINE = 1_750_122_000_000
PAGE = """<!doctype html><video id=v muted playsinline></video><script src="/hls.js"></script><script>
const video = document.getElementById('v'), errors = [];
const hls = new Hls({startPosition: 0});
hls.on(Hls.Events.ERROR, (_, error) => errors.push(error.details));
hls.loadSource('/recording/master.m3u8'); hls.attachMedia(video);
hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
</script>"""
CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
]


def a_part(seconds: int, luma: int) -> Part:
    """A part whose screen gets lighter, with a tone; whole seconds."""
    part = Part(NINE, "Kuliah")
    tone = (0.3 * np.sin(np.arange(RATE) * 0.06)).astype(np.float32)
    done = 0
    for tick in range(seconds * 15):
        due = (tick * RATE // 15 - done) // SOUND_FRAME * SOUND_FRAME
        level = min(230, luma + tick)
        screen = Picture.from_i420(bytes([level]) * 921_600 + bytes([128]) * 460_800, 1280, 720)
        part.take(tick * 1000 // 15, screen, None, tone[:due])
        done += due
    part.finish(seconds * 1000, tone[:SOUND_FRAME])
    return part


async def told(segment: Segment) -> None:
    assert segment.size


@pytest.fixture
async def site(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[str]:
    recording, storage = new_id(), open_storage(tmp_path.as_uri())
    for luma, ended in ((40, False), (120, True)):
        writer = HlsWriter(storage, recording, told)
        await writer.open()
        part = await asyncio.to_thread(a_part, 6, luma)
        part.hand_over(writer)
        assert await writer.close(ended=ended, patience_s=20)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(HLS_JS)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/hls.js", script)
    app.router.add_static("/recording", tmp_path / recording_prefix(recording))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    yield f"http://127.0.0.1:{unused_tcp_port}/"
    await runner.cleanup()


@pytest.mark.browser
async def test_a_recording_plays_over_the_seam_of_two_parts(site: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = await browser.new_page()
        await page.goto(site)
        assert MASTER in PAGE
        await page.wait_for_function("v.currentTime > 1 && v.videoWidth == 1280", timeout=20_000)
        await page.evaluate("v.currentTime = 5")
        await page.wait_for_function("v.currentTime > 7", timeout=20_000)
        await page.evaluate("v.currentTime = v.duration - 0.5")
        await page.wait_for_function("v.ended", timeout=20_000)
        duration = await page.evaluate("v.duration")
        decoded = await page.evaluate(
            "v.webkitAudioDecodedByteCount > 0 && v.webkitVideoDecodedByteCount > 0"
        )
        errors = await page.evaluate("errors")
        await browser.close()
    assert abs(duration - 12) < 0.3
    assert decoded
    assert errors == []
