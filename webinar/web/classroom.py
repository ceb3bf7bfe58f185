"""The way into the room, and how it stands. Handlers only translate."""

from dataclasses import asdict

from aiohttp import web

from recordings import store as recordings
from webinar.classroom import checks, consent, rules, service, store, telling
from webinar.core.errors import Refused
from webinar.lectures import store as lecture_store
from webinar.media.rules import format_identity
from webinar.media.tokens import mint
from webinar.people import limits
from webinar.people.sign_in_rules import address_limit
from webinar.web import side_rooms
from webinar.web.context import address_of, context, set_cookie
from webinar.web.forms import json_body
from webinar.web.seats import SEAT_COOKIE, SEAT_COOKIE_S, entered
from webinar.web.site import Access, Route
from webinar.web.welcome import welcome


async def join(request: web.Request) -> web.StreamResponse:
    """Swap the link for a cookie, and take it out of the address bar. Opening it twice is fine."""
    asked = context(request)
    here = asked.site
    limit = address_limit(address_of(request), kind="links")
    async with asked.reading() as session:
        await limits.refuse_full(session, limit, asked.now)
    try:
        async with asked.reading() as session:
            link = request.match_info["link"]
            seat = await service.seat_of_link(session, link, here.settings.link_key_bytes)
    except Refused:
        async with asked.writing() as session:
            await limits.count_try(session, [limit], asked.now)
        raise
    answer = web.Response(status=303, headers={"Location": f"/lectures/{seat.lecture_id}/room"})
    answer.headers["Referrer-Policy"] = "no-referrer"
    set_cookie(
        answer,
        here,
        SEAT_COOKIE,
        rules.seat_cookie(here.settings.link_key_bytes, seat),
        max_age=SEAT_COOKIE_S,
        path=f"/lectures/{seat.lecture_id}",
    )
    return answer


async def room(request: web.Request) -> web.StreamResponse:
    """The page that checks camera and microphone, and then is the room."""
    asked, lecture, seat = await entered(request)
    async with asked.reading() as session:
        said = await welcome(asked, session, lecture, seat)
    shown = {
        "id": lecture.id,
        "title": lecture.title,
        "lecturer_name": said.lecturers,
        "starts_at": lecture.starts_at,
        "ends_at": lecture.closes_at,
        "zone": seat.zone,
        "recorded": lecture.recorded,
        "jp": lecture.jp,
    }
    return asked.page(
        "classroom/room.html",
        lecture=shown,
        me={"name": seat.name, "role": seat.role.value},
        policy_sentence=said.promise,
        notice={"version": consent.NOTICE_VERSION, "given": said.told},
        server_time=asked.now,
        replay_url=f"/lectures/{lecture.id}/replay" if lecture.recorded else None,
        stream_url=f"/lectures/{lecture.id}/stream" if lecture.recorded and not rules.is_host(seat) else None,
    )


async def admission(request: web.Request) -> web.StreamResponse:
    """Let the page in: where to connect, and a token that says who it is."""
    asked, lecture, seat = await entered(request)
    said = await json_body(request)
    tab = rules.checked_tab(said.get("tab"))
    async with asked.reading() as session:
        admitted = await service.admission(
            session, lecture, seat, asked.now, wanted=side_rooms.wanted_room(said)
        )
        told = await consent.given(session, lecture, seat)
    if not told:
        async with asked.writing() as session:
            await consent.give(
                session, lecture, seat, version=said.get("notice"), language=asked.language, now=asked.now
            )
    server = asked.site.pool.server(admitted.room.media_server)
    if admitted.room.last_error and len(asked.site.pool) > 1:
        # It answers no scheduler. In a moment it does again, or the room is on another one.
        raise rules.MediaAway
    identity = format_identity(seat.seat, tab)
    token = mint(
        server.key,
        server.secret,
        identity=identity,
        name=seat.name,
        room=admitted.room.name,
        now=asked.now,
        ttl_s=rules.TOKEN_TTL_S,
        can_publish=admitted.can_publish,
        can_publish_sources=admitted.sources,
        metadata=f'{{"role":"{seat.role.value}"}}',
    )
    return web.json_response(
        {
            "url": server.public_url,
            "server": server.name,
            "token": token,
            "identity": identity,
            "room": admitted.room.name,
            "place": side_rooms.place(admitted.room),
            "role": seat.role.value,
            "can_publish": admitted.can_publish,
            "server_time": asked.now,
        }
    )


async def state(request: web.Request) -> web.StreamResponse:
    """How the room stands, for a page that has just come or may have missed something."""
    asked, lecture, seat = await entered(request)
    rules.require_seat(seat)
    async with asked.reading() as session:
        hands = await store.hands(session, lecture.id)
        removed = await store.removed_seats(session, lecture.id)
        recording = await recordings.is_recording(session, lecture.id)
        check = await checks.open_for(session, seat, asked.now)
        window = await lecture_store.window_of(session, lecture)
        rooms = await side_rooms.state_of(session, seat)
    return web.json_response(
        {
            **telling.state_of(lecture, window),
            "server_time": asked.now,
            "recording": recording,
            "hands": [asdict(hand) for hand in hands],
            "removed": removed,
            "check": asdict(check) if check else None,
            "rooms": rooms,
        }
    )


ROUTES = (
    Route("GET", "/j/{link}", join, Access.PUBLIC),
    Route("GET", "/lectures/{id}/room", room, Access.SEAT),
    Route("POST", "/lectures/{id}/admission", admission, Access.SEAT),
    Route("GET", "/lectures/{id}/classroom", state, Access.SEAT),
)
