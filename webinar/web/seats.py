"""Whose seat a request is for: by the cookie of a join link, else by the session."""

from aiohttp import web

from webinar.classroom import service
from webinar.classroom.rules import NoSession
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture, Registration
from webinar.people.access import Scope
from webinar.web.context import Context, context

SEAT_COOKIE = "pendopo_seat"
SEAT_COOKIE_S = 30 * 86_400


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


async def entered(request: web.Request) -> tuple[Context, Lecture, Registration]:
    """Who asks for what: the request's context, the lecture of its path, and the seat in it.

    Raises:
        NoSession, NotRegistered: as `seat_of`.
    """
    asked = context(request)
    seat = await seat_of(asked, request.match_info["id"])
    async with asked.reading() as session:
        lecture = await lecture_store.get(session, Scope.system(seat.institution_id), seat.lecture_id)
    return asked, lecture, seat
