"""Replays: the list of one's own, the page with the player, and its files."""

import re

from aiohttp import hdrs, web

from recordings import service, store, watching
from recordings.playlist import INDEX, MASTER, master
from recordings.rules import Segment
from recordings.storage import StorageError
from recordings.watched_rules import checked
from webinar.core.errors import Invalid, NotFound, Unavailable
from webinar.lectures import store as lectures
from webinar.lectures.rules import LectureState
from webinar.people.access import Role, Scope
from webinar.web.context import Context, context
from webinar.web.forms import json_body
from webinar.web.seats import own_seat
from webinar.web.site import Access, Route

SHOWN = 100
PLAYER = re.compile(r"[a-z0-9]{16}")
OVER = (LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED)


class ReplayAway(Unavailable):
    code = "storage_away"
    message = "The recording cannot be read right now. Nothing is lost; try again shortly."


async def index(request: web.Request) -> web.StreamResponse:
    """Replays of the lectures one was registered for, taught or organises, the newest first."""
    asked = context(request)
    async with asked.reading() as session:
        mine = await lectures.of_person(
            session, asked.signed_in.id, states=OVER, newest_first=True, limit=SHOWN
        )
        found = {lecture.id: lecture for lecture, _ in mine}
        if asked.rights.has(Role.ORGANISER):
            managed = await lectures.page(
                session, asked.rights, states=OVER, newest_first=True, limit=SHOWN, manageable_only=True
            )
            found |= {lecture.id: lecture for lecture in managed}
        recorded = await store.of_lectures(session, list(found))
        lecturers = await lectures.lecturers_of(session, list(found))
    playable = [found[i] for i, recording in recorded.items() if recording.playable(asked.now)]
    playable.sort(key=lambda lecture: lecture.starts_at, reverse=True)
    return asked.page("recordings/index.html", lectures=playable, recordings=recorded, lecturers=lecturers)


async def _rights(asked: Context, lecture_id: str) -> tuple[Scope, str, bool]:
    """Whose rights count, their zone, and whether they have a seat: by a join link, else by the session.

    Raises:
        NotFound: neither is there.
    """
    seat = await own_seat(asked, lecture_id)
    if seat is not None and seat.active:
        return Scope(seat.institution_id, seat.person_id), seat.zone, True
    if asked.scope is None:
        raise NotFound
    return asked.scope, asked.zone, False


async def replay(request: web.Request) -> web.StreamResponse:
    """The page with the player."""
    asked = context(request)
    lecture_id = request.match_info["id"]
    scope, zone, seated = await _rights(asked, lecture_id)
    async with asked.reading() as session:
        recording = await service.replay(session, scope, lecture_id, asked.now)
        lecture = await lectures.get(session, scope, lecture_id)
        lecturers = (await lectures.lecturers_of(session, [lecture.id]))[lecture.id]
        counts = await watching.counts(session, lecture, asked.now)
    return asked.page(
        "recordings/replay.html",
        watched_url=f"/lectures/{lecture.id}/replay/watched" if counts and seated else "",
        lecture=lecture,
        recording=recording,
        lecturer=", ".join(person.name for person in lecturers),
        lecture_title=lecture.title,
        playlist_url=f"/lectures/{lecture.id}/replay/{MASTER}",
        times_zone=zone,
    )


async def watched(request: web.Request) -> web.StreamResponse:
    """The player says what it has shown: evidence of the replay."""
    asked = context(request)
    seat = await own_seat(asked, request.match_info["id"])
    if seat is None or not seat.active:
        raise NotFound
    said = await json_body(request)
    player, played = str(said.get("player")), checked(said.get("played"))
    if played is None or not PLAYER.fullmatch(player):
        raise Invalid.at("played", "This page is out of date. Load it again.")
    scope = Scope(seat.institution_id, seat.person_id)
    async with asked.writing() as session:
        recording = await service.replay(session, scope, seat.lecture_id, asked.now)
        lecture = await lectures.get(session, scope, seat.lecture_id)
        if await watching.counts(session, lecture, asked.now):
            await watching.report(session, seat, recording, player, played, asked.now)
    return web.Response(status=204)


async def file(request: web.Request) -> web.StreamResponse:
    """A playlist, or one file or a range of it; access is checked for each."""
    asked = context(request)
    lecture_id, name = request.match_info["id"], request.match_info["name"]
    scope, _, _ = await _rights(asked, lecture_id)
    if name in {MASTER, INDEX}:
        async with asked.reading() as session:
            recording = await service.replay(session, scope, lecture_id, asked.now)
            text = master() if name == MASTER else await service.playlist(session, recording)
        answer = web.Response(text=text, content_type="application/vnd.apple.mpegurl")
        answer.headers[hdrs.CACHE_CONTROL] = "private, no-store"
        return answer
    async with asked.reading() as session:
        found = await service.replay_file(session, scope, lecture_id, name, asked.now)
    return await sent(request, asked, found)


async def sent(request: web.Request, asked: Context, found: Segment) -> web.StreamResponse:
    """A file of a recording, or the range of it that was asked for."""
    kind = "video/iso.segment" if found.duration_ms else "video/mp4"
    try:
        wanted = request.http_range
    except ValueError:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{found.size}"})
    headers = {hdrs.ACCEPT_RANGES: "bytes", hdrs.CACHE_CONTROL: "private, max-age=3600"}
    try:
        if wanted.start is None and wanted.stop is None:
            body = await asked.site.storage.get(found.key)
            return web.Response(body=body, content_type=kind, headers=headers)
        start, stop, _ = wanted.indices(found.size)
        if start >= stop:
            return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{found.size}"})
        body = await asked.site.storage.get_range(found.key, start, stop)
    except StorageError as error:
        raise ReplayAway from error
    headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{found.size}"
    return web.Response(status=206, body=body, content_type=kind, headers=headers)


ROUTES = (
    Route("GET", "/recordings", index, Access.SIGNED_IN),
    Route("GET", "/lectures/{id}/replay", replay, Access.SEAT),
    Route("POST", "/lectures/{id}/replay/watched", watched, Access.SEAT, body=4096),
    Route("GET", "/lectures/{id}/replay/{name}", file, Access.SEAT),
)
