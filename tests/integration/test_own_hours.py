"""The page of the own hours: groups, the limit of a contract, what lies ahead, and the same on paper."""

import io

from pypdf import PdfReader
from sqlalchemy import insert, update

from tests.build import DAY, NINE, a_person, a_unit
from tests.integration.pages_world import a_booked, a_world, statements
from tests.site import RunningSite
from webinar.hours.tables import LedgerRow, YearTargetRow
from webinar.people.tables import PersonRow

MARKS = {"counted": 'id="counted"', "provisional": 'id="provisional"', "nothing": 'id="nothing"'}


async def test_what_is_provisional_counted_and_without_jp_stands_apart(site: RunningSite) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")
    page = (await siti.get("/hours")).text
    assert {name for name, mark in MARKS.items() if mark in page} == {"counted", "provisional"}
    assert "Masih sementara" in page


async def test_the_hours_of_a_contract_beyond_its_limit_are_shown_as_beyond_it(site: RunningSite) -> None:
    """Whoever is on a contract has 24 JP a year at most; what is more stays on record."""
    world = await a_world(site)
    async with site.database.writing() as session:
        await session.execute(
            update(PersonRow).where(PersonRow.id == world.participant.id).values(employment="pppk")
        )
        lecture = world.lectures["final"]
        await session.execute(
            insert(LedgerRow).values(
                institution_id=world.institution.id, number=900, key="more", person_id=world.participant.id,
                lecture_id=lecture.id, year=2026, kind="credit", jp=2_500, body={}, at=NINE,
                previous_digest="0" * 64, digest="0" * 64,
            )
        )  # fmt: skip
    siti = await world.as_("participant")
    page = (await siti.get("/hours")).text
    assert "<strong>3 JP</strong> di antaranya di atas batas 24 JP setahun" in page
    async with site.database.writing() as session:
        values = {"institution_id": world.institution.id, "employment": "pppk", "changed_at": 0}
        await session.execute(insert(YearTargetRow).values(target=2_000, most=None, **values))
    assert "di atas batas" not in (await siti.get("/hours")).text


async def test_who_has_no_target_misses_nothing(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        values = {"employment": "other"}
        await session.execute(update(PersonRow).where(PersonRow.id == world.participant.id).values(values))
    siti = await world.as_("participant")
    for path in ("/", "/hours"):
        page = (await siti.get(path)).text
        assert "Anda tidak memiliki target tahun ini" in page
        assert "jp-ring" not in page


async def test_what_lies_ahead_stands_on_its_day(site: RunningSite) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")
    page = (await siti.get("/hours")).text
    assert "November 2026" in page
    assert world.lectures["scheduled"].id in page.split('data-testid="agenda"')[1]
    other = (await siti.get("/hours?month=2027-01")).text.split('data-testid="agenda"')[1]
    assert world.lectures["scheduled"].id not in other
    assert "Januari 2027" in other
    for wish in ("x", "9999-99", "2026-13", "-1", "%E0%A5%A7"):
        assert (await siti.get(f"/hours?month={wish}")).status == 200


async def test_the_own_hours_cost_the_same_with_one_lecture_ahead_and_with_three(site: RunningSite) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")

    async def cost() -> int:
        with statements(site) as seen:
            assert (await siti.get("/hours")).status == 200
        return len(seen)

    before = await cost()
    async with site.database.writing() as session:
        for days in (1, 2):
            await a_booked(
                session, world.institution, world.policy, world.lecturer, world.participant,
                state="scheduled", starts_at=NINE + days * DAY, title=f"Ceramah {days}",
            )  # fmt: skip
    assert await cost() == before


async def test_the_own_year_can_be_had_on_paper_and_nobody_elses(site: RunningSite) -> None:
    world = await a_world(site, title="#panic() *Arsip* $x$")
    async with site.database.writing() as session:
        other = await a_person(session, world.institution, name="Orang Lain")
    siti, stranger = await world.as_("participant"), await site.signed_in(other.id)
    paper = await siti.get("/hours.pdf")
    assert paper.headers["Content-Disposition"] == 'attachment; filename="jam-belajar-2026.pdf"'
    text = PdfReader(io.BytesIO(paper.body)).pages[0].extract_text()
    assert "#panic() *Arsip* $x$" in " ".join(text.split())
    assert "yang diperlukan" in " ".join(text.split())
    theirs = PdfReader(io.BytesIO((await stranger.get("/hours.pdf")).body)).pages[0].extract_text()
    assert "Arsip" not in theirs
    assert (await site.visitor().get("/hours.pdf")).status == 303


async def test_the_hours_of_a_person_are_for_that_person_and_for_offices_in_the_unit(
    site: RunningSite,
) -> None:
    world = await a_world(site)
    path = f"/people/{world.participant.id}/hours"
    seen = {
        who: (await (await world.as_(who)).get(path)).status
        for who in ("organiser", "manager", "participant")
    }
    assert seen == {"organiser": 200, "manager": 200, "participant": 200}
    async with site.database.writing() as session:
        other = await a_person(session, world.institution, name="Orang Lain")
        far = await a_unit(session, world.institution, name="Dinas Jauh")
        tono = await a_person(session, far, name="Tono", role="organiser")
    for who in (other, tono):
        assert (await (await site.signed_in(who.id)).get(path)).status == 404
    # Contesting is the participant's own.
    manager = (await (await world.as_("manager")).get(path)).text
    assert f"/lectures/{world.lectures['final'].id}/contest" not in manager
    assert f'href="{path}?year=2025"' in manager
