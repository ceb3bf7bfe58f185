"""Watching a lecture while it runs without entering the room: the page, the player's list and files."""

from aiohttp import hdrs, web

from recordings import streaming
from recordings.playlist import INDEX
from recordings.streaming import NoStream
from webinar.classroom import consent, rules
from webinar.classroom.rules import RoomPreparing, TooEarly
from webinar.web.context import context
from webinar.web.forms import json_body
from webinar.web.recordings import sent
from webinar.web.seats import entered
from webinar.web.site import FETCHES, Access, Route
from webinar.web.welcome import welcome

# What the page waits for by itself.
_NOT_YET = (TooEarly, RoomPreparing, NoStream)


async def page(request: web.Request) -> web.StreamResponse:
    """What is kept is told first; then the player."""
    asked, lecture, seat = await entered(request)
    async with asked.reading() as session:
        said = await welcome(asked, session, lecture, seat)
        waits = False
        if said.told:
            try:
                await streaming.watched(session, lecture, seat, asked.now)
            except _NOT_YET:
                waits = True
    return asked.page(
        "recordings/stream.html",
        lecture=lecture,
        lecturer=said.lecturers,
        times_zone=seat.zone,
        policy_sentence=said.promise,
        told=said.told,
        notice_version=consent.NOTICE_VERSION,
        waits=waits,
        seat=seat.seat,
    )


async def agree(request: web.Request) -> web.StreamResponse:
    """What is kept was read."""
    asked, lecture, seat = await entered(request)
    rules.require_seat(seat)
    version = (await json_body(request)).get("notice")
    async with asked.writing() as session:
        await consent.give(session, lecture, seat, version=version, language=asked.language, now=asked.now)
    return web.Response(status=204)


async def file(request: web.Request) -> web.StreamResponse:
    """The list of the newest segments, or one file; whoever gets a segment was there to ask for it."""
    asked, lecture, seat = await entered(request)
    name = request.match_info["name"]
    async with asked.reading() as session:
        recording = await streaming.watched(session, lecture, seat, asked.now)
        if name == INDEX:
            text = await streaming.playlist(session, recording)
            answer = web.Response(text=text, content_type="application/vnd.apple.mpegurl")
            answer.headers[hdrs.CACHE_CONTROL] = "private, no-store"
            return answer
        found = await streaming.part(session, recording, name)
    await request.app[FETCHES].tell(seat, found, asked.now)
    return await sent(request, context(request), found)


ROUTES = (
    Route("GET", "/lectures/{id}/stream", page, Access.SEAT),
    Route("POST", "/lectures/{id}/stream", agree, Access.SEAT, body=4096),
    Route("GET", "/lectures/{id}/stream/{name}", file, Access.SEAT),
)
