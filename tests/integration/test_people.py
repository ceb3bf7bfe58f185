"""People, units and roles on both databases: who sees and changes whom."""

import pytest
from sqlalchemy import event

from tests.build import NINE, a_person, a_unit, an_institution
from webinar.core.database import Database
from webinar.core.errors import Forbidden, Invalid, NotFound, Stale
from webinar.people import service, store, units
from webinar.people.access import Role, Scope, scope_of
from webinar.people.rules import PersonDraft
from webinar.people.service import LastAdministrator, NeedsAdministrator

NIP = "198503122010012003"


class Town:
    """A town with two offices, an organiser of the first, a manager of the second and an administrator."""

    def __init__(self, root, schools, health, admin, organiser, manager, teacher, nurse) -> None:
        self.root, self.schools, self.health = root, schools, health
        self.admin, self.organiser, self.manager = admin, organiser, manager
        self.teacher, self.nurse = teacher, nurse

    def draft(self, **more: str) -> PersonDraft:
        return PersonDraft(
            **{"name": "Ayu Lestari", "unit_id": self.schools.id, "email": "ayu@kota.example"} | more
        )


@pytest.fixture
async def town(database: Database) -> Town:
    async with database.writing() as session:
        root = await an_institution(session)
        schools = await a_unit(session, root, name="Dinas Pendidikan")
        health = await a_unit(session, root, name="Dinas Kesehatan")
        return Town(
            root,
            schools,
            health,
            await a_person(session, root, name="Wayan", role="administrator"),
            await a_person(session, schools, name="Budi", role="organiser"),
            await a_person(session, health, name="Citra", role="unit_manager"),
            await a_person(session, schools, name="Dewi", nip=NIP, phone="0812345678"),
            await a_person(session, health, name="Eka", nip="198503122010012004"),
        )


async def seen_by(database: Database, person_id: str, **filters: object) -> list[str]:
    async with database.reading() as session:
        page = await store.persons(session, await scope_of(session, person_id), **filters)  # type: ignore[arg-type]
    return [person.name for person in page.people]


async def test_organisers_see_the_institution_managers_their_units_and_others_themselves(database, town):
    assert await seen_by(database, town.organiser.id) == ["Budi", "Citra", "Dewi", "Eka", "Wayan"]
    assert await seen_by(database, town.manager.id) == ["Citra", "Eka"]
    assert await seen_by(database, town.teacher.id) == ["Dewi"]


async def test_a_nip_is_seen_and_searched_only_in_the_units_of_the_office(database, town):
    async with database.reading() as session:
        scope = await scope_of(session, town.organiser.id)
        page = await store.persons(session, scope)
    assert {p.name: p.nip for p in page.people if p.name in {"Dewi", "Eka"}} == {"Dewi": NIP, "Eka": None}
    assert await seen_by(database, town.organiser.id, text=NIP[:12]) == ["Dewi"]
    assert await seen_by(database, town.admin.id, text=NIP[:12]) == ["Dewi", "Eka"]


async def test_people_of_another_institution_are_not_there(database, town):
    async with database.writing() as session:
        elsewhere = await a_person(
            session, await an_institution(session, name="Lain", code="lain"), name="Zul"
        )
    async with database.reading() as session:
        with pytest.raises(NotFound):
            await store.person(session, await scope_of(session, town.admin.id), elsewhere.id)


async def test_pages_follow_each_other_without_gaps_at_the_same_number_of_statements(database, town):
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    names, counts, after = [], [], None
    async with database.reading() as session:
        scope = Scope.system(town.root.id)
        for limit in (1, 3, 3):
            statements.clear()
            page = await store.persons(session, scope, after=after, limit=limit)
            names += [p.name for p in page.people]
            counts.append(len([s for s in statements if s.lstrip().upper().startswith("SELECT")]))
            after = page.next
    assert names == ["Budi", "Citra", "Dewi", "Eka", "Wayan"]
    assert after is None
    assert set(counts) == {1}


async def test_a_cursor_that_is_none_is_told(database, town):
    with pytest.raises(Invalid):
        await seen_by(database, town.admin.id, after="nonsense")


async def test_search_takes_percent_and_underscore_for_what_they_are(database, town):
    assert await seen_by(database, town.admin.id, text="%") == []
    assert await seen_by(database, town.admin.id, text="_") == []


async def test_an_organiser_creates_people_in_the_own_units_only(database, town):
    async with database.writing() as session:
        scope = await scope_of(session, town.organiser.id)
        made = await service.create_person(session, scope, town.draft(), NINE)
    assert (made.name, made.unit_name, made.version) == ("Ayu Lestari", "Dinas Pendidikan", 1)
    with pytest.raises(Forbidden):
        async with database.writing() as session:
            await service.create_person(session, scope, town.draft(unit_id=town.health.id), NINE)


async def test_a_nip_and_an_address_belong_to_one_person(database, town):
    with pytest.raises(Invalid) as refused:
        async with database.writing() as session:
            draft = town.draft(nip=NIP, email=town.nurse.email.upper())
            await service.create_person(session, Scope.system(town.root.id), draft, NINE)
    assert {error.field for error in refused.value.errors} == {"nip", "email"}


async def test_the_second_of_two_editors_is_told_and_overwrites_nothing(database, town):
    scope = Scope.system(town.root.id)
    async with database.writing() as session:
        await service.update_person(
            session, scope, town.teacher.id, town.draft(name="Dewi A", nip=NIP), 1, NINE
        )
    with pytest.raises(Stale):
        async with database.writing() as session:
            await service.update_person(
                session, scope, town.teacher.id, town.draft(name="Dewi B", nip=NIP), 1, NINE
            )
    async with database.reading() as session:
        now = await store.person(session, scope, town.teacher.id)
    assert (now.name, now.version) == ("Dewi A", 2)


async def test_an_organiser_cannot_take_an_administrator_over_by_changing_the_address(database, town):
    async with database.writing() as session:
        await service.grant(
            session, Scope.system(town.root.id), town.teacher.id, Role.ADMINISTRATOR, town.root.id, NINE
        )
    scope = None
    async with database.reading() as session:
        scope = await scope_of(session, town.organiser.id)
    with pytest.raises(NeedsAdministrator):
        async with database.writing() as session:
            await service.update_person(session, scope, town.teacher.id, town.draft(nip=NIP), 1, NINE)
    with pytest.raises(NeedsAdministrator):
        async with database.writing() as session:
            await service.deactivate(session, scope, town.teacher.id, 1, NINE)


async def test_only_an_administrator_grants_roles(database, town):
    async with database.reading() as session:
        organiser = await scope_of(session, town.organiser.id)
    with pytest.raises(Forbidden):
        async with database.writing() as session:
            await service.grant(
                session, organiser, town.organiser.id, Role.ADMINISTRATOR, town.schools.id, NINE
            )


async def test_the_last_administrator_stays(database, town):
    async with database.reading() as session:
        admin = await scope_of(session, town.admin.id)
    with pytest.raises(LastAdministrator):
        async with database.writing() as session:
            await service.deactivate(session, admin, town.admin.id, 1, NINE)
    with pytest.raises(LastAdministrator):
        async with database.writing() as session:
            await service.withdraw(session, admin, town.admin.id, Role.ADMINISTRATOR, town.root.id, NINE)


async def test_somebody_deactivated_has_no_scope_and_comes_back(database, town):
    scope = Scope.system(town.root.id)
    async with database.writing() as session:
        await service.deactivate(session, scope, town.teacher.id, 1, NINE)
    async with database.reading() as session:
        with pytest.raises(NotFound):
            await scope_of(session, town.teacher.id)
    async with database.writing() as session:
        await service.reactivate(session, scope, town.teacher.id, 2, NINE)
        assert (await store.person(session, scope, town.teacher.id)).active


async def test_units_form_a_tree_and_take_a_code_from_their_name(database, town):
    scope = Scope.system(town.root.id)
    async with database.writing() as session:
        school = await units.create_unit(session, scope, parent_id=town.schools.id, name="SMP 1", now=NINE)
        again = await units.create_unit(session, scope, parent_id=town.health.id, name="SMP 1", now=NINE)
    assert school.code == "smp-1" and again.code.startswith("smp-1-")
    async with database.reading() as session:
        tree = [(unit.depth, unit.name) for unit in await store.units(session, scope)]
    assert tree == [
        (0, "Pemerintah Kota Contoh"),
        (1, "Dinas Kesehatan"),
        (2, "SMP 1"),
        (1, "Dinas Pendidikan"),
        (2, "SMP 1"),
    ]


async def test_a_unit_code_is_used_once_in_an_institution(database, town):
    with pytest.raises(Invalid):
        async with database.writing() as session:
            await units.create_unit(
                session,
                Scope.system(town.root.id),
                parent_id=town.root.id,
                name="X",
                code=town.schools.code,
                now=NINE,
            )
