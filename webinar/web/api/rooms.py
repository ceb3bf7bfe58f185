"""The rooms of a lecture over the API: breakout and second rooms are added, renamed, opened and closed."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.lectures import side_rooms, store
from webinar.lectures.rules import Lecture, Room, RoomKind
from webinar.web.api import models, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.wire import Reply, reply
from webinar.web.context import Context, context
from webinar.web.side_rooms import seats_inside, shown, tell_rooms


def _out(room: Room) -> models.Room:
    return models.Room(
        id=room.id,
        kind=room.kind.value,
        title=room.title,
        position=room.position,
        needed=room.needed,
        state=room.state.value,
    )


def _reply(rooms: Sequence[Room], status: int = 200) -> Reply:
    return reply(models.Rooms(items=[_out(room) for room in rooms]), status)


async def _managed(session: AsyncSession, asked: Context) -> Lecture:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def index(request: web.Request) -> web.StreamResponse:
    """The rooms of a lecture in their order; the main one is there once it was first opened."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
        rooms = await store.rooms_of(session, lecture.id)
    return _reply(shown(rooms)).written()


async def create(request: web.Request) -> web.StreamResponse:
    """Add rooms; they open with the lecture, or at once while it is in session."""
    asked = context(request)
    said = await wire.body(request, models.NewRooms)
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
    inside = await seats_inside(request, asked, lecture) if said.spread else None

    async def deed(session: AsyncSession) -> Reply:
        present = await _managed(session, asked)
        rooms = await side_rooms.add(
            session, present, RoomKind(said.kind), said.titles, now=asked.now, actor=asked.actor
        )
        if said.spread:
            await side_rooms.spread(session, present, rooms, inside)
        return _reply(rooms, 201)

    answer = await once(asked, deed)
    await tell_rooms(asked, lecture)
    return answer.written()


async def change(request: web.Request) -> web.StreamResponse:
    """Rename a room, close it, or open it again."""
    asked = context(request)
    said = await wire.body(request, models.RoomChange)
    sent = said.model_fields_set
    async with asked.writing() as session:
        lecture = await _managed(session, asked)
        room = await side_rooms.get(session, lecture, request.match_info["room"])
        if "title" in sent:
            room = await side_rooms.rename(
                session, lecture, room, said.title, now=asked.now, actor=asked.actor
            )
        if "needed" in sent:
            move = side_rooms.reopen if said.needed else side_rooms.close
            await move(session, lecture, [room], now=asked.now, actor=asked.actor)
        done = reply(_out(await side_rooms.get(session, lecture, room.id)))
    await tell_rooms(asked, lecture)
    return done.written()


async def call_back(request: web.Request) -> web.StreamResponse:
    """Everybody back: close all breakout rooms. Answers those that were closed."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await _managed(session, asked)

    async def deed(session: AsyncSession) -> Reply:
        present = await _managed(session, asked)
        closed = await side_rooms.close_breakouts(session, present, now=asked.now, actor=asked.actor)
        idents = {room.id for room in closed}
        return _reply([room for room in await store.rooms_of(session, present.id) if room.id in idents])

    answer = await once(asked, deed)
    await tell_rooms(asked, lecture)
    return answer.written()


ENDPOINTS = (
    Endpoint(
        "GET", "/lectures/{id}/rooms", index, "lectures:read", "List the rooms of a lecture",
        gives=models.Rooms, errors=(404,),
    ),
    Endpoint(
        "POST", "/lectures/{id}/rooms", create, "lectures:write", "Add rooms",
        takes=models.NewRooms, gives=models.Rooms, status=201, errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "POST", "/lectures/{id}/rooms/call-back", call_back, "lectures:write", "Close all breakout rooms",
        gives=models.Rooms, errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "PATCH", "/lectures/{id}/rooms/{room}", change, "lectures:write", "Rename, close or reopen a room",
        takes=models.RoomChange, gives=models.Room, errors=(404, 409), also_takes=(wire.MERGE_PATCH,),
    ),
)  # fmt: skip
