"""Booking a lecture: its form, with times to choose and what speaks against them; editing shares it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from aiohttp import web

from webinar.core.errors import FieldError, Invalid
from webinar.core.ids import new_id
from webinar.core.language import zone_name
from webinar.lectures import booking
from webinar.lectures.booking import Booking
from webinar.lectures.rules import Lecture, agreed_times
from webinar.lectures.slots import Found
from webinar.people import store as people
from webinar.people.access import Role
from webinar.people.rules import zones as known_zones
from webinar.policies import store as policies
from webinar.series import store as series_store
from webinar.series import wording as series_words
from webinar.web import timeline, times
from webinar.web.amounts import hundredths
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages, number
from webinar.web.site import Access, Route
from webinar.web.times import Warned

MINUTE_S = 60

N = TypeVar("N")
# In the order of the form, in which its errors are listed; from "repeat" to "until" they are a series' alone.
FIELDS = (
    "title",
    "description",
    "find-lecturer",
    "starts_day",
    "starts_time",
    "ends_time",
    "zone",
    "audience",
    "repeat",
    "interval",
    "count",
    "until",
    "jp",
    "capacity",
    "policy_id",
    "unit_id",
    "open_before",
    "overrun",
    "empty_after",
)
INDONESIAN_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


@dataclass(frozen=True, slots=True)
class Form:
    """The booking form as it was typed, so that nothing is lost when something is wrong."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    lecturer_ids: tuple[str, ...]
    # Of a series that recurs weekly.
    weekdays: tuple[str, ...] = ()


async def new(request: web.Request) -> web.StreamResponse:
    """An empty booking form with sensible first values."""
    asked = context(request)
    return await form_page(asked, Form(first_values(asked), {}, ()))


def first_values(asked: Context) -> dict[str, str]:
    """What a booking form shows before anything is typed."""
    zone = asked.zone
    start = timeline.next_full_hour(asked.now, zone)
    return {
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


async def create(request: web.Request) -> web.StreamResponse:
    """Book, or show the form again with what is wrong."""
    asked = context(request)
    form = await fields(request)
    lecturers = tuple(dict.fromkeys(await many(request, "lecturer_id")))
    if times.LOOKING & form.keys():
        return await looking(asked, form, lecturers, None)
    try:
        booked = booking_of(form, lecturers, asked.now)
        warned = await warned_of(asked, form, booked, lecturers)
        if warned and warned.seen != form.get("warning_seen"):
            return await form_page(asked, Form(form, {}, lecturers), warned=warned, status=409)
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
        shown = Form(form, at_fields(messages(invalid, asked._), form), lecturers)
        return await form_page(asked, shown, status=422)
    done = asked._("The lecture is booked. Now register the participants.")
    return asked.redirect(f"/lectures/{lecture.id}/registrations", done)


async def warned_of(
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


async def looking(
    asked: Context,
    form: Mapping[str, str],
    lecturers: tuple[str, ...],
    lecture: Lecture | None,
    *,
    weekdays: tuple[str, ...] = (),
    series: Mapping[str, Any] | None = None,
) -> web.Response:
    """The form again: with times to choose from, or with the one that was chosen."""
    shown = Form(form, {}, lecturers, weekdays)
    if "pick" in form:
        shown = replace(shown, values=times.picked(form))
        return await form_page(asked, shown, lecture=lecture, series=series)
    try:
        found = await times.found(asked, form, lecturers, lecture)
    except Invalid as invalid:
        shown = replace(shown, errors=messages(invalid, asked._))
        return await form_page(asked, shown, lecture=lecture, series=series, status=422)
    return await form_page(asked, shown, lecture=lecture, series=series, found=found)


def booking_of(form: Mapping[str, str], lecturers: tuple[str, ...], now: int) -> Booking:
    """The form's values as a booking.

    Raises:
        Invalid: with every error of the form at once.
    """
    errors: list[FieldError] = []

    def read(parse: Callable[[], N], otherwise: N) -> N:
        try:
            return parse()
        except Invalid as invalid:
            errors.extend(invalid.errors)
            return otherwise

    starts_wall, ends_wall = times.walls_of(form)
    capacity = form.get("capacity", "")
    booked = Booking(
        id=form.get("id", ""),
        unit_id=form.get("unit_id", ""),
        title=form.get("title", ""),
        description=form.get("description", ""),
        starts_wall=starts_wall,
        ends_wall=ends_wall,
        zone=form.get("zone", ""),
        jp=read(lambda: hundredths(form.get("jp", "")), 0),
        policy_id=form.get("policy_id", ""),
        recorded=bool(form.get("recorded")),
        lecturer_ids=lecturers,
        capacity=read(lambda: number(capacity, "capacity"), 1) if capacity else None,
        open_before_s=read(lambda: number(form.get("open_before", "15"), "open_before_s"), 0) * MINUTE_S,
        overrun_s=read(lambda: number(form.get("overrun", "10"), "overrun_s"), 0) * MINUTE_S,
        live_by="host" if form.get("live_by") == "host" else "schedule",
        empty_after_s=read(lambda: empty_seconds(form), None),
        empty_early=bool(form.get("empty_early")),
    )
    try:
        booking.checked(booked, now)
    except Invalid as invalid:
        errors.extend(invalid.errors)
    if errors:
        raise Invalid(errors)
    return booked


def empty_seconds(form: Mapping[str, str]) -> int | None:
    """How long empty rooms stay, of minutes as typed; None where nothing is."""
    typed = form.get("empty_after", "")
    return number(typed, "empty_after_s") * MINUTE_S if typed else None


def empty_values(lecture: Lecture) -> dict[str, str]:
    """The rule for empty rooms as the forms show it."""
    minutes = "" if lecture.empty_after_s is None else str(lecture.empty_after_s // MINUTE_S)
    return {"empty_after": minutes, "empty_early": "1" if lecture.empty_early else ""}


def at_fields(errors: Mapping[str, str], form: Mapping[str, str]) -> dict[str, str]:
    """The errors of the rules at the fields of the form, so that each leads to its field."""
    names = {
        "starts_wall": "starts_time" if form.get("starts_day") else "starts_day",
        "ends_wall": "ends_time",
        "open_before_s": "open_before",
        "overrun_s": "overrun",
        "empty_after_s": "empty_after",
        "lecturer": "find-lecturer",
        "rule": "repeat",
    }
    if not form.get("starts_day"):
        errors = {field: text for field, text in errors.items() if field != "ends_wall"}
    shown = {names.get(field, field): text for field, text in errors.items()}
    return dict(sorted(shown.items(), key=lambda error: _place(error[0])))


def _place(field: str) -> int:
    """The field's place on the form; what is not on it comes last."""
    return FIELDS.index(field) if field in FIELDS else len(FIELDS)


async def form_page(
    asked: Context,
    form: Form,
    *,
    lecture: Lecture | None = None,
    warned: Warned | None = None,
    found: Found | None = None,
    series: Mapping[str, Any] | None = None,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        units = await people.units(session, asked.rights, below=asked.rights.paths(Role.ORGANISER))
        everybody = await people.units(session, asked.rights)
        rules = await policies.current(session, asked.rights)
        chosen = await people.persons_by_ids(session, asked.rights, list(form.lecturer_ids))
        edition = await series_store.place_of(session, lecture.id) if lecture and not series else None
    wished = dict.fromkeys([*INDONESIAN_ZONES, asked.zone, form.values.get("zone", "")])
    zones = [zone for zone in wished if zone in known_zones()]
    return asked.page(
        "lectures/form.html",
        status=status,
        lecture=lecture,
        form=form,
        warned=warned,
        found=found,
        series=series,
        edition=edition,
        ticked_days=form.weekdays,
        weekdays=list(enumerate(series_words.weekday(asked.language, n) for n in range(7))),
        stale=stale,
        unit_options=[(u.id, "\u2003" * u.depth + u.name) for u in units],
        audiences=[("", asked._("Not known yet"))] + [(u.id, "\u2003" * u.depth + u.name) for u in everybody],
        policies=[(p.id, p.name) for p in rules],
        lecturers=[chosen[i] for i in form.lecturer_ids if i in chosen],
        zones=[(z, f"{z.replace('_', ' ')} ({zone_name(z, asked.now)})") for z in zones],
    )


ROUTES = (
    Route("GET", "/lectures/new", new, Access.ORGANISER),
    Route("POST", "/lectures", create, Access.ORGANISER),
)
