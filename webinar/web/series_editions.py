"""Changing an edition or calling it off, alone or with all that follow; who will be told is said first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import IllegalMove, Invalid, Stale
from webinar.core.reason_rules import LONGEST_REASON
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.booking import Booking
from webinar.lectures.rules import Lecture
from webinar.series import ahead, changes, service, store
from webinar.series.ahead import Prospect
from webinar.series.changes import Author, Intent
from webinar.series.rules import Edition, Series
from webinar.web import change_words, lecture_changes, series_words, times
from webinar.web.change_kinds import Deed
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, number, whole
from webinar.web.lecture_booking import Form, booking_of, form_page, looking
from webinar.web.lecture_changes import Preview
from webinar.web.lecture_editing import newly_warned, values_of
from webinar.web.series_forms import at_form_fields
from webinar.web.site import Access, Route

OURS = frozenset({"csrf_token", "step", "lecturer_id"})


def author(asked: Context) -> Author:
    return Author(asked.rights, asked.actor, asked.now, asked.site.settings.link_key_bytes)


async def _edition(asked: Context) -> tuple[Series, Edition, int]:
    at = asked.request.match_info
    async with asked.reading() as session:
        series = await store.get(session, asked.rights, at["id"], to_change=True)
        edition = await store.edition(session, series.id, whole(at["number"]))
        following = await store.count_following(session, series.id, edition.number)
    return series, edition, following


# --- changing ------------------------------------------------------------------------------------


async def edit(request: web.Request) -> web.StreamResponse:
    """The form with what the edition is now."""
    asked = context(request)
    series, edition, following = await _edition(asked)
    shown = Form({**values_of(asked, edition.lecture), "applies": "this"}, {}, edition.lecturer_ids)
    about = _about(asked, series, edition, following)
    return await form_page(asked, shown, lecture=edition.lecture, series=about)


def _about(asked: Context, series: Series, edition: Edition, following: int) -> dict[str, Any]:
    return {
        "heading": _heading(asked, series, edition),
        "action": f"/series/{series.id}/editions/{edition.number}",
        "back": f"/series/{series.id}",
        "save": asked._("Next: who will be told"),
        "following": following,
        "series": series,
    }


def _heading(asked: Context, series: Series, edition: Edition) -> str:
    return asked._("Edition %(number)s of “%(title)s”", number=edition.number, title=series.title)


async def update(request: web.Request) -> web.StreamResponse:
    """Show what the change would do; with `step=confirm` do it, with `step=back` show the form again.

    With all that follow, the others take the change over by themselves, soon.
    """
    asked = context(request)
    series, edition, following = await _edition(asked)
    form = await fields(request)
    lecturers = tuple(dict.fromkeys(await many(request, "lecturer_id")))
    about = _about(asked, series, edition, following)
    lecture, shown = edition.lecture, Form(form, {}, lecturers)
    if times.LOOKING & form.keys():
        return await looking(asked, form, lecturers, lecture, series=about)
    if form.get("step") == "back":
        return await form_page(asked, shown, lecture=lecture, series=about)
    try:
        wanted = booking_of({**form, "id": lecture.id, "unit_id": lecture.unit_id}, (), asked.now)
        warned = await newly_warned(asked, form, lecture, wanted)
        if warned and warned.seen != form.get("warning_seen"):
            return await form_page(asked, shown, lecture=lecture, series=about, warned=warned, status=409)
        intent = await _intent(asked, series, edition, form, replace(wanted, lecturer_ids=lecturers))
        if form.get("step") != "confirm" and intent.differs:
            return await _told_first(asked, intent, form, lecturers)
        async with asked.writing() as session:
            done = await changes.change(session, author(asked), intent)
            window = await lecture_store.window_of(session, done.lecture)
    except Invalid as invalid:
        shown = replace(shown, errors=at_form_fields(asked, invalid, form))
        return await form_page(asked, shown, lecture=lecture, series=about, status=422)
    except Stale as stale:
        shown = replace(shown, values={**form, "version": str(lecture.version)})
        return await form_page(
            asked, shown, lecture=lecture, series=about, stale=asked._(stale.message), status=412
        )
    await telling.tell_inside(asked.site.database, asked.site.media, lecture, done.lecture, window)
    return asked.redirect(f"/series/{series.id}", _told(asked, done))


async def _intent(
    asked: Context, series: Series, edition: Edition, form: Mapping[str, str], wanted: Booking
) -> Intent:
    async with asked.reading() as session:
        return await changes.intended(
            session,
            author(asked),
            series,
            edition.number,
            service.said_by(wanted),
            version=number(form.get("version", "0"), "version"),
            following=form.get("applies") == "following",
        )


async def _told_first(
    asked: Context, intent: Intent, form: Mapping[str, str], lecturers: tuple[str, ...]
) -> web.Response:
    """What becomes of the edition and of those that follow, and who will be told, before it is saved."""
    found = await lecture_changes.preview_of(asked, intent.edition.lecture.id, _changing(intent))
    async with asked.reading() as session:
        prospect = await ahead.of_change(session, intent, asked.now)
    kept = [(name, value) for name, value in form.items() if name not in OURS]
    return _preview_page(
        asked,
        intent.series,
        intent.edition,
        found,
        prospect,
        kind="edit",
        hidden=[*kept, *(("lecturer_id", ident) for ident in lecturers)],
        action=f"/series/{intent.series.id}/editions/{intent.edition.number}",
        button=asked._("Save the change"),
    )


def _changing(intent: Intent) -> Deed:
    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await changes.carry_out(session, author(asked), lecture, intent.fields)

    return deed


def _preview_page(
    asked: Context,
    series: Series,
    edition: Edition,
    found: Preview,
    prospect: Prospect,
    *,
    kind: str,
    **more: Any,
) -> web.Response:
    return asked.page(
        "series/preview.html",
        series=series,
        edition=edition,
        kind=kind,
        heading=_heading(asked, series, edition),
        preview=lecture_changes.shown(asked, kind, found),
        fates=[series_words.fate(asked, one) for one in prospect.fates],
        together=change_words.together(asked._, [found.forecast, *prospect.forecasts]),
        uncounted=prospect.uncounted,
        **more,
    )


def _told(asked: Context, done: changes.Outcome) -> str:
    if done.keeping:
        numbers = ", ".join(map(str, done.keeping))
        return asked._(
            "Saved. Later editions that take it over: %(count)s. Of their own keep something: %(numbers)s.",
            count=done.following,
            numbers=numbers,
        )
    if done.following:
        return asked._("Saved. Later editions that take it over: %(count)s.", count=done.following)
    return asked._("Saved.")


# --- calling off ---------------------------------------------------------------------------------


async def cancel_form(request: web.Request) -> web.StreamResponse:
    """The form that calls an edition off."""
    asked = context(request)
    series, edition, following = await _edition(asked)
    return _cancel_page(asked, series, edition, following, {})


def _cancel_page(
    asked: Context, series: Series, edition: Edition, following: int, form: Mapping[str, str]
) -> web.Response:
    return asked.page(
        "series/cancel.html",
        series=series,
        edition=edition,
        heading=_heading(asked, series, edition),
        following=following,
        v=form,
        possible=edition.lecture.may("cancel"),
    )


async def cancel(request: web.Request) -> web.StreamResponse:
    """Show who will be told; with `step=confirm` call off, with `step=back` show the form again."""
    asked = context(request)
    series, edition, following = await _edition(asked)
    form = await fields(request)
    reason = form.get("reason", "")[:LONGEST_REASON]
    all_that_follow = form.get("applies") == "following"
    if form.get("step") == "back":
        return _cancel_page(asked, series, edition, following, form)
    if not edition.lecture.may("cancel"):
        raise IllegalMove(state=edition.lecture.state.value, move="cancel")
    if form.get("step") != "confirm":
        return await _off_first(asked, series, edition, reason, all_that_follow)
    async with asked.writing() as session:
        count = await changes.cancel(
            session, author(asked), series, edition.number, reason, following=all_that_follow
        )
        after = (await store.edition(session, series.id, edition.number)).lecture
        window = await lecture_store.window_of(session, after)
    await telling.tell_inside(
        asked.site.database, asked.site.media, edition.lecture, after, window, reason=reason
    )
    return asked.redirect(f"/series/{series.id}", asked._("Editions called off: %(count)s.", count=count))


async def _off_first(
    asked: Context, series: Series, edition: Edition, reason: str, following: bool
) -> web.Response:
    async def deed(asked: Context, session: AsyncSession, lecture: Lecture) -> Lecture:
        return await lectures.cancel(session, lecture, reason, asked.now, asked.actor)

    found = await lecture_changes.preview_of(asked, edition.lecture.id, deed)
    prospect = Prospect()
    if following:
        async with asked.reading() as session:
            await service.must_be_made(session, series)
            prospect = await ahead.of_cancel(session, series, edition.number)
    return _preview_page(
        asked,
        series,
        edition,
        found,
        prospect,
        kind="cancel",
        hidden=[("reason", reason), ("applies", "following" if following else "this")],
        action=f"/series/{series.id}/editions/{edition.number}/cancel",
        button=asked._("Call off"),
    )


_EDITION = "/series/{id}/editions/{number}"
ROUTES = (
    Route("GET", _EDITION, edit, Access.ORGANISER),
    Route("POST", _EDITION, update, Access.ORGANISER),
    Route("GET", f"{_EDITION}/cancel", cancel_form, Access.ORGANISER),
    Route("POST", f"{_EDITION}/cancel", cancel, Access.ORGANISER),
)
