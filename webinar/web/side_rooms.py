"""The rooms of a lecture as its room page knows them: who is where, and what a host does with them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import rules, service
from webinar.classroom.whereabouts import MOST_NAMES, Inside
from webinar.core.errors import Invalid
from webinar.lectures import side_rooms
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Registration, Room, RoomKind, RoomState
from webinar.web.context import Context
from webinar.web.forms import json_body
from webinar.web.seats import entered
from webinar.web.site import WHEREABOUTS, Access, Route

TOPIC = "rooms"


def wanted_room(said: Mapping[str, Any]) -> str:
    """The id of the room that a page asks to be let into; "" leaves the choice to us."""
    wanted = said.get("place")
    return wanted if isinstance(wanted, str) else ""


def place(room: Room) -> dict[str, Any]:
    """A room as everybody sees it. `open` is what people want, `ready` whether it stands already."""
    return {
        "id": room.id,
        "kind": room.kind.value,
        "title": room.title,
        "open": room.needed,
        "ready": room.state is RoomState.OPEN,
    }


def shown(rooms: Sequence[Room]) -> list[Room]:
    """Rooms there is something to say about: one that was taken back before it ever stood is left out."""
    return [room for room in rooms if room.needed or room.opened_at is not None]


def places(seat: Registration, rooms: Sequence[Room], given: Collection[str]) -> list[dict[str, Any]]:
    """The rooms as one seat sees them: which is its own, and which it may enter."""
    group = rules.given_rooms(rooms, given).get(RoomKind.BREAKOUT)
    return [
        {**place(room), "mine": room.id in given, "may": rules.may_enter(seat, room, group)}
        for room in shown(rooms)
    ]


async def index(request: web.Request) -> web.StreamResponse:
    """All rooms, and who is in each."""
    asked, lecture, seat = await entered(request)
    rules.require_seat(seat)
    async with asked.reading() as session:
        rooms, given = await service.rooms_and_places(session, seat)
        placed = await lecture_store.placed(session, lecture.id)
    inside = await request.app[WHEREABOUTS](rooms)
    names = {room.id: room.name for room in rooms}
    found = [
        {**one, "placed": placed.get(one["id"], 0), **_people(inside.get(names[one["id"]]))}
        for one in places(seat, rooms, given)
    ]
    return web.json_response({"rooms": found})


def _people(inside: Sequence[Inside] | None) -> dict[str, Any]:
    if inside is None:
        return {"count": None, "people": []}
    return {"count": len(inside), "people": [asdict(person) for person in inside[:MOST_NAMES]]}


async def add(request: web.Request) -> web.StreamResponse:
    """A host adds rooms; with `spread`, those who are inside get their places at random."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    said = await json_body(request)
    titles = said.get("titles")
    if said.get("kind") not in (RoomKind.BREAKOUT, RoomKind.SECOND) or not isinstance(titles, list):
        raise Invalid.at("titles", "This page is out of date. Load it again.")
    spreads = said.get("spread") is True
    inside = await seats_inside(request, asked, lecture) if spreads else None
    async with asked.writing() as session:
        rooms = await side_rooms.add(
            session, lecture, RoomKind(said["kind"]), titles, now=asked.now, actor=service.by(host)
        )
        if spreads:
            await side_rooms.spread(session, lecture, rooms, inside)
    await tell_rooms(asked, lecture)
    return web.json_response({"rooms": [place(room) for room in rooms]}, status=201)


async def seats_inside(request: web.Request, asked: Context, lecture: Lecture) -> list[str] | None:
    """The seats in all rooms; None, so that everybody registered is meant, where that is not known."""
    async with asked.reading() as session:
        rooms = await lecture_store.rooms_of(session, lecture.id)
    found = (await request.app[WHEREABOUTS](rooms)).values()
    seats = [person.seat for people in found for person in people or ()]
    return seats or None


async def call_back(request: web.Request) -> web.StreamResponse:
    """A host calls everybody back: all breakout rooms close. Answers which did, to open them again."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        closed = await side_rooms.close_breakouts(session, lecture, now=asked.now, actor=service.by(host))
    await tell_rooms(asked, lecture)
    return web.json_response({"closed": [room.id for room in closed]})


async def reopen(request: web.Request) -> web.StreamResponse:
    """A host opens rooms that were closed."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    wanted = (await json_body(request)).get("rooms")
    if not isinstance(wanted, list) or len(wanted) > side_rooms.MOST_ROOMS:
        raise Invalid.at("rooms", "This page is out of date. Load it again.")
    async with asked.writing() as session:
        rooms = [await side_rooms.get(session, lecture, str(ident)) for ident in wanted]
        await side_rooms.reopen(session, lecture, rooms, now=asked.now, actor=service.by(host))
    await tell_rooms(asked, lecture)
    return web.Response(status=204)


async def close(request: web.Request) -> web.StreamResponse:
    """A host closes one room."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        room = await side_rooms.get(session, lecture, request.match_info["room"])
        await side_rooms.close(session, lecture, [room], now=asked.now, actor=service.by(host))
    await tell_rooms(asked, lecture)
    return web.Response(status=204)


async def rename(request: web.Request) -> web.StreamResponse:
    """A host gives a room another title."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    title = (await json_body(request)).get("title")
    async with asked.writing() as session:
        room = await side_rooms.get(session, lecture, request.match_info["room"])
        after = await side_rooms.rename(session, lecture, room, title, now=asked.now, actor=service.by(host))
    await tell_rooms(asked, lecture)
    return web.json_response(place(after))


async def tell_rooms(asked: Context, lecture: Lecture) -> None:
    """Tell all rooms which there are now; whoever is in one that closes goes back by itself."""
    async with asked.reading() as session:
        rooms = await lecture_store.rooms_of(session, lecture.id)
    payload = {"rooms": [place(room) for room in shown(rooms)]}
    await service.broadcast(asked.site.database, asked.site.media, lecture.id, TOPIC, payload)


async def state_of(session: AsyncSession, seat: Registration) -> list[dict[str, Any]]:
    """The rooms as a seat sees them, without who is inside."""
    return places(seat, *await service.rooms_and_places(session, seat))


ROUTES = (
    Route("GET", "/lectures/{id}/rooms", index, Access.SEAT),
    Route("POST", "/lectures/{id}/rooms", add, Access.SEAT),
    Route("POST", "/lectures/{id}/rooms/call-back", call_back, Access.SEAT),
    Route("POST", "/lectures/{id}/rooms/open", reopen, Access.SEAT),
    Route("POST", "/lectures/{id}/rooms/{room}/close", close, Access.SEAT),
    Route("POST", "/lectures/{id}/rooms/{room}/rename", rename, Access.SEAT),
)
