"""Forms of lectures: every error at its field, nothing typed is lost, and warnings are only warnings."""

import re
from typing import Any

import pytest

from tests.build import NINE, a_person
from tests.integration.pages_world import World, a_world
from tests.site import RunningSite, Visitor
from webinar.core.ids import new_id
from webinar.lectures import store
from webinar.lectures.rules import Lecture
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope


def filled(world: World, **more: Any) -> dict[str, Any]:
    """The booking form as a careful organiser fills it."""
    return {
        "id": new_id(),
        "title": "Komunikasi krisis",
        "description": "Teks yang panjang",
        "unit_id": world.institution.id,
        "starts_day": "2026-12-10",
        "starts_time": "09:00",
        "ends_time": "10:30",
        "zone": "Asia/Makassar",
        "jp": "2",
        "policy_id": world.policy.id,
        "recorded": "1",
        "open_before": "15",
        "overrun": "10",
        "live_by": "schedule",
    } | more


async def booked(site: RunningSite, title: str) -> list[Lecture]:
    async with site.database.reading() as session:
        return await store.page(session, Scope.everything(), text=title)


async def test_a_booking_leads_to_its_participants(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = filled(world, jp="1,5", lecturer_id=world.lecturer.id)
    done = await ratna.post("/lectures", form)
    assert (done.status, done.location) == (303, f"/lectures/{form['id']}/registrations")
    again = await ratna.post("/lectures", form)
    assert again.location == done.location
    assert [lecture.jp for lecture in await booked(site, "Komunikasi")] == [150]


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"title": " "}, "title", "Judul ceramah belum diisi."),
        ({"title": "x" * 201}, "title", "Paling banyak 200 karakter."),
        ({"starts_day": "2026-11-24"}, "starts_time", "Waktu ini sudah lewat."),
        ({"ends_time": "08:00"}, "ends_time", "Waktu selesai harus sesudah waktu mulai."),
        ({"starts_day": ""}, "starts_day", "Ini bukan tanggal dan waktu yang benar."),
        ({"starts_time": "25:61"}, "starts_time", "Ini bukan tanggal dan waktu yang benar."),
        (
            {
                "zone": "Europe/Berlin",
                "starts_day": "2027-03-28",
                "starts_time": "02:30",
                "ends_time": "04:00",
            },
            "starts_time",
            "Waktu ini tidak ada di zona tersebut",
        ),
        ({"zone": "../../etc/passwd"}, "zone", "Zona waktu ini tidak ada."),
        ({"jp": "dua"}, "jp", "Isi angka seperti"),
        ({"jp": "999"}, "jp", "JP berupa angka"),
        ({"capacity": "0"}, "capacity", "Jumlah kursi"),
        ({"open_before": "-5"}, "open_before", "bilangan bulat"),
        ({"overrun": "999"}, "overrun", "lewat waktu paling lama 120 menit"),
        ({"policy_id": "x"}, "policy_id", "Pilih aturan kehadirannya."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    site: RunningSite, wrong: dict[str, str], field: str, said: str
) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).post(
        "/lectures", filled(world, lecturer_id=world.lecturer.id) | wrong
    )
    assert page.status == 422
    assert f'id="{field}-error"' in page.text
    assert f'href="#{field}"' in page.text
    assert said in page.text
    assert "Teks yang panjang" in page.text
    assert f'value="{world.lecturer.id}" checked' in page.text
    assert await booked(site, "Komunikasi") == []


async def test_all_errors_are_told_at_once(site: RunningSite) -> None:
    world = await a_world(site)
    form = filled(world, title="", jp="x", capacity="y", ends_time="07:00")
    page = (await (await world.as_("organiser")).post("/lectures", form)).text
    for field in ("title", "jp", "capacity", "ends_time"):
        assert f'id="{field}-error"' in page


async def test_a_lecturer_who_is_busy_is_a_warning_and_saving_again_books(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = filled(world, starts_day="2026-11-25", starts_time="09:30", lecturer_id=world.lecturer.id)
    warned = await ratna.post("/lectures", form)
    assert (warned.status, "Narasumber sudah ada acara pada waktu itu:" in warned.text) == (409, True)
    assert "Siti Rahma: “Arsip digital”, Rabu, 25 November 2026, 09.07–10.37 WITA" in warned.text
    assert await booked(site, "Komunikasi") == []
    # Having seen one clash is no consent to another.
    assert (await ratna.post("/lectures", form | {"warning_seen": new_id()})).status == 409
    assert (await ratna.post("/lectures", form | {"warning_seen": seen(warned.text)})).status == 303
    assert len(await booked(site, "Komunikasi")) == 1


def seen(page: str) -> str:
    """What the form sends along once its warning was read."""
    return re.findall(r'name="warning_seen" value="(\w+)"', page)[0]


def edited(lecture: LectureRow, **more: str) -> dict[str, str]:
    return {
        "version": "1",
        "title": lecture.title,
        "description": "Teks saya",
        "starts_day": lecture.starts_wall[:10],
        "starts_time": lecture.starts_wall[11:],
        "ends_time": lecture.ends_wall[11:],
        "zone": lecture.zone,
        "jp": "2",
        "policy_id": lecture.policy_id,
        "open_before": "15",
        "overrun": "10",
        "live_by": "schedule",
        "step": "confirm",
    } | more


async def test_an_edit_that_people_are_told_of_says_so_first(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = world.path("scheduled", "edit")
    form = edited(world.lectures["scheduled"], title="Yang baru", step="")
    page = await ratna.post(path, form)
    assert (page.status, "1 peserta mendapat undangan" in page.text) == (200, True)
    assert await booked(site, "Yang baru") == []
    back = await ratna.post(path, form | {"step": "back"})
    assert 'value="Yang baru"' in back.text
    assert (await ratna.post(path, form | {"step": "confirm"})).status == 303
    assert len(await booked(site, "Yang baru")) == 1


async def test_two_who_edit_at_once_do_not_overwrite_each_other(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    lecture = world.lectures["scheduled"]
    path = world.path("scheduled", "edit")
    assert (await ratna.post(path, edited(lecture, title="Yang pertama"))).status == 303
    second = await ratna.post(path, edited(lecture, title="Yang kedua"))
    assert (second.status, "Yang kedua" in second.text, "Teks saya" in second.text) == (412, True, True)
    assert len(await booked(site, "Yang pertama")) == 1
    assert (await ratna.post(path, edited(lecture, title="Yang kedua", version="2"))).status == 303


async def test_a_lecture_past_midnight_keeps_its_day_when_it_is_edited(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = filled(world, starts_time="22:00", ends_time="01:00", ends_day="2026-12-11")
    warned = await ratna.post("/lectures", form)
    await ratna.post("/lectures", form | {"warning_seen": seen(warned.text)})
    shown = (await ratna.get(f"/lectures/{form['id']}/edit")).text
    assert 'name="ends_day" type="date" value="2026-12-11"' in shown


async def register(ratna: Visitor, world: World, **form: str) -> Any:
    return await ratna.post(world.path("scheduled", "registrations"), form)


async def test_a_list_registers_whom_it_finds_and_gives_back_the_other_lines(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        await a_person(session, world.institution, name="Ketut", email="ketut@example.test")
    ratna = await world.as_("organiser")
    page = await register(ratna, world, list="KETUT@example.test\nsiapa@example.test")
    assert (page.status, "siapa@example.test</textarea>" in page.text) == (200, True)
    assert "Ketut" in (await ratna.get(world.path("scheduled", "registrations"))).text


async def test_a_lecture_that_is_full_keeps_the_list_that_was_typed(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.writing() as session:
        await a_person(session, world.institution, name="Ketut", email="ketut@example.test")
        lecture = await session.get(LectureRow, world.lectures["scheduled"].id)
        assert lecture is not None
        lecture.capacity = 1
    page = await register(ratna, world, list="ketut@example.test")
    assert (page.status, "Semua kursi" in page.text, "ketut@example.test</textarea>" in page.text) == (
        409,
        True,
        True,
    )


async def test_nobody_chosen_is_said(site: RunningSite) -> None:
    world = await a_world(site)
    page = await register(await world.as_("organiser"), world)
    assert (page.status, "Pilih orangnya terlebih dahulu." in page.text) == (422, True)


async def test_people_ticked_before_stay_ticked_while_the_search_goes_on(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        ketut = await a_person(session, world.institution, name="Ketut Adnyana")
    ratna = await world.as_("organiser")
    found = await ratna.get(f"/lectures/people?for=lecturer&q=ketut&lecturer_id={world.lecturer.id}")
    assert f'name="lecturer_id" value="{world.lecturer.id}" checked' in found.text
    assert f'name="lecturer_id" value="{ketut.id}">' in found.text


async def test_a_second_lecturer_can_be_registered(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        ketut = await a_person(session, world.institution, name="Ketut Adnyana")
    ratna = await world.as_("organiser")
    assert (await register(ratna, world, person_id=ketut.id, role="lecturer")).status == 303
    async with site.database.reading() as session:
        seat = await store.registration_of(session, world.lectures["scheduled"].id, ketut.id)
    assert seat is not None
    assert seat.role == "lecturer"


WINDOW = {"day": "2026-11-22", "starts_time": "09:17", "ends_time": "10:37", "reason": "Terlambat mulai"}


async def test_the_official_time_is_fixed_with_a_reason_and_a_break(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    fixed = WINDOW | {"break_from_1": "09:40", "break_to_1": "09:50"}
    done = await ratna.post(world.path("ended", "actions", "window"), fixed)
    assert (done.status, done.location) == (303, world.path("ended", "attendance"))
    page = (await ratna.get(done.location)).text
    assert "09.17–09.40 WITA, 09.50–10.37 WITA" in page
    assert "Terlambat mulai" in (await ratna.get(world.path("ended"))).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"ends_time": "09:00"}, "ends_time"),
        ({"break_from_1": "11:00", "break_to_1": "11:30"}, "ends_time"),
        ({"break_from_1": "09:40"}, "break_to_1"),
        ({"day": "kemarin"}, "starts_time"),
    ],
)
async def test_an_official_time_that_cannot_be_is_shown_again(
    site: RunningSite, wrong: dict[str, str], field: str
) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).post(world.path("ended", "actions", "window"), WINDOW | wrong)
    assert (page.status, f'id="{field}-error"' in page.text) == (422, True)
    if field != "reason":
        assert "Terlambat mulai" in page.text


async def test_the_official_time_of_settled_hours_stays(site: RunningSite) -> None:
    world = await a_world(site)
    refused = await (await world.as_("organiser")).post(world.path("final", "actions", "window"), WINDOW)
    assert refused.status == 409


async def test_controls_move_the_lecture_and_stand_on_its_timeline(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    here = world.path("open")
    for move, said in (
        ("start", "Ceramah dimulai"),
        ("extend", "Diperpanjang 15 menit"),
        ("end", "Ceramah selesai"),
        ("extend", "Ceramah dimulai"),
    ):
        assert (await ratna.post(f"{here}/actions/{move}")).status == 303
        assert said in (await ratna.get(here)).text
    form = {"reason": "Listrik padam", "version": "5", "step": "confirm"}
    assert (await ratna.post(f"{here}/changes/cancel", form)).status == 303
    assert "Listrik padam" in (await ratna.get(here)).text
    assert (await ratna.post(f"{here}/actions/start")).status == 409


async def test_a_seat_is_cancelled_and_taken_again(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.reading() as session:
        lecture_id = world.lectures["scheduled"].id
        seat = await store.registration_of(session, lecture_id, world.participant.id)
    assert seat is not None
    one = world.path("scheduled", "registrations", seat.id)
    for action in ("cancel", "restore", "revoke"):
        assert (await ratna.post(f"{one}/{action}")).status == 303
    other = world.path("open", "registrations", seat.id, "cancel")
    assert (await ratna.post(other)).status == 404
    assert site.clock.now() == NINE
