"""Chat and raised hands."""

from dataclasses import asdict

from aiohttp import web

from webinar.classroom import rules, service, store
from webinar.lectures.rules import Registration
from webinar.people import limits
from webinar.people.sign_in_rules import Limit
from webinar.web.context import Context, context
from webinar.web.forms import json_body, whole
from webinar.web.seats import entered, seat_of
from webinar.web.site import Access, Route

# Messages of one seat, and the time in ms in which they are counted.
CHAT_LIMIT = (20, 30_000)


async def chat(request: web.Request) -> web.StreamResponse:
    """Messages of the lecture, or of a breakout room, after one that was seen."""
    asked, lecture, seat = await entered(request)
    rules.require_seat(seat)
    async with asked.reading() as session:
        room = await service.breakout_of(session, seat, request.query.get("room"))
        found = await store.messages(
            session,
            lecture.id,
            room_id=room.id if room else None,
            after=whole(request.query.get("after", "")),
        )
    return web.json_response({"messages": [asdict(message) for message in found]})


async def say(request: web.Request) -> web.StreamResponse:
    """Store a message, then tell everybody who shares the chat."""
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    said = await json_body(request)
    async with asked.writing() as session:
        await limits.count_try(session, [Limit(f"chat:{seat.id}", *CHAT_LIMIT)], asked.now)
        room = await service.breakout_of(session, seat, said.get("room"))
        message = await service.say(
            session, seat, text=said.get("text"), client_id=said.get("client_id"), now=asked.now, room=room
        )
    await service.broadcast(
        asked.site.database, asked.site.media, seat.lecture_id, "chat", asdict(message), only=room
    )
    return web.json_response(asdict(message), status=201)


async def hand(request: web.Request) -> web.StreamResponse:
    """Raise or lower the own hand."""
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    raised = bool((await json_body(request)).get("raised"))
    async with asked.writing() as session:
        await service.set_hand(session, seat, raised, asked.now)
    await tell_hand(asked, seat, raised)
    return web.Response(status=204)


async def tell_hand(asked: Context, seat: Registration, raised: bool) -> None:
    payload = {"seat": seat.seat, "name": seat.name, "raised": raised, "raised_at": asked.now}
    await service.broadcast(asked.site.database, asked.site.media, seat.lecture_id, "hand", payload)


ROUTES = (
    Route("GET", "/lectures/{id}/chat", chat, Access.SEAT),
    Route("POST", "/lectures/{id}/chat", say, Access.SEAT),
    Route("POST", "/lectures/{id}/hand", hand, Access.SEAT),
)
