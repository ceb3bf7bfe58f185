"""Pages of series: booking one, changing editions alone and with all that follow, members, growth."""

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.build import a_person
from tests.integration.pages_world import World, a_world, statements
from tests.integration.test_pages_forms import filled, seen
from tests.integration.test_pages_read import CORPUS
from tests.site import LINK_KEY, RunningSite, Visitor
from webinar.core.effects import Done, Effect
from webinar.core.tables import EffectRow
from webinar.people.access import Scope
from webinar.people.rules import has_controls
from webinar.series import store
from webinar.series.keeper import SeriesKeeper
from webinar.series.rules import Edition, Slot
from webinar.series.service import ROUND
from webinar.series.tables import EditionRow, SeriesRow


def recurring(world: World, **more: Any) -> dict[str, Any]:
    return filled(world, title="Forum ASN", repeat="WEEKLY", interval="1", count="3") | more


async def booked(site: RunningSite, visitor: Visitor, form: dict[str, Any]) -> str:
    """The address of the new series."""
    done = await visitor.post("/series", form)
    if done.status == 409:
        done = await visitor.post("/series", form | {"warning_seen": seen(done.text)})
    assert (done.status, done.location) == (303, f"/series/{form['id']}"), done.text[:500]
    return done.location


async def editions(site: RunningSite, path: str) -> list[Edition]:
    async with site.database.reading() as session:
        return await store.editions(session, path.rpartition("/")[2])


async def kept(site: RunningSite, path: str) -> None:
    key = f"series:{path.rpartition('/')[2]}"
    keeper = SeriesKeeper(site.database, site.clock, LINK_KEY.encode())
    assert isinstance(await keeper.keep(Effect(1, key, "series", key, {}, 0, 1, 1)), Done)


async def test_a_series_is_booked_and_shown_with_its_editions(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = recurring(world, lecturer_id=world.lecturer.id)
    path = await booked(site, ratna, form)
    # A second click finds the series there.
    again = await ratna.post("/series", form)
    assert (await ratna.post("/series", form | {"warning_seen": seen(again.text)})).location == path
    page = (await ratna.get(path)).text
    assert "Tiap minggu pada hari Kamis" in page
    for day in ("10 Desember", "17 Desember", "24 Desember"):
        assert f"Kamis, {day} 2026, 09.00–10.30 WITA" in page
    first = (await editions(site, path))[0].lecture
    assert "Edisi ke-1 dari seri “Forum ASN”" in (await ratna.get(f"/lectures/{first.id}")).text
    assert "Forum ASN" in (await ratna.get("/series")).text
    assert (await ratna.get("/series/new")).status == 200


async def test_holidays_of_a_series_are_warned_of_once_and_can_be_left_out(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = recurring(world)  # 24 December is joint leave
    warned = await ratna.post("/series", form)
    assert (warned.status, "Cuti Bersama" in warned.text) == (409, True)
    path = await booked(site, ratna, form | {"skips_holidays": "1"})
    days = [one.lecture.starts_wall[:10] for one in await editions(site, path)]
    assert days == ["2026-12-10", "2026-12-17", "2026-12-31"]
    page = (await ratna.get(path)).text
    assert "Tanpa edisi pada hari libur: 24 Desember 2026 (Cuti Bersama" in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"count": "201"}, "count"),
        ({"count": ""}, "count"),
        ({"count": "x"}, "count"),
        ({"repeat": "HOURLY"}, "repeat"),
        ({"interval": "0"}, "interval"),
        ({"until": "2026-13-01"}, "until"),
        ({"title": ""}, "title"),
        ({"weekday": "0"}, "repeat"),  # Mondays only, and the first day is a Thursday
        ({"repeat": "YEARLY", "count": "9"}, "repeat"),
        ({"starts_day": ""}, "starts_day"),
    ],
)
async def test_what_is_wrong_of_a_series_is_said_at_its_field(
    site: RunningSite, wrong: dict[str, str], field: str
) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).post("/series", recurring(world) | wrong)
    assert (page.status, f'id="{field}-error"' in page.text) == (422, True)
    assert "Teks yang panjang" in page.text
    async with site.database.reading() as session:
        assert (await session.execute(select(SeriesRow.id))).all() == []


async def test_what_is_wrong_is_listed_in_the_order_of_the_form_each_field_once(site: RunningSite) -> None:
    world = await a_world(site)
    wrong = {"title": "", "jp": "x", "capacity": "x", "repeat": "HOURLY", "overrun": "x", "starts_day": ""}
    page = (await (await world.as_("organiser")).post("/series", recurring(world) | wrong)).text
    summary = page.partition('class="notice tone-error"')[2].partition("</ul>")[0]
    listed = re.findall(r'href="#([^"]+)"', summary)
    assert listed == ["title", "starts_day", "repeat", "jp", "capacity", "overrun"]
    places = [page.index(f'id="{field}"', page.index('<form class="form"')) for field in listed]
    assert places == sorted(places)


async def test_a_change_of_all_that_follow_and_one_alone(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world, lecturer_id=world.lecturer.id))
    second = (await editions(site, path))[1].lecture
    shown = await ratna.get(f"{path}/editions/2")
    assert "1 edisi berikutnya mengikuti perubahan ini" in shown.text
    assert f'value="{world.lecturer.id}" checked' in shown.text
    change = filled(
        world, title="Forum baru", version=str(second.version), starts_day="2026-12-17",
        lecturer_id=world.lecturer.id, recorded="1", applies="following",
    )  # fmt: skip
    shown = await ratna.post(f"{path}/editions/2", change)
    assert shown.status == 200
    assert "Forum baru" in shown.text
    assert "Edisi ke-3 · diubah" in shown.text
    assert [one.wanted for one in await editions(site, path)] == [None] * 3
    back = await ratna.post(f"{path}/editions/2", change | {"step": "back"})
    assert 'value="Forum baru"' in back.text
    assert 'value="following" checked' in back.text
    confirmed = change | {"step": "confirm"}
    done = await ratna.post(f"{path}/editions/2", confirmed)
    assert (done.status, done.location) == (303, path)
    assert "perubahan sedang dijalankan" in (await ratna.get(path)).text
    await kept(site, path)
    titles = [one.lecture.title for one in await editions(site, path)]
    assert titles == ["Forum ASN", "Forum baru", "Forum baru"]
    # A double click finds done what it wanted; who wants something else of the old version is told.
    assert (await ratna.post(f"{path}/editions/2", confirmed)).status == 303
    assert (await ratna.post(f"{path}/editions/2", confirmed | {"title": "Lain"})).status == 412
    third = (await editions(site, path))[2].lecture
    alone = change | {
        "title": "Khusus",
        "version": str(third.version),
        "applies": "this",
        "step": "confirm",
        "starts_day": "2026-12-24",
    }
    assert (await ratna.post(f"{path}/editions/3", alone)).status == 303
    assert "diubah sendiri: judul" in (await ratna.get(path)).text


async def test_editions_are_called_off_and_added(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world))
    form = {"reason": "Libur", "applies": "following"}
    assert "Batalkan edisi ke-2" in (await ratna.get(f"{path}/editions/2/cancel")).text
    shown = await ratna.post(f"{path}/editions/2/cancel", form)
    assert (shown.status, "Edisi ke-3 · dibatalkan" in shown.text) == (200, True)
    assert {one.lecture.state for one in await editions(site, path)} == {"scheduled"}
    back = await ratna.post(f"{path}/editions/2/cancel", form | {"step": "back"})
    assert ("Libur</textarea>" in back.text, 'value="following" checked' in back.text) == (True, True)
    form["step"] = "confirm"
    assert (await ratna.post(f"{path}/editions/2/cancel", form)).status == 303
    await kept(site, path)
    assert [one.lecture.state for one in await editions(site, path)] == [
        "scheduled",
        "cancelled",
        "cancelled",
    ]
    refused = await ratna.post(f"{path}/editions/2/cancel", form)
    assert (refused.status, "statusnya dibatalkan" in refused.text) == (409, True)
    assert (await ratna.post(f"{path}/editions/99/cancel", form)).status == 404
    more = {"count": "2", "until": "", "version": "2"}
    assert (await ratna.post(f"{path}/extend", more)).status == 303
    assert (await ratna.post(f"{path}/extend", more)).status == 412
    refused = await ratna.post(f"{path}/extend", {"count": "500", "version": "3"})
    assert (refused.status, "1 sampai 200 edisi" in refused.text) == (422, True)
    assert 'value="500"' in refused.text
    assert len(await editions(site, path)) == 5


async def test_people_are_registered_for_the_whole_series_and_taken_out(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world))
    done = await ratna.post(f"{path}/members", {"list": "siti@example.test\nnobody@example.test"})
    assert (done.status, "nobody@example.test" in done.text) == (200, True)
    await kept(site, path)
    siti = await world.as_("participant")
    own = await siti.get(path)
    assert own.status == 200
    assert "Kamis, 10 Desember 2026" in own.text
    assert "/members" not in own.text
    assert "Mendapat JP" not in own.text
    await ratna.post(f"{path}/members/{world.participant.id}/leave")
    await kept(site, path)
    assert (await siti.get(path)).status == 404
    assert (await ratna.post(f"{path}/members", {})).status == 422


async def test_a_long_series_shows_how_far_it_is_and_what_could_not_be_booked(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world, count="50"))
    ident = path.rpartition("/")[2]
    page = (await ratna.get(path)).text
    assert f"{ROUND} dari 50 edisi" in page
    assert 'hx-trigger="every 1s"' in page
    assert f"{ROUND} dari 50 edisi sudah dijadwalkan" in (await ratna.get("/series")).text
    waits = await ratna.post(f"{path}/editions/1/cancel", {"applies": "following"})
    assert (waits.status, f"{50 - ROUND} edisi masih sedang dijadwalkan" in waits.text) == (409, True)
    async with site.database.writing() as session:
        await store.refuse_slot(session, ident, 50, [["Choose a unit.", {}]])
    await kept(site, path)
    page = (await ratna.get(path)).text
    assert "every 1s" not in page
    assert "Edisi ke-50, Kamis, 18 November 2027: Pilih unitnya." in page
    assert (await ratna.post(f"{path}/try-again")).status == 303
    await kept(site, path)
    assert len(await editions(site, path)) == 50
    async with site.database.writing() as session:
        await store.add_slots(session, ident, [Slot(51, "2027-11-25T09:00", ("person", None))])
        await store.refuse_slot(session, ident, 51, [["Choose a unit.", {}]])
    assert (await ratna.post(f"{path}/leave-out")).status == 303
    assert "Edisi ke-51" not in (await ratna.get(path)).text


async def test_a_series_that_does_not_go_on_says_so(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world, count="50"))
    async with site.database.writing() as session:
        await session.execute(
            update(EffectRow).where(EffectRow.kind == "series").values(state="parked", last_error="x")
        )
    page = (await ratna.get(path)).text
    assert ("tidak berlanjut" in page, "every 1s" in page) == (True, False)


@pytest.mark.parametrize("text", CORPUS)
async def test_texts_of_a_series_are_text_wherever_they_are_shown(site: RunningSite, text: str) -> None:
    world = await a_world(site, name=text, title=text)
    ratna = await world.as_("organiser")
    title = "Forum" if has_controls(text) else text[:200]
    path = await booked(site, ratna, recurring(world, title=title, lecturer_id=world.lecturer.id))
    await ratna.post(f"{path}/members", {"person_id": world.participant.id})
    raw = [bad for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='") if bad in text]
    pages = ["/series", path, f"{path}/members", f"{path}/editions/1", world.path("scheduled", "clashes")]
    for page in [await ratna.get(one) for one in pages]:
        assert page.status == 200
        assert not [bad for bad in raw if bad in page.text]


async def test_a_long_series_costs_as_many_statements_as_a_short_one(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    costs = []
    for count in ("2", "40"):
        path = await booked(site, ratna, recurring(world, count=count))
        await kept(site, path)
        with statements(site) as sql:
            assert (await ratna.get(path)).status == 200
        costs.append(len(sql))
    assert costs[0] == costs[1]


async def test_booking_a_long_series_takes_a_few_statements(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    costs = []
    for count in ("2", "100"):
        form = recurring(world, count=count, skips_holidays="1", lecturer_id=world.lecturer.id)
        warned = await ratna.post("/series", form)
        with statements(site) as sql:
            done = await ratna.post(
                "/series", form | {"warning_seen": seen(warned.text)} if warned.status == 409 else form
            )
        assert done.status == 303
        costs.append(len(sql))
    # Rows go out some dozens at a time; a statement an edition would be hundreds.
    assert costs[1] < costs[0] + 30


async def test_who_organises_another_unit_finds_no_series(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = await booked(site, ratna, recurring(world))
    async with site.database.writing() as session:
        stranger = await a_person(session, None, name="Orang Lain", role="organiser")
    visitor = await site.signed_in(stranger.id)
    for more in ("", "/members", "/editions/1", "/editions/1/cancel"):
        assert (await visitor.get(path + more)).status == 404
    posts = ("/extend", "/members", "/editions/1", "/editions/1/cancel", "/try-again", "/leave-out")
    for more in posts:
        assert (await visitor.post(path + more, {"count": "1", "version": "1"})).status == 404
    async with site.database.reading() as session:
        rows = await session.execute(select(EditionRow.wanted))
        assert all(wanted is None for (wanted,) in rows)
        assert len(await store.page(session, Scope.everything())) == 1


async def test_of_many_warnings_the_first_are_spelled_out_and_the_others_counted(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    saturdays = recurring(world, starts_day="2026-12-12", count="30")
    page = (await ratna.post("/series", saturdays)).text
    assert ("12 Desember 2026" in page, "Dan seterusnya, 20 lagi." in page) == (True, True)
