"""Pages of lectures: the list, booking, one lecture with its timeline, and what can be done about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from recordings import store as recordings
from recordings.rules import Recording, RecordingState
from webinar.core import audit
from webinar.core import language as wording
from webinar.core.errors import FieldError, Invalid, Stale
from webinar.core.ids import is_id, new_id
from webinar.core.language import zone_name
from webinar.hours import contest_store
from webinar.invites import store as invites
from webinar.lectures import booking, service, store
from webinar.lectures.booking import Booking, Change
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, agreed_times, main_room_name
from webinar.lectures.slots import Found
from webinar.lectures.upcoming_rules import upcoming
from webinar.operations import store as operations
from webinar.operations.timeline_rules import Seen, foreseen
from webinar.people import store as people
from webinar.people.access import Role
from webinar.people.rules import zones as known_zones
from webinar.policies import store as policies
from webinar.policies.rules import settling_seconds
from webinar.policies.wording import promise
from webinar.web import timeline, times
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages
from webinar.web.site import Access, Route
from webinar.web.times import Warned

PAGE = 30
MINUTE_S = 60
INDONESIAN_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


async def index(request: web.Request) -> web.StreamResponse:
    """Lectures that lie ahead, or those that are over, the nearest first."""
    asked = context(request)
    past = request.query.get("when") == "past"
    text = request.query.get("q", "").strip()
    after = _cursor(request.query.get("after", ""))
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


def _cursor(text: str) -> tuple[int, str] | None:
    at, _, ident = text.partition(".")
    known = at.isascii() and at.isdigit() and len(at) <= len("253402300799000") and is_id(ident)
    return (int(at), ident) if known else None


# --- booking -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Form:
    """The booking form as it was typed, so that nothing is lost when something is wrong."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    lecturer_ids: tuple[str, ...]


async def new(request: web.Request) -> web.StreamResponse:
    """An empty booking form with sensible first values."""
    asked = context(request)
    zone = asked.zone
    start = timeline.next_full_hour(asked.now, zone)
    values = {
        "id": new_id(),
        "zone": zone,
        "starts_day": start[:10],
        "starts_time": start[11:],
        "ends_time": timeline.later(start, 90)[11:],
        "jp": "2",
        "recorded": "1",
        "open_before": "15",
        "overrun": "10",
        "live_by": "schedule",
        "unit_id": asked.signed_in.unit_id,
    }
    return await _form_page(asked, Form(values, {}, ()))


async def create(request: web.Request) -> web.StreamResponse:
    """Book, or show the form again with what is wrong."""
    asked = context(request)
    form = await fields(request)
    lecturers = tuple(dict.fromkeys(await many(request, "lecturer_id")))
    if times.LOOKING & form.keys():
        return await _looking(asked, form, lecturers, None)
    try:
        booked = _booking(form, lecturers, asked.now)
        warned = await _warned(asked, form, booked, lecturers)
        if warned and warned.seen != form.get("warning_seen"):
            return await _form_page(asked, Form(form, {}, lecturers), warned=warned, status=409)
        async with asked.writing() as session:
            lecture = await booking.book(
                session,
                asked.rights,
                booked,
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
    except Invalid as invalid:
        shown = Form(form, _at_fields(messages(invalid, asked._), form), lecturers)
        return await _form_page(asked, shown, status=422)
    done = asked._("The lecture is booked. Now register the participants.")
    return asked.redirect(f"/lectures/{lecture.id}/registrations", done)


async def _warned(
    asked: Context,
    form: Mapping[str, str],
    booked: Booking,
    lecturers: Sequence[str],
    lecture: Lecture | None = None,
) -> Warned | None:
    """What speaks against the time: only a warning, since saving again books all the same."""
    agreed = agreed_times(booked.starts_wall, booked.ends_wall, booked.zone)
    async with asked.reading() as session:
        return await times.warned(
            asked,
            session,
            (agreed.starts_at, agreed.ends_at),
            lecturers,
            itself=booked.id,
            unit_id=form.get("audience", ""),
            lecture=lecture,
        )


async def _looking(
    asked: Context, form: Mapping[str, str], lecturers: tuple[str, ...], lecture: Lecture | None
) -> web.Response:
    """The form again: with times to choose from, or with the one that was chosen."""
    if "pick" in form:
        return await _form_page(asked, Form(times.picked(form), {}, lecturers), lecture=lecture)
    try:
        found = await times.found(asked, form, lecturers, lecture)
    except Invalid as invalid:
        shown = Form(form, messages(invalid, asked._), lecturers)
        return await _form_page(asked, shown, lecture=lecture, status=422)
    return await _form_page(asked, Form(form, {}, lecturers), lecture=lecture, found=found)


def _booking(form: Mapping[str, str], lecturers: tuple[str, ...], now: int) -> Booking:
    """The form's values as a booking.

    Raises:
        Invalid: with every error of the form at once.
    """
    errors: list[FieldError] = []

    def read(parse: Callable[[], int], otherwise: int) -> int:
        try:
            return parse()
        except Invalid as invalid:
            errors.extend(invalid.errors)
            return otherwise

    day = form.get("starts_day", "")
    capacity = form.get("capacity", "")
    booked = Booking(
        id=form.get("id", ""),
        unit_id=form.get("unit_id", ""),
        title=form.get("title", ""),
        description=form.get("description", ""),
        starts_wall=f"{day}T{form.get('starts_time', '')[:5]}",
        ends_wall=f"{form.get('ends_day') or day}T{form.get('ends_time', '')[:5]}",
        zone=form.get("zone", ""),
        jp=read(lambda: hundredths(form.get("jp", "")), 0),
        policy_id=form.get("policy_id", ""),
        recorded=bool(form.get("recorded")),
        lecturer_ids=lecturers,
        capacity=read(lambda: _number(capacity, "capacity"), 1) if capacity else None,
        open_before_s=read(lambda: _number(form.get("open_before", "15"), "open_before_s"), 0) * MINUTE_S,
        overrun_s=read(lambda: _number(form.get("overrun", "10"), "overrun_s"), 0) * MINUTE_S,
        live_by="host" if form.get("live_by") == "host" else "schedule",
    )
    try:
        booking.checked(booked, now)
    except Invalid as invalid:
        errors.extend(invalid.errors)
    if errors:
        raise Invalid(errors)
    return booked


def _at_fields(errors: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """The errors of the rules at the fields of the form, so that each leads to its field."""
    names = {
        "starts_wall": "starts_time" if form.get("starts_day") else "starts_day",
        "ends_wall": "ends_time",
        "open_before_s": "open_before",
        "overrun_s": "overrun",
        "lecturer": "find-lecturer",
    }
    if not form.get("starts_day"):
        errors = {field: text for field, text in errors.items() if field != "ends_wall"}
    return {names.get(field, field): text for field, text in errors.items()}


def hundredths(text: str) -> int:
    """JP as people write it, "2", "1,5" or "1.5", in hundredths.

    Raises:
        Invalid: it is no such number.
    """
    whole, _, part = text.strip().replace(",", ".").partition(".")
    if not whole.isascii() or not whole.isdigit() or (part and not (part.isascii() and part.isdigit())):
        raise Invalid.at("jp", "JP is a number, for example 2 or 1.5.")
    if len(part) > 2 or len(whole) > 4:
        raise Invalid.at("jp", "JP is a number, for example 2 or 1.5.")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 7:
        raise Invalid.at(field, "This has to be a whole number.")
    return int(text)


async def _form_page(
    asked: Context,
    form: Form,
    *,
    lecture: Lecture | None = None,
    warned: Warned | None = None,
    found: Found | None = None,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        units = await people.units(session, asked.rights, below=asked.rights.paths(Role.ORGANISER))
        everybody = await people.units(session, asked.rights)
        rules = await policies.current(session, asked.rights)
        chosen = await people.persons_by_ids(session, asked.rights, list(form.lecturer_ids))
    wished = dict.fromkeys([*INDONESIAN_ZONES, asked.zone, form.values.get("zone", "")])
    zones = [zone for zone in wished if zone in known_zones()]
    return asked.page(
        "lectures/form.html",
        status=status,
        lecture=lecture,
        form=form,
        warned=warned,
        found=found,
        stale=stale,
        unit_options=[(u.id, "\u2003" * u.depth + u.name) for u in units],
        audiences=[("", asked._("Not known yet"))] + [(u.id, "\u2003" * u.depth + u.name) for u in everybody],
        policies=[(p.id, p.name) for p in rules],
        lecturers=[chosen[i] for i in form.lecturer_ids if i in chosen],
        zones=[(z, f"{z.replace('_', ' ')} ({zone_name(z, asked.now)})") for z in zones],
    )


async def edit(request: web.Request) -> web.StreamResponse:
    """The form with what is booked now."""
    asked = context(request)
    lecture = await _managed(asked)
    values = {
        "id": lecture.id,
        "version": str(lecture.version),
        "title": lecture.title,
        "description": lecture.description,
        "zone": lecture.zone,
        "starts_day": lecture.starts_wall[:10],
        "starts_time": lecture.starts_wall[11:],
        "ends_day": lecture.ends_wall[:10] if lecture.ends_wall[:10] != lecture.starts_wall[:10] else "",
        "ends_time": lecture.ends_wall[11:],
        "jp": wording.jp(asked.language, lecture.jp),
        "policy_id": lecture.policy_id,
        "recorded": "1" if lecture.recorded else "",
        "capacity": str(lecture.capacity or ""),
        "open_before": str(lecture.open_before_s // MINUTE_S),
        "overrun": str(lecture.overrun_s // MINUTE_S),
        "live_by": lecture.live_by,
        "unit_id": lecture.unit_id,
    }
    return await _form_page(asked, Form(values, {}, ()), lecture=lecture)


async def update(request: web.Request) -> web.StreamResponse:
    """Save a change; somebody else's change in the meantime is shown, and nothing typed is lost."""
    asked = context(request)
    lecture = await _managed(asked)
    form = await fields(request)
    if times.LOOKING & form.keys():
        return await _looking(asked, form, (), lecture)
    try:
        wanted = _booking({**form, "id": lecture.id, "unit_id": lecture.unit_id}, (), asked.now)
        warned = await _newly_warned(asked, form, lecture, wanted)
        if warned and warned.seen != form.get("warning_seen"):
            return await _form_page(asked, Form(form, {}, ()), lecture=lecture, warned=warned, status=409)
        version = _number(form.get("version", "0"), "version")
        async with asked.writing() as session:
            present = await store.get(session, asked.rights, lecture.id, to_change=True)
            after = await booking.change(
                session,
                asked.rights,
                present,
                _change(wanted),
                version=version,
                now=asked.now,
                actor=asked.actor,
            )
    except Invalid as invalid:
        shown = Form(form, _at_fields(messages(invalid, asked._), form), ())
        return await _form_page(asked, shown, lecture=lecture, status=422)
    except Stale as stale:
        shown = Form({**form, "version": str(lecture.version)}, {}, ())
        return await _form_page(asked, shown, lecture=lecture, stale=asked._(stale.message), status=412)
    saved = asked._("Saved.")
    if after.sequence != lecture.sequence:
        saved = asked._("Saved. Everybody registered gets a new invite with the new time.")
    return asked.redirect(f"/lectures/{lecture.id}", saved)


async def _newly_warned(
    asked: Context, form: Mapping[str, str], lecture: Lecture, wanted: Booking
) -> Warned | None:
    """What speaks against a new time; what spoke against the old one is known."""
    before = (lecture.starts_wall, lecture.ends_wall, lecture.zone)
    if (wanted.starts_wall, wanted.ends_wall, wanted.zone) == before:
        return None
    return await _warned(asked, form, wanted, (), lecture)


def _change(wanted: Booking) -> Change:
    return Change(
        title=wanted.title,
        description=wanted.description,
        starts_wall=wanted.starts_wall,
        ends_wall=wanted.ends_wall,
        zone=wanted.zone,
        jp=wanted.jp,
        policy_id=wanted.policy_id or None,
        recorded=wanted.recorded,
        capacity=wanted.capacity,
        clear_capacity=wanted.capacity is None,
        open_before_s=wanted.open_before_s,
        overrun_s=wanted.overrun_s,
        live_by=wanted.live_by,
    )


# --- one lecture -------------------------------------------------------------------------------


async def _managed(asked: Context) -> Lecture:
    async with asked.reading() as session:
        return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def detail(request: web.Request) -> web.StreamResponse:
    """One lecture: for who manages it with its timeline and controls, for others what they need to know."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"])
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        window = await store.window_of(session, lecture)
        lecturers = (await store.lecturers_of(session, [lecture.id]))[lecture.id]
        seat = await store.registration_of(session, lecture.id, asked.signed_in.id)
        recording = await recordings.of_lecture(session, lecture.id)
        manages = asked.rights.reaches(Role.ORGANISER, lecture.unit_path)
        shown: dict[str, Any] = {}
        if manages:
            shown = await _for_managers(session, lecture)
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
        in_session=lecture.state in IN_SESSION,
        **shown,
    )


async def _for_managers(session: Any, lecture: Lecture) -> dict[str, Any]:
    rooms = await store.rooms_of(session, lecture.id)
    counts = await invites.counts(session, lecture.id)
    registered = (await store.count_registrations(session, [lecture.id]))[lecture.id]
    return {
        "rooms": rooms,
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
    name = main_room_name(lecture.id)
    seen = Seen(
        lecture,
        upcoming(lecture, quiet_s),
        (await store.rooms_named(session, [name])).get(name),
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
        await service.start_now(session, lecture, asked.now, asked.actor)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("The lecture has begun."))


async def extend(request: web.Request) -> web.StreamResponse:
    """Fifteen minutes more."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        await service.extend(session, lecture, 15, asked.now, asked.actor)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("Extended by 15 minutes."))


async def end(request: web.Request) -> web.StreamResponse:
    """End it for everybody."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        await service.end_now(session, lecture, asked.now, asked.actor)
    return asked.redirect(f"/lectures/{lecture.id}", asked._("The lecture is over."))


async def cancel(request: web.Request) -> web.StreamResponse:
    """Call it off, with a reason that everybody registered is told."""
    asked = context(request)
    reason = (await fields(request)).get("reason", "")
    async with asked.writing() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        await service.cancel(session, lecture, reason[:500], asked.now, asked.actor)
    told_all = asked._("Cancelled. Everybody registered is told by mail.")
    return asked.redirect(f"/lectures/{lecture.id}", told_all)


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
    Route("POST", "/lectures", create, _ORGANISER),
    Route("GET", "/lectures/new", new, _ORGANISER),
    Route("POST", "/lectures/try", try_room, _ORGANISER),
    Route("GET", "/lectures/{id}", detail, Access.SIGNED_IN),
    Route("GET", "/lectures/{id}/edit", edit, _ORGANISER),
    Route("POST", "/lectures/{id}/edit", update, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/start", start, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/extend", extend, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/end", end, _ORGANISER),
    Route("POST", "/lectures/{id}/actions/cancel", cancel, _ORGANISER),
)
