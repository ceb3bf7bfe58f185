"""Every address of the API × {no key, wrong, expired, revoked, other scope, other institution, right}."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.api_world import NIP, World, a_lecture_that_is_over, a_world, conforms
from tests.site import Answer, Program, RunningSite
from webinar.people import api_keys
from webinar.people.access import API_SCOPES, Scope
from webinar.people.sign_in_rules import WRONG_FOR_IPV4
from webinar.people.tables import AttemptRow
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.routes import ENDPOINTS

NAMED = [pytest.param(e, id=f"{e.method} {e.path}") for e in ENDPOINTS]
WITH_OBJECT = [p for p in NAMED if "{" in p.values[0].path]
WALLS = {"starts_at": "2026-12-01T09:00:00+08:00", "ends_at": "2026-12-01T10:30:00+08:00"}


async def path_of(endpoint: Endpoint, world: World, program: Program) -> str:
    """The path with ids of the first institution."""
    path = endpoint.path.replace("{registration}", world.registration).replace("{number}", "1")
    path = path.replace("{room}", world.room)
    if endpoint.path.startswith(("/lectures/{id}/adjustments", "/contests/{id}")):
        over = await a_lecture_that_is_over(program.visitor.site, world)
        return path.replace("{id}", over["contest" if path.startswith("/contests") else "lecture"])
    if path == "/people/imports/{id}":
        started = await program.post("/people/import", {"rows": [{"name": "Ani", "email": "ani@x.example"}]})
        return path.replace("{id}", started.json()["id"] if started.status < 400 else "a" * 26)
    return path.replace("{id}", world.ids[endpoint.path.split("/")[1]]) if "{id}" in path else path


def body_of(endpoint: Endpoint, world: World) -> Any:
    return {
        "/people": {"name": "Ani", "unit_id": world.unit, "email": "ani.baru@x.example"},
        "/people/import": {"rows": [{"name": "Ana", "email": "ana@x.example", "unit": "disdik"}]},
        "/lectures": {"title": "Arsip", "unit_id": world.unit, "zone": "Asia/Makassar", "jp": 1.5, **WALLS},
        "/lectures/{id}": {"title": "Arsip digital"},
        "/series": {
            "title": "Forum",
            "unit_id": world.unit,
            "zone": "Asia/Makassar",
            "jp": 1,
            "rule": "FREQ=WEEKLY;COUNT=2",
            **WALLS,
        },
        "/series/{id}/editions/{number}": {"title": "Forum"},
        "/series/{id}/editions/{number}/cancel": {"reason": "Libur", "applies_to": "following"},
        "/series/{id}/extend": {"count": 1},
        "/series/{id}/members": {"person_ids": [world.budi]},
        "/times/find": {"minutes": 90, "unit_id": world.unit, "lecturer_ids": [world.siti]},
        "/times/check": {**WALLS, "unit_id": world.unit},
        "/lectures/{id}/cancel": {"reason": "Narasumber sakit"},
        "/lectures/{id}/changes": {"kind": "cancel", "reason": "Narasumber sakit", "dry_run": True},
        "/lectures/{id}/registrations": {"person_ids": [world.budi]},
        "/lectures/{id}/rooms": {"kind": "breakout", "titles": ["Kelompok 2"]},
        "/lectures/{id}/rooms/{room}": {"title": "Anggaran"},
        "/lectures/{id}/adjustments": {
            "to": "full",
            "reason": "Satu layar.",
            "items": [{"registration_id": world.over.get("seat", ""), "seen_jp": 1}],
        },
        "/lectures/{id}/adjustments/undo": {"batch_id": world.over.get("batch", "")},
        "/contests/{id}/accept": {"to": "value", "jp": 1.5, "seen_jp": 1, "reason": "Hadir."},
        "/contests/{id}/refuse": {"reason": "Tidak ada bukti."},
        "/year-targets": {"employment": "pppk", "target_jp": 20, "most_jp": 24.5},
    }.get(endpoint.path)


async def call(endpoint: Endpoint, world: World, program: Program, path: str = "") -> Answer:
    headers = {"If-Match": '"1"'} if endpoint.versioned else {}
    path = path or await path_of(endpoint, world, world.program)
    body = body_of(endpoint, world) if endpoint.method != "GET" else None
    more = {"json": body} if body is not None else {}
    return await program.send(endpoint.method, path, headers=headers, **more)


@pytest.mark.parametrize("endpoint", NAMED)
async def test_an_address_opens_for_the_right_key_and_for_no_other(
    site: RunningSite, endpoint: Endpoint
) -> None:
    world = await a_world(site)
    path = await path_of(endpoint, world, world.program)
    others = [scope for scope in API_SCOPES if scope != endpoint.scope]
    refused = {
        "": (401, "key_missing"),
        "pdp_" + "a" * 43: (401, "key_refused"),
        "of another form": (401, "key_refused"),
        await _expired(site, world, endpoint.scope): (401, "key_refused"),
        await _revoked(site, world, endpoint.scope): (401, "key_refused"),
        (await site.key(world.institution, *others))[1]: (403, "scope_missing"),
    }
    seen = {}
    for secret in refused:
        answer = await call(endpoint, world, site.with_key(secret), path)
        seen[secret] = (answer.status, conforms(endpoint, answer)["code"])
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert seen == refused
    # An import is seen by the key that started it.
    started = endpoint.path == "/people/imports/{id}"
    right = world.program if started else await site.program(world.institution, endpoint.scope)
    answer = await call(endpoint, world, right, path)
    assert 200 <= answer.status < 300, answer.text
    conforms(endpoint, answer)


async def _expired(site: RunningSite, world: World, scope: str) -> str:
    secret = (await site.key(world.institution, scope, expires_at=site.clock.now() + 1))[1]
    site.clock.advance(1)
    return secret


async def _revoked(site: RunningSite, world: World, scope: str) -> str:
    ident, secret = await site.key(world.institution, scope)
    async with site.database.writing() as session:
        await api_keys.revoke(session, Scope.system(world.institution), ident, site.clock.now())
    return secret


@pytest.mark.parametrize("endpoint", WITH_OBJECT)
async def test_what_is_of_another_institution_does_not_exist(site: RunningSite, endpoint: Endpoint) -> None:
    world = await a_world(site)
    foreign = await site.program(world.elsewhere, *API_SCOPES)
    answer = await call(endpoint, world, foreign)
    assert (answer.status, conforms(endpoint, answer)["code"]) == (404, "not_found")


async def test_lists_of_another_institution_hold_nothing_of_ours(site: RunningSite) -> None:
    world = await a_world(site)
    foreign = await site.program(world.elsewhere, *API_SCOPES)
    assert (await foreign.get("/lectures")).json()["items"] == []
    assert [p["id"] for p in (await foreign.get("/people")).json()["items"]] == [world.stranger]
    assert [u["id"] for u in (await foreign.get("/units")).json()["items"]] == [world.elsewhere]


async def test_nothing_of_another_institution_can_be_named_in_a_body(site: RunningSite) -> None:
    world = await a_world(site)
    foreign = await site.program(world.elsewhere, *API_SCOPES)
    lecture = {"title": "Arsip", "unit_id": world.elsewhere, "zone": "Asia/Makassar", "jp": 1, **WALLS}
    answers = {
        "unit_id": await foreign.post("/people", {"name": "Ani", "unit_id": world.unit}),
        "unit_id ": await foreign.post("/lectures", lecture | {"unit_id": world.unit}),
        "lecturer_ids": await foreign.post("/lectures", lecture | {"lecturer_ids": [world.siti]}),
        "person_ids.0": await world.program.post(
            f"/lectures/{world.lecture}/registrations", {"person_ids": [world.stranger]}
        ),
        "default_unit_id": await foreign.post(
            f"/people/import?default_unit_id={world.unit}", {"rows": [{"name": "Ani"}]}
        ),
    }
    for field, answer in answers.items():
        assert answer.status == 422, answer.text
        assert [e["field"] for e in answer.json()["errors"]] == [field.strip()]


async def test_a_nip_is_seen_only_with_the_scope_to_read_people(site: RunningSite) -> None:
    world = await a_world(site)
    writer = await site.program(world.institution, "people:write")
    body = {"name": "Ani", "unit_id": world.unit, "nip": "199001012015031001"}
    made = await writer.post("/people", body)
    assert made.status == 201
    assert "nip" not in made.json()
    assert "phone" not in made.json()
    assert (await world.program.get(f"/people/{made.json()['id']}")).json()["nip"] == body["nip"]
    others = await site.program(world.institution, "lectures:read", "attendance:read", "hours:read")
    for path in (f"/lectures/{world.lecture}/registrations", f"/lectures/{world.lecture}/attendance",
                 f"/lectures/{world.lecture}/attendance.csv", f"/people/{world.siti}/hours"):  # fmt: skip
        answer = await others.get(path)
        assert answer.status == 200
        assert NIP not in answer.text


async def test_wrong_keys_from_one_address_are_limited_and_right_ones_still_work(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        session.add_all(
            AttemptRow(bucket="keys:127.0.0.1", at=site.clock.now()) for _ in range(WRONG_FOR_IPV4 - 1)
        )
    wrong = site.with_key("pdp_" + "b" * 43)
    assert [(await wrong.get("/people")).status for _ in range(2)] == [401, 429]
    assert (await wrong.get("/people")).headers["Retry-After"]
    assert (await world.program.get("/people")).status == 200


async def test_a_session_of_a_browser_opens_nothing_of_the_api(site: RunningSite) -> None:
    world = await a_world(site)
    browser = await site.signed_in(world.siti)
    assert (await browser.get("/api/v1/people")).status == 401


async def test_a_key_opens_no_page(site: RunningSite) -> None:
    world = await a_world(site)
    headers = {"Authorization": f"Bearer {world.program.secret}"}
    answer = await site.visitor().send("GET", "/lectures", headers=headers)
    assert answer.location.startswith("/sign-in")


async def test_no_secret_and_no_personal_data_comes_into_a_log(site: RunningSite) -> None:
    world = await a_world(site)
    secrets = [world.program.secret, "pdp_" + "c" * 43, NIP, "siti."]
    with capture_logs() as lines:
        await world.program.get("/people?q=" + NIP)
        await world.program.get(f"/lectures/{world.lecture}/registrations")
        await site.with_key(secrets[1]).get("/people")
        await world.program.send("POST", "/people", data=b"{", headers={"Content-Type": "application/json"})
    assert not [secret for secret in secrets if secret in str(lines)]


async def test_unknown_addresses_and_methods_are_problem_documents_too(site: RunningSite) -> None:
    world = await a_world(site)
    nowhere = await world.program.get("/nowhere")
    wrong = await world.program.send("DELETE", "/people")
    assert (nowhere.status, nowhere.json()["code"]) == (404, "not_found")
    assert (wrong.status, wrong.json()["code"]) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(",")) - {"HEAD"} == {"GET", "POST"}
