"""Pages of series: all of them, one with its editions and their growth, and its members."""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import effects
from webinar.core.effects import EffectState
from webinar.core.errors import Invalid
from webinar.core.language import date_long
from webinar.lectures import booking
from webinar.people import store as people
from webinar.people.access import Role
from webinar.series import service, store, wording
from webinar.series.recurrence_rules import MOST_EDITIONS, endless
from webinar.series.rules import Series
from webinar.web import series_words
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages, number, whole
from webinar.web.lectures import cursor
from webinar.web.registrations import unit_choices
from webinar.web.series_forms import ending_of
from webinar.web.site import Access, Route
from webinar.workdays import national

PAGE = 30
MEMBERS = 100
# What the form that extends a series shows first.
USUAL = MappingProxyType({"count": "4"})
STUCK = frozenset({EffectState.PARKED, EffectState.SKIPPED})


async def index(request: web.Request) -> web.StreamResponse:
    """The series that one manages or has a seat in, the newest first."""
    asked = context(request)
    async with asked.reading() as session:
        found = await store.page(
            session, asked.rights, after=cursor(request.query.get("after", "")), limit=PAGE + 1
        )
        shown = found[:PAGE]
        outlines = await store.outlines(session, [one.id for one in shown])
        to_make = await store.counts_to_make(session, [one.id for one in shown])
    last = shown[-1] if len(found) > PAGE else None
    return asked.page(
        "series/index.html",
        all_series=[
            (one, _in_words(asked, one), *outlines.get(one.id, (0, 0, 0)), to_make.get(one.id, 0))
            for one in shown
        ],
        after=f"{last.created_at}.{last.id}" if last else None,
        may_book=asked.rights.has(Role.ORGANISER),
    )


def _in_words(asked: Context, series: Series) -> str:
    return wording.told(asked.language, endless(series.rule), series.first_wall, series.shift_days)


async def detail(request: web.Request) -> web.StreamResponse:
    """One series: its editions with time, state and, for who manages it, growth and controls."""
    return await _page(context(request))


async def _page(
    asked: Context,
    *,
    errors: Mapping[str, str] = MappingProxyType({}),
    typed: Mapping[str, str] = USUAL,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        series = await store.get(session, asked.rights, asked.request.match_info["id"])
        manages = asked.rights.reaches(Role.ORGANISER, series.unit_path)
        editions = await store.editions(session, series.id)
        figures = await store.figures(session, editions) if manages else []
        members = await store.count_members(session, series.id)
        slots = await store.slots(session, series.id) if manages else []
        about = await effects.about(session, f"series:{series.id}") if slots else []
        if not manages:
            mine = await store.seats_of(session, series.id, asked.signed_in.id)
            editions = [one for one in editions if one.lecture.id in mine]
    return asked.page(
        "series/detail.html",
        status=status,
        series=series,
        rule=_in_words(asked, series),
        editions=editions,
        growth={one.number: one for one in figures},
        manages=manages,
        members=members,
        left=MOST_EDITIONS - len(editions) - len(slots),
        to_make=sum(1 for one in slots if one.refused is None),
        stuck=any(one.state in STUCK or one.last_error for one in about),
        not_made=[series_words.not_made(asked, one, series.shift_days) for one in slots if one.refused],
        left_out=_left_out(asked, series, editions[-1].slot) if editions else [],
        own={one.number: wording.fields(asked.language, one.own) for one in editions},
        e=errors,
        v=typed,
    )


def _left_out(asked: Context, series: Series, last_slot: str) -> list[str]:
    """The holidays that were passed over, each with its name."""
    return [
        f"{date_long(asked.language, day)} ({national.holiday(asked.language, day)})"
        for day in service.holidays_left_out(series, last_slot)
    ]


async def extend(request: web.Request) -> web.StreamResponse:
    """More editions behind the last one."""
    asked = context(request)
    form = await fields(request)
    try:
        async with asked.writing() as session:
            series = await _managed(asked, session)
            added = await service.extend(
                session,
                asked.rights,
                series,
                ending_of(form, series.rule),
                version=number(form.get("version", "0"), "version"),
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
    except Invalid as invalid:
        return await _page(asked, errors=_at_fields(messages(invalid, asked._)), typed=form, status=422)
    return asked.redirect(f"/series/{series.id}", asked._("Editions added: %(count)s.", count=added))


def _at_fields(errors: Mapping[str, str]) -> dict[str, str]:
    """What is wrong of how far a series is extended, at the fields of that form."""
    return {field if field in {"count", "until"} else "count": text for field, text in errors.items()}


async def try_again(request: web.Request) -> web.StreamResponse:
    """Make what could not be made after all."""
    asked = context(request)
    async with asked.writing() as session:
        series = await _managed(asked, session)
        await service.try_again(session, series, now=asked.now, actor=asked.actor)
    return asked.redirect(f"/series/{series.id}")


async def leave_out(request: web.Request) -> web.StreamResponse:
    """Leave out what could not be made."""
    asked = context(request)
    async with asked.writing() as session:
        series = await _managed(asked, session)
        await service.leave_out(session, series, now=asked.now, actor=asked.actor)
    return asked.redirect(f"/series/{series.id}")


async def _managed(asked: Context, session: AsyncSession) -> Series:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


# --- members -----------------------------------------------------------------------------------


async def members(request: web.Request) -> web.StreamResponse:
    """Who is registered for the whole series, and the ways to add people."""
    return await _members_page(context(request))


async def _members_page(
    asked: Context, *, error: str = "", typed: str = "", status: int = 200
) -> web.Response:
    start = whole(asked.request.query.get("from", ""))
    async with asked.reading() as session:
        series = await _managed(asked, session)
        shown = await store.members(session, series.id, start=start, limit=MEMBERS)
        total = await store.count_members(session, series.id)
        units = await unit_choices(asked, session)
    return asked.page(
        "series/members.html",
        status=status,
        series=series,
        members=shown,
        total=total,
        start=start,
        page_length=MEMBERS,
        units=units,
        error=error,
        typed=typed,
    )


async def join(request: web.Request) -> web.StreamResponse:
    """Register a unit, a pasted list, or people that were searched and ticked, for all editions."""
    asked = context(request)
    form = await fields(request)
    wanted = await many(request, "person_id")
    missing: list[str] = []
    try:
        async with asked.writing() as session:
            series = await _managed(asked, session)
            if form.get("unit_id"):
                wanted = await booking.persons_of_unit(session, asked.rights, form["unit_id"])
            elif form.get("list"):
                wanted, missing = await booking.find_by_list(session, asked.rights, form["list"].split("\n"))
            added, already = await service.join(
                session, asked.rights, series, wanted, now=asked.now, actor=asked.actor
            )
    except Invalid as invalid:
        error = "; ".join(messages(invalid, asked._).values())
        return await _members_page(asked, error=error, typed=form.get("list", ""), status=422)
    if missing or not wanted:
        error = asked._("Lines of the list that match nobody: %(count)s", count=len(missing))
        nobody = asked._("Choose somebody first.")
        text = error if missing else nobody
        return await _members_page(
            asked, error=text, typed="\n".join(missing), status=200 if missing else 422
        )
    text = asked._(
        "Newly registered for the whole series: %(added)s; registered before: %(already)s.",
        added=added,
        already=already,
    )
    return asked.redirect(f"/series/{series.id}/members", text)


async def leave(request: web.Request) -> web.StreamResponse:
    """Take somebody out of the whole series."""
    asked = context(request)
    person_id = request.match_info["person"]
    async with asked.writing() as session:
        series = await _managed(asked, session)
        person = await people.person(session, asked.rights, person_id)
        await service.leave(session, series, person.id, now=asked.now, actor=asked.actor)
    text = asked._("%(name)s is no longer registered for the editions that lie ahead.", name=person.name)
    return asked.redirect(f"/series/{series.id}/members", text)


_ORGANISER = Access.ORGANISER
ROUTES = (
    Route("GET", "/series", index, Access.SIGNED_IN),
    Route("GET", "/series/{id}", detail, Access.SIGNED_IN),
    Route("POST", "/series/{id}/extend", extend, _ORGANISER),
    Route("POST", "/series/{id}/try-again", try_again, _ORGANISER),
    Route("POST", "/series/{id}/leave-out", leave_out, _ORGANISER),
    Route("GET", "/series/{id}/members", members, _ORGANISER),
    Route("POST", "/series/{id}/members", join, _ORGANISER),
    Route("POST", "/series/{id}/members/{person}/leave", leave, _ORGANISER),
)
