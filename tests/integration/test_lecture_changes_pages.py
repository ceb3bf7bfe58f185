"""Pages on which a lecture is changed: a form, then who will be told, then the deed; on both databases."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.build import MINUTE, NINE, a_person, a_registration
from tests.integration.pages_world import World, a_world
from tests.site import MEDIA_KEY, MEDIA_SECRET, RunningSite
from webinar.invites.tables import InviteRow
from webinar.lectures import store
from webinar.lectures.change_rules import breaks_of
from webinar.lectures.rules import Lecture, Window
from webinar.lectures.tables import LectureRow
from webinar.media.tokens import mint
from webinar.web.change_kinds import KINDS


async def inside(site: RunningSite, world: World) -> str:
    """Somebody in the room of the lecture under way: the name there."""
    room = f"{world.lectures['live'].id}.main"
    await site.media.open_room(room)
    identity = "seat1.abcdefgh"
    site.media.join(
        mint(MEDIA_KEY, MEDIA_SECRET, identity=identity, name="Ani", room=room, now=NINE, ttl_s=60)
    )
    return identity


def heard(site: RunningSite, identity: str) -> list[dict[str, Any]]:
    """What the room was told of the lecture."""
    return [json.loads(data) for topic, data in site.media.inbox[identity] if topic == "lecture"]


async def stored(site: RunningSite, world: World, state: str) -> tuple[Lecture, Window]:
    async with site.database.reading() as session:
        lecture = await store.find(session, world.lectures[state].id)
        assert lecture is not None
        return lecture, await store.window_of(session, lecture)


async def test_every_change_is_offered_where_it_is_possible_and_shows_its_form(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    seen = set()
    for state in world.lectures:
        page = (await ratna.get(world.path(state, "changes"))).text
        for kind in KINDS:
            address = world.path(state, "changes", kind.name)
            if f'href="{address}"' in page:
                form = await ratna.get(address)
                assert (form.status, f'action="{address}"' in form.text) == (200, True), (state, kind.name)
                seen.add(kind.name)
            else:
                assert f'action="{address}"' not in (await ratna.get(address)).text
    assert seen == {kind.name for kind in KINDS} - {"go-on"}


MOVED = {"starts_day": "2026-12-03", "starts_time": "13:00", "ends_time": "14:30"}


async def test_nothing_happens_before_the_preview_is_confirmed(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    before = await stored(site, world, "scheduled")
    page = await ratna.post(world.path("scheduled", "changes", "time"), MOVED)
    assert page.status == 200
    assert "1 peserta mendapat undangan" in page.text
    assert 'name="starts_time" value="13:00"' in page.text
    assert await stored(site, world, "scheduled") == before


async def test_a_confirmed_move_is_done_and_a_double_click_does_it_once(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = MOVED | {"version": "1", "step": "confirm"}
    path = world.path("scheduled", "changes", "time")
    answers = await asyncio.gather(*(ratna.post(path, form) for _ in range(3)))
    assert [answer.status for answer in answers] == [303, 303, 303]
    lecture, _ = await stored(site, world, "scheduled")
    assert (lecture.starts_wall, lecture.version, lecture.sequence) == ("2026-12-03T13:00", 2, 1)


async def test_the_form_comes_back_with_what_was_typed(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    page = await ratna.post(world.path("scheduled", "changes", "time"), MOVED | {"step": "back"})
    assert (page.status, 'name="starts_time" type="time" value="13:00"' in page.text) == (200, True)


async def test_a_preview_that_is_out_of_date_is_shown_anew_with_what_was_typed(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.writing() as session:
        lecture = world.lectures["scheduled"].id
        await session.execute(
            update(LectureRow).where(LectureRow.id == lecture).values(version=5, title="Lain")
        )
    path = world.path("scheduled", "changes", "time")
    page = await ratna.post(path, MOVED | {"version": "1", "step": "confirm"})
    assert (page.status, 'value="13:00"' in page.text, 'name="version" value="5"' in page.text) == (
        412,
        True,
        True,
    )
    assert (await ratna.post(path, MOVED | {"version": "5", "step": "confirm"})).status == 303


async def test_of_two_organisers_at_once_one_sees_the_change_of_the_other(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = world.path("live", "changes", "pause")
    site.clock.at = world.lectures["live"].starts_at + 20 * MINUTE
    forms = [{"until": until, "version": "1", "step": "confirm"} for until in ("09:45", "09:50")]
    answers = await asyncio.gather(*(ratna.post(path, form) for form in forms))
    assert sorted(answer.status for answer in answers) == [303, 412]
    _, window = await stored(site, world, "live")
    assert len(breaks_of(window)) == 1


@pytest.mark.parametrize(
    ("state", "kind", "wrong", "field"),
    [
        ("scheduled", "time", MOVED | {"ends_time": "12:00"}, "ends_time"),
        ("scheduled", "time", MOVED | {"starts_day": "2020-01-01"}, "starts_time"),
        ("scheduled", "time", MOVED | {"starts_time": "<b>"}, "starts_time"),
        ("live", "extend", {"until": "x"}, "until"),
        ("live", "late", {"begins": "09:20", "reason": ""}, "reason"),
        ("live", "end", {"counts": "now", "ends": "09:20", "reason": ""}, "reason"),
        ("scheduled", "breaks", {"break_from_1": "07:00", "break_to_1": "07:10"}, "break_from_1"),
        ("scheduled", "lecturers", {"lecturer_id": "x" * 26}, "find-lecturer"),
        ("scheduled", "seats", {"capacity": "0"}, "capacity"),
        ("scheduled", "seats", {"capacity": "banyak"}, "capacity"),
        ("scheduled", "room", {"open_before": "121", "overrun": "10"}, "open_before"),
        ("scheduled", "room", {"open_before": "10", "overrun": "-1"}, "overrun"),
        (
            "cancelled",
            "restore",
            {"starts_day": "2026-11-20", "starts_time": "09:00", "ends_time": "10:00"},
            "starts_time",
        ),
    ],
)
async def test_what_cannot_be_is_told_at_its_field(
    site: RunningSite, state: str, kind: str, wrong: dict[str, str], field: str
) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).post(world.path(state, "changes", kind), wrong)
    assert (page.status, f'id="{field}-error"' in page.text) == (422, True)


async def test_fewer_seats_than_people_says_the_number_and_the_way_out(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.writing() as session:
        row = await session.get(LectureRow, world.lectures["scheduled"].id)
        assert row is not None
        await a_registration(session, row, await a_person(session, world.institution, name="Ketut"))
    page = await ratna.post(world.path("scheduled", "changes", "seats"), {"capacity": "1"})
    assert page.status == 422
    assert "2 orang terdaftar" in page.text
    assert f'href="{world.path("scheduled", "registrations")}"' in page.text


async def test_cancelling_under_way_says_what_becomes_of_hours_and_tells_the_room(
    site: RunningSite,
) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    ani = await inside(site, world)
    path = world.path("live", "changes", "cancel")
    page = (await ratna.post(path, {"reason": "<b>Gempa</b>"})).text
    assert "tidak menghasilkan JP" in page
    assert "<b>Gempa</b>" not in page
    done = await ratna.post(path, {"reason": "Gempa", "version": "1", "step": "confirm"})
    assert done.status == 303
    assert [(one["state"], one["reason"]) for one in heard(site, ani)] == [("cancelled", "Gempa")]


async def test_a_restored_lecture_is_on_again(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = MOVED | {"version": "1", "step": "confirm"}
    assert (await ratna.post(world.path("cancelled", "changes", "restore"), form)).status == 303
    lecture, _ = await stored(site, world, "cancelled")
    assert (lecture.state, lecture.starts_wall) == ("scheduled", "2026-12-03T13:00")


async def test_a_break_is_told_to_the_room_at_once(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    live = world.lectures["live"]
    ani = await inside(site, world)
    site.clock.at = live.starts_at + 20 * MINUTE + 12_345
    form = {"until": "09:45", "version": "1", "step": "confirm"}
    assert (await ratna.post(world.path("live", "changes", "pause"), form)).status == 303
    [told] = heard(site, ani)
    since = live.starts_at + 20 * MINUTE
    assert told["breaks"] == [[since, since + 18 * MINUTE]]
    assert (
        'href="' + world.path("live", "changes", "go-on")
        in (await ratna.get(world.path("live", "changes"))).text
    )


async def test_the_preview_names_the_lecturers_and_counts_the_others(site: RunningSite) -> None:
    world = await a_world(site, name="Maya")
    ratna = await world.as_("organiser")
    async with site.database.writing() as session:
        ketut = await a_person(session, world.institution, name="Ketut Adnyana")
    page = await ratna.post(world.path("scheduled", "changes", "lecturers"), {"lecturer_id": ketut.id})
    assert "Ketut Adnyana" in page.text
    form = [("lecturer_id", ketut.id), ("version", "1"), ("step", "confirm")]
    assert (await ratna.post(world.path("scheduled", "changes", "lecturers"), form)).status == 303
    async with site.database.reading() as session:
        lecturers = await store.lecturers_of(session, [world.lectures["scheduled"].id])
    assert [seat.name for seat in lecturers[world.lectures["scheduled"].id]] == ["Ketut Adnyana"]


async def test_a_preview_writes_nothing_down(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.reading() as session:
        before = len((await session.execute(select(InviteRow))).all())
    for kind, form in (("cancel", {}), ("time", MOVED), ("seats", {"capacity": "9"})):
        assert (await ratna.post(world.path("scheduled", "changes", kind), form)).status == 200
    async with site.database.reading() as session:
        assert len((await session.execute(select(InviteRow))).all()) == before
    lecture, _ = await stored(site, world, "scheduled")
    assert (lecture.version, lecture.state, lecture.starts_at) == (1, "scheduled", NINE + 7 * MINUTE)
