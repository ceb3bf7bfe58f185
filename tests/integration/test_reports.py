"""Files about a lecture: who gets what, made at once or in the background, kept for a week."""

import csv
import io
import json
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import insert, select, update

from tests import by_hand
from tests.build import DAY, HOUR, NINE, a_person, a_registration, a_role, an_institution
from tests.integration.pages_world import World, a_world, statements
from tests.site import Answer, RunningSite
from webinar.core import effects
from webinar.core.effects import Again, Done
from webinar.core.ids import new_id
from webinar.hours.tables import AdjustmentRow, LedgerHeadRow
from webinar.people.access import scope_of
from webinar.people.tables import PersonRow, RoleRow
from webinar.privacy import erase
from webinar.reports import files
from webinar.reports.rules import DIRECT_ROWS, KEPT_MS
from webinar.reports.service import ReportMaker
from webinar.reports.tables import ReportRow
from webinar.web import reports as pages

NIP = "198503122010012003"


@pytest.fixture
async def world(site: RunningSite) -> World:
    world = await a_world(site)
    async with site.database.writing() as session:
        values = update(PersonRow).where(PersonRow.id == world.participant.id).values(nip=NIP)
        await session.execute(values)
    return world


async def adjust(site: RunningSite, world: World, state: str, *jps: int) -> None:
    """The organiser changes what the participant got, once for each value."""
    lecture = world.lectures[state]
    async with site.database.writing() as session:
        seat = await pages.lectures.registration_of(session, lecture.id, world.participant.id)
        assert seat is not None
        for number, jp in enumerate(jps):
            await session.execute(
                insert(AdjustmentRow).values(
                    id=new_id(), institution_id=lecture.institution_id, lecture_id=lecture.id,
                    registration_id=seat.id, person_id=world.participant.id, before_jp=200, after_jp=jp,
                    reason=f"=Alasan {number}", author_id=world.organiser.id, at=NINE, batch_id=new_id(),
                )
            )  # fmt: skip


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))


async def made(site: RunningSite, **more: Any) -> Any:
    """Let the effect of the only report run once; its outcome, written back."""
    maker = ReportMaker(site.database, site.clock)
    (effect,) = await by_hand.claim(
        site.database, worker="test", limit=5, lease_ms=HOUR, now=site.clock.now()
    )
    assert effect.kind == "report"
    outcome = await maker.make_report(effect)
    assert await by_hand.finish(site.database, effect, outcome, site.clock.now())
    return outcome


async def drop_other_effects(site: RunningSite) -> None:
    async with site.database.writing() as session:
        await session.execute(effects.text("DELETE FROM effects"))


async def test_the_newest_adjustment_of_each_person_stands_in_the_file(
    site: RunningSite, world: World
) -> None:
    await adjust(site, world, "final", 100, 150)
    ratna = await world.as_("organiser")
    rows = rows_of(await ratna.get(world.path("final", "attendance.csv")))
    mine = next(row for row in rows if row["person_id"] == world.participant.id)
    assert (mine["jp"], mine["computed_jp"], mine["nip"]) == ("1.5", "2", NIP)
    assert (mine["adjusted_by"], mine["adjusted_why"]) == (world.organiser.name, "'=Alasan 1")


async def test_the_head_of_the_ledger_is_on_each_file(site: RunningSite, world: World) -> None:
    async with site.database.reading() as session:
        digest = await session.scalar(select(LedgerHeadRow.digest))
    assert digest and digest != "0" * 64
    ratna = await world.as_("organiser")
    rows = rows_of(await ratna.get(world.path("ended", "attendance.csv")))
    assert {row["ledger_digest"] for row in rows} == {digest}
    paper = await ratna.get(world.path("ended", "attendance.pdf"))
    assert digest in PdfReader(io.BytesIO(paper.body)).pages[0].extract_text()
    assert paper.headers["Content-Type"] == "application/pdf"
    assert paper.headers["Content-Disposition"].startswith('attachment; filename="kehadiran-')
    book = await ratna.get(world.path("ended", "attendance.xlsx"))
    assert (book.status, book.body[:2]) == (200, b"PK")


async def test_a_nip_stands_only_in_the_files_of_those_who_may_see_it(
    site: RunningSite, world: World
) -> None:
    """Somebody who organises one unit sees nobody's NIP of another; a key needs the scope of people."""
    lecture = world.lectures["ended"]
    async with site.database.writing() as session:
        elsewhere = await an_institution(session, name="Kabupaten Lain", code="kab")
        guest = await a_person(session, elsewhere, name="Tamu", nip="198503122010012019")
        await a_registration(session, lecture, guest)
    ratna = await world.as_("organiser")
    nips = {
        row["name"]: row["nip"] for row in rows_of(await ratna.get(world.path("ended", "attendance.csv")))
    }
    assert nips["Tamu"] == ""
    few = await site.program(world.institution.id, "attendance:read")
    many = await site.program(world.institution.id, "attendance:read", "people:read")
    path = f"/lectures/{lecture.id}/attendance.csv"
    assert {row["nip"] for row in rows_of(await few.get(path))} == {""}
    assert NIP in {row["nip"] for row in rows_of(await many.get(path))}


async def test_the_files_cost_the_same_number_of_statements_with_one_row_and_with_three(
    site: RunningSite, world: World
) -> None:
    ratna = await world.as_("organiser")

    async def costs() -> list[int]:
        counted = []
        for name in ("attendance.csv", "attendance.xlsx", "intervals.csv", "exports"):
            with statements(site) as seen:
                assert (await ratna.get(world.path("final", name))).status == 200
            counted.append(len(seen))
        return counted

    before = await costs()
    async with site.database.writing() as session:
        for number in range(2):
            person = await a_person(session, world.institution, name=f"Orang {number}")
            await a_registration(session, world.lectures["final"], person)
    assert await costs() == before


async def test_a_file_is_made_in_the_background_and_fetched_later(site: RunningSite, world: World) -> None:
    await drop_other_effects(site)
    ratna = await world.as_("organiser")
    asked = await ratna.post(world.path("final", "exports"), {"kind": "pdf", "unit": ""})
    assert asked.status == 303
    page = await ratna.get(asked.location)
    assert 'data-state="wanted"' in page.text
    assert (await ratna.get(f"{asked.location}/file")).status == 404
    assert isinstance(await made(site), Again)
    # The poll of the progress sends the browser to the whole page.
    poll = await ratna.get(asked.location, headers={"HX-Request": "true"})
    assert (poll.status, poll.headers["HX-Refresh"]) == (204, "true")
    assert 'data-state="ready"' in (await ratna.get(asked.location)).text
    file = await ratna.get(f"{asked.location}/file")
    assert (file.status, file.body[:5]) == (200, b"%PDF-")
    assert asked.location in (await ratna.get(world.path("final", "exports"))).text


async def test_a_file_of_a_unit_has_the_people_of_the_unit_and_below(site: RunningSite, world: World) -> None:
    await drop_other_effects(site)
    ratna = await world.as_("organiser")
    wish = {"kind": "csv", "unit": world.participant.unit_id}
    asked = await ratna.post(world.path("final", "exports"), wish)
    await made(site)
    rows = rows_of(await ratna.get(f"{asked.location}/file"))
    assert [row["person_id"] for row in rows] == [world.participant.id]
    wish["unit"] = "a" * 26
    assert (await ratna.post(world.path("final", "exports"), wish)).status == 404
    assert (await ratna.post(world.path("final", "exports"), {"kind": "docx"})).status == 422


async def test_after_a_week_a_file_is_gone(site: RunningSite, world: World) -> None:
    await drop_other_effects(site)
    ratna = await world.as_("organiser")
    asked = await ratna.post(world.path("final", "exports"), {"kind": "csv"})
    await made(site)
    site.clock.advance(KEPT_MS - DAY)
    assert (await ratna.get(f"{asked.location}/file")).status == 200
    assert await by_hand.claim(site.database, worker="w", limit=5, lease_ms=1, now=site.clock.now()) == []
    site.clock.advance(DAY)
    assert (await ratna.get(f"{asked.location}/file")).status == 404
    assert isinstance(await made(site), Done)
    assert (await ratna.get(asked.location)).status == 404
    async with site.database.reading() as session:
        assert await session.scalar(select(ReportRow.id)) is None


async def test_a_file_is_its_askers_and_goes_with_the_right_to_it(site: RunningSite, world: World) -> None:
    await drop_other_effects(site)
    async with site.database.writing() as session:
        other = await a_person(session, world.institution, name="Dewi", role="organiser")
    ratna, dewi = await world.as_("organiser"), await site.signed_in(other.id)
    asked = await ratna.post(world.path("final", "exports"), {"kind": "csv"})
    await made(site)
    for path in (asked.location, f"{asked.location}/file"):
        assert (await dewi.get(path)).status == 404
    assert asked.location not in (await dewi.get(world.path("final", "exports"))).text
    async with site.database.writing() as session:
        await session.execute(
            update(RoleRow).where(RoleRow.person_id == world.organiser.id).values(role="unit_manager")
        )
    for path in (asked.location, f"{asked.location}/file"):
        assert (await ratna.get(path)).status == 404


async def test_a_file_that_cannot_be_made_says_so_and_can_be_asked_for_anew(
    site: RunningSite, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await drop_other_effects(site)

    async def broken(*_given: Any) -> Any:
        raise RuntimeError("no paper")

    monkeypatch.setattr(files, "attendance_file", broken)
    ratna = await world.as_("organiser")
    asked = await ratna.post(world.path("final", "exports"), {"kind": "pdf"})
    assert isinstance(await made(site), Again)
    page = await ratna.get(asked.location)
    assert 'data-state="failed"' in page.text
    assert "Minta sekali lagi" in page.text


async def test_one_person_waits_for_a_handful_of_files_at_most(site: RunningSite, world: World) -> None:
    ratna = await world.as_("organiser")
    said = [await ratna.post(world.path("final", "exports"), {"kind": "csv"}) for _ in range(6)]
    assert [answer.status for answer in said] == [303] * 5 + [409]


async def test_a_long_list_is_asked_for_and_not_waited_for(
    site: RunningSite, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DIRECT_ROWS >= 500
    monkeypatch.setattr(pages, "DIRECT_ROWS", 1)
    ratna = await world.as_("organiser")
    for kind in ("xlsx", "pdf"):
        answer = await ratna.get(world.path("final", f"attendance.{kind}"))
        assert (answer.status, answer.location) == (303, world.path("final", f"exports?kind={kind}"))
    page = await ratna.get(world.path("final", "exports?kind=xlsx"))
    assert "Daftar ini panjang" in page.text


async def test_whoever_makes_a_file_has_the_rights_of_its_asker_only(site: RunningSite, world: World) -> None:
    """A role that was taken back between the asking and the making leaves a file that failed."""
    await drop_other_effects(site)
    async with site.database.writing() as session:
        other = await a_person(session, world.institution, name="Dewi")
        await a_role(session, other, world.institution, role="organiser")
    dewi = await site.signed_in(other.id)
    await dewi.post(world.path("final", "exports"), {"kind": "csv"})
    async with site.database.writing() as session:
        await session.execute(effects.text("DELETE FROM roles WHERE person_id = :id"), {"id": other.id})
    await made(site)
    async with site.database.reading() as session:
        row = await session.scalar(select(ReportRow))
        assert row is not None
        assert (row.state, row.content) == ("failed", None)
        assert json.dumps(row.wish)


async def test_files_that_name_somebody_go_when_that_person_is_erased(
    site: RunningSite, world: World
) -> None:
    await drop_other_effects(site)
    async with site.database.writing() as session:
        leaver = await a_person(session, world.institution, name="Pergi", email=None)
        await a_registration(session, world.lectures["final"], leaver)
        admin = await a_person(session, world.institution, name="Ade", role="administrator")
    ratna = await world.as_("organiser")
    names_them = await ratna.post(world.path("final", "exports"), {"kind": "csv"})
    does_not = await ratna.post(world.path("ended", "exports"), {"kind": "csv"})
    async with site.database.writing() as session:
        scope = await scope_of(session, admin.id)
        await erase.erase(session, scope, leaver.id, reason="Permintaan sendiri", now=site.clock.now())
    assert [(await ratna.get(asked.location)).status for asked in (names_them, does_not)] == [404, 200]
    maker = ReportMaker(site.database, site.clock)
    for effect in await by_hand.claim(
        site.database, worker="w", limit=9, lease_ms=1_000, now=site.clock.now()
    ):
        assert await maker.make_report(effect)
