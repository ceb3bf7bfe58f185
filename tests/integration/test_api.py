"""The API as a program uses it: booking, changing, registering, reading what came of it."""

import asyncio
import csv
import gzip
import io
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from sqlalchemy import func, select

from tests.build import DAY, a_person
from tests.integration.api_world import DOCUMENT, World, a_world, conforms, validator_of
from tests.site import RunningSite
from webinar.core.tables import IdempotencyRow
from webinar.lectures.tables import LectureRow
from webinar.people.importing import write
from webinar.people.tables import PersonRow, UnitRow
from webinar.web.api.endpoint import PREFIX
from webinar.web.api.routes import ENDPOINTS
from webinar.web.routes import ROUTES
from webinar.web.site import Access


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


def a_booking(world: World, **more: Any) -> dict[str, Any]:
    booking = {
        "title": "Pengelolaan Arsip",
        "unit_id": world.unit,
        "starts_at": "2026-12-01T09:00:00+08:00",
        "ends_at": "2026-12-01T10:30:00+08:00",
        "zone": "Asia/Makassar",
        "jp": 1.5,
    }
    return booking | more


async def count(site: RunningSite, row: Any) -> int:
    async with site.database.reading() as session:
        return int((await session.execute(select(func.count()).select_from(row))).scalar_one())


# --- the document ------------------------------------------------------------------------------


def test_the_document_is_openapi_and_its_examples_are_what_it_promises() -> None:
    validate(DOCUMENT)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            validator_of(name).validate(example)


def test_each_address_of_the_api_is_in_the_document_and_each_one_in_it_is_served() -> None:
    served = {(r.method, r.path.removeprefix(PREFIX), r.api_scope) for r in ROUTES if r.access is Access.API}
    written = {
        (method.upper(), path, operation["security"][0]["key"][0])
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert served == written
    assert len({e.name for e in ENDPOINTS}) == len(ENDPOINTS)


async def test_everybody_may_read_the_document(site: RunningSite) -> None:
    answer = await site.visitor().get(f"{PREFIX}/openapi.json")
    assert answer.status == 200
    assert answer.json()["servers"] == [{"url": site.url + PREFIX}]


# --- people ------------------------------------------------------------------------------------


async def test_a_person_is_added_and_read_back(site: RunningSite, world: World) -> None:
    body = {
        "name": "Ani Wulandari",
        "unit_id": world.unit,
        "email": "Ani@X.example",
        "nip": "199001012015032001",
    }
    made = await world.program.post("/people", body)
    document = conforms("POST /people", made)
    assert made.status == 201
    assert (document["email"], document["nip"], document["unit"]) == (
        "ani@x.example", "199001012015032001", "Dinas Pendidikan",
    )  # fmt: skip
    again = await world.program.get(made.location.removeprefix(PREFIX))
    assert conforms("GET /people/{id}", again) == document


async def test_each_wrong_field_is_named(world: World) -> None:
    answer = await world.program.post("/people", {"name": "", "unit_id": "x", "zone": 7, "shoe": 44})
    errors = {e["field"] for e in conforms("POST /people", answer)["errors"]}
    assert (answer.status, errors) == (422, {"unit_id", "zone", "shoe"})
    body = {"name": "A", "unit_id": world.unit, "nip": "123", "email": "siti", "zone": "Asia/Atlantis"}
    answer = await world.program.post("/people", body)
    assert {e["field"] for e in answer.json()["errors"]} == {"nip", "email", "zone"}


async def test_what_is_no_json_object_is_refused(world: World) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b"[1]", b'"x"', b"[" * 100_000, b'{"name": "\\ud800"}', b"\xff\xfe"):
        answer = await world.program.send("POST", "/people", data=body, headers=headers)
        assert answer.status in {400, 422}, body[:20]
        conforms("POST /people", answer)


async def test_bodies_are_json_of_a_bearable_size(world: World) -> None:
    form = await world.program.send("POST", "/people", data={"name": "Ani"})
    large = await world.program.post("/people", {"name": "A" * 300_000})
    packed = await world.program.send(
        "POST",
        "/people",
        data=gzip.compress(b"{}"),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert [form.status, large.status, packed.status] == [415, 413, 415]


async def test_characters_that_cannot_be_shown_are_refused_in_each_line(world: World) -> None:
    for text in ("a\0b", "a\r\nBcc: x@y.example", "\u202etxt"):
        person = await world.program.post("/people", {"name": text, "unit_id": world.unit})
        lecture = await world.program.post("/lectures", a_booking(world, title=text))
        assert [a.json()["errors"][0]["field"] for a in (person, lecture)] == ["name", "title"]


async def test_people_are_listed_in_pages_that_miss_nobody(site: RunningSite, world: World) -> None:
    async with site.database.writing() as session:
        unit = await session.get_one(UnitRow, world.unit)
        for number in range(5):
            await a_person(session, unit, name=f"Ani {number % 2}")
    seen: list[str] = []
    path: str | None = "/people?limit=3"
    while path:
        answer = await world.program.get(path)
        page = conforms("GET /people", answer)
        seen += [p["id"] for p in page["items"]]
        assert bool(page["next"]) == ("Link" in answer.headers)
        path = page["next"].partition(PREFIX)[2] if page["next"] else None
    assert (len(seen), len(set(seen))) == (7, 7)


async def test_a_query_that_means_nothing_is_refused_by_name(world: World) -> None:
    beyond = "cursor=WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAsImEiXQ"
    for path in ("/people", "/lectures", "/units"):
        for query in ("cursor=x", "cursor=WzEsMl0", "cursor=bnVsbA", "limit=0", "limit=x", "page=2", beyond):
            answer = await world.program.get(f"{path}?{query}")
            assert answer.status == 422, (path, query)
            assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_an_import_of_rows_tells_what_is_wrong_and_writes_the_rest(
    site: RunningSite, world: World
) -> None:
    rows = [
        {"name": "Ani", "email": "ani@x.example", "unit": "disdik"},
        {"name": "Ina", "email": "no address", "unit": "disdik"},
        {"name": "Adi", "email": "ani@x.example", "unit": "disdik"},
    ]
    answer = await world.program.post("/people/import", {"rows": rows})
    document = conforms("POST /people/import", answer)
    assert (answer.status, document["state"], document["new"], document["wrong"]) == (202, "writing", 1, 2)
    assert [(p["row"], p["column"]) for p in document["problems"]] == [(2, "email"), (3, "email")]
    assert "1" in document["problems"][1]["detail"]
    await write.work(site.database, document["id"], site.clock.now)
    after = conforms("GET /people/imports/{id}", await world.program.get(f"/people/imports/{document['id']}"))
    assert (after["state"], after["created"]) == ("done", 1)


async def test_an_import_takes_a_table_as_indonesian_excel_writes_it(world: World) -> None:
    table = "Nama;Surel;Unit Kerja\r\nJosé;jose@x.example;Dinas Pendidikan\r\n;;x\r\n".encode("cp1252")
    answer = await world.program.send(
        "POST", "/people/import?write=nothing", data=table, headers={"Content-Type": "text/csv"}
    )
    document = conforms("POST /people/import", answer)
    assert (answer.status, document["state"], document["new"]) == (200, "checked", 1)
    assert {p["row"] for p in document["problems"]} == {3}


async def test_an_import_of_all_or_nothing_writes_nothing_when_a_row_is_wrong(world: World) -> None:
    rows = [{"name": "Ani", "email": "ani@x.example", "unit": "disdik"}, {"name": "Ina"}]
    answer = await world.program.post("/people/import?write=only_if_all_right", {"rows": rows})
    assert (answer.status, answer.json()["state"]) == (200, "checked")


# --- lectures ----------------------------------------------------------------------------------


async def test_a_lecture_is_booked_at_an_instant_and_shown_in_its_zone(world: World) -> None:
    body = a_booking(world, starts_at="2026-12-01T01:00:00Z", lecturer_ids=[world.siti], jp=1.25)
    made = await world.program.post("/lectures", body)
    document = conforms("POST /lectures", made)
    assert made.status == 201
    assert document["starts_at"] == "2026-12-01T09:00:00+08:00"
    assert (document["jp"], document["state"], made.headers["ETag"]) == (1.25, "scheduled", '"1"')
    assert document["lecturers"] == [{"person_id": world.siti, "name": "Siti Rahma"}]
    again = await world.program.get(made.location.removeprefix(PREFIX))
    assert conforms("GET /lectures/{id}", again) == document


WRONG_BOOKINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("starts_at", {"starts_at": "2026-12-01T09:00:00"}),
    ("starts_at", {"starts_at": "2026-12-01 09:00"}),
    ("starts_at", {"starts_at": "2026-13-01T09:00:00Z"}),
    ("starts_at", {"starts_at": 1_800_000_000}),
    ("starts_at", {"starts_at": "2026-12-01T09:00:30+08:00"}),
    ("ends_at", {"ends_at": "2026-12-01T08:30:00+08:00"}),
    ("ends_at", {"ends_at": "2026-12-09T08:30:00+08:00"}),
    ("starts_at", {"starts_at": "2020-01-01T09:00:00+08:00", "ends_at": "2020-01-01T10:00:00+08:00"}),
    ("starts_at", {"starts_at": "2026-10-25T02:30:00+01:00", "zone": "Europe/Berlin"}),
    ("zone", {"zone": "WITA"}),
    ("zone", {"zone": "../../etc/passwd"}),
    ("jp", {"jp": -1}),
    ("jp", {"jp": 1.333}),
    ("jp", {"jp": 25}),
    ("jp", {"jp": "2"}),
    ("jp", {"jp": None}),
    ("jp", {"jp": True}),
    ("title", {"title": " "}),
    ("capacity", {"capacity": 0}),
    ("capacity", {"capacity": 10**30}),
    ("policy_id", {"policy_id": "a" * 26}),
    ("recorded", {"recorded": "yes"}),
    ("lecturer_ids", {"lecturer_ids": ["a" * 26]}),
    ("lecturer_ids.0", {"lecturer_ids": ["x"]}),
)


async def test_a_booking_that_cannot_be_is_refused_at_its_field(site: RunningSite, world: World) -> None:
    before = await count(site, LectureRow)
    for field, change in WRONG_BOOKINGS:
        answer = await world.program.post("/lectures", a_booking(world, **change))
        assert answer.status == 422, (change, answer.text)
        assert field in {e["field"] for e in conforms("POST /lectures", answer)["errors"]}
    assert await count(site, LectureRow) == before


async def test_a_change_needs_the_version_that_was_looked_at(world: World) -> None:
    path = f"/lectures/{world.lecture}"
    looked = (await world.program.get(path)).headers["ETag"]
    blind = await world.program.patch(path, {"title": "Lain"})
    first = await world.program.patch(path, {"title": "Satu"}, headers={"If-Match": looked})
    second = await world.program.patch(path, {"title": "Dua"}, headers={"If-Match": looked})
    weak = await world.program.patch(
        path, {"title": "Dua"}, headers={"If-Match": f"W/{first.headers['ETag']}"}
    )
    assert [blind.status, first.status, second.status, weak.status] == [428, 200, 412, 412]
    for answer in (blind, first, second):
        conforms("PATCH /lectures/{id}", answer)
    assert (await world.program.get(path)).json()["title"] == "Satu"


async def test_a_lecture_moves_in_its_zone_and_what_is_not_named_stays(world: World) -> None:
    path, headers = f"/lectures/{world.lecture}", {"If-Match": "*"}
    before = (await world.program.get(path)).json()
    later = {"starts_at": "2026-11-27T01:00:00Z", "ends_at": "2026-11-27T02:00:00Z"}
    moved = conforms("PATCH /lectures/{id}", await world.program.patch(path, later, headers=headers))
    assert moved["starts_at"] == "2026-11-27T09:00:00+08:00"
    same = {k: v for k, v in before.items() if k not in {"starts_at", "ends_at", "version"}}
    assert {k: moved[k] for k in same} == same
    elsewhere = (await world.program.patch(path, {"zone": "Asia/Jakarta"}, headers=headers)).json()
    assert elsewhere["starts_at"] == "2026-11-27T08:00:00+07:00"


async def test_null_empties_no_field_that_has_to_be_there(world: World) -> None:
    for field in ("title", "starts_at", "jp", "recorded", "zone", "policy_id"):
        path = f"/lectures/{world.lecture}"
        answer = await world.program.patch(path, {field: None}, headers={"If-Match": "*"})
        assert (answer.status, answer.json()["errors"][0]["field"]) == (422, field)


async def test_the_limit_of_seats_is_set_and_lifted(world: World) -> None:
    path, headers = f"/lectures/{world.lecture}", {"If-Match": "*"}
    for wanted in (5, None):
        answer = await world.program.patch(path, {"capacity": wanted}, headers=headers)
        assert conforms("PATCH /lectures/{id}", answer)["capacity"] == wanted


async def test_a_lecture_is_called_off_once_and_changes_no_more(world: World) -> None:
    path = f"/lectures/{world.lecture}"
    for _ in range(2):
        off = await world.program.post(f"{path}/cancel", {"reason": "Narasumber sakit"})
        assert conforms("POST /lectures/{id}/cancel", off)["state"] == "cancelled"
    late = await world.program.patch(path, {"title": "Lain"}, headers={"If-Match": "*"})
    assert (late.status, late.json()["code"]) == (409, "illegal_move")
    seat = await world.program.post(f"{path}/registrations", {"person_ids": [world.budi]})
    assert (seat.status, seat.json()["code"]) == (409, "illegal_move")


async def test_lectures_are_found_by_time_state_and_title(world: World) -> None:
    await world.program.post("/lectures", a_booking(world))
    for query, found in (
        ("", 2), ("?q=arsip", 1), ("?state=cancelled", 0), ("?since=2026-11-30T00:00:00Z", 1),
        ("?until=2026-11-30T00:00:00%2B08:00", 1),
    ):  # fmt: skip
        page = conforms("GET /lectures", await world.program.get(f"/lectures{query}"))
        assert len(page["items"]) == found, query
    first = (await world.program.get("/lectures?limit=1")).json()
    second = (await world.program.get(first["next"].partition(PREFIX)[2])).json()
    assert (first["items"][0]["id"], second["next"]) == (world.lecture, None)
    assert second["items"][0]["title"] == "Pengelolaan Arsip"


# --- registrations -----------------------------------------------------------------------------


async def test_each_registered_person_has_a_link_that_opens_the_room(site: RunningSite, world: World) -> None:
    path = f"/lectures/{world.lecture}/registrations"
    body = {"person_ids": [world.siti, world.budi]}
    made = await world.program.post(path, body)
    document = conforms("POST /lectures/{id}/registrations", made)
    assert (made.status, document["added"], document["already"]) == (201, 1, 1)
    listed = conforms("GET /lectures/{id}/registrations", await world.program.get(path))
    assert {s["id"]: s["join_url"] for s in listed["items"]} == {
        s["id"]: s["join_url"] for s in document["items"]
    }
    opened = await site.visitor().get(document["items"][1]["join_url"].removeprefix(site.url))
    assert (opened.status, opened.location) == (303, f"/lectures/{world.lecture}/room")


async def test_people_are_registered_by_address_and_unknown_ones_are_named(
    site: RunningSite, world: World
) -> None:
    async with site.database.reading() as session:
        email = (await session.get_one(PersonRow, world.budi)).email or ""
    path = f"/lectures/{world.lecture}/registrations"
    wrong = await world.program.post(path, {"emails": [email, "nobody@x.example"], "person_ids": ["a" * 26]})
    assert [e["field"] for e in wrong.json()["errors"]] == ["person_ids.0", "emails.1"]
    right = await world.program.post(path, {"emails": [email.upper()], "role": "lecturer"})
    assert [(s["person_id"], s["role"]) for s in right.json()["items"]] == [(world.budi, "lecturer")]
    nobody = await world.program.post(path, {})
    assert nobody.json()["errors"][0]["field"] == "person_ids"


async def test_a_full_lecture_takes_nobody_of_a_list_that_does_not_fit(world: World) -> None:
    await world.program.patch(f"/lectures/{world.lecture}", {"capacity": 1}, headers={"If-Match": "*"})
    path = f"/lectures/{world.lecture}/registrations"
    answer = await world.program.post(path, {"person_ids": [world.budi]})
    assert (answer.status, answer.json()["code"]) == (409, "full")


async def test_a_cancelled_registration_has_no_link_and_its_old_one_opens_nothing(
    site: RunningSite, world: World
) -> None:
    path = f"/lectures/{world.lecture}/registrations"
    link = (await world.program.get(path)).json()["items"][0]["join_url"]
    answer = await world.program.post(f"{path}/{world.registration}/cancel")
    document = conforms("POST /lectures/{id}/registrations/{registration}/cancel", answer)
    assert (document["state"], document["join_url"]) == ("cancelled", None)
    assert (await site.visitor().get(link.removeprefix(site.url))).status == 410
    assert (await world.program.get(path)).json()["items"] == []
    assert len((await world.program.get(f"{path}?state=all")).json()["items"]) == 1


# --- attendance and hours ----------------------------------------------------------------------


async def test_the_attendance_log_has_absentees_and_a_reason_for_each(world: World) -> None:
    path = f"/lectures/{world.lecture}/attendance"
    log = conforms("GET /lectures/{id}/attendance", await world.program.get(path))
    assert (log["provisional"], log["window_seconds"], log["jp"]) == (True, 5400, 2)
    assert log["window"][0]["starts_at"] == "2026-11-26T09:00:00+08:00"
    entry = log["items"][0]
    assert (entry["person_id"], entry["seconds"], entry["jp"], entry["state"]) == (world.siti, 0, 0, "absent")
    assert entry["why"]
    table = conforms("GET /lectures/{id}/attendance.csv", await world.program.get(f"{path}.csv"))
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert [(r["person_id"], r["state"]) for r in rows] == [(world.siti, "absent")]


async def test_a_program_finds_the_policies_that_a_booking_can_name(world: World) -> None:
    [policy] = conforms("GET /policies", await world.program.get("/policies"))["items"]
    assert (policy["kind"], policy["threshold_percent"], policy["version"]) == ("threshold", 80, 1)
    assert policy["example"] == "Attend at least 72 of 90 minutes to earn 2 JP."


async def test_a_persons_hours_are_of_the_year_in_the_institutions_zone(
    site: RunningSite, world: World
) -> None:
    this = conforms("GET /people/{id}/hours", await world.program.get(f"/people/{world.siti}/hours"))
    assert (this["year"], this["zone"], this["target_jp"], this["missing_jp"]) == (
        2026,
        "Asia/Makassar",
        20,
        20,
    )
    past = await world.program.get(f"/people/{world.siti}/hours?year=2025")
    assert past.json()["year"] == 2025
    wrong = await world.program.get(f"/people/{world.siti}/hours?year=soon")
    assert wrong.json()["errors"][0]["field"] == "year"


# --- repeats -----------------------------------------------------------------------------------


async def test_a_repeated_post_gets_the_first_answer_and_does_it_once(
    site: RunningSite, world: World
) -> None:
    before, headers = await count(site, LectureRow), {"Idempotency-Key": "7c1f"}
    first = await world.program.post("/lectures", a_booking(world), headers=headers)
    again = await world.program.post("/lectures", a_booking(world), headers=headers)
    other = await world.program.post("/lectures", a_booking(world, title="Lain"), headers=headers)
    assert (again.status, again.json(), again.location) == (201, first.json(), first.location)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await count(site, LectureRow) == before + 1


async def test_repeats_at_the_same_instant_do_it_once(site: RunningSite, world: World) -> None:
    before, headers = await count(site, LectureRow), {"Idempotency-Key": "at once"}
    answers = await asyncio.gather(
        *(world.program.post("/lectures", a_booking(world), headers=headers) for _ in range(6))
    )
    assert {a.status for a in answers} <= {201, 409}
    assert len({a.location for a in answers if a.status == 201}) == 1
    assert {a.json()["code"] for a in answers if a.status == 409} <= {"in_progress"}
    assert await count(site, LectureRow) == before + 1
    last = await world.program.post("/lectures", a_booking(world), headers=headers)
    assert last.status == 201


async def test_a_refused_post_leaves_nothing_and_may_be_tried_again(site: RunningSite, world: World) -> None:
    headers = {"Idempotency-Key": "retry"}
    wrong = await world.program.post("/lectures", a_booking(world, jp=99), headers=headers)
    assert (wrong.status, await count(site, IdempotencyRow)) == (422, 0)
    right = await world.program.post("/lectures", a_booking(world), headers=headers)
    assert right.status == 201


async def test_a_key_of_repeats_belongs_to_one_api_key_and_one_day(site: RunningSite, world: World) -> None:
    headers = {"Idempotency-Key": "same"}
    other = await site.program(world.institution, "lectures:write")
    first = await world.program.post("/lectures", a_booking(world), headers=headers)
    theirs = await other.post("/lectures", a_booking(world), headers=headers)
    site.clock.advance(DAY + 1)
    later = await world.program.post("/lectures", a_booking(world), headers=headers)
    assert len({first.location, theirs.location, later.location}) == 3
    assert await count(site, IdempotencyRow) == 1


async def test_answers_that_are_kept_hold_no_join_link(site: RunningSite, world: World) -> None:
    headers = {"Idempotency-Key": "links"}
    path, body = f"/lectures/{world.lecture}/registrations", {"person_ids": [world.budi]}
    first = await world.program.post(path, body, headers=headers)
    again = await world.program.post(path, body, headers=headers)
    assert again.json() == first.json()
    token = first.json()["items"][0]["join_url"].rpartition(".")[2]
    async with site.database.reading() as session:
        kept = (await session.scalars(select(IdempotencyRow.body))).one() or ""
    assert len(token) == 40
    assert token not in kept


async def test_a_repeated_import_is_one_import(world: World) -> None:
    headers, rows = (
        {"Idempotency-Key": "people"},
        [{"name": "Ani", "email": "ani@x.example", "unit": "disdik"}],
    )
    answers = [await world.program.post("/people/import", {"rows": rows}, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()


async def test_errors_speak_the_language_that_is_asked_for(world: World) -> None:
    body = {"name": "", "unit_id": world.unit}
    english = await world.program.post("/people", body)
    indonesian = await world.program.post("/people", body, headers={"Accept-Language": "id"})
    assert english.json()["title"] == "Some of the input is not right yet."
    assert indonesian.json()["title"] != english.json()["title"]
    assert indonesian.json()["code"] == english.json()["code"] == "invalid"


def test_the_guide_names_each_address_with_its_scope() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    rows = {f"| {e.method} | `{e.path}` | `{e.scope}` |" for e in ENDPOINTS}
    written = {line for line in guide.splitlines() if re.match(r"\| (GET|POST|PATCH|PUT|DELETE) ", line)}
    assert written == rows
