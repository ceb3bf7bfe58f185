"""A presence check on the real media server: asked, seen beside the lecture, answered from the keyboard."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import expect
from sqlalchemy import insert, select, update

from tests.browser.people import SITI, Attendee, let_in
from tests.browser.service import Service, chromium, running_service
from tests.build import MINUTE
from webinar.core import effects
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.evidence.tables import AnswerRow, PresenceCheckRow
from webinar.lectures.tables import LectureRow, RegistrationRow, WindowRow
from webinar.policies.tables import PolicyRow

pytestmark = pytest.mark.browser
# The question, the message field and the bar stand one above the other, all of them on the screen.
APART = """() => {
  const box = (one) => document.querySelector(one).getBoundingClientRect();
  const [ask, field, bar] = [".ask", ".composer", ".bar"].map(box);
  return ask.top >= 0 && ask.bottom <= field.top && field.bottom <= bar.top && bar.bottom <= innerHeight;
}"""


@dataclass
class Room:
    service: Service
    db: Database
    lecturer: Attendee
    siti: Attendee


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with running_service(demonstration=True) as service, chromium() as browser:
        db = Database(f"sqlite+aiosqlite:///{service.data / 'pendopo.db'}")
        [lecturer] = await let_in(browser, service)
        siti = await Attendee.open(browser, await service.first_link(SITI))
        yield Room(service, db, lecturer, siti)
        await db.close()


async def test_who_comes_in_is_told_what_is_kept_and_answers_a_check_with_the_keyboard(room: Room) -> None:
    page = room.siti.page
    await expect(page.get_by_test_id("kept-notice")).to_contain_text("Yang dicatat")
    await expect(page.get_by_test_id("agree")).to_be_visible()
    await room.siti.enter()
    await expect(page.get_by_test_id("standing")).to_contain_text("menit untuk 2 JP")
    await ask(room)
    check = page.get_by_test_id("check")
    await expect(check).to_be_visible(timeout=20_000)
    # It takes no focus: who writes goes on writing.
    assert await page.evaluate("document.activeElement.closest('[data-testid=check]') === null")
    # With a phone's keyboard out, the message field keeps the focus, and nothing lies over it.
    await page.get_by_test_id("chat-input").focus()
    await page.set_viewport_size({"width": 360, "height": 300})
    await expect(page.get_by_test_id("chat-input")).to_be_focused()
    assert await page.evaluate(APART)
    await page.set_viewport_size({"width": 360, "height": 740})
    await expect(page.get_by_test_id("spoken")).to_contain_text("Cek kehadiran")
    await expect(room.lecturer.page.get_by_test_id("check-count")).to_contain_text("0 orang menjawab")
    await page.keyboard.press("Alt+KeyJ")
    await expect(page.get_by_test_id("check-done")).to_be_visible()
    assert await answers(room) == ["click"]
    # The thanks go by themselves.
    await expect(page.get_by_test_id("check-done")).to_have_count(0, timeout=20_000)
    # Opened anew, the page knows that it was told and has answered.
    await page.reload()
    await expect(page.get_by_test_id("agree")).to_have_count(0)
    await page.get_by_test_id("join").click()
    await room.siti.state("connected")
    await expect(page.get_by_test_id("check-done")).to_be_visible(timeout=20_000)


async def ask(room: Room) -> None:
    """What the plan owes at a moment that nobody can foresee, owed now; the scheduler does the rest."""
    now = SystemClock().now()
    check_id = new_id()
    async with room.db.writing() as session:
        link = room.siti.link.rsplit("/", 1)[1].partition(".")[0]
        lecture_id = await session.scalar(
            select(RegistrationRow.lecture_id).where(RegistrationRow.id == link)
        )
        lecture = await session.get_one(LectureRow, lecture_id)
        policy = (PolicyRow.id == lecture.policy_id) & (PolicyRow.version == lecture.policy_version)
        await session.execute(update(PolicyRow).where(policy).values(checks=1, checks_needed=1))
        spans = [[now - MINUTE, now + 60 * MINUTE]]
        session.add(WindowRow(lecture_id=lecture_id, spans=spans, reason="uji", set_at=now))
        await session.execute(
            insert(PresenceCheckRow).values(id=check_id, lecture_id=lecture_id, number=1, due_at=now)
        )
    await room.lecturer.page.get_by_test_id("more").click()
    await room.lecturer.page.get_by_test_id("start").click()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        async with room.db.reading() as session:
            state = await session.scalar(select(LectureRow.state).where(LectureRow.id == lecture_id))
        if state == "live":
            break
        await room.siti.page.wait_for_timeout(200)
    async with room.db.writing() as session:
        subject = f"lecture:{lecture_id}"
        await effects.owe(
            session, kind="check", key=f"check:{check_id}", subject=subject, due_at=now, now=now
        )


async def answers(room: Room) -> list[str]:
    """What is stored, as soon as something is: the page gives its thanks before the answer has arrived."""
    async with asyncio.timeout(10):
        while True:
            async with room.db.reading() as session:
                if found := list(await session.scalars(select(AnswerRow.how))):
                    return found
            await asyncio.sleep(0.1)
