"""The fixture itself, and what every answer of the site carries."""

from tests.build import a_person
from tests.site import RunningSite


async def test_a_visitor_is_asked_to_sign_in_and_a_person_sees_the_home_page(site: RunningSite) -> None:
    async with site.database.writing() as session:
        siti = await a_person(session)
    assert (await site.visitor().get("/")).location == "/sign-in"
    page = await (await site.signed_in(siti.id)).get("/")
    assert (page.status, "Siti" in page.text) == (200, True)
