"""Series and times over the API: the same rules as the pages, checked against the OpenAPI document."""

from typing import Any

import pytest

from tests.build import NINE, a_person
from tests.integration.api_world import World, a_world, conforms
from tests.site import LINK_KEY, RunningSite
from webinar.core.effects import Effect
from webinar.people.tables import UnitRow
from webinar.series.keeper import SeriesKeeper


def a_series(world: World, **more: Any) -> dict[str, Any]:
    return {
        "title": "Forum", "unit_id": world.unit, "zone": "Asia/Makassar", "jp": 1,
        "starts_at": "2026-12-01T09:00:00+08:00", "ends_at": "2026-12-01T10:30:00+08:00",
        "rule": "FREQ=WEEKLY;COUNT=3", "lecturer_ids": [world.budi],
    } | more  # fmt: skip


async def kept(site: RunningSite, series_id: str) -> None:
    key = f"series:{series_id}"
    keeper = SeriesKeeper(site.database, site.clock, LINK_KEY.encode())
    await keeper.keep(Effect(1, key, "series", key, {}, 0, 1, 1))


async def test_a_series_is_booked_changed_extended_and_called_off(site: RunningSite) -> None:
    world = await a_world(site)
    api = world.program
    key = {"Idempotency-Key": "one"}
    made = conforms("POST /series", await api.post("/series", a_series(world), headers=key))
    again = await api.post("/series", a_series(world), headers=key)
    assert again.json()["id"] == made["id"]
    assert [one["starts_at"][:10] for one in made["editions"]] == ["2026-12-01", "2026-12-08", "2026-12-15"]
    assert (made["to_make"], made["not_made"]) == (0, [])
    path = f"/series/{made['id']}"
    change = {
        "starts_at": "2026-12-09T13:00:00+08:00", "ends_at": "2026-12-09T14:00:00+08:00",
        "applies_to": "following",
    }  # fmt: skip
    dry = await api.patch(f"{path}/editions/2", change | {"dry_run": True}, headers={"If-Match": '"1"'})
    said = conforms("PATCH /series/{id}/editions/{number}", dry)
    assert (said["done"], said["edition"]["version"], said["told"]["mails"]) == (False, 1, 1)
    assert [(one["number"], one["gets"], one["starts_at"][:16]) for one in said["later"]] == [
        (3, "new_time", "2026-12-16T13:00"),
    ]  # fmt: skip
    assert (await api.get(path)).json()["editions"][1]["starts_at"] == "2026-12-08T09:00:00+08:00"
    answer = await api.patch(f"{path}/editions/2", change, headers={"If-Match": '"1"'})
    done = conforms("PATCH /series/{id}/editions/{number}", answer)
    assert (done["following"], done["keeping"], done["edition"]["version"]) == (1, [], 2)
    stale = await api.patch(f"{path}/editions/2", change, headers={"If-Match": '"1"'})
    assert stale.status == 412
    assert (await api.get(path)).json()["editions"][2]["pending"]
    await kept(site, made["id"])
    shown = conforms("GET /series/{id}", await api.get(path))
    assert [one["starts_at"] for one in shown["editions"][1:]] == [
        "2026-12-09T13:00:00+08:00", "2026-12-16T13:00:00+08:00",
    ]  # fmt: skip
    more = conforms("POST /series/{id}/extend", await api.post(f"{path}/extend", {"until": "2026-12-30"}))
    assert [one["starts_at"][:16] for one in more["editions"][3:]] == ["2026-12-23T13:00", "2026-12-30T13:00"]
    body = {"reason": "Libur", "applies_to": "following"}
    cancelling = "POST /series/{id}/editions/{number}/cancel"
    said = conforms(cancelling, await api.post(f"{path}/editions/4/cancel", body | {"dry_run": True}))
    assert (said["done"], said["cancelled"], [one["gets"] for one in said["later"]]) == (
        False, 2, ["cancelled"],
    )  # fmt: skip
    assert {one["state"] for one in (await api.get(path)).json()["editions"]} == {"scheduled"}
    off = conforms(cancelling, await api.post(f"{path}/editions/4/cancel", body))
    assert (off["done"], off["cancelled"], off["told"]["mails"]) == (True, 2, said["told"]["mails"])
    await kept(site, made["id"])
    states = [one["state"] for one in (await api.get(path)).json()["editions"]]
    assert states == ["scheduled"] * 3 + ["cancelled"] * 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rule": "FREQ=HOURLY;COUNT=3"}, "rule"),
        ({"rule": "FREQ=WEEKLY"}, "rule"),
        ({"rule": "FREQ=WEEKLY;COUNT=1000"}, "count"),
        ({"rule": "FREQ=WEEKLY;BYDAY=WE;COUNT=3"}, "rule"),
        ({"lecturer_ids": ["a" * 26]}, "lecturer_ids"),
    ],
)
async def test_a_series_that_cannot_be_is_refused_at_its_field(
    site: RunningSite, wrong: dict[str, Any], field: str
) -> None:
    world = await a_world(site)
    answer = await world.program.post("/series", a_series(world, **wrong))
    assert (answer.status, [e["field"] for e in answer.json()["errors"]]) == (422, [field])


async def test_members_get_seats_in_each_edition(site: RunningSite) -> None:
    world = await a_world(site)
    made = (await world.program.post("/series", a_series(world))).json()
    body = {"person_ids": [world.siti]}
    joined = await world.program.post(f"/series/{made['id']}/members", body)
    assert conforms("POST /series/{id}/members", joined) == {"added": 1, "already": 0, "members": 1}
    await kept(site, made["id"])
    shown = (await world.program.get(f"/series/{made['id']}")).json()
    assert [one["registered"] for one in shown["editions"]] == [1, 1, 1]
    foreign = await world.program.post(f"/series/{made['id']}/members", {"person_ids": [world.stranger]})
    assert foreign.status == 422


async def test_times_are_proposed_and_looked_at(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        await a_person(session, await session.get_one(UnitRow, world.unit), name="Ani")
    wish = {"minutes": 90, "unit_id": world.unit, "lecturer_ids": [world.budi], "count": 3}
    found = conforms("POST /times/find", await world.program.post("/times/find", wish))
    assert (found["people"], len(found["items"]), found["items"][0]["busy"]) == (3, 3, 0)
    at = {"starts_at": "2026-11-26T09:30:00+08:00", "ends_at": "2026-11-26T10:00:00+08:00"}
    body = at | {"lecturer_ids": [world.siti], "unit_id": world.unit}
    looked = conforms("POST /times/check", await world.program.post("/times/check", body))
    assert (looked["warnings"], looked["participants_busy"]) == ([], 1)
    assert looked["lecturers"][0]["lecture_id"] == world.lecture
    christmas = {"starts_at": "2026-12-25T09:00:00+08:00", "ends_at": "2026-12-25T10:00:00+08:00"}
    headers = {"Accept-Language": "en"}
    holiday = await world.program.post("/times/check", christmas, headers=headers)
    assert holiday.json()["warnings"] == ["Friday, 25 December 2026 is a national holiday: Christmas Day."]
    wrong = await world.program.post("/times/find", wish | {"weeks": 99})
    assert [e["field"] for e in wrong.json()["errors"]] == ["weeks"]
    assert site.clock.now() == NINE
