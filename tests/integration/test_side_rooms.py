"""The rooms beside the main one over HTTP: admission, places, chat, removal, and what hosts do with them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest

from tests.integration.test_classroom_site import TAB, Room
from tests.integration.test_classroom_site import room as room
from tests.site import Answer, Visitor
from webinar.classroom import service as classroom
from webinar.core import effects
from webinar.core.effects import Again, Effect
from webinar.lectures import store
from webinar.lectures.rules import RoomKind, RoomState
from webinar.media.port import Media


async def made(room: Room, *titles: str, **more: object) -> dict[str, str]:
    """Breakout rooms that a host has added and the scheduler has opened: ids by title."""
    maya = await room.come("Maya")
    body = {"kind": "breakout", "titles": list(titles), **more}
    answer = await maya.post_json(room.path("rooms"), body)
    assert answer.status == 201, answer.text
    await stand(room)
    return {one["title"]: one["id"] for one in answer.json()["rooms"]}


async def stand(room: Room) -> None:
    """What the scheduler would have done by now."""
    async with room.site.database.writing() as session:
        for one in await store.rooms_of(session, room.lecture_id):
            if one.needed and one.state is RoomState.CLOSED:
                seen = await room.site.media.open_room(one.name)
                opened = replace(one, state=RoomState.OPEN, sid=seen.sid, opened_at=room.site.clock.now())
                await store.change_room(session, one, opened)


async def ask(room: Room, visitor: Visitor, place: str = "") -> Answer:
    return await visitor.post_json(room.path("admission"), {**TAB, "place": place})


async def enter(room: Room, visitor: Visitor, place: str = "", *, tab: str = "abcdefgh") -> Mapping[str, Any]:
    """Asked for a room, and gone in."""
    answer = await visitor.post_json(room.path("admission"), {**TAB, "tab": tab, "place": place})
    assert answer.status == 200, answer.text
    room.site.media.join(answer.json()["token"])
    found: Mapping[str, Any] = answer.json()
    return found


async def listed(room: Room, visitor: Visitor) -> dict[str, Mapping[str, Any]]:
    answer = await visitor.get(room.path("rooms"))
    assert answer.status == 200, answer.text
    return {one["title"]: one for one in answer.json()["rooms"]}


def heard(room: Room, admitted: Mapping[str, Any], topic: str) -> list[Any]:
    """What a page was told in the room."""
    inbox = room.site.media.inbox.get(admitted["identity"], [])
    return [json.loads(data) for about, data in inbox if about == topic]


def names(one: Mapping[str, Any]) -> list[str]:
    return [person["name"] for person in one["people"]]


async def test_a_token_is_for_the_room_that_was_asked_for(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani = await room.come("Ani")
    there = (await ask(room, ani, ids["Kelompok 1"])).json()
    claims = jwt.decode(there["token"], options={"verify_signature": False})
    assert claims["video"]["room"] == there["room"] == f"{room.lecture_id}.b1"
    assert "screen_share" in claims["video"]["canPublishSources"]
    assert there["place"] | {"id": "", "ready": True} == {
        "id": "", "kind": "breakout", "title": "Kelompok 1", "open": True, "ready": True
    }  # fmt: skip
    assert (await ask(room, ani)).json()["room"] == f"{room.lecture_id}.main"


async def test_who_has_a_place_in_one_group_gets_no_token_for_another(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1", "Kelompok 2", spread=True)
    ani = await room.come("Ani")
    mine = {title: one["mine"] for title, one in (await listed(room, ani)).items() if one["kind"] != "main"}
    [own] = [title for title, is_mine in mine.items() if is_mine]
    [other] = [title for title, is_mine in mine.items() if not is_mine]
    refused = await ask(room, ani, ids[other])
    assert (refused.status, refused.json()["code"]) == (403, "other_room")
    assert "token" not in refused.text
    assert (await ask(room, ani, ids[own])).status == 200
    assert (await ask(room, await room.come("Maya"), ids[other])).status == 200
    chat = await ani.post_json(room.path("chat"), {"text": "Halo", "client_id": "1", "room": ids[other]})
    assert chat.status == 403
    assert (await ani.get(room.path("chat") + f"?room={ids[other]}")).status == 403


async def test_people_are_spread_evenly_and_late_ones_choose(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1", "Kelompok 2", spread=True)
    placed = [one["placed"] for one in (await listed(room, await room.come("Maya"))).values()]
    assert sorted(placed) == [0, 1, 1]
    async with room.site.database.writing() as session:
        await store.place(session, room.lecture_id, RoomKind.BREAKOUT, {})
    ani = await room.come("Ani")
    assert [(await ask(room, ani, ident)).status for ident in ids.values()] == [200, 200]


async def test_only_those_who_are_inside_are_spread(room: Room) -> None:
    await room.open()
    await enter(room, await room.come("Ani"))
    await made(room, "Kelompok 1", "Kelompok 2", spread=True)
    seen = {name: await listed(room, await room.come(name)) for name in ("Ani", "Budi")}
    mine = {name: sum(one["mine"] for one in rooms.values()) for name, rooms in seen.items()}
    assert mine == {"Ani": 1, "Budi": 0}


async def test_everybody_sees_who_is_where(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani, budi = await room.come("Ani"), await room.come("Budi")
    await enter(room, ani, ids["Kelompok 1"])
    await enter(room, ani, ids["Kelompok 1"], tab="hgfedcba")
    await enter(room, budi)
    found = await listed(room, budi)
    assert (names(found["Kelompok 1"]), names(found[""])) == (["Ani"], ["Budi"])
    assert found["Kelompok 1"]["count"] == 1


async def test_where_everybody_is_is_not_known_while_the_media_server_is_away(room: Room) -> None:
    await room.open()
    await made(room, "Kelompok 1")
    room.site.media.go_away()
    found = await listed(room, await room.come("Ani"))
    assert (found["Kelompok 1"]["count"], found["Kelompok 1"]["people"]) == (None, [])


async def test_a_room_that_closes_leads_back_to_the_main_one(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1", "Kelompok 2")
    maya, ani, budi = [await room.come(name) for name in ("Maya", "Ani", "Budi")]
    inside = [await enter(room, ani, ids["Kelompok 1"]), await enter(room, budi)]
    answer = await maya.post_json(room.path("rooms", "call-back"), {})
    assert sorted(answer.json()["closed"]) == sorted(ids.values())
    assert [heard(room, one, "rooms")[-1]["rooms"][1]["open"] for one in inside] == [False, False]
    again = (await ask(room, ani, ids["Kelompok 1"])).json()
    assert again["place"]["kind"] == "main"
    # Undo: they are wanted again.
    undone = await maya.post_json(room.path("rooms", "open"), {"rooms": answer.json()["closed"]})
    assert undone.status == 204
    assert (await ask(room, ani, ids["Kelompok 1"])).json()["place"]["title"] == "Kelompok 1"


async def test_a_room_taken_back_before_it_stood_is_not_shown(room: Room) -> None:
    await room.open()
    maya = await room.come("Maya")
    answer = await maya.post_json(room.path("rooms"), {"kind": "breakout", "titles": ["Kelompok 1"]})
    [one] = answer.json()["rooms"]
    assert (await maya.post_json(room.path("rooms", one["id"], "close"), {})).status == 204
    assert list(await listed(room, maya)) == [""]


async def test_a_host_renames_a_room_and_no_two_have_one_title(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1", "Kelompok 2")
    maya = await room.come("Maya")
    renamed = await maya.post_json(room.path("rooms", ids["Kelompok 1"], "rename"), {"title": " Anggaran "})
    assert renamed.json()["title"] == "Anggaran"
    twice = await maya.post_json(room.path("rooms", ids["Kelompok 2"], "rename"), {"title": "anggaran"})
    assert twice.status == 422
    again = await maya.post_json(room.path("rooms"), {"kind": "second", "titles": ["Anggaran"]})
    assert again.status == 422


@pytest.mark.parametrize(
    "body",
    [
        {}, {"kind": "main", "titles": ["x"]}, {"kind": "breakout", "titles": []},
        {"kind": "breakout", "titles": "x"},
        {"kind": "breakout", "titles": ["x", "X"]}, {"kind": "breakout", "titles": ["x" * 81]},
        {"kind": "breakout", "titles": ["a\u202eb"]}, {"kind": "breakout", "titles": [7]},
        {"kind": "breakout", "titles": [str(n) for n in range(51)]}, {"kind": ["breakout"], "titles": ["x"]},
    ],
)  # fmt: skip
async def test_rooms_that_make_no_sense_are_refused(room: Room, body: dict[str, object]) -> None:
    await room.open()
    maya = await room.come("Maya")
    assert (await maya.post_json(room.path("rooms"), body)).status == 422
    assert list(await listed(room, maya)) == [""]


async def test_a_participant_changes_no_room(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani = await room.come("Ani")
    ident = ids["Kelompok 1"]
    deeds: dict[str, dict[str, object]] = {
        "rooms": {"kind": "breakout", "titles": ["x"]},
        "rooms/call-back": {},
        "rooms/open": {"rooms": [ident]},
        f"rooms/{ident}/close": {},
        f"rooms/{ident}/rename": {"title": "x"},
    }
    for path, body in deeds.items():
        assert (await ani.post_json(room.path(path), body)).status == 403, path
    assert (await listed(room, ani))["Kelompok 1"]["open"]


async def test_a_room_of_another_lecture_and_the_main_one_are_not_a_hosts_to_close(room: Room) -> None:
    await room.open()
    await made(room, "Kelompok 1")
    maya = await room.come("Maya")
    main = (await listed(room, maya))[""]["id"]
    for ident in (main, "a" * 26):
        assert (await maya.post_json(room.path("rooms", ident, "close"), {})).status == 404
    assert (await maya.post_json(room.path("rooms", "open"), {"rooms": ["a" * 26]})).status == 404


async def test_a_group_talks_among_itself_and_the_lecture_to_all(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1", "Kelompok 2")
    group = ids["Kelompok 1"]
    ani, budi = await room.come("Ani"), await room.come("Budi")
    inside = [await enter(room, ani, group), await enter(room, budi)]
    await ani.post_json(room.path("chat"), {"text": "Di kelompok", "client_id": "1", "room": group})
    await ani.post_json(room.path("chat"), {"text": "Untuk semua", "client_id": "2"})
    told = [[message["text"] for message in heard(room, one, "chat")] for one in inside]
    assert told == [["Di kelompok", "Untuk semua"], ["Untuk semua"]]

    async def texts(query: str) -> list[str]:
        answer = await budi.get(room.path("chat") + query)
        return [message["text"] for message in answer.json()["messages"]]

    assert await texts(f"?room={group}") == ["Di kelompok"]
    assert await texts("") == ["Untuk semua"]


async def test_who_is_removed_is_out_of_all_rooms_and_comes_into_none(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani, maya = await room.come("Ani"), await room.come("Maya")
    await enter(room, ani, ids["Kelompok 1"])
    await enter(room, ani, tab="hgfedcba")
    seat = room.seats["Ani"]
    removed = await maya.post_json(room.path("participants", seat.seat, "remove"), {"reason": "Ribut"})
    assert removed.status == 204
    handler = classroom.remover(room.site.database, room.site.media, room.site.clock)
    async with room.site.database.reading() as session:
        [owed] = [e for e in await effects.about(session, f"lecture:{room.lecture_id}") if e.kind == "remove"]
    claimed = Effect(0, owed.key, owed.kind, owed.subject, owed.payload, owed.due_at, 0, 0)
    outcome = await handler(claimed)
    assert isinstance(outcome, Again)
    assert await everybody(room.site.media, room) == []
    for place in ("", ids["Kelompok 1"]):
        assert (await ask(room, ani, place)).json()["code"] == "removed"


async def everybody(media: Media, room: Room) -> list[str]:
    names = [one.name for one in await media.list_rooms()]
    return [p.name for name in names for p in await media.list_participants(name)]


async def test_who_is_muted_is_muted_wherever_they_are(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani, maya = await room.come("Ani"), await room.come("Maya")
    inside = await enter(room, ani, ids["Kelompok 1"])
    room.site.media.publish(inside["room"], inside["identity"], "microphone")
    seat = room.seats["Ani"].seat
    assert (await maya.post_json(room.path("participants", seat, "mute"), {})).status == 204
    [ani_there] = await room.site.media.list_participants(inside["room"])
    assert [track.muted for track in ani_there.tracks] == [True]


async def test_a_raised_hand_is_seen_in_all_rooms(room: Room) -> None:
    await room.open()
    ids = await made(room, "Kelompok 1")
    ani, maya = await room.come("Ani"), await room.come("Maya")
    await enter(room, ani, ids["Kelompok 1"])
    host = await enter(room, maya)
    assert (await ani.post_json(room.path("hand"), {"raised": True})).status == 204
    assert [(hand["name"], hand["raised"]) for hand in heard(room, host, "hand")] == [("Ani", True)]


async def test_a_second_room_that_was_given_is_where_one_comes_in(room: Room) -> None:
    await room.open()
    maya, ani = await room.come("Maya"), await room.come("Ani")
    body = {"kind": "second", "titles": ["Ruang B"]}
    ident = (await maya.post_json(room.path("rooms"), body)).json()["rooms"][0]["id"]
    async with room.site.database.writing() as session:
        await store.place(session, room.lecture_id, RoomKind.SECOND, {room.seats["Ani"].id: ident})
    assert (await ask(room, ani)).json()["code"] == "room_preparing"
    await stand(room)
    assert (await ask(room, ani)).json()["room"] == f"{room.lecture_id}.s1"
    main = (await listed(room, ani))[""]["id"]
    assert (await ask(room, ani, main)).json()["room"] == f"{room.lecture_id}.main"


async def test_second_rooms_share_the_audience_with_the_main_one(room: Room) -> None:
    await room.open()
    maya = await room.come("Maya")
    await maya.post_json(room.path("rooms"), {"kind": "second", "titles": ["Ruang B"], "spread": True})
    assert [one["placed"] for one in (await listed(room, maya)).values()] == [0, 1]
