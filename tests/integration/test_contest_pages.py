"""Contesting and deciding over the pages: what is shown to whom, and that words stay words."""

import re

import pytest
from sqlalchemy import select

from tests.integration.pages_world import World, a_world, statements
from tests.integration.test_pages_read import CORPUS
from tests.site import RunningSite
from webinar.attendance.tallies import Tallies
from webinar.hours import adjustments
from webinar.hours.adjust_rules import value
from webinar.hours.tables import ContestRow
from webinar.lectures import store as lectures
from webinar.people.access import Scope

REASON = "Presensi kertas menunjukkan hadir."


async def contested(world: World, state: str = "ended", text: str = "Saya hadir sampai akhir.") -> str:
    """The id of a contest that the participant has opened on the page."""
    siti = await world.as_("participant")
    done = await siti.post(world.path(state, "contest"), {"text": text})
    assert (done.status, done.location) == (303, world.path(state, "contest"))
    async with world.site.database.reading() as session:
        found = await session.scalar(select(ContestRow.id).where(ContestRow.state == "open"))
    assert found is not None
    return found


async def adjust(world: World, reason: str, state: str = "ended") -> None:
    """Give the participant 1 JP."""
    async with world.site.database.reading() as session:
        lecture = await lectures.find(session, world.lectures[state].id)
        assert lecture is not None
        seat = await lectures.registration_of(session, lecture.id, world.participant.id)
        assert seat is not None
    await Tallies(world.site.database, world.site.parts.clock).shown(lecture)
    async with world.site.database.writing() as session:
        await adjustments.adjust(
            session, Scope.system(lecture.institution_id), lecture.id,
            seen={seat.id: 200}, to=value(100), reason=reason, now=world.site.parts.clock.now(),
        )  # fmt: skip


async def test_a_contest_goes_from_the_own_hours_to_the_organiser_and_back(site: RunningSite) -> None:
    world = await a_world(site)
    siti, ratna = await world.as_("participant"), await world.as_("organiser")
    assert world.path("ended", "contest") in (await siti.get("/hours")).text
    id = await contested(world)
    assert "/contests" in (await ratna.get("/")).text
    for path in ("/contests", world.path("ended", "contests")):
        page = (await ratna.get(path)).text
        assert "Saya hadir sampai akhir." in page
        assert f"/contests/{id}/accept" in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    done = await ratna.post(
        f"/contests/{id}/accept", {"jp_kind": "other", "jp": "1,5", "seen": seen[1], "reason": REASON}
    )
    assert (done.status, done.location) == (303, world.path("ended", "contests"))
    own = (await siti.get(world.path("ended", "contest"))).text
    assert REASON in own
    assert "1,5 JP" in own
    hours = (await siti.get("/hours")).text
    assert REASON in hours
    assert "Keberatan diterima" in hours
    assert f"/contests/{id}/accept" not in (await ratna.get("/contests")).text


async def test_what_is_wrong_is_said_at_its_contest_and_what_was_typed_stays(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    id = await contested(world)
    for form in (
        {"jp_kind": "other", "jp": "banyak", "seen": "200", "reason": REASON},
        {"jp_kind": "other", "jp": "99", "seen": "200", "reason": REASON},
        {"jp_kind": "other", "jp": "1", "seen": "0", "reason": REASON},
        {"jp_kind": "full", "seen": "200", "reason": REASON},
    ):
        page = await ratna.post(f"/contests/{id}/accept", form)
        assert page.status in {409, 412, 422}
        assert REASON in page.text
    assert (await ratna.post(f"/contests/{id}/refuse", {"reason": " "})).status == 422
    siti = await world.as_("participant")
    page = await siti.post(world.path("final", "contest"), {"text": " "})
    assert page.status == 422
    again = await siti.post(world.path("ended", "contest"), {"text": "Sekali lagi"})
    assert again.status == 409
    assert "Sekali lagi" in again.text or "menunggu" in again.text


async def test_who_comes_too_late_is_told(site: RunningSite) -> None:
    world = await a_world(site)
    ratna, siti = await world.as_("organiser"), await world.as_("participant")
    id = await contested(world)
    assert (await siti.post(f"/contests/{id}/withdraw")).status == 303
    late = await ratna.post(f"/contests/{id}/refuse", {"reason": REASON})
    assert (late.status, late.location) == (303, world.path("ended", "contests"))
    assert "tidak lagi menunggu" in (await ratna.get(late.location)).text


async def test_a_lecture_that_is_not_over_cannot_be_contested(site: RunningSite) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")
    assert "<textarea" not in (await siti.get(world.path("open", "contest"))).text
    assert (await siti.post(world.path("open", "contest"), {"text": "x"})).status == 409


@pytest.mark.parametrize("text", CORPUS)
async def test_words_of_contests_and_reasons_stay_words(site: RunningSite, text: str) -> None:
    world = await a_world(site)
    raw = [bad for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='") if bad in text]
    await adjust(world, text)
    ended = await contested(world, text=text)
    ratna, siti = await world.as_("organiser"), await world.as_("participant")
    pages = [await ratna.get(path) for path in ("/contests", world.path("ended", "contests"))]
    pages += [await ratna.post(f"/contests/{ended}/accept", {"jp": text, "reason": text, "jp_kind": text})]
    await ratna.post(f"/contests/{ended}/refuse", {"reason": text})
    for path in (world.path("ended", "contests"), world.path("ended")):
        pages.append(await ratna.get(path))
    for path in ("/hours", world.path("ended", "contest"), "/"):
        pages.append(await siti.get(path))
    pages += [await siti.post(world.path("open", "contest"), {"text": text})]
    for page in pages:
        assert page.status in {200, 409, 422}
        assert not [bad for bad in raw if bad in page.text]


async def test_the_own_hours_cost_the_same_with_contests_and_adjustments_as_without(
    site: RunningSite,
) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")
    with statements(site) as before:
        await siti.get("/hours")
    await adjust(world, REASON)
    await contested(world, "final")
    with statements(site) as after:
        await siti.get("/hours")
    assert len(after) == len(before)
