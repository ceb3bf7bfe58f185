"""What the page of the room says and asks of its own presence: beats, presence checks, progress."""

from aiohttp import web

from webinar.attendance import service as attendance
from webinar.attendance.wording import so_far
from webinar.classroom import checks, rules
from webinar.classroom.heartbeat_rules import heard
from webinar.classroom.rules import NoSession
from webinar.core.errors import Invalid
from webinar.lectures import store as lecture_store
from webinar.media.rules import parse_identity
from webinar.policies import store as policies
from webinar.policies.rules import full_seconds, needed_seconds, role_jp
from webinar.web.context import SESSION_COOKIE, context
from webinar.web.forms import json_body
from webinar.web.middleware import identify_person
from webinar.web.seats import SEAT_COOKIE, entered, seat_of
from webinar.web.site import BEATS, Access, Route


async def heartbeat(request: web.Request) -> web.StreamResponse:
    """The page says that it is there: evidence beside the media server's own."""
    asked = context(request)
    lecture_id, said = request.match_info["id"], await json_body(request)
    key = asked.site.settings.link_key_bytes
    opened = rules.opened_seat_cookie(key, request.cookies.get(SEAT_COOKIE, ""))
    if opened is not None:
        try:
            return _heard(await request.app[BEATS].tell(heard(*opened, lecture_id, said, asked.now)))
        except NoSession:
            # A cookie of a link that was revoked: it may still be somebody who is signed in.
            if SESSION_COOKIE not in request.cookies:
                raise
    if session_cookie := request.cookies.get(SESSION_COOKIE):
        await identify_person(asked, session_cookie)
    seat = await seat_of(asked, lecture_id)
    beat = heard(seat.id, seat.link_generation, lecture_id, said, asked.now)
    return _heard(await request.app[BEATS].tell(beat))


def _heard(moved: bool) -> web.Response:
    """Nothing, but to a page whose room was moved to another media server: it asks to be let in anew."""
    return web.json_response({"moved": True}) if moved else web.Response(status=204)


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
    asked, lecture, seat = await entered(request)
    rules.require_seat(seat)
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


ROUTES = (
    Route("POST", "/lectures/{id}/heartbeat", heartbeat, Access.SEAT, body=4096, identifies=False),
    Route("POST", "/lectures/{id}/checks/{check}/answer", answer_check, Access.SEAT),
    Route("GET", "/lectures/{id}/progress", progress, Access.SEAT),
)
