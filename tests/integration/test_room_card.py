"""An organiser's card with the rooms of a lecture, and the same over the API."""

import re

from sqlalchemy import select

from tests.integration.api_world import a_world, conforms
from tests.integration.test_classroom_site import Room
from tests.integration.test_classroom_site import room as room
from tests.site import Answer, RunningSite, Visitor
from webinar.lectures import store
from webinar.people.tables import PersonRow
from webinar.web.api import rooms as api

ENDPOINTS = {(one.method, one.path): one for one in api.ENDPOINTS}


async def organiser(room: Room) -> Visitor:
    async with room.site.database.reading() as session:
        ident = await session.scalar(select(PersonRow.id).where(PersonRow.name == "Oka"))
    assert ident is not None
    return await room.site.signed_in(ident)


async def titles(room: Room) -> dict[str, bool]:
    """Whether each room beside the main one is wanted, by title."""
    async with room.site.database.reading() as session:
        rooms = await store.rooms_of(session, room.lecture_id)
    return {one.title: one.needed for one in rooms if one.title}


async def act(room: Room, visitor: Visitor, deed: str, form: dict[str, str] | None = None) -> Answer:
    return await visitor.post(room.path("actions", "rooms", deed), form or {})


def undo_of(page: Answer) -> str:
    """Where the button beside the message leads that takes a deed back."""
    [action] = re.findall(r'class="notice-deed" method="post" action="([^"]+)"', page.text)
    return str(action).replace("&amp;", "&")


async def test_rooms_are_booked_before_the_lecture_and_taken_back_with_one_press(room: Room) -> None:
    oka = await organiser(room)
    answer = await act(room, oka, "add", {"kind": "second", "titles": "Ruang B\n\n Ruang C \n"})
    assert answer.location == room.path() + "#rooms"
    assert await titles(room) == {"Ruang B": True, "Ruang C": True}
    page = await oka.get(room.path())
    assert "Ruang B" in page.text
    await oka.post(undo_of(page), {})
    assert await titles(room) == {"Ruang B": False, "Ruang C": False}
    assert "Ruang B" not in re.sub(r"<ol.*?</ol>", "", (await oka.get(room.path())).text, flags=re.S)


async def test_what_was_typed_is_kept_when_a_title_comes_twice(room: Room) -> None:
    oka = await organiser(room)
    answer = await act(room, oka, "add", {"titles": "Anggaran\nanggaran"})
    assert answer.status == 422
    assert "Anggaran\nanggaran" in answer.text
    assert "Dua ruang berjudul sama." in answer.text
    assert await titles(room) == {}


async def test_everybody_is_called_back_and_the_rooms_open_again_with_undo(room: Room) -> None:
    oka = await organiser(room)
    await act(room, oka, "add", {"titles": "Kelompok 1\nKelompok 2", "spread": "random"})
    await act(room, oka, "call-back")
    assert await titles(room) == {"Kelompok 1": False, "Kelompok 2": False}
    # They have stood nowhere yet, and are no longer shown; what takes it back still knows them.
    await oka.post(undo_of(await oka.get(room.path())), {})
    assert await titles(room) == {"Kelompok 1": True, "Kelompok 2": True}


async def test_a_title_is_text_wherever_it_is_shown(room: Room) -> None:
    oka = await organiser(room)
    await act(room, oka, "add", {"titles": '"><script>alert(1)</script>'})
    page = await oka.get(room.path())
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


async def test_rooms_over_the_api_are_added_renamed_closed_and_called_back(site: RunningSite) -> None:
    world = await a_world(site)
    path = f"/lectures/{world.lecture}/rooms"
    body = {"kind": "breakout", "titles": ["Anggaran", "Arsip"], "spread": True}
    headers = {"Idempotency-Key": "once"}
    first = await world.program.send("POST", path, json=body, headers=headers)
    again = await world.program.send("POST", path, json=body, headers=headers)
    assert (first.status, again.json()) == (201, first.json())
    added = first.json()["items"]
    assert [(one["title"], one["kind"], one["state"]) for one in added] == [
        ("Anggaran", "breakout", "closed"),
        ("Arsip", "breakout", "closed"),
    ]
    one = f"{path}/{added[0]['id']}"
    changed = await world.program.send("PATCH", one, json={"title": "Keuangan", "needed": False})
    conforms(ENDPOINTS["PATCH", "/lectures/{id}/rooms/{room}"], changed)
    assert (changed.json()["title"], changed.json()["needed"]) == ("Keuangan", False)
    back = await world.program.send("POST", f"{path}/call-back", json={})
    assert [one["title"] for one in back.json()["items"]] == ["Kelompok 1", "Arsip"]
    refused = await world.program.send("PATCH", one, json={"title": ""})
    assert refused.status == 422
