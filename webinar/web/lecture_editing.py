"""Editing a lecture with the form of its booking; who is told of it is shown before it is saved."""

from collections.abc import Mapping

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core import language as wording
from webinar.core.errors import Invalid, Stale
from webinar.lectures import editing, store
from webinar.lectures.booking import Booking
from webinar.lectures.editing import CLEARABLE, Change
from webinar.lectures.rules import Lecture
from webinar.web import lecture_changes, times
from webinar.web.change_kinds import Deed
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages, number
from webinar.web.lecture_booking import (
    MINUTE_S,
    Form,
    at_fields,
    booking_of,
    empty_values,
    form_page,
    looking,
    warned_of,
)
from webinar.web.lecture_changes import Preview
from webinar.web.site import Access, Route
from webinar.web.times import Warned


async def _managed(asked: Context) -> Lecture:
    async with asked.reading() as session:
        return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def edit(request: web.Request) -> web.StreamResponse:
    """The form with what is booked now."""
    asked = context(request)
    lecture = await _managed(asked)
    return await form_page(asked, Form(values_of(asked, lecture), {}, ()), lecture=lecture)


def values_of(asked: Context, lecture: Lecture) -> dict[str, str]:
    """The form's values of a lecture."""
    return {
        "id": lecture.id,
        "version": str(lecture.version),
        "title": lecture.title,
        "description": lecture.description,
        "zone": lecture.zone,
        **times.as_typed(lecture.starts_wall, lecture.ends_wall),
        "jp": wording.jp(asked.language, lecture.jp),
        "policy_id": lecture.policy_id,
        "recorded": "1" if lecture.recorded else "",
        "capacity": str(lecture.capacity or ""),
        "open_before": str(lecture.open_before_s // MINUTE_S),
        "overrun": str(lecture.overrun_s // MINUTE_S),
        "live_by": lecture.live_by,
        **empty_values(lecture),
        "unit_id": lecture.unit_id,
    }


async def update(request: web.Request) -> web.StreamResponse:
    """Save a change, once it was seen who is told of it; nothing typed is lost when somebody was faster."""
    asked = context(request)
    lecture = await _managed(asked)
    form = await fields(request)
    if times.LOOKING & form.keys():
        return await looking(asked, form, (), lecture)
    if form.get("step") == "back":
        return await form_page(asked, Form(form, {}, ()), lecture=lecture)
    try:
        wanted = booking_of({**form, "id": lecture.id, "unit_id": lecture.unit_id}, (), asked.now)
        warned = await newly_warned(asked, form, lecture, wanted)
        if warned and warned.seen != form.get("warning_seen"):
            return await form_page(asked, Form(form, {}, ()), lecture=lecture, warned=warned, status=409)
        deed = _saving(_change(wanted), number(form.get("version", "0"), "version"))
        if form.get("step") != "confirm":
            found = await lecture_changes.preview_of(asked, lecture.id, deed)
            if found.forecast.anybody:
                return _told_first(asked, lecture, form, found)
        async with asked.writing() as session:
            await store.lock(session, lecture.id)
            present = await store.get(session, asked.rights, lecture.id, to_change=True)
            after = await deed(asked, session, present)
            window = await store.window_of(session, after)
    except Invalid as invalid:
        shown = Form(form, at_fields(messages(invalid, asked._), form), ())
        return await form_page(asked, shown, lecture=lecture, status=422)
    except Stale as stale:
        shown = Form({**form, "version": str(lecture.version)}, {}, ())
        return await form_page(asked, shown, lecture=lecture, stale=asked._(stale.message), status=412)
    await telling.tell_inside(asked.site.database, asked.site.media, lecture, after, window)
    saved = asked._("Saved.")
    if after.sequence != lecture.sequence:
        saved = asked._("Saved. Everybody registered gets a new invite with the new time.")
    return asked.redirect(f"/lectures/{lecture.id}", saved)


def _saving(wanted: Change, version: int) -> Deed:
    """The edit of the version that was seen; what is so already, by a double click, is done."""

    async def deed(asked: Context, session: AsyncSession, present: Lecture) -> Lecture:
        after = await editing.change(
            session,
            asked.rights,
            present,
            wanted,
            version=present.version,
            now=asked.now,
            actor=asked.actor,
        )
        if after.version != present.version and present.version != version:
            raise Stale
        return after

    return deed


def _told_first(asked: Context, lecture: Lecture, form: Mapping[str, str], found: Preview) -> web.Response:
    """Who will be told of the edit, before it is saved."""
    ours = {"csrf_token", "step"}
    return asked.page(
        "lectures/change.html",
        lecture=lecture,
        kind="edit",
        title=asked._("Edit lecture"),
        preview=lecture_changes.shown(asked, "edit", found),
        hidden=[(name, value) for name, value in form.items() if name not in ours],
        action=f"/lectures/{lecture.id}/edit",
        button=asked._("Save the change"),
        stale="",
    )


async def newly_warned(
    asked: Context, form: Mapping[str, str], lecture: Lecture, wanted: Booking
) -> Warned | None:
    """What speaks against a new time; what spoke against the old one is known."""
    before = (lecture.starts_wall, lecture.ends_wall, lecture.zone)
    if (wanted.starts_wall, wanted.ends_wall, wanted.zone) == before:
        return None
    return await warned_of(asked, form, wanted, (), lecture)


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
        open_before_s=wanted.open_before_s,
        overrun_s=wanted.overrun_s,
        live_by=wanted.live_by,
        empty_after_s=wanted.empty_after_s,
        empty_early=wanted.empty_early,
        clears=frozenset(name for name in CLEARABLE if getattr(wanted, name) is None),
    )


ROUTES = (
    Route("GET", "/lectures/{id}/edit", edit, Access.ORGANISER),
    Route("POST", "/lectures/{id}/edit", update, Access.ORGANISER),
)
