"""An organiser's card with the rooms of a lecture: add, rename, close, open again, call everybody back."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid
from webinar.lectures import side_rooms, store
from webinar.lectures.rules import Lecture, Room, RoomKind
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.lectures import detail_page
from webinar.web.side_rooms import seats_inside, tell_rooms
from webinar.web.site import Access, Route


async def _managed(session: AsyncSession, asked: Context) -> Lecture:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def add(request: web.Request) -> web.StreamResponse:
    """Rooms of the titles that were typed, one a line."""
    asked = context(request)
    form = await fields(request)
    kind = RoomKind.SECOND if form.get("kind") == "second" else RoomKind.BREAKOUT
    titles = [line.strip() for line in form.get("titles", "").splitlines() if line.strip()]
    spreads = form.get("spread") == "random"
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
    inside = await seats_inside(request, asked, lecture) if spreads else None
    try:
        async with asked.writing() as session:
            rooms = await side_rooms.add(session, lecture, kind, titles, now=asked.now, actor=asked.actor)
            if spreads:
                await side_rooms.spread(session, lecture, rooms, inside)
    except Invalid as invalid:
        return await detail_page(asked, typed_rooms=form, errors=messages(invalid, asked._), status=422)
    await tell_rooms(asked, lecture)
    undo = (_deed(lecture, "close", rooms), asked._("Undo"))
    return asked.redirect(_card(lecture), asked._("%(count)s rooms added", count=len(rooms)), undo=undo)


async def rename(request: web.Request) -> web.StreamResponse:
    """Another title for one room."""
    asked = context(request)
    title = (await fields(request)).get("title", "")
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
    try:
        async with asked.writing() as session:
            room = await side_rooms.get(session, lecture, request.match_info["room"])
            await side_rooms.rename(session, lecture, room, title, now=asked.now, actor=asked.actor)
    except Invalid as invalid:
        return asked.redirect(_card(lecture), messages(invalid, asked._)["titles"], "error")
    await tell_rooms(asked, lecture)
    return asked.redirect(_card(lecture), asked._("The room is now called %(title)s.", title=title))


async def close(request: web.Request) -> web.StreamResponse:
    """Close the rooms that are named."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await _managed(session, asked)
        rooms = await _named(session, request, lecture)
        closed = await side_rooms.close(session, lecture, rooms, now=asked.now, actor=asked.actor)
    return await _closed(asked, lecture, closed)


async def call_back(request: web.Request) -> web.StreamResponse:
    """Close all breakout rooms."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await _managed(session, asked)
        closed = await side_rooms.close_breakouts(session, lecture, now=asked.now, actor=asked.actor)
    return await _closed(asked, lecture, closed)


async def _closed(asked: Context, lecture: Lecture, closed: Sequence[Room]) -> web.Response:
    await tell_rooms(asked, lecture)
    undo = (_deed(lecture, "open", closed), asked._("Undo")) if closed else ("", "")
    told = asked._("%(count)s rooms closed. Who was inside goes back to the main room.", count=len(closed))
    return asked.redirect(_card(lecture), told, undo=undo)


async def reopen(request: web.Request) -> web.StreamResponse:
    """Open the rooms that are named again."""
    asked = context(request)
    try:
        async with asked.writing() as session:
            lecture = await _managed(session, asked)
            rooms = await _named(session, request, lecture)
            await side_rooms.reopen(session, lecture, rooms, now=asked.now, actor=asked.actor)
    except Invalid as invalid:
        return asked.redirect(_card(lecture), messages(invalid, asked._)["titles"], "error")
    await tell_rooms(asked, lecture)
    return asked.redirect(_card(lecture), asked._("%(count)s rooms open again", count=len(rooms)))


async def _named(session: AsyncSession, request: web.Request, lecture: Lecture) -> list[Room]:
    """The rooms whose ids are in the address."""
    idents = request.query.get("rooms", "").split(",")[: side_rooms.MOST_ROOMS]
    return [await side_rooms.get(session, lecture, ident) for ident in idents]


def _card(lecture: Lecture) -> str:
    return f"/lectures/{lecture.id}#rooms"


def _deed(lecture: Lecture, deed: str, rooms: Sequence[Room]) -> str:
    return f"/lectures/{lecture.id}/actions/rooms/{deed}?rooms={','.join(room.id for room in rooms)}"


ROUTES = (
    Route("POST", "/lectures/{id}/actions/rooms/add", add, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/rooms/close", close, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/rooms/open", reopen, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/rooms/call-back", call_back, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/rooms/{room}/rename", rename, Access.ORGANISER),
)
