"""The notice, the settings of retention, one's own data and the erasing of somebody, over HTTP."""

import pytest

from tests.integration.access_world import ADMINISTRATOR, OUTSIDER, PARTICIPANT, World, a_world
from tests.site import RunningSite


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


async def test_everybody_can_read_what_is_kept(world: World) -> None:
    page = await world.site.visitor().get("/privacy-notice")
    assert page.status == 200
    assert "setelah JP difinalkan" in page.text


async def test_the_notice_has_the_days_that_the_institution_chose(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    answer = await administrator.post("/settings/privacy", {"chat": "41"})
    assert answer.status == 303
    participant = await world.visitor(PARTICIPANT)
    assert "41 hari" in (await participant.get("/privacy-notice")).text


@pytest.mark.parametrize("days", ["0", "99999", "x", "-1", "²"])
async def test_days_out_of_bounds_are_refused_at_the_field_and_what_was_typed_stays(
    world: World, days: str
) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    answer = await administrator.post("/settings/privacy", {"evidence": days, "chat": "12"})
    text = answer.text
    assert answer.status == 422
    assert "Isi dengan angka dari 30 sampai 3650." in text
    assert f'value="{days}"' in text
    assert 'value="12"' in text


async def test_ones_own_data_is_ones_own(world: World) -> None:
    own = await (await world.visitor(PARTICIPANT)).get("/profile/data.json")
    assert own.headers["Content-Disposition"].startswith("attachment")
    assert own.json()["person_id"] == world.people[PARTICIPANT]
    other = await (await world.visitor(OUTSIDER)).get("/profile/data.json")
    assert world.people[PARTICIPANT] not in other.text


async def test_an_administrator_erases_with_a_reason(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    path = f"/people/{world.people[OUTSIDER]}"
    refused = await administrator.post(f"{path}/erase", {"reason": "diminta"})
    assert refused.status == 409  # still registered for something ahead
    page = await administrator.get(path)
    assert "Hapus data pribadi" in page.text
