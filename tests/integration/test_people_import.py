"""Imports on both databases: checked as a whole, written in batches, resumed, undone."""

import pytest
from sqlalchemy import func, select, update

from tests import by_hand
from tests.build import NINE, a_lecture, a_person, a_registration, a_unit, an_institution
from webinar.core.database import Database
from webinar.core.effects import Done
from webinar.core.errors import Forbidden, IllegalMove, Invalid, NotFound
from webinar.people import store
from webinar.people.access import Scope, scope_of
from webinar.people.importing import check, write
from webinar.people.importing import store as imports
from webinar.people.importing.rules import ImportState, Options
from webinar.people.tables import NipRow, PersonRow

HEADER = "Nama;NIP;Email;Unit"
NIP = "198503122010012003"


@pytest.fixture
async def root(database: Database):
    async with database.writing() as session:
        root = await an_institution(session)
        await a_unit(session, root, name="Dinas Pendidikan", code="disdik")
        return root


def table(*lines: str) -> bytes:
    return "\r\n".join([HEADER, *lines]).encode("cp1252")


def people(count: int) -> bytes:
    return table(*(f"Orang {n};;orang{n}@kota.example;disdik" for n in range(count)))


async def checked(db: Database, root, content: bytes, **options: object) -> imports.Import:
    return await check.check(
        db,
        Scope.system(root.id),
        content=content,
        file_name="asn.csv",
        now=NINE,
        options=Options(**options),  # type: ignore[arg-type]
    )


async def confirmed(db: Database, root, content: bytes, **options: object) -> imports.Import:
    found = await checked(db, root, content, **options)
    async with db.writing() as session:
        return await write.confirm(session, Scope.system(root.id), found.id, NINE)


async def written(db: Database, root, content: bytes, **options: object) -> imports.Import:
    found = await confirmed(db, root, content, **options)
    await write.work(db, found.id, lambda: NINE)
    return await now(db, root, found.id)


async def undone(db: Database, root, import_id: str) -> imports.Import:
    async with db.writing() as session:
        await write.start_undo(session, Scope.system(root.id), import_id, NINE)
    await write.work(db, import_id, lambda: NINE)
    return await now(db, root, import_id)


async def now(db: Database, root, import_id: str) -> imports.Import:
    async with db.reading() as session:
        return await imports.get(session, Scope.system(root.id), import_id)


async def names(db: Database, root, **more: object) -> list[str]:
    async with db.reading() as session:
        page = await store.persons(session, Scope.system(root.id), limit=200, **more)  # type: ignore[arg-type]
    return [person.name for person in page.people]


async def test_everything_wrong_is_told_before_anything_is_saved(database, root):
    found = await checked(
        database,
        root,
        table(
            f"Siti Rahma;{NIP};siti@kota.example;disdik",
            "Budi;123;budi@kota.example;Dinas Pendidikn",
            "Citra;;siti@kota.example;disdik",
        ),
    )
    assert [(p.row, p.column, p.message % p.fields) for p in found.problems] == [
        (3, "NIP", "A NIP has 18 digits, this one has 3."),
        (3, "Unit", "This unit does not exist. Do you mean “Dinas Pendidikan”?"),
        (4, "Email", "The same stands in row 2 already."),
    ]
    assert (found.summary.new, found.summary.wrong, found.rows) == (1, 2, 1)
    assert await names(database, root) == []


async def test_right_rows_are_written_and_wrong_ones_left_out(database, root):
    found = await written(
        database, root, table(f"Siti Rahma;{NIP};siti@kota.example;disdik", "Budi;123;;disdik")
    )
    assert (found.state, found.created, found.updated) == (ImportState.DONE, 1, 0)
    assert await names(database, root) == ["Siti Rahma"]


async def test_importing_the_same_file_again_changes_nothing(database, root):
    await written(database, root, people(7))
    again = await checked(database, root, people(7))
    assert (again.summary.unchanged, again.rows) == (7, 0)


async def test_people_are_known_again_by_nip_then_by_address_and_changes_are_shown(database, root):
    await written(
        database, root, table(f"Siti;{NIP};siti@kota.example;disdik", "Budi;;budi@kota.example;disdik")
    )
    found = await checked(
        database, root, table(f"Siti Rahma;{NIP};new@kota.example;disdik", "Budi S;;BUDI@kota.example;")
    )
    shown = {e["name"]: e["changes"] for e in found.summary.examples}
    assert found.summary.changed == 2 - 1 and found.summary.wrong == 1  # Budi names no unit
    assert shown == {
        "Siti Rahma": {"name": ["Siti", "Siti Rahma"], "email": ["siti@kota.example", "new@kota.example"]}
    }


async def test_missing_units_are_made_when_asked_for(database, root):
    found = await written(
        database,
        root,
        table("Siti;;siti@kota.example;Dinas Sosial", "Budi;;b@kota.example;dinas sosial"),
        create_units=True,
    )
    async with database.reading() as session:
        made = [unit.name for unit in await store.units(session, Scope.system(root.id))]
        page = await store.persons(session, Scope.system(root.id))
    assert found.summary.new_units == ["Dinas Sosial"]
    assert made.count("Dinas Sosial") == 1
    assert {person.unit_name for person in page.people} == {"Dinas Sosial"}


async def test_an_organiser_imports_into_the_own_units_and_makes_none(database, root):
    async with database.writing() as session:
        other = await a_unit(session, root, name="Dinas Kesehatan", code="dinkes")
        organiser = await a_person(session, other, name="Oni", role="organiser")
    async with database.reading() as session:
        scope = await scope_of(session, organiser.id)
    with pytest.raises(Forbidden):
        await check.check(
            database,
            scope,
            content=people(1),
            file_name="a.csv",
            now=NINE,
            options=Options(create_units=True),
        )
    found = await check.check(database, scope, content=people(1), file_name="a.csv", now=NINE)
    assert found.summary.wrong == 1
    async with database.reading() as session:
        stranger = await a_person_scope(session, root)
        with pytest.raises(NotFound):
            await imports.get(session, stranger, found.id)


async def a_person_scope(session, root) -> Scope:
    return Scope(root.id, "somebody-else-entirely-0000", frozenset())


async def test_an_import_goes_on_where_a_crash_left_it_and_writes_nobody_twice(database, root):
    found = await confirmed(database, root, people(700))
    assert not await write.work(database, found.id, lambda: NINE, slice_s=0)
    partly = await now(database, root, found.id)
    assert 0 < partly.written < 700
    [effect] = await by_hand.claim(database, worker="w", limit=9, lease_ms=9_000, now=NINE)

    class Still:
        def now(self) -> int:
            return NINE

    assert await write.ImportWriter(database, Still()).write_import(effect) == Done()
    assert (await now(database, root, found.id)).created == 700
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(PersonRow)) == 700


async def test_confirming_twice_is_refused(database, root):
    found = await confirmed(database, root, people(1))
    with pytest.raises(IllegalMove):
        async with database.writing() as session:
            await write.confirm(session, Scope.system(root.id), found.id, NINE)


async def test_somebody_who_took_an_address_since_the_check_is_left_alone(database, root):
    found = await confirmed(database, root, people(3))
    async with database.writing() as session:
        await a_person(session, root, name="Faster", email="orang1@kota.example")
    await write.work(database, found.id, lambda: NINE)
    after = await now(database, root, found.id)
    assert (after.created, after.summary.left_out, after.state) == (2, 1, ImportState.DONE)
    assert await names(database, root) == ["Faster", "Orang 0", "Orang 2"]


async def test_undoing_deletes_who_was_created_and_restores_who_was_changed(database, root):
    await written(database, root, table(f"Siti;{NIP};siti@kota.example;disdik"))
    second = await written(
        database, root, table(f"Siti Rahma;{NIP};siti@kota.example;disdik", "Budi;;budi@kota.example;disdik")
    )
    after = await undone(database, root, second.id)
    assert (after.state, after.summary.deleted, after.summary.restored) == (ImportState.UNDONE, 1, 1)
    assert await names(database, root) == ["Siti"]
    async with database.reading() as session:
        assert len((await session.scalars(select(NipRow))).all()) == 1


async def test_undoing_deactivates_those_to_whom_something_refers(database, root):
    found = await written(database, root, people(3))
    async with database.writing() as session:
        [person] = await session.scalars(select(PersonRow).where(PersonRow.name == "Orang 1"))
        await a_registration(session, await a_lecture(session, root), person)
    after = await undone(database, root, found.id)
    assert (after.summary.deleted, after.summary.deactivated) == (2, 1)
    assert [p["name"] for p in after.summary.kept_people] == ["Orang 1"]
    assert await names(database, root, active=False) == ["Orang 1"]


async def test_undoing_leaves_those_who_were_changed_since_and_tells(database, root):
    await written(database, root, table(f"Siti;{NIP};siti@kota.example;disdik"))
    second = await written(database, root, table(f"Siti Rahma;{NIP};siti@kota.example;disdik"))
    async with database.writing() as session:
        await session.execute(update(PersonRow).values(name="Siti R.", version=PersonRow.version + 1))
    after = await undone(database, root, second.id)
    assert (after.summary.restored, after.summary.kept) == (0, 1)
    assert after.summary.kept_people[0]["why"] == "changed_since"
    assert await names(database, root) == ["Siti R."]


async def test_an_import_that_is_not_done_cannot_be_undone(database, root):
    found = await checked(database, root, people(1))
    with pytest.raises(IllegalMove):
        async with database.writing() as session:
            await write.start_undo(session, Scope.system(root.id), found.id, NINE)


async def test_a_file_is_imported_by_the_command_at_once(database, root, tmp_path):
    path = tmp_path / "asn.csv"
    path.write_bytes(people(3))
    found = await write.import_file(database, Scope.system(root.id), path, lambda: NINE)
    assert (found.state, found.created) == (ImportState.DONE, 3)


async def test_a_table_without_people_is_refused(database, root):
    with pytest.raises(Invalid):
        await checked(database, root, table())
