"""Lectures over the API: booking, changing with If-Match, cancelling."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import Invalid, Stale
from webinar.core.ids import new_id
from webinar.lectures import booking, editing, service, store
from webinar.lectures.booking import Booking
from webinar.lectures.editing import Change, change_to
from webinar.lectures.rules import Lecture, LectureState, Window, instant_of, wall_of
from webinar.people.rules import zones
from webinar.web.api import models, paging, wire
from webinar.web.api.endpoint import PREFIX, Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.wire import Reply, api_names, reply
from webinar.web.context import Context, context

# Fields of a change that the booking has under the same name.
SAME = (
    *("title", "description", "zone", "recorded", "capacity"),
    *("open_before_s", "overrun_s", "live_by", "empty_after_s", "empty_early"),
)


async def index(request: web.Request) -> web.StreamResponse:
    """Lectures in the order of their start."""
    asked = context(request)
    wish = wire.query(request, models.LecturesQuery)
    async with asked.reading() as session:
        rows = await store.page(
            session,
            asked.rights,
            states=(LectureState(wish.state),) if wish.state else (),
            since=wish.since,
            until=wish.until,
            text=wish.q,
            after=paging.opened(wish.cursor, int, str),
            limit=wish.limit + 1,
        )
        shown, last = paging.cut(rows, wish.limit)
        items = await out(session, asked, shown)
    following = paging.next_link(asked, paging.sealed(last.starts_at, last.id) if last else None)
    return reply(models.Lectures(items=items, next=following), link=paging.link(following)).written()


async def out(session: AsyncSession, asked: Context, lectures: Sequence[Lecture]) -> list[models.Lecture]:
    """Lectures as the API says them."""
    ids = [lecture.id for lecture in lectures]
    lecturers = await store.lecturers_of(session, ids)
    registered = await store.count_registrations(session, ids)
    return [
        models.Lecture(
            id=one.id,
            unit_id=one.unit_id,
            title=one.title,
            description=one.description,
            starts_at=models.moment(one.starts_at, one.zone),
            ends_at=models.moment(one.ends_at, one.zone),
            zone=one.zone,
            jp=models.jp_number(one.jp),
            policy=models.Policy(id=one.policy_id, version=one.policy_version),
            recorded=one.recorded,
            capacity=one.capacity,
            open_before_s=one.open_before_s,
            overrun_s=one.overrun_s,
            live_by=one.live_by,
            empty_after_s=one.empty_after_s,
            empty_early=one.empty_early,
            state=one.state.value,
            lecturers=[models.Lecturer(person_id=p.person_id, name=p.name) for p in lecturers[one.id]],
            registered=registered[one.id],
            url=f"{asked.site.settings.public_url}/lectures/{one.id}",
            version=one.version,
        )
        for one in lectures
    ]


async def _reply(session: AsyncSession, asked: Context, lecture: Lecture, status: int = 200) -> Reply:
    shown = (await out(session, asked, [lecture]))[0]
    place = f"{PREFIX}/lectures/{lecture.id}" if status == 201 else None
    return reply(shown, status, version=lecture.version, location=place)


async def show(request: web.Request) -> web.StreamResponse:
    """One lecture."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"])
        return (await _reply(session, asked, lecture)).written()


async def create(request: web.Request) -> web.StreamResponse:
    """Book a lecture."""
    asked = context(request)
    said = await wire.body(request, models.NewLecture)
    wanted = booking_of(said)

    async def deed(session: AsyncSession) -> Reply:
        with api_names():
            lecture = await booking.book(
                session,
                asked.rights,
                wanted,
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
        return await _reply(session, asked, lecture, 201)

    return (await once(asked, deed)).written()


def booking_of(said: models.NewLecture) -> Booking:
    """What was sent, as a booking with a new id."""
    return Booking(
        id=new_id(),
        unit_id=said.unit_id,
        title=said.title,
        description=said.description,
        starts_wall=wall_in(said.starts_at, said.zone, "starts_at"),
        ends_wall=wall_in(said.ends_at, said.zone, "ends_at"),
        zone=said.zone,
        jp=int(said.jp * 100),
        policy_id=said.policy_id or "",
        recorded=said.recorded,
        lecturer_ids=tuple(dict.fromkeys(said.lecturer_ids)),
        capacity=said.capacity,
        open_before_s=said.open_before_s,
        overrun_s=said.overrun_s,
        live_by=said.live_by,
        empty_after_s=said.empty_after_s,
        empty_early=said.empty_early,
    )


def wall_in(at: int, zone: str, field: str) -> str:
    """The wall time in the zone that stands for just this instant.

    Raises:
        Invalid: no such zone, or the zone's clocks show this time twice and mean the other one.
    """
    if zone not in zones():
        raise Invalid.at("zone", "This time zone does not exist.")
    wall = wall_of(at, zone)
    if instant_of(wall, zone, field) != at:
        raise Invalid.at(field, "This time comes twice in this zone, and the earlier one would be booked.")
    return wall


async def change(request: web.Request) -> web.StreamResponse:
    """Edit or reschedule a lecture that has not begun."""
    asked = context(request)
    said = await wire.body(request, models.LectureChange)
    version = wire.version_of(request)
    async with asked.writing() as session:
        present = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        if version is not None and version != present.version:
            raise Stale
        with api_names():
            after = await editing.change(
                session,
                asked.rights,
                present,
                change_of(present, said),
                version=present.version,
                now=asked.now,
                actor=asked.actor,
            )
        window = await store.window_of(session, after)
        done = await _reply(session, asked, after)
    await telling.tell_inside(asked.site.database, asked.site.media, present, after, window)
    return done.written()


def change_of(present: Lecture, said: models.LectureChange) -> Change:
    """The fields that were sent. A new zone alone keeps the instants, and shows them by other clocks."""
    sent = said.model_fields_set
    values: dict[str, object] = {name: getattr(said, name) for name in SAME if name in sent}
    if "jp" in sent:
        values["jp"] = int(said.jp * 100)
    if "policy_id" in sent:
        values["policy_id"] = said.policy_id
    if sent & {"starts_at", "ends_at", "zone"}:
        zone = said.zone if "zone" in sent else present.zone
        starts_at = said.starts_at if "starts_at" in sent else present.starts_at
        ends_at = said.ends_at if "ends_at" in sent else present.ends_at
        values["starts_wall"] = wall_in(starts_at, zone, "starts_at")
        values["ends_wall"] = wall_in(ends_at, zone, "ends_at")
    return change_to(values)


async def cancel(request: web.Request) -> web.StreamResponse:
    """Call it off; cancelling twice is harmless."""
    asked = context(request)
    said = await wire.body(request, models.Cancellation) if request.can_read_body else models.Cancellation()
    told: list[tuple[Lecture, Lecture, Window]] = []

    async def deed(session: AsyncSession) -> Reply:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        off = await service.cancel(session, lecture, said.reason, asked.now, asked.actor)
        told.append((lecture, off, await store.window_of(session, off)))
        return await _reply(session, asked, off)

    answer = await once(asked, deed)
    for before, after, window in told:
        await telling.tell_inside(
            asked.site.database, asked.site.media, before, after, window, reason=said.reason
        )
    return answer.written()


ENDPOINTS = (
    Endpoint(
        "GET", "/lectures", index, "lectures:read", "List lectures",
        query=models.LecturesQuery, gives=models.Lectures,
    ),
    Endpoint(
        "POST", "/lectures", create, "lectures:write", "Book a lecture",
        takes=models.NewLecture, gives=models.Lecture, status=201, errors=(409,), repeatable=True,
    ),
    Endpoint(
        "GET", "/lectures/{id}", show, "lectures:read", "See one lecture",
        gives=models.Lecture, errors=(404,),
    ),
    Endpoint(
        "PATCH", "/lectures/{id}", change, "lectures:write", "Change or reschedule a lecture",
        takes=models.LectureChange, gives=models.Lecture, errors=(404, 409), versioned=True,
        also_takes=(wire.MERGE_PATCH,),
    ),
    Endpoint(
        "POST", "/lectures/{id}/cancel", cancel, "lectures:write", "Call a lecture off",
        takes=models.Cancellation, gives=models.Lecture, errors=(404, 409), repeatable=True,
    ),
)  # fmt: skip
