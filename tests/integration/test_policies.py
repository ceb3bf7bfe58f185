"""Policies are changed by further versions; lectures keep theirs; pages explain them by the real rules."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.build import NINE, a_lecture, a_person, a_policy, an_institution
from tests.integration.access_world import ADMINISTRATOR, ORGANISER, World, a_world
from tests.site import RunningSite
from webinar.core.database import Database
from webinar.core.errors import Forbidden, Invalid, NotFound, Stale
from webinar.people.access import scope_of
from webinar.policies import service, store
from webinar.policies.rules import DRAFT, Kind, Policy
from webinar.policies.tables import PolicyRow


async def a_scope(db: Database, role: str = "administrator"):  # type: ignore[no-untyped-def]
    async with db.writing() as session:
        home = await an_institution(session)
        person = await a_person(session, home, role=role)
    async with db.reading() as session:
        return await scope_of(session, person.id)


async def made(db: Database, scope, **fields: object) -> Policy:  # type: ignore[no-untyped-def]
    draft = replace(DRAFT, **({"name": "Hadir 80 %"} | fields))  # type: ignore[arg-type]
    async with db.writing() as session:
        return await service.create(session, scope, draft, NINE)


async def test_a_change_is_a_further_version_and_the_one_before_stays_readable(database: Database) -> None:
    scope = await a_scope(database)
    first = await made(database, scope)
    async with database.writing() as session:
        second = await service.change(
            session, scope, replace(first, threshold_percent=75, checks=2), NINE + 1
        )
    async with database.reading() as session:
        assert await store.get(session, first.id, 1) == first
        assert [one.policy.version for one in await store.versions(session, scope, first.id)] == [2, 1]
        [current] = await store.current(session, scope)
    assert current == second
    assert service.differences(first, second) == {"threshold_percent": (80, 75), "checks": (0, 2)}


async def test_a_change_of_nothing_makes_no_version(database: Database) -> None:
    scope = await a_scope(database)
    first = await made(database, scope)
    async with database.writing() as session:
        assert await service.change(session, scope, first, NINE) == first


async def test_of_two_administrators_the_second_is_told_that_somebody_was_faster(database: Database) -> None:
    scope = await a_scope(database)
    first = await made(database, scope)

    async def change(percent: int) -> object:
        async with database.writing() as session:
            return await service.change(session, scope, replace(first, threshold_percent=percent), NINE)

    done = await asyncio.gather(change(75), change(60), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Policy", "Stale"]
    with pytest.raises(Stale):
        await change(50)
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(PolicyRow)) == 2


async def test_only_administrators_of_the_institution_make_rules(database: Database) -> None:
    organiser = await a_scope(database, "organiser")
    with pytest.raises(Forbidden):
        await made(database, organiser)
    async with database.writing() as session:
        other = await an_institution(session, code="lain")
        foreign = await a_policy(session, other)
        person = await a_person(session, other, role="administrator")
    async with database.reading() as session:
        stranger = await scope_of(session, person.id)
        [known] = await store.current(session, stranger)
    assert known.id == foreign.id
    with pytest.raises(NotFound):
        async with database.writing() as session:
            await service.change(session, stranger, replace(known, id="x" * 26), NINE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold_percent", 101), ("threshold_percent", -1), ("minutes_per_jp", 0), ("checks_needed", 4),
        ("check_s", 5), ("lecturer_percent", 101), ("replay_days", 0), ("name", " "),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_at_its_field(
    database: Database, field: str, value: object
) -> None:
    scope = await a_scope(database)
    with pytest.raises(Invalid) as refused:
        await made(database, scope, checks=3, **{field: value})
    assert [error.field for error in refused.value.errors] == [field]


# --- the pages ----------------------------------------------------------------------------------


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


FORM = {
    "name": "Ambang 75 %", "kind": "threshold", "threshold_percent": "75", "minutes_per_jp": "45",
    "tolerance_s": "5", "grace_s": "0", "lecturer_percent": "100", "organiser_percent": "0",
    "quiet_period_s": "24", "checks": "3", "checks_needed": "2", "check_s": "120", "replay_percent": "50",
    "replay_days": "7",
}  # fmt: skip


async def test_a_policy_is_made_explained_and_changed(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    answer = await administrator.post("/settings/policies", FORM)
    assert answer.status == 303, answer.text
    page = (await administrator.get(answer.location)).text
    assert "Hadir paling sedikit 68 dari 90 menit untuk mendapat 2 JP." in page
    assert "Jawab paling sedikit 2 dari 3 cek kehadiran" in page
    assert "dihitung 50 % jika Anda menonton" in page
    assert "menjawab 1 dari 3" in page
    changed = await administrator.post(answer.location, FORM | {"threshold_percent": "60", "version": "1"})
    assert changed.status == 303
    page = (await administrator.get(answer.location)).text
    assert "75 → 60" in page
    stale = await administrator.post(answer.location, FORM | {"name": "Lain", "version": "1"})
    assert stale.status == 412
    assert 'value="Lain"' in stale.text


@pytest.mark.parametrize("typed", ["", "delapan", "-3", "1e99", "nan", "²"])
async def test_a_number_that_is_none_is_told_at_its_field_and_nothing_typed_is_lost(
    world: World, typed: str
) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    answer = await administrator.post(
        "/settings/policies", FORM | {"tolerance_s": typed, "name": "Milik saya"}
    )
    assert answer.status == 422
    assert 'value="Milik saya"' in answer.text
    assert 'id="tolerance_s-error"' in answer.text


async def test_what_somebody_calls_a_policy_stays_text(world: World) -> None:
    administrator = await world.visitor(ADMINISTRATOR)
    hostile = '"><script>alert(1)</script>'
    made_at = (await administrator.post("/settings/policies", FORM | {"name": hostile})).location
    for page in ("/settings/policies", made_at, "/lectures/new"):
        assert "<script>alert" not in (await administrator.get(page)).text


async def test_organisers_read_policies_and_change_none(world: World) -> None:
    organiser = await world.visitor(ORGANISER)
    page = await organiser.get("/settings/policies")
    assert page.status == 200
    assert "/settings/policies/new" not in page.text
    assert (await organiser.post("/settings/policies", FORM)).status == 403


async def test_a_lecture_keeps_the_version_it_was_booked_with(database: Database) -> None:
    scope = await a_scope(database)
    first = await made(database, scope, kind=Kind.THRESHOLD)
    async with database.writing() as session:
        row = await session.get_one(PolicyRow, (first.id, 1))
        lecture = await a_lecture(session, None, policy=row)
        await service.change(session, scope, replace(first, threshold_percent=1), NINE)
    async with database.reading() as session:
        pinned = await store.get(session, lecture.policy_id, lecture.policy_version)
    assert pinned.threshold_percent == 80
