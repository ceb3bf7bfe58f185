"""Every page and every act of the site × every role: let in exactly where the policy says so."""

import pytest

from tests.integration.access_world import PAGES, ROLES, World, a_world, allowed, name_of
from tests.site import Answer, RunningSite
from webinar.web.routes import ROUTES
from webinar.web.site import Access, Route

LOOKS = [route for route in PAGES if route.method == "GET"]
ACTS = [pytest.param(route, id=name_of(route)) for route in PAGES if route.method != "GET"]


def let_in(route: Route, answer: Answer) -> bool:
    """Whether the answer is more than a refusal. A public page may answer 401 to a wrong password."""
    if route.access is Access.PUBLIC:
        return answer.status not in {403, 404}
    return answer.status not in {401, 403, 404} and not answer.location.startswith("/sign-in")


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


async def outcomes(world: World, route: Route) -> dict[str, bool]:
    """Role → whether it was let in; those who are not come first, and must leave no trace."""
    welcome = allowed(route)
    before = await world.traces()
    seen = {}
    for role in sorted(ROLES, key=lambda role: role in welcome):
        if role in welcome and not seen.keys() & welcome:
            assert await world.traces() == before, f"a refused {name_of(route)} has left a trace"
        answer = await world.call(await world.visitor(role), route)
        probe = route.path == "/readyz"  # says 503 until every process runs
        assert answer.status < 500 or probe, f"{role}: {name_of(route)} {answer.status} {answer.text[:300]}"
        seen[role] = let_in(route, answer)
    return seen


def promised(route: Route) -> dict[str, bool]:
    return {role: role in allowed(route) for role in ROLES}


async def test_a_page_is_shown_to_whom_its_policy_names_and_to_nobody_else(world: World) -> None:
    for route in LOOKS:
        assert await outcomes(world, route) == promised(route), name_of(route)


@pytest.mark.parametrize("route", ACTS)
async def test_an_act_is_done_for_whom_its_policy_names_and_for_nobody_else(
    world: World, route: Route
) -> None:
    assert await outcomes(world, route) == promised(route)


def test_no_address_is_without_a_policy() -> None:
    assert [name_of(route) for route in ROUTES if route.access is Access.API and not route.api_scope] == []
    assert all(allowed(route) for route in PAGES)


def test_no_address_stands_twice_in_the_table() -> None:
    names = [name_of(route) for route in ROUTES]
    assert [name for name in names if names.count(name) > 1] == []
