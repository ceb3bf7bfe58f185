"""The page of a unit's hours: who counts, who is behind, who may look, and what it costs."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from sqlalchemy import insert

from tests import by_hand
from tests.build import NINE, a_lecture, a_person, a_registration, a_role, a_unit, an_institution
from tests.integration.api_world import conforms
from tests.integration.pages_world import statements
from tests.site import RunningSite
from webinar.attendance.tables import AttendanceRow
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.hours.tables import HourTotalRow, YearTargetRow
from webinar.people.access import scope_of
from webinar.people.tables import ExemptionRow, PersonRow, UnitRow
from webinar.reports import unit_service
from webinar.reports.service import ReportMaker
from webinar.reports.unit_service import UnitHours
from webinar.reports.unit_store import Wanted
from webinar.web import unit_hours as pages


class Region:
    """A region with two OPD, one of which has a unit below it; Wati manages the first OPD."""

    root: UnitRow
    health: UnitRow
    clinic: UnitRow
    works: UnitRow
    wati: PersonRow


async def a_region(db: Database) -> Region:
    made = Region()
    async with db.writing() as session:
        made.root = await an_institution(session)
        made.health = await a_unit(session, made.root, name="Dinas Kesehatan", code="dinkes")
        made.clinic = await a_unit(session, made.health, name="Puskesmas Satu", code="pkm1")
        made.works = await a_unit(session, made.root, name="Dinas PU", code="pu")
        made.wati = await a_person(session, made.health, name="Wati", employment="other")
        await a_role(session, made.wati, made.health, role="unit_manager")
    return made


async def a_learner(db: Database, unit: UnitRow, name: str, jp: int | None = None, **more: Any) -> PersonRow:
    year = more.pop("year", 2026)
    async with db.writing() as session:
        person = await a_person(session, unit, name=name, **more)
        if jp is not None:
            values = {"person_id": person.id, "year": year, "institution_id": unit.institution_id}
            await session.execute(insert(HourTotalRow).values(jp=jp, entries=1, **values))
    return person


async def exempted(
    db: Database, person: PersonRow, start: str, end: str, *, ended: int | None = None
) -> None:
    async with db.writing() as session:
        await session.execute(
            insert(ExemptionRow).values(
                id=new_id(), institution_id=person.institution_id, person_id=person.id, reason="Tugas",
                starts_on=start, ends_on=end, created_at=0, ended_at=ended,
            )
        )  # fmt: skip


async def hours_of(
    db: Database, asker: PersonRow, unit: UnitRow, year: int | None = None, now: int = NINE
) -> UnitHours:
    async with db.reading() as session:
        scope = await scope_of(session, asker.id)
        return await unit_service.unit_hours(session, scope, unit.id, year, now)


async def names_of(db: Database, asker: PersonRow, unit: UnitRow, **wanted: Any) -> list[str]:
    found = await hours_of(db, asker, unit)
    async with db.reading() as session:
        scope = await scope_of(session, asker.id)
        people, more = await unit_service.page(session, scope, found, Wanted(**wanted))
    assert more == ("limit" in wanted)
    return [person.name for person in people]


async def test_a_unit_adds_up_with_everything_below_it(database: Database) -> None:
    region = await a_region(database)
    await a_learner(database, region.health, "Ani", 2_000)
    await a_learner(database, region.clinic, "Budi", 1_750)
    await a_learner(database, region.clinic, "Cici", 1_700)
    await a_learner(database, region.clinic, "Dedi")
    await a_learner(database, region.works, "Eka", 500)
    await a_learner(database, region.clinic, "Pergi", 100, deactivated_at=1)
    found = await hours_of(database, region.wati, region.health)
    # 25 November is day 329 of 365: 18.03 of 20 JP, in whole JP 18.
    assert found.goals.main.expected == 1_800
    assert (found.tally.reached, found.tally.on_pace, found.tally.behind) == (1, 0, 3)
    assert (found.tally.people, found.tally.no_target, found.tally.none) == (5, 1, 1)
    assert found.tally.median == 1_700
    assert [(part.name, part.tally.people, part.tally.median) for part in found.parts] == [
        ("Puskesmas Satu", 3, 1_700)
    ]
    assert found.own.people == 2
    assert await names_of(database, region.wati, region.health, show="behind") == ["Budi", "Cici", "Dedi"]


async def test_the_list_is_searched_sorted_and_paged(database: Database) -> None:
    region = await a_region(database)
    for name, jp in (("Ani", 300), ("Budi Ana", 100), ("Cici", None), ("Dedi", 2_000)):
        await a_learner(
            database, region.clinic, name, jp, nip="198503122010012003" if name == "Ani" else None
        )
    look = (database, region.wati, region.clinic)
    assert await names_of(*look) == ["Ani", "Budi Ana", "Cici", "Dedi"]
    assert await names_of(*look, sort="least") == ["Cici", "Budi Ana", "Ani", "Dedi"]
    assert await names_of(*look, sort="most") == ["Dedi", "Ani", "Budi Ana", "Cici"]
    assert await names_of(*look, sort="most", first=1, limit=2) == ["Ani", "Budi Ana"]
    assert await names_of(*look, text="budi a") == ["Budi Ana"]
    assert await names_of(*look, text="19850312") == ["Ani"]
    assert await names_of(*look, text="%") == []
    assert await names_of(*look, show="none") == ["Cici"]
    assert await names_of(*look, show="reached") == ["Dedi"]


async def test_who_is_exempt_on_the_day_is_in_no_denominator(database: Database) -> None:
    region = await a_region(database)
    for name, start, end, ended in (
        ("Selalu", "2026-01-01", "2026-12-31", None),
        ("Hari ini", "2026-11-25", "2026-11-25", None),
        ("Kemarin", "2026-11-01", "2026-11-24", None),
        ("Besok", "2026-11-26", "2026-12-24", None),
        ("Ditarik", "2026-01-01", "2026-12-31", 5),
    ):
        await exempted(database, await a_learner(database, region.clinic, name, 100), start, end, ended=ended)
    twice = await a_learner(database, region.clinic, "Dua kali")
    await exempted(database, twice, "2026-11-01", "2026-11-30")
    await exempted(database, twice, "2026-11-20", "2026-12-31")
    found = await hours_of(database, region.wati, region.clinic)
    assert (found.tally.exempt, found.tally.counted, found.tally.people) == (3, 3, 6)
    look = (database, region.wati, region.clinic)
    assert await names_of(*look, show="exempt") == ["Dua kali", "Hari ini", "Selalu"]
    assert await names_of(*look, show="behind") == ["Besok", "Ditarik", "Kemarin"]


async def test_the_year_and_the_day_are_those_of_the_institutions_zone(database: Database) -> None:
    region = await a_region(database)
    await a_learner(database, region.clinic, "Ani", 500, year=2027)
    # 31 December 2026, 16.30 UTC: half an hour into the new year in Makassar.
    new_year = round(datetime(2026, 12, 31, 16, 30, tzinfo=UTC).timestamp() * 1000)
    found = await hours_of(database, region.wati, region.clinic, now=new_year)
    assert (found.goals.year, found.goals.main.expected, found.tally.behind) == (2027, 0, 0)
    before = await hours_of(database, region.wati, region.clinic, 2026, now=new_year)
    assert (before.goals.main.expected, before.tally.behind) == (2_000, 1)


async def test_targets_go_by_employment_and_hours_beyond_the_limit_are_said_to_be_so(
    site: RunningSite,
) -> None:
    region = await a_region(site.database)
    async with site.database.writing() as session:
        values = {"institution_id": region.root.id, "changed_at": 0}
        await session.execute(
            insert(YearTargetRow).values(employment="pppk", target=2_400, most=2_400, **values)
        )
    await a_learner(site.database, region.clinic, "Ani", 2_150, employment="pppk")
    await a_learner(site.database, region.clinic, "Budi", 2_700, employment="pppk")
    await a_learner(site.database, region.clinic, "Cici", 2_150)
    found = await hours_of(site.database, region.wati, region.clinic)
    assert (found.tally.reached, found.tally.on_pace) == (2, 1)
    wati = await site.signed_in(region.wati.id)
    page = (await wati.get(f"/units/{region.clinic.id}/hours")).text
    assert page.count("di atas batas") == 1
    assert "3 di atas batas" in page


async def test_only_who_holds_an_office_in_a_unit_or_above_sees_its_hours(site: RunningSite) -> None:
    region = await a_region(site.database)
    async with site.database.writing() as session:
        rina = await a_person(session, region.root, name="Rina", role="organiser")
        elsewhere = await an_institution(session, name="Kabupaten Lain", code="kab")
        zul = await a_person(session, elsewhere, name="Zul", role="administrator")
        siti = await a_person(session, region.clinic, name="Siti")
    seen = {}
    for who in (region.wati, rina, zul, siti):
        visitor = await site.signed_in(who.id)
        units = (region.root, region.health, region.clinic, region.works)
        seen[who.name] = [(await visitor.get(f"/units/{unit.id}/hours")).status for unit in units]
    assert seen == {
        "Wati": [404, 200, 200, 404],
        "Rina": [200, 200, 200, 200],
        "Zul": [404, 404, 404, 404],
        "Siti": [403, 403, 403, 403],
    }
    wati = await site.signed_in(region.wati.id)
    assert (await wati.get("/units")).location == f"/units/{region.health.id}/hours"
    # The way back up ends where one's own office does.
    page = (await wati.get(f"/units/{region.clinic.id}/hours")).text
    assert f"/units/{region.health.id}/hours" in page
    assert region.root.id not in page


async def test_a_unit_costs_the_same_number_of_statements_with_one_person_and_with_many(
    site: RunningSite,
) -> None:
    region = await a_region(site.database)
    await a_learner(site.database, region.clinic, "Ani", 300)
    wati = await site.signed_in(region.wati.id)

    async def cost() -> int:
        with statements(site) as seen:
            assert (await wati.get(f"/units/{region.health.id}/hours")).status == 200
        return len(seen)

    before = await cost()
    async with site.database.writing() as session:
        units = [await a_unit(session, region.health, name=f"Puskesmas {n}") for n in range(3)]
    for number, unit in enumerate(units):
        person = await a_learner(site.database, unit, f"Orang {number}", 100 * number)
        await exempted(site.database, person, "2026-01-01", "2026-12-31")
    assert await cost() == before


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
async def test_names_of_people_and_units_are_text(site: RunningSite, text: str) -> None:
    region = await a_region(site.database)
    async with site.database.writing() as session:
        unit = await a_unit(session, region.health, name=text)
    await a_learner(site.database, unit, text, 100)
    wati = await site.signed_in(region.wati.id)
    for path in (f"/units/{region.health.id}/hours", f"/units/{unit.id}/hours?q=script&show=behind"):
        page = await wati.get(path)
        assert (page.status, text in page.text) == (200, False)


@pytest.mark.parametrize("wish", ["abc", "-1", "9" * 40, "%E0%A5%A7", "1e9", ""])
async def test_an_address_may_be_nonsense(site: RunningSite, wish: str) -> None:
    region = await a_region(site.database)
    wati = await site.signed_in(region.wati.id)
    asked = f"year={wish}&from={wish}&show={wish}&sort={wish}&q={wish}"
    assert (await wati.get(f"/units/{region.health.id}/hours?{asked}")).status == 200


async def test_the_year_of_a_unit_can_be_had_as_a_file(site: RunningSite) -> None:
    region = await a_region(site.database)
    await a_learner(site.database, region.clinic, "=Ani", 1_750, nip="198503122010012003")
    await a_learner(site.database, region.clinic, "Budi", 2_650, employment="pppk")
    away = await a_learner(site.database, region.clinic, "Cici")
    await exempted(site.database, away, "2026-01-01", "2026-12-31")
    wati = await site.signed_in(region.wati.id)
    answer = await wati.get(f"/units/{region.health.id}/hours.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jam-belajar-dinkes-2026.csv"'
    rows = {
        row["name"]: row for row in csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline=""))
    }
    told = ("nip", "jp", "expected", "missing", "beyond", "standing")
    assert {name: [row[key] for key in told] for name, row in rows.items()} == {
        "'=Ani": ["198503122010012003", "17.5", "18", "2.5", "0", "behind"],
        "Budi": ["", "26.5", "18", "0", "2.5", "reached"],
        "Cici": ["", "0", "", "", "0", "exempt"],
        "Wati": ["", "0", "", "", "0", "no_target"],
    }
    assert {row["ledger_digest"] for row in rows.values()} == {"0" * 64}
    book = await wati.get(f"/units/{region.health.id}/hours.xlsx")
    sheets = openpyxl.load_workbook(io.BytesIO(book.body))
    assert sheets.sheetnames == ["Peserta", "Ringkasan"]
    assert [cell.value for cell in sheets["Peserta"]["B"]] == ["Nama", "Wati", "'=Ani", "Budi", "Cici"]
    facts = {row[0].value: row[1].value for row in sheets["Ringkasan"].iter_rows(min_row=2)}
    assert (facts["Tertinggal"], facts["Dikecualikan"]) == ("1 (50 %)", "1")


async def test_the_file_of_a_large_unit_is_made_in_the_background(
    site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "DIRECT_ROWS", 1)
    region = await a_region(site.database)
    await a_learner(site.database, region.clinic, "Ani", 1_750)
    wati = await site.signed_in(region.wati.id)
    path = f"/units/{region.health.id}/hours"
    assert (await wati.get(f"{path}.xlsx")).location == f"{path}#files"
    asked = await wati.post(f"/units/{region.health.id}/files", {"kind": "csv", "year": "2026"})
    maker = ReportMaker(site.database, site.clock)
    (effect,) = await by_hand.claim(site.database, worker="w", limit=9, lease_ms=9_000, now=site.clock.now())
    assert await by_hand.finish(site.database, effect, await maker.make_report(effect), site.clock.now())
    page = await wati.get(asked.location)
    assert "Dinas Kesehatan · 2026" in page.text
    file = await wati.get(f"{asked.location}/file")
    assert (file.status, b"Ani" in file.body) == (200, True)
    assert asked.location in (await wati.get(path)).text
    assert (await wati.post(f"/units/{region.works.id}/files", {"kind": "csv"})).status == 404
    assert (await wati.post(f"/units/{region.health.id}/files", {"kind": "pdf"})).status == 422


async def test_the_absentees_of_a_lecture_are_listed_unit_by_unit(site: RunningSite) -> None:
    region = await a_region(site.database)
    async with site.database.writing() as session:
        lecture = await a_lecture(session, region.root, state="final", final_at=NINE, title="Etika data")
        for unit, name, seconds in (
            (region.clinic, "Ani", 5_400), (region.clinic, "Budi", 0), (region.health, "Cici", 0),
            (region.works, "Dedi", 0),
        ):  # fmt: skip
            person = await a_person(session, unit, name=name)
            seat = await a_registration(session, lecture, person)
            await session.execute(
                insert(AttendanceRow).values(
                    registration_id=seat.id, lecture_id=lecture.id, person_id=person.id, seconds=seconds,
                    uncertainty_s=0, jp=0, state="absent", intervals=[], why=[], rules_version=1,
                    high_water={}, computed_at=NINE,
                )
            )  # fmt: skip
    wati = await site.signed_in(region.wati.id)
    listed = await wati.get(f"/units/{region.health.id}/lectures")
    assert "2 dari 3 tidak hadir" in listed.text
    page = (await wati.get(f"/units/{region.health.id}/lectures/{lecture.id}")).text
    assert [name in page for name in ("Ani", "Budi", "Cici", "Dedi")] == [False, True, True, False]
    assert "1 dari 2 tidak hadir" in (await wati.get(f"/units/{region.clinic.id}/lectures")).text
    for unit, ident in ((region.works, lecture.id), (region.health, "a" * 26)):
        assert (await wati.get(f"/units/{unit.id}/lectures/{ident}")).status == 404


async def test_a_program_reads_the_hours_of_a_unit_page_by_page(site: RunningSite) -> None:
    region = await a_region(site.database)
    for name, jp in (("Ani", 2_000), ("Budi", 1_750), ("Cici", None)):
        await a_learner(site.database, region.clinic, name, jp)
    program = await site.program(region.root.id, "hours:read")
    first = conforms("GET /units/{id}/hours", await program.get(f"/units/{region.clinic.id}/hours?limit=2"))
    assert (first["expected_jp"], first["total"]["behind"], first["total"]["median_jp"]) == (18, 2, 17.5)
    assert [(one["name"], one["standing"]) for one in first["items"]] == [
        ("Ani", "reached"),
        ("Budi", "behind"),
    ]
    rest = conforms("GET /units/{id}/hours", await program.get(first["next"].partition("/api/v1")[2]))
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["Cici"], None)
    shown = await program.get(f"/units/{region.clinic.id}/hours?show=none")
    assert [one["name"] for one in shown.json()["items"]] == ["Cici"]
    assert (await program.get(f"/units/{'a' * 26}/hours")).status == 404
