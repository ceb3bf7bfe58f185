"""Times at booking: holidays, office hours and clashes warn, and a better time can be found."""

import re

import pytest

from tests.build import DAY, HOUR, MINUTE, NINE, a_lecture, a_person, a_registration, a_unit, an_institution
from tests.integration.pages_world import a_world, statements
from tests.integration.test_pages_forms import booked, edited, filled, seen
from tests.site import RunningSite
from webinar.core.database import Database
from webinar.core.errors import Forbidden, Invalid, NotFound
from webinar.lectures import clashes, slots
from webinar.lectures.rules import Seat
from webinar.lectures.slots import Wish
from webinar.people.access import scope_of
from webinar.people.tables import UnitRow
from webinar.workdays import service, store
from webinar.workdays.rules import USUAL, OfficeHours

CHRISTMAS = {"starts_day": "2026-12-25"}


# --- warnings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (CHRISTMAS, "Jumat, 25 Desember 2026 adalah hari libur nasional: Hari Raya Natal."),
        ({"starts_day": "2026-12-12"}, "Sabtu, 12 Desember 2026 adalah hari libur."),
        ({"starts_time": "19:00", "ends_time": "20:30"}, "hari Kamis jam kerjanya 07.30–16.00"),
    ],
)
async def test_a_holiday_a_day_off_and_the_evening_warn_once_and_never_forbid(
    site: RunningSite, when: dict[str, str], said: str
) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = filled(world, **when)
    warned = await ratna.post("/lectures", form)
    assert (warned.status, said in warned.text, await booked(site, "Komunikasi")) == (409, True, [])
    again = await ratna.post("/lectures", form | {"warning_seen": seen(warned.text)})
    assert (again.status, len(await booked(site, "Komunikasi"))) == (303, 1)


async def test_office_hours_are_told_by_the_clock_of_the_institution(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    # 06.30 in Jakarta, where the institution is.
    form = filled(world, starts_time="08:30", zone="Asia/Jayapura", ends_time="10:00")
    async with site.database.writing() as session:
        (await session.get_one(UnitRow, world.institution.id)).zone = "Asia/Jakarta"
    assert (await ratna.post("/lectures", form)).status == 409
    assert (await ratna.post("/lectures", form | {"zone": "Asia/Jakarta"})).status == 303


async def test_participants_who_are_busy_at_a_new_time_are_counted_and_named(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    live = world.lectures["live"]
    form = edited(world.lectures["scheduled"], starts_day=live.starts_wall[:10])
    warned = await ratna.post(world.path("scheduled", "edit"), form)
    assert warned.status == 409
    assert "1 peserta sudah ada acara pada waktu itu:" in warned.text
    done = await ratna.post(world.path("scheduled", "edit"), form | {"warning_seen": seen(warned.text)})
    assert done.status == 303


async def test_whoever_is_registered_twice_at_a_time_is_on_a_page_of_its_own(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        other = await a_lecture(
            session, world.institution, policy=world.policy, starts_at=NINE + HOUR, title="Lain"
        )
        await a_registration(session, other, world.participant)
    ratna = await world.as_("organiser")
    path = world.path("scheduled")
    assert "1 orang terdaftar pula di ceramah lain" in (await ratna.get(f"{path}/registrations")).text
    page = (await ratna.get(f"{path}/clashes")).text
    assert "Lain · Rabu, 25 November 2026, 10.00–11.30 WITA" in page
    assert f"/lectures/{other.id}" in page


async def test_of_a_lecture_that_one_may_not_see_only_the_time_is_shown(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        far = await a_unit(session, world.institution, name="Jauh", code="jauh")
        near = await a_unit(session, world.institution, name="Dekat", code="dekat")
        hidden = await a_lecture(session, far, policy=world.policy, starts_at=NINE, title="Rahasia")
        mine = await a_lecture(session, near, policy=world.policy, starts_at=NINE + HOUR, title="Terbuka")
        nia = await a_person(session, near, name="Nia", role="organiser")
        budi = await a_person(session, near, name="Budi")
        for lecture in (hidden, mine):
            await a_registration(session, lecture, budi)
    page = (await (await site.signed_in(nia.id)).get(f"/lectures/{mine.id}/clashes")).text
    assert "ceramah lain · Rabu, 25 November 2026, 09.00–10.30 WITA" in page
    assert "Rahasia" not in page
    assert hidden.id not in page


# --- finding a time ----------------------------------------------------------------------------


async def test_the_form_offers_times_and_takes_one_without_losing_what_was_typed(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = filled(world, lecturer_id=world.lecturer.id, audience=world.institution.id)
    offered = await ratna.post("/lectures", form | {"find": "1"})
    values = re.findall(r'name="pick" value="([\d-]+)"', offered.text)
    assert (offered.status, len(values)) == (200, 6)
    assert "Teks yang panjang" in offered.text
    # The lecturer is busy from 09.07 on, on each of the days of this week.
    assert "Rabu, 25 November 2026, 11.00–12.30 WITA" in offered.text
    assert "semua 4 peserta kosong" in offered.text
    taken = await ratna.post("/lectures", form | {"pick": values[0]})
    assert 'name="starts_time" type="time" value="11:00"' in taken.text
    assert 'name="ends_time" type="time" value="12:30"' in taken.text
    assert f'value="{world.lecturer.id}" checked' in taken.text
    assert await booked(site, "Komunikasi") == []


async def test_a_lecture_that_is_moved_does_not_stand_in_its_own_way(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = edited(world.lectures["scheduled"])
    offered = await ratna.post(world.path("scheduled", "edit"), form | {"find": "1"})
    assert "Rabu, 25 November 2026, 10.00–11.30 WITA" in offered.text


@pytest.mark.parametrize("pick", ["", "x", "1795568400000", f"{'9' * 40}-1", "-5--1", "²-³"])
async def test_a_forged_time_changes_nothing(site: RunningSite, pick: str) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).post("/lectures", filled(world, pick=pick))
    assert (page.status, 'name="starts_time" type="time" value="09:00"' in page.text) == (200, True)


async def test_somebody_elses_unit_is_no_audience(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        elsewhere = await an_institution(session, name="Lain", code="lain2")
    form = filled(world, audience=elsewhere.id, find="1")
    page = await (await world.as_("organiser")).post("/lectures", form)
    assert (page.status, "Pilih unit" in page.text) == (422, True)


async def test_everybodys_intervals_are_read_once_however_many_people_there_are(site: RunningSite) -> None:
    world = await a_world(site)
    counted = []
    for people in (3, 300):
        async with site.database.writing() as session:
            unit = await a_unit(session, world.institution, name=f"U{people}", code=f"u{people}")
            for number in range(people):
                person = await a_person(session, unit, name=f"P{number}")
                if number % 3 == 0:
                    await a_registration(session, world.lectures["live"], person)
        async with site.database.reading() as session:
            scope = await scope_of(session, world.organiser.id)
            with statements(site) as seen_sql:
                found = await slots.find(session, scope, Wish(90, unit_id=unit.id), NINE)
        assert found.people == people
        counted.append(len(seen_sql))
    assert counted[0] == counted[1] <= 6


async def test_a_wish_beyond_the_limits_is_refused_at_its_fields(database: Database) -> None:
    async with database.writing() as session:
        home = await an_institution(session)
        rina = await a_person(session, home, role="organiser")
        scope = await scope_of(session, rina.id)
        with pytest.raises(Invalid) as refused:
            await slots.find(session, scope, Wish(481, weeks=0, count=21), NINE)
        assert [error.field for error in refused.value.errors] == ["minutes", "weeks", "count"]
        with pytest.raises(NotFound):
            await slots.find(session, scope, Wish(90, unit_id="x" * 26), NINE)


async def test_lectures_that_only_touch_cancelled_ones_and_cancelled_seats_are_no_clash(
    database: Database,
) -> None:
    async with database.writing() as session:
        home = await an_institution(session)
        rina = await a_person(session, home, role="organiser")
        scope = await scope_of(session, rina.id)
        for more in ({"starts_at": NINE - 90 * MINUTE}, {"starts_at": NINE + 90 * MINUTE},
                     {"state": "cancelled"}, {"trial": True}):  # fmt: skip
            await a_registration(session, await a_lecture(session, home, **more), rina)
        off = await a_lecture(session, home)
        await a_registration(session, off, rina, state="cancelled")
        span = (NINE, NINE + 90 * MINUTE)
        met = await clashes.clashes(session, scope, clashes.named([rina.id]), span)
        assert met == clashes.NONE
        await a_registration(session, await a_lecture(session, home, starts_at=NINE + 89 * MINUTE), rina)
        met = await clashes.clashes(session, scope, clashes.named([rina.id]), span)
        assert (met.people, met.shown[0].role) == (1, Seat.PARTICIPANT)


async def test_people_of_another_institution_are_never_looked_up(database: Database) -> None:
    async with database.writing() as session:
        home, elsewhere = await an_institution(session), await an_institution(session, code="lain3")
        rina = await a_person(session, home, role="organiser")
        wayan = await a_person(session, elsewhere)
        await a_registration(session, await a_lecture(session, elsewhere), wayan)
        scope = await scope_of(session, rina.id)
        span = (NINE, NINE + DAY)
        assert await clashes.clashes(session, scope, clashes.named([wayan.id]), span) == clashes.NONE
        assert await clashes.engagements(session, scope, clashes.named([wayan.id]), span) == []


# --- office hours in the settings ----------------------------------------------------------------


async def test_an_institution_sets_its_own_office_hours(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        ade = await a_person(session, world.institution, name="Ade", role="administrator")
    visitor = await site.signed_in(ade.id)
    page = await visitor.get("/settings/office-hours")
    assert 'name="until_4" type="time" value="16:30"' in page.text
    assert "Hari Raya Natal" in page.text
    form = {f"from_{n}": "08:00" for n in range(6)} | {f"until_{n}": "14:00" for n in range(6)}
    wrong = await visitor.post("/settings/office-hours", form | {"from_1": "15:00"})
    assert (wrong.status, 'id="until_1-error"' in wrong.text) == (422, True)
    assert (await visitor.post("/settings/office-hours", form)).status == 303
    async with site.database.reading() as session:
        hours, _ = await store.office(session, world.institution.id)
    assert hours == OfficeHours(((480, 840),) * 6 + (None,))
    late = filled(world, starts_time="13:00", ends_time="14:30")
    assert (await (await world.as_("organiser")).post("/lectures", late)).status == 409


async def test_only_an_administrator_of_the_whole_institution_sets_office_hours(database: Database) -> None:
    async with database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home)
        below = await a_person(session, unit, role="administrator")
        scope = await scope_of(session, below.id)
        with pytest.raises(Forbidden):
            await service.set_office_hours(session, scope, OfficeHours((None,) * 6 + ((0, 60),)), NINE)
        assert (await store.office(session, home.id))[0] == USUAL
