"""What a host does in the room: lower hands, mute, put out, begin, extend, end."""

from aiohttp import web

from webinar.classroom import service, telling
from webinar.core.errors import Invalid
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture
from webinar.web.context import Context
from webinar.web.forms import json_body
from webinar.web.seats import entered
from webinar.web.site import Access, Route
from webinar.web.talking import tell_hand


async def lower(request: web.Request) -> web.StreamResponse:
    """A host takes somebody's hand down."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        seat = await lecture_store.seat_of(session, lecture.id, request.match_info["seat"])
        if seat is not None:
            await service.set_hand(session, seat, False, asked.now)
    if seat is not None:
        await tell_hand(asked, seat, False)
    return web.Response(status=204)


async def remove(request: web.Request) -> web.StreamResponse:
    """A host puts somebody out."""
    asked, lecture, host = await entered(request)
    reason = str((await json_body(request)).get("reason") or "")
    async with asked.writing() as session:
        seat = await service.remove(session, lecture, host, request.match_info["seat"], reason, asked.now)
    await service.broadcast(asked.site.database, asked.site.media, lecture.id, "removed", {"seat": seat.seat})
    return web.Response(status=204)


async def mute(request: web.Request) -> web.StreamResponse:
    """A host mutes somebody, who may speak again by the own choice."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    await service.mute(asked.site.database, asked.site.media, lecture.id, request.match_info["seat"])
    return web.Response(status=204)


async def start(request: web.Request) -> web.StreamResponse:
    """A host begins now."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        after = await lectures.start_now(session, lecture, asked.now, service.by(host))
    return await _told_all(asked, after)


async def extend(request: web.Request) -> web.StreamResponse:
    """A host adds some minutes."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    minutes = (await json_body(request)).get("minutes", 15)
    if not isinstance(minutes, int) or not 1 <= minutes <= 120:
        raise Invalid.at("minutes", "Between 1 and 120 minutes.")
    async with asked.writing() as session:
        after = await lectures.extend(session, lecture, minutes, asked.now, service.by(host))
    return await _told_all(asked, after)


async def end(request: web.Request) -> web.StreamResponse:
    """A host ends it for everybody."""
    asked, lecture, host = await entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        after = await lectures.end_now(session, lecture, asked.now, service.by(host))
    return await _told_all(asked, after)


async def _told_all(asked: Context, lecture: Lecture) -> web.Response:
    async with asked.reading() as session:
        window = await lecture_store.window_of(session, lecture)
    await telling.tell(asked.site.database, asked.site.media, lecture, window)
    return web.json_response(telling.state_of(lecture, window))


ROUTES = (
    Route("POST", "/lectures/{id}/hands/{seat}/lower", lower, Access.SEAT),
    Route("POST", "/lectures/{id}/participants/{seat}/remove", remove, Access.SEAT),
    Route("POST", "/lectures/{id}/participants/{seat}/mute", mute, Access.SEAT),
    Route("POST", "/lectures/{id}/start", start, Access.SEAT),
    Route("POST", "/lectures/{id}/extend", extend, Access.SEAT),
    Route("POST", "/lectures/{id}/end", end, Access.SEAT),
)
