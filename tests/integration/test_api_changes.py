"""Changes of a lecture on its way over the API: what would follow, and what does; on both databases."""

from typing import Any

import pytest

from tests.integration.api_world import World, a_world, conforms
from tests.site import Answer, RunningSite

ADDRESS = "POST /lectures/{id}/changes"


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


async def change(world: World, version: str = "*", **wanted: Any) -> Answer:
    return await world.program.post(
        f"/lectures/{world.lecture}/changes", wanted, headers={"If-Match": version}
    )


MOVED = {"starts_at": "2026-11-27T01:00:00Z", "ends_at": "2026-11-27T02:00:00Z"}


async def test_a_dry_run_says_who_is_told_and_changes_nothing(world: World) -> None:
    before = (await world.program.get(f"/lectures/{world.lecture}")).json()
    would = conforms(ADDRESS, await change(world, kind="edit", edit=MOVED, dry_run=True))
    assert would["done"] is False
    assert would["lecture"]["starts_at"] == "2026-11-27T09:00:00+08:00"
    told = would["told"]
    assert told["mails"] == sum(one["people"] for one in told["participants"]) + len(told["lecturers"])
    assert told["mails"] > 0
    assert (await world.program.get(f"/lectures/{world.lecture}")).json() == before
    done = conforms(ADDRESS, await change(world, kind="edit", edit=MOVED))
    assert (done["done"], done["told"]) == (True, told)


async def test_cancelled_and_restored_it_keeps_its_links(world: World) -> None:
    path = f"/lectures/{world.lecture}/registrations"
    before = (await world.program.get(path)).json()
    for kind, state in (("cancel", "cancelled"), ("restore", "scheduled")):
        for _ in range(2):
            done = conforms(ADDRESS, await change(world, kind=kind))
            assert done["lecture"]["state"] == state
    assert (await world.program.get(path)).json() == before


async def test_breaks_are_said_all_at_once_and_twice_is_once(world: World) -> None:
    lecture = (await world.program.get(f"/lectures/{world.lecture}")).json()
    day = lecture["starts_at"][:10]
    pause = {"starts_at": f"{day}T09:30:00+08:00", "ends_at": f"{day}T09:45:00+08:00"}
    first, second = [conforms(ADDRESS, await change(world, kind="breaks", breaks=[pause])) for _ in range(2)]
    assert first == second
    assert first["official_time"][0]["ends_at"] == pause["starts_at"]


async def test_an_old_version_changes_nothing(world: World) -> None:
    first = await change(world, '"1"', kind="edit", edit={"title": "Satu"})
    second = await change(world, '"1"', kind="edit", edit={"title": "Dua"})
    blind = await world.program.post(f"/lectures/{world.lecture}/changes", {"kind": "cancel"})
    assert [first.status, second.status, blind.status] == [200, 412, 428]
    for answer in (first, second, blind):
        conforms(ADDRESS, answer)


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({"kind": "extend"}, 422, "until"),
        ({"kind": "late"}, 422, "since"),
        ({"kind": "edit"}, 422, "edit"),
        ({"kind": "edit", "edit": {"capacity": 0}}, 422, "capacity"),
        ({"kind": "lecturers", "lecturer_ids": ["a" * 26]}, 422, "lecturer_ids"),
        ({"kind": "explode"}, 422, "kind"),
        ({"kind": "extend", "until": "2026-12-01T11:00:00+08:00"}, 409, ""),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    world: World, wanted: dict[str, Any], status: int, field: str
) -> None:
    answer = await change(world, **wanted)
    problem = conforms(ADDRESS, answer)
    assert answer.status == status
    if field:
        assert field in {error["field"] for error in problem["errors"]}
