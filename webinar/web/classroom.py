"""The way into the room, and what its page asks for and sends. Handlers only translate."""

from dataclasses import asdict

from aiohttp import web

from recordings import store as recordings
from webinar.attendance import service as attendance
from webinar.attendance.wording import so_far
from webinar.classroom import checks, consent, rules, service, store
from webinar.classroom.heartbeat_rules import heard
from webinar.classroom.rules import NoSession
from webinar.core.audit import Actor
from webinar.core.errors import Invalid, Refused
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Registration
from webinar.media.rules import format_identity, parse_identity
from webinar.media.tokens import mint
from webinar.people import limits
from webinar.people.access import Scope
from webinar.people.sign_in_rules import Limit, address_limit
from webinar.policies import store as policies
from webinar.policies.rules import full_seconds, needed_seconds, role_jp
from webinar.policies.wording import promise
from webinar.web.context import SESSION_COOKIE, Context, address_of, context, set_cookie
from webinar.web.forms import json_body, whole
from webinar.web.middleware import identify_person
from webinar.web.site import BEATS, Access, Route

SEAT_COOKIE = "pendopo_seat"
SEAT_COOKIE_S = 30 * 86_400
# Messages of one seat, and the time in ms in which they are counted.
CHAT_LIMIT = (20, 30_000)


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


async def seat_of(asked: Context, lecture_id: str) -> Registration:
    """Whoever asks, as the lecture knows them: by the cookie of the join link, else by the session.

    Raises:
        NoSession: neither is there. NotRegistered: signed in, without a seat.
    """
    seat = await own_seat(asked, lecture_id)
    if seat is not None:
        return seat
    if asked.scope is None:
        raise NoSession
    key = asked.site.settings.link_key_bytes
    async with asked.reading() as session:
        lecture = await lecture_store.get(session, asked.scope, lecture_id)
    async with asked.writing() as session:
        return await service.organiser_seat(session, lecture, asked.scope, now=asked.now, link_key=key)


async def own_seat(asked: Context, lecture_id: str) -> Registration | None:
    """The seat of whoever asks, if there is one: by the cookie of the join link, else by the session."""
    async with asked.reading() as session:
        if cookie := asked.request.cookies.get(SEAT_COOKIE):
            key = asked.site.settings.link_key_bytes
            seat = await service.seat_of_cookie(session, lecture_id, cookie, key)
            if seat is not None:
                return seat
        if asked.scope is None:
            return None
        seat = await service.seat_of_scope(session, lecture_id, asked.scope)
    return seat if seat is not None and seat.active else None


async def _entered(request: web.Request) -> tuple[Context, Lecture, Registration]:
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    async with asked.reading() as session:
        lecture = await lecture_store.get(session, Scope.system(seat.institution_id), seat.lecture_id)
    return asked, lecture, seat


async def room(request: web.Request) -> web.StreamResponse:
    """The page that checks camera and microphone, and then is the room."""
    asked, lecture, seat = await _entered(request)
    async with asked.reading() as session:
        told_before = await consent.given(session, lecture, seat)
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        window = await lecture_store.window_of(session, lecture)
        lecturers = (await lecture_store.lecturers_of(session, [lecture.id]))[lecture.id]
    rule = promise(asked.language, policy, lecture.jp, window.seconds)
    shown = {
        "id": lecture.id,
        "title": lecture.title,
        "lecturer_name": ", ".join(person.name for person in lecturers),
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
        policy_sentence=rule,
        notice={"version": consent.NOTICE_VERSION, "given": told_before},
        server_time=asked.now,
        replay_url=f"/lectures/{lecture.id}/replay" if lecture.recorded else None,
    )


async def admission(request: web.Request) -> web.StreamResponse:
    """Let the page in: where to connect, and a token that says who it is."""
    asked, lecture, seat = await _entered(request)
    said = await json_body(request)
    tab = rules.checked_tab(said.get("tab"))
    async with asked.reading() as session:
        admitted = await service.admission(session, lecture, seat, asked.now)
        told = await consent.given(session, lecture, seat)
    if not told:
        async with asked.writing() as session:
            await consent.give(
                session, lecture, seat, version=said.get("notice"), language=asked.language, now=asked.now
            )
    settings = asked.site.settings
    identity = format_identity(seat.seat, tab)
    token = mint(
        settings.media_api_key,
        settings.media_api_secret.get_secret_value(),
        identity=identity,
        name=seat.name,
        room=admitted.room,
        now=asked.now,
        ttl_s=rules.TOKEN_TTL_S,
        can_publish=admitted.can_publish,
        can_publish_sources=admitted.sources,
        metadata=f'{{"role":"{seat.role.value}"}}',
    )
    return web.json_response(
        {
            "url": settings.media_public_url,
            "token": token,
            "identity": identity,
            "room": admitted.room,
            "role": seat.role.value,
            "can_publish": admitted.can_publish,
            "server_time": asked.now,
        }
    )


async def state(request: web.Request) -> web.StreamResponse:
    """How the room stands, for a page that has just come or may have missed something."""
    asked, lecture, seat = await _entered(request)
    service.require_inside(seat)
    async with asked.reading() as session:
        hands = await store.hands(session, lecture.id)
        removed = await store.removed_seats(session, lecture.id)
        recording = await recordings.is_recording(session, lecture.id)
        check = await checks.open_for(session, seat, asked.now)
    return web.json_response(
        {
            **_lecture_state(lecture),
            "server_time": asked.now,
            "recording": recording,
            "hands": [asdict(hand) for hand in hands],
            "removed": removed,
            "check": asdict(check) if check else None,
        }
    )


def _lecture_state(lecture: Lecture) -> dict[str, object]:
    return {"state": lecture.state.value, "starts_at": lecture.starts_at, "ends_at": lecture.closes_at}


async def heartbeat(request: web.Request) -> web.StreamResponse:
    """The page says that it is there: evidence beside the media server's own."""
    asked = context(request)
    lecture_id, said = request.match_info["id"], await json_body(request)
    key = asked.site.settings.link_key_bytes
    opened = rules.opened_seat_cookie(key, request.cookies.get(SEAT_COOKIE, ""))
    if opened is not None:
        try:
            await request.app[BEATS].tell(heard(*opened, lecture_id, said, asked.now))
            return web.Response(status=204)
        except NoSession:
            # A cookie of a link that was revoked: it may still be somebody who is signed in.
            if SESSION_COOKIE not in request.cookies:
                raise
    if session_cookie := request.cookies.get(SESSION_COOKIE):
        await identify_person(asked, session_cookie)
    seat = await seat_of(asked, lecture_id)
    await request.app[BEATS].tell(heard(seat.id, seat.link_generation, lecture_id, said, asked.now))
    return web.Response(status=204)


async def answer_check(request: web.Request) -> web.StreamResponse:
    """Still here: an answer to a presence check."""
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    said = await json_body(request)
    identity = parse_identity(str(said.get("connection", "")))
    if identity is None or identity.seat != seat.seat:
        raise Invalid.at("connection", "This page is out of date. Load it again.")
    async with asked.writing() as session:
        await checks.answer(
            session,
            seat,
            request.match_info["check"],
            identity=str(identity),
            how=said.get("how"),
            now=asked.now,
        )
    return web.Response(status=204)


async def progress(request: web.Request) -> web.StreamResponse:
    """How far one has come: from the own evidence only. The page asks when somebody looks at it."""
    asked, lecture, seat = await _entered(request)
    service.require_inside(seat)
    async with asked.reading() as session:
        credit = await attendance.so_far(session, lecture, seat, asked.now)
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        window = await lecture_store.window_of(session, lecture)
    if credit is None:
        raise NoSession
    worth = role_jp(policy, lecture.jp, seat.role.value)
    return web.json_response(
        {
            "seconds": credit.seconds,
            "needed_seconds": needed_seconds(policy, window.seconds),
            "full_seconds": full_seconds(policy, worth, window.seconds),
            "window_seconds": window.seconds,
            "checks_asked": credit.checks_asked,
            "checks_answered": credit.checks_answered,
            "jp": credit.jp,
            **so_far(asked.language, credit, policy, worth, window.seconds)._asdict(),
        }
    )


async def chat(request: web.Request) -> web.StreamResponse:
    """Messages after one that was seen."""
    asked, lecture, seat = await _entered(request)
    service.require_inside(seat)
    async with asked.reading() as session:
        found = await store.messages(session, lecture.id, after=whole(request.query.get("after", "")))
    return web.json_response({"messages": [asdict(message) for message in found]})


async def say(request: web.Request) -> web.StreamResponse:
    """Store a message, then tell everybody in the room."""
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    said = await json_body(request)
    async with asked.writing() as session:
        await limits.count_try(session, [Limit(f"chat:{seat.id}", *CHAT_LIMIT)], asked.now)
        message = await service.say(
            session, seat, text=said.get("text"), client_id=said.get("client_id"), now=asked.now
        )
    await service.broadcast(asked.site.media, seat.lecture_id, "chat", asdict(message))
    return web.json_response(asdict(message), status=201)


async def hand(request: web.Request) -> web.StreamResponse:
    """Raise or lower the own hand."""
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    raised = bool((await json_body(request)).get("raised"))
    async with asked.writing() as session:
        await service.set_hand(session, seat, raised, asked.now)
    await _tell_hand(asked, seat, raised)
    return web.Response(status=204)


async def _tell_hand(asked: Context, seat: Registration, raised: bool) -> None:
    payload = {"seat": seat.seat, "name": seat.name, "raised": raised, "raised_at": asked.now}
    await service.broadcast(asked.site.media, seat.lecture_id, "hand", payload)


async def lower(request: web.Request) -> web.StreamResponse:
    """A host takes somebody's hand down."""
    asked, lecture, host = await _entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        seat = await lecture_store.seat_of(session, lecture.id, request.match_info["seat"])
        if seat is not None:
            await service.set_hand(session, seat, False, asked.now)
    if seat is not None:
        await _tell_hand(asked, seat, False)
    return web.Response(status=204)


async def remove(request: web.Request) -> web.StreamResponse:
    """A host puts somebody out."""
    asked, lecture, host = await _entered(request)
    reason = str((await json_body(request)).get("reason") or "")
    async with asked.writing() as session:
        seat = await service.remove(session, lecture, host, request.match_info["seat"], reason, asked.now)
    await service.broadcast(asked.site.media, lecture.id, "removed", {"seat": seat.seat})
    return web.Response(status=204)


async def mute(request: web.Request) -> web.StreamResponse:
    """A host mutes somebody, who may speak again by the own choice."""
    asked, lecture, host = await _entered(request)
    service.require_host(host)
    await service.mute(asked.site.media, lecture.id, request.match_info["seat"])
    return web.Response(status=204)


async def start(request: web.Request) -> web.StreamResponse:
    """A host begins now."""
    asked, lecture, host = await _entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        after = await lectures.start_now(session, lecture, asked.now, _by(host))
    return await _told_all(asked, after)


async def extend(request: web.Request) -> web.StreamResponse:
    """A host adds some minutes."""
    asked, lecture, host = await _entered(request)
    service.require_host(host)
    minutes = (await json_body(request)).get("minutes", 15)
    if not isinstance(minutes, int) or not 1 <= minutes <= 120:
        raise Invalid.at("minutes", "Between 1 and 120 minutes.")
    async with asked.writing() as session:
        after = await lectures.extend(session, lecture, minutes, asked.now, _by(host))
    return await _told_all(asked, after)


async def end(request: web.Request) -> web.StreamResponse:
    """A host ends it for everybody."""
    asked, lecture, host = await _entered(request)
    service.require_host(host)
    async with asked.writing() as session:
        after = await lectures.end_now(session, lecture, asked.now, _by(host))
    return await _told_all(asked, after)


async def _told_all(asked: Context, lecture: Lecture) -> web.Response:
    await service.broadcast(asked.site.media, lecture.id, "lecture", _lecture_state(lecture))
    return web.json_response(_lecture_state(lecture))


def _by(host: Registration) -> Actor:
    return Actor("person", host.person_id)


_SEAT = Access.SEAT
ROUTES = (
    Route("GET", "/j/{link}", join, Access.PUBLIC),
    Route("GET", "/lectures/{id}/room", room, _SEAT),
    Route("POST", "/lectures/{id}/admission", admission, _SEAT),
    Route("GET", "/lectures/{id}/classroom", state, _SEAT),
    Route("POST", "/lectures/{id}/heartbeat", heartbeat, _SEAT, body=4096, identifies=False),
    Route("POST", "/lectures/{id}/checks/{check}/answer", answer_check, _SEAT),
    Route("GET", "/lectures/{id}/progress", progress, _SEAT),
    Route("GET", "/lectures/{id}/chat", chat, _SEAT),
    Route("POST", "/lectures/{id}/chat", say, _SEAT),
    Route("POST", "/lectures/{id}/hand", hand, _SEAT),
    Route("POST", "/lectures/{id}/hands/{seat}/lower", lower, _SEAT),
    Route("POST", "/lectures/{id}/participants/{seat}/remove", remove, _SEAT),
    Route("POST", "/lectures/{id}/participants/{seat}/mute", mute, _SEAT),
    Route("POST", "/lectures/{id}/start", start, _SEAT),
    Route("POST", "/lectures/{id}/extend", extend, _SEAT),
    Route("POST", "/lectures/{id}/end", end, _SEAT),
)
