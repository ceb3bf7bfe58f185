"""The times of reminders in the settings, and the ways out of reminders, over HTTP."""

import pytest

from tests.integration.access_world import ADMINISTRATOR, ORGANISER, OUTSIDER, World, a_world
from tests.site import LINK_KEY, RunningSite
from webinar.invites import reminder_rules, reminders


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


def own_link(world: World, who: str) -> str:
    return reminder_rules.link("", LINK_KEY.encode(), world.people[who])


async def refuses(world: World, who: str) -> bool:
    async with world.site.database.reading() as session:
        return await reminders.refuses(session, world.people[who])


async def test_the_times_are_those_that_are_ticked_and_none_is_a_choice(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    page = await administrator.get("/settings/reminders")
    assert 'name="at_1440" value="1" checked' in page.text
    assert " disabled" not in page.text
    assert 'name="at_60" value="1" checked' not in page.text
    assert (await administrator.post("/settings/reminders", {"at_60": "1"})).status == 303
    page = await administrator.get("/settings/reminders")
    assert 'name="at_60" value="1" checked' in page.text
    assert 'name="at_1440" value="1" checked' not in page.text
    assert (await administrator.post("/settings/reminders", {})).status == 303
    assert " checked" not in (await administrator.get("/settings/reminders")).text


async def test_a_time_that_is_not_offered_is_refused(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    answer = await administrator.post("/settings/reminders", {"at_7": "1"})
    assert (answer.status, "Pilih dari waktu yang tersedia." in answer.text) == (422, True)


async def test_only_who_administers_the_institution_chooses(world: World) -> None:
    organiser = await world.visitor(ORGANISER)
    assert (await organiser.post("/settings/reminders", {"at_60": "1"})).status == 403


async def test_opening_the_link_of_a_mail_changes_nothing_and_its_button_does_both_ways(world: World) -> None:
    link, visitor = own_link(world, OUTSIDER), world.site.visitor()
    assert "Tanpa pengingat lagi" in (await visitor.get(link)).text
    assert not await refuses(world, OUTSIDER)
    for _ in range(2):
        assert (await visitor.post(link, {"wanted": "no"})).status == 303
        assert await refuses(world, OUTSIDER)
    assert "Kirim pengingat lagi" in (await visitor.get(link)).text
    assert (await visitor.post(link, {"wanted": "yes"})).status == 303
    assert not await refuses(world, OUTSIDER)


async def test_a_link_that_was_not_given_out_leads_nowhere(world: World) -> None:
    link, visitor = own_link(world, OUTSIDER), world.site.visitor()
    mac = link.rpartition(".")[2]
    await visitor.get(link)  # for the token of its form
    for forged in (link[:-1], f"/reminders/{world.people[ORGANISER]}.{mac}", "/reminders/x"):
        assert (await visitor.get(forged)).status == 404
        assert (await visitor.post(forged, {"wanted": "no"})).status == 404
    assert not await refuses(world, ORGANISER)


async def test_the_profile_has_the_same_choice(world: World) -> None:
    participant = await world.visitor(OUTSIDER)
    assert (await participant.post("/profile/reminders", {"wanted": "no"})).status == 303
    assert await refuses(world, OUTSIDER)
    assert "Kirim pengingat lagi" in (await participant.get("/profile")).text
    assert (await participant.post("/profile/reminders", {"wanted": "yes"})).status == 303
    assert not await refuses(world, OUTSIDER)
