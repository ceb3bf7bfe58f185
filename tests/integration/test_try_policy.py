"""Another policy is tried on the same evidence: told in figures and names, and nothing is stored."""

import pytest
from sqlalchemy import func, select, update

from tests.integration.pages_world import World, a_world
from tests.site import RunningSite
from webinar.attendance.tables import AttendanceRow
from webinar.core.tables import AuditRow
from webinar.evidence.tables import WebhookRow
from webinar.hours.tables import LedgerRow


@pytest.fixture
async def world(site: RunningSite) -> World:
    made = await a_world(site)
    # Everybody left ten minutes before the end: enough for 80 %, not for all of it.
    async with site.database.writing() as session:
        left = WebhookRow.event == "participant_left"
        await session.execute(
            update(WebhookRow).where(left).values(created_at_s=WebhookRow.created_at_s - 600)
        )
    return made


async def stored(world: World) -> list[int]:
    async with world.site.database.reading() as session:
        tables = (AttendanceRow, LedgerRow, AuditRow)
        return [await session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


@pytest.mark.parametrize("state", ["ended", "final"])
async def test_a_stricter_policy_names_who_would_lose_and_stores_nothing(world: World, state: str) -> None:
    organiser = await world.as_("organiser")
    before = await stored(world)
    same = await organiser.get(world.path(state, "attendance", "try"))
    assert same.status == 200
    assert "Tidak ada nilai yang berubah" in same.text
    strict = await organiser.get(
        world.path(state, "attendance", "try") + "?threshold_percent=100&tolerance_s=0"
    )
    assert strict.status == 200
    assert "Yang nilainya akan berubah" in strict.text
    assert "Siti Rahma" in strict.text
    assert await stored(world) == before


async def test_a_figure_that_makes_no_sense_is_told_at_its_field(world: World) -> None:
    organiser = await world.as_("organiser")
    for typed in ("0", "101", "x", "%C2%B2"):
        page = await organiser.get(world.path("ended", "attendance", f"try?threshold_percent={typed}"))
        assert page.status == 422
        assert 'id="threshold_percent-error"' in page.text


async def test_before_the_end_there_is_nothing_to_try(world: World) -> None:
    organiser = await world.as_("organiser")
    page = await organiser.get(world.path("live", "attendance", "try"))
    assert "Ceramah belum selesai" in page.text


async def test_what_is_typed_stays_text(world: World) -> None:
    organiser = await world.as_("organiser")
    page = await organiser.get(world.path("ended", "attendance", "try?grace_s=%22><script>alert(1)</script>"))
    assert "<script>alert" not in page.text
