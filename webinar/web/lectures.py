"""Pages of lectures: the list, one lecture with its timeline, and its host's controls."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from recordings import store as recordings
from recordings.rules import Recording, RecordingState
from webinar.classroom import telling
from webinar.core import audit
from webinar.core.ids import is_id
from webinar.hours import contest_store
from webinar.invites import owing
from webinar.lectures import booking, service, store
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, RoomKind
from webinar.lectures.upcoming_rules import upcoming
from webinar.operations import store as operations
from webinar.operations.timeline_rules import Seen, foreseen
from webinar.people import store as people
from webinar.people.access import Role
from webinar.policies import store as policies
from webinar.policies.rules import settling_seconds
from webinar.policies.wording import promise
from webinar.series import store as series_store
from webinar.web import timeline
from webinar.web.context import Context, context
from webinar.web.side_rooms import shown as shown_rooms
from webinar.web.site import Access, Route

PAGE = 30


async def index(request: web.Request) -> web.StreamResponse:
    """Lectures that lie ahead, or those that are over, the nearest first."""
    asked = context(request)
    past = request.query.get("when") == "past"
    text = request.query.get("q", "").strip()
    after = cursor(request.query.get("after", ""))
    async with asked.reading() as session:
        found = await store.page(
            session,
            asked.rights,
            states=_PAST if past else _AHEAD,
            text=text,
            after=after,
            newest_first=past,
            limit=PAGE + 1,
        )
        shown = found[:PAGE]
        lecturers = await store.lecturers_of(session, [lecture.id for lecture in shown])
        registered = await store.count_registrations(session, [lecture.id for lecture in shown])
    last = shown[-1] if len(found) > PAGE else None
    return asked.page(
        "lectures/index.html",
        lectures=shown,
        lecturers=lecturers,
        registered=registered,
        past=past,
        text=text,
        after=f"{last.starts_at}.{last.id}" if last else None,
        may_book=asked.rights.has(Role.ORGANISER),
    )


_AHEAD = (LectureState.DRAFT, LectureState.SCHEDULED, LectureState.OPEN, LectureState.LIVE)
_PAST = (LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED, LectureState.CANCELLED)


def cursor(text: str) -> tuple[int, str] | None:
    at, _, ident = text.partition(".")
    known = at.isascii() and at.isdigit() and len(at) <= len("253402300799000") and is_id(ident)
    return (int(at), ident) if known else None


# --- one lecture -------------------------------------------------------------------------------


async def detail(request: web.Request) -> web.StreamResponse:
    """One lecture: for who manages it with its timeline and controls, for others what they need to know."""
    return await detail_page(context(request))


async def detail_page(
    asked: Context,
    *,
    typed_rooms: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """The page; `typed_rooms` and `errors` are of the form that adds rooms, when it has to be shown again."""
    async with asked.reading() as session:
        lecture = await store.get(session, asked.rights, asked.request.match_info["id"])
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        window = await store.window_of(session, lecture)
        lecturers = (await store.lecturers_of(session, [lecture.id]))[lecture.id]
        seat = await store.registration_of(session, lecture.id, asked.signed_in.id)
        recording = await recordings.of_lecture(session, lecture.id)
        edition = await series_store.place_of(session, lecture.id)
        manages = asked.rights.reaches(Role.ORGANISER, lecture.unit_path)
        shown: dict[str, Any] = {}
        if manages:
            shown = await _for_managers(session, lecture, asked.now)
            shown |= {"typed_rooms": typed_rooms or {}, "room_errors": errors or {}}
            shown["events"] = await _timeline(asked, session, lecture, settling_seconds(policy), recording)
    return asked.page(
        "lectures/detail.html",
        lecture=lecture,
        window=window,
        lecturers=lecturers,
        seat=seat if seat is not None and seat.active else None,
        manages=manages,
        rule=promise(asked.language, policy, lecture.jp, window.seconds),
        policy=policy,
        recording=recording,
        edition=edition,
        in_session=lecture.state in IN_SESSION,
        status=status,
        **shown,
    )


async def _for_managers(session: Any, lecture: Lecture, now: int) -> dict[str, Any]:
    rooms = await store.rooms_of(session, lecture.id)
    counts = await owing.counts(session, lecture, now)
    registered = (await store.count_registrations(session, [lecture.id]))[lecture.id]
    return {
        "rooms": [room for room in shown_rooms(rooms) if room.kind is not RoomKind.MAIN],
        "placed": await store.placed(session, lecture.id),
        "invite_counts": counts,
        "registered": registered,
        "trouble": next((room.last_error for room in rooms if room.last_error), None),
    }


async def _timeline(
    asked: Context, session: Any, lecture: Lecture, quiet_s: int, recording: Recording | None
) -> list[timeline.Event]:
    """What has happened to the lecture, and how what will happen by itself stands."""
    past = await audit.of(session, ("lecture", lecture.id))
    actors = [e.actor.id for e in past if e.actor.id and e.actor.kind == "person"]
    names = await people.persons_by_ids(session, asked.rights, actors)
    seen = Seen(
        lecture,
        upcoming(lecture, quiet_s),
        await store.rooms_of(session, lecture.id),
        await operations.of_lecture(session, lecture.id),
        await contest_store.count_open(session, lecture.id),
        recorder_waits=recording is not None and recording.state is RecordingState.WANTED,
    )
    return timeline.events(asked._, past, foreseen(seen, asked.now), names)


async def start(request: web.Request) -> web.StreamResponse:
    """Begin now."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        after = await service.start_now(session, lecture, asked.now, asked.actor)
        window = await store.window_of(session, after)
    await telling.tell_inside(asked.site.database, asked.site.media, lecture, after, window)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("The lecture has begun."))


async def extend(request: web.Request) -> web.StreamResponse:
    """Fifteen minutes more."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        after = await service.extend(session, lecture, 15, asked.now, asked.actor)
        window = await store.window_of(session, after)
    await telling.tell_inside(asked.site.database, asked.site.media, lecture, after, window)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("Extended by 15 minutes."))


async def end(request: web.Request) -> web.StreamResponse:
    """End it for everybody."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        after = await service.end_now(session, lecture, asked.now, asked.actor)
        window = await store.window_of(session, after)
    await telling.tell_inside(asked.site.database, asked.site.media, lecture, after, window)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("The lecture is over."))


async def try_room(request: web.Request) -> web.StreamResponse:
    """Open a room at once, only to see how it works."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await booking.try_room(
            session,
            asked.rights,
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
            zone=asked.zone,
            title=asked._("Trial room of %(name)s", name=asked.signed_in.name),
        )
    return asked.redirect(f"/lectures/{lecture.id}/room")


_ORGANISER = Access.ORGANISER
ROUTES = (
    Route("GET", "/lectures", index, Access.SIGNED_IN),
    Route("POST", "/lectures/try", try_room, _ORGANISER),
    Route("GET", "/lectures/{id}", detail, Access.SIGNED_IN),
    Route("POST", "/lectures/{id}/actions/start", start, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/extend", extend, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/end", end, _ORGANISER),
)
