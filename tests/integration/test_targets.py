"""Year targets and exemptions: who sets them, where they show, and that no record is touched."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import NINE, a_person, a_unit, an_institution
from tests.integration.pages_world import a_world
from tests.integration.test_pages_read import CORPUS
from tests.site import RunningSite
from webinar.core import audit
from webinar.core.database import Database
from webinar.core.errors import Forbidden, Invalid, NotFound
from webinar.hours import service as hours
from webinar.hours.target_rules import Target
from webinar.hours.targets import set_targets, targets
from webinar.people import exemptions
from webinar.people.access import Scope, scope_of
from webinar.people.exemptions import hold_on
from webinar.people.rules import Employment
from webinar.people.tables import ExemptionRow, UnitRow

PNS, PPPK = Employment.PNS, Employment.PPPK


@pytest.fixture
async def home(database: Database) -> UnitRow:
    async with database.writing() as session:
        return await an_institution(session, year_target=None)


async def administrator(database: Database, home: UnitRow, role: str = "administrator") -> Scope:
    async with database.writing() as session:
        person = await a_person(session, home, name="Ade", role=role)
        return await scope_of(session, person.id)


async def test_targets_are_set_by_administrators_and_are_on_the_trail(
    database: Database, home: UnitRow
) -> None:
    ade = await administrator(database, home)
    async with database.writing() as session:
        await set_targets(session, ade, {PNS: Target(2500), PPPK: Target(2000, 2400)}, NINE)
    async with database.writing() as session:
        await set_targets(session, ade, {PNS: Target(3000, 4000)}, NINE + 1)
    async with database.reading() as session:
        found = await targets(session, home.id)
        trail = await audit.of(session, ("institution", home.id))
    assert (found[PNS], found[PPPK]) == (Target(3000, 4000), Target(2000, 2400))
    # What was usual already is not written down as a change.
    assert [(e.fields["employment"], e.fields["after"]) for e in trail] == [
        ("pns", [2500, None]), ("pns", [3000, 4000]),
    ]  # fmt: skip


async def test_nobody_else_sets_targets(database: Database, home: UnitRow) -> None:
    rina = await administrator(database, home, "organiser")
    async with database.writing() as session:
        below = await a_unit(session, home)
        chief = await a_person(session, below, role="administrator")
        of_unit = await scope_of(session, chief.id)
    for scope in (rina, of_unit):
        async with database.writing() as session:
            with pytest.raises(Forbidden):
                await set_targets(session, scope, {PNS: Target(0)}, NINE)


async def test_a_year_is_compared_with_the_target_of_the_own_employment(
    database: Database, home: UnitRow
) -> None:
    async with database.writing() as session:
        people = {kind: await a_person(session, home, employment=kind.value) for kind in Employment}
    found = {}
    async with database.reading() as session:
        for kind, person in people.items():
            year = await hours.year_of(session, Scope.everything(), person.id, 2026, NINE)
            found[kind.value] = (year.target, year.most, year.missing)
    assert found == {"pns": (2000, None, 2000), "pppk": (2000, 2400, 2000), "other": (0, None, 0)}


async def exempt_on(session: AsyncSession, institution_id: str, day: str) -> set[str]:
    return set(await session.scalars(select(ExemptionRow.person_id).where(hold_on(institution_id, day))))


async def test_who_is_exempt_is_known_for_each_day_and_taken_back_as_if_it_had_never_been(
    database: Database, home: UnitRow
) -> None:
    rina = await administrator(database, home, "organiser")
    async with database.writing() as session:
        siti = await a_person(session, home)
        one = await exemptions.add(
            session, rina, siti.id, reason="Cuti", starts_on="2026-03-01", ends_on="2026-03-31", now=NINE
        )
    async with database.reading() as session:
        days = [await exempt_on(session, home.id, f"2026-{day}") for day in ("02-28", "03-31")]
        elsewhere = await exempt_on(session, "x" * 26, "2026-03-31")
    assert (days, elsewhere) == ([set(), {siti.id}], set())
    for _ in range(2):
        async with database.writing() as session:
            await exemptions.take_back(session, rina, siti.id, one.id, NINE + 1)
    async with database.reading() as session:
        assert await exempt_on(session, home.id, "2026-03-31") == set()
        (kept,) = await exemptions.of_person(session, rina, siti.id)
        trail = await audit.of(session, ("person", siti.id))
    assert (kept.ended_by, kept.reason) == (rina.person_id, "Cuti")
    assert [e.action for e in trail] == ["exempted", "exemption_taken_back"]


async def test_exemptions_are_for_the_own_units_only(database: Database, home: UnitRow) -> None:
    rina = await administrator(database, home, "organiser")
    async with database.writing() as session:
        siti = await a_person(session, home)
        one = await exemptions.add(
            session, rina, siti.id, reason="Cuti", starts_on="2026-03-01", ends_on="2026-03-31", now=NINE
        )
        other = await a_unit(session, home, name="Lain")
        tono = await scope_of(session, (await a_person(session, other, role="organiser")).id)
        zul = await scope_of(session, (await a_person(session, None, role="administrator")).id)
        oki = await scope_of(session, (await a_person(session, other)).id)
    for scope, refusal in ((tono, Forbidden), (zul, NotFound), (oki, (Forbidden, NotFound))):
        async with database.writing() as session:
            with pytest.raises(refusal):
                await exemptions.add(
                    session,
                    scope,
                    siti.id,
                    reason="x",
                    starts_on="2026-03-01",
                    ends_on="2026-03-01",
                    now=NINE,
                )
        async with database.writing() as session:
            with pytest.raises(refusal):
                await exemptions.take_back(session, scope, siti.id, one.id, NINE)
    async with database.reading() as session:
        assert await exemptions.of_person(session, tono, siti.id) == []
        own = await scope_of(session, siti.id)
        assert len(await exemptions.of_person(session, own, siti.id)) == 1
    async with database.writing() as session:
        with pytest.raises(NotFound):
            await exemptions.take_back(session, rina, rina.person_id or "", one.id, NINE)
        with pytest.raises(Invalid):
            await exemptions.add(session, rina, siti.id, reason="", starts_on="x", ends_on="", now=NINE)


# --- pages -------------------------------------------------------------------------------------


async def test_targets_are_changed_in_the_settings_and_what_is_wrong_is_said(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        ade = await a_person(session, world.institution, name="Ade", role="administrator")
    visitor = await site.signed_in(ade.id)
    assert 'name="most_pppk"' in (await visitor.get("/settings/targets")).text
    form = {"target_pns": "22,5", "most_pns": "", "target_pppk": "20", "most_pppk": "24"}
    assert (await visitor.post("/settings/targets", form)).status == 303
    async with site.database.reading() as session:
        assert (await targets(session, world.institution.id))[PNS] == Target(2250)
    wrong = {"target_pns": "banyak", "most_pns": "-1", "target_pppk": "20", "most_pppk": "10"}
    page = await visitor.post("/settings/targets", wrong)
    assert page.status == 422
    assert 'value="banyak"' in page.text
    assert (await visitor.post("/settings/targets", {**form, "most_pppk": "1"})).status == 422


@pytest.mark.parametrize("text", CORPUS)
async def test_a_reason_of_an_exemption_stays_words(site: RunningSite, text: str) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    person = f"/people/{world.participant.id}"
    form = {"reason": text, "starts_on": "2026-11-01", "ends_on": "2026-11-30"}
    assert (await ratna.post(f"{person}/exemptions", form)).status == 303
    pages = [await ratna.get(person), await ratna.post(f"{person}/exemptions", {**form, "ends_on": text})]
    assert [page.status for page in pages] == [200, 422]
    for page in pages:
        for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='"):
            assert bad not in page.text
    async with site.database.reading() as session:
        (id,) = await session.scalars(select(ExemptionRow.id))
    assert (await ratna.post(f"{person}/exemptions/{id}/take-back")).status == 303
    assert "dibatalkan" in (await ratna.get(person)).text
