"""The fixture itself, and what every answer of the site carries."""

import re

import pytest
from structlog.testing import capture_logs
from yarl import URL

from tests.build import a_person
from tests.site import RunningSite
from webinar.classroom import service as classroom
from webinar.web.context import ANONYMOUS_COOKIE, SESSION_COOKIE


async def test_a_visitor_is_asked_to_sign_in_and_a_person_sees_the_home_page(site: RunningSite) -> None:
    async with site.database.writing() as session:
        siti = await a_person(session)
    assert (await site.visitor().get("/")).location == "/sign-in"
    page = await (await site.signed_in(siti.id)).get("/")
    assert (page.status, "Siti" in page.text) == (200, True)


async def test_somebody_whose_session_has_ended_can_still_use_our_forms(site: RunningSite) -> None:
    visitor = site.visitor()
    visitor.http.cookie_jar.update_cookies({SESSION_COOKIE: "ended long ago"}, URL(site.url))
    page = await visitor.get("/sign-in")
    assert ANONYMOUS_COOKIE in page.cookies
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)
    assert token is not None
    form = {"email": "nobody@example.test", "password": "x", "csrf_token": token[1]}
    answer = await visitor.send("POST", "/sign-in", data=form, headers={"Origin": site.url})
    assert answer.status == 401


async def test_no_secret_of_an_address_is_logged(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(classroom, "seat_of_link", broken)
    link = "a" * 26 + "." + "b" * 40
    with capture_logs() as logged:
        assert (await site.visitor().get(f"/j/{link}")).status == 500
    [entry] = [line for line in logged if line["event"] == "request_failed"]
    assert entry["route"] == "/j/{link}"
    assert "b" * 40 not in str(logged)
