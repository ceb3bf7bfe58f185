"""Series over the API: booking, changing one edition or all that follow, extending, members; and times."""

from collections.abc import Sequence
from datetime import date

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import Invalid, NotFound, Stale
from webinar.invites import owing
from webinar.invites.news_rules import Forecast
from webinar.lectures import clashes, slots
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.editing import given_in
from webinar.lectures.rules import Lecture, Window
from webinar.lectures.slots import Wish
from webinar.people import store as people
from webinar.series import ahead, changes, service, store
from webinar.series.ahead import Prospect
from webinar.series.changes import Author
from webinar.series.recurrence_rules import Ending, parsed
from webinar.series.rules import LECTURERS, Growth
from webinar.series.rules import Edition as OneEdition
from webinar.series.rules import Series as OneSeries
from webinar.series.service import Plan
from webinar.web import series_words
from webinar.web.api import models, paging, wire
from webinar.web.api.changes import told_of
from webinar.web.api.endpoint import PREFIX, Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.lectures import booking_of, change_of
from webinar.web.api.wire import Reply, api_names, reply
from webinar.web.context import Context, context
from webinar.web.dry_run import as_if
from webinar.web.forms import whole
from webinar.workdays import service as workdays
from webinar.workdays import store as office
from webinar.workdays import wording


def _author(asked: Context) -> Author:
    return Author(asked.rights, asked.actor, asked.now, asked.site.settings.link_key_bytes)


async def _managed(session: AsyncSession, asked: Context) -> OneSeries:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


def _edition(one: OneEdition, figures: Growth) -> models.Edition:
    zone = one.lecture.zone
    return models.Edition(
        number=one.number,
        lecture_id=one.lecture.id,
        title=one.lecture.title,
        starts_at=models.moment(one.lecture.starts_at, zone),
        ends_at=models.moment(one.lecture.ends_at, zone),
        state=one.lecture.state.value,
        version=one.lecture.version,
        own=_fields(one.own),
        pending=one.wanted is not None,
        registered=figures.registered,
        came=figures.came,
        credited=figures.credited,
    )


async def _reply(session: AsyncSession, asked: Context, series: OneSeries, status: int = 200) -> Reply:
    planned = await store.slots(session, series.id)
    editions = await store.editions(session, series.id)
    figures = await store.figures(session, editions)
    shown = models.Series(
        id=series.id,
        unit_id=series.unit_id,
        title=series.title,
        rule=series.rule,
        skips_holidays=series.skips_holidays,
        members=await store.count_members(session, series.id),
        version=series.version,
        editions=[_edition(one, seen) for one, seen in zip(editions, figures, strict=True)],
        to_make=sum(1 for one in planned if one.refused is None),
        not_made=[
            models.NotMade(number=one.number, slot=one.slot, reason=series_words.refusal(asked, one))
            for one in planned
            if one.refused is not None
        ],
    )
    place = f"{PREFIX}/series/{series.id}" if status == 201 else None
    return reply(shown, status, version=series.version, location=place)


async def index(request: web.Request) -> web.StreamResponse:
    """The newest first."""
    asked = context(request)
    wish = wire.query(request, models.PageQuery)
    async with asked.reading() as session:
        after = paging.opened(wish.cursor, int, str)
        rows = await store.page(session, asked.rights, after=after, limit=wish.limit + 1)
        shown, last = paging.cut(rows, wish.limit)
        outlines = await store.outlines(session, [one.id for one in shown])
        to_make = await store.counts_to_make(session, [one.id for one in shown])
    following = paging.next_link(asked, paging.sealed(last.created_at, last.id) if last else None)
    items = [
        models.SeriesOutline(
            id=one.id,
            unit_id=one.unit_id,
            title=one.title,
            rule=one.rule,
            editions=outlines.get(one.id, (0, 0, 0))[0],
            to_make=to_make.get(one.id, 0),
        )
        for one in shown
    ]
    return reply(models.SeriesList(items=items, next=following), link=paging.link(following)).written()


async def create(request: web.Request) -> web.StreamResponse:
    """Book every edition of a series."""
    asked = context(request)
    said = await wire.body(request, models.NewSeries)
    with api_names():
        first = booking_of(said)
        plan = Plan(*parsed(said.rule), said.skips_holidays)

    async def deed(session: AsyncSession) -> Reply:
        with api_names():
            series = await service.book(
                session,
                asked.rights,
                first,
                plan,
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
        return await _reply(session, asked, series, 201)

    return (await once(asked, deed)).written()


async def show(request: web.Request) -> web.StreamResponse:
    """One series with its editions and their growth."""
    asked = context(request)
    async with asked.reading() as session:
        return (await _reply(session, asked, await _managed(session, asked))).written()


async def change(request: web.Request) -> web.StreamResponse:
    """Change an edition, or it and all that follow; or say what would follow."""
    asked = context(request)
    said = await wire.body(request, models.EditionChange)
    version = wire.version_of(request)
    author, number = _author(asked), whole(request.match_info["number"])
    async with asked.reading() as session:
        series = await _managed(session, asked)
        edition = await store.edition(session, series.id, number)
        if version is not None and version != edition.lecture.version:
            raise Stale
        with api_names():
            intent = await changes.intended(
                session, author, series, number, _wanted(edition, said),
                version=edition.lecture.version, following=said.applies_to == "following",
            )  # fmt: skip
        prospect = await ahead.of_change(session, intent, asked.now)

    async def tried(session: AsyncSession) -> Forecast:
        with api_names():
            return await owing.ahead(
                session, await changes.carry_out(session, author, intent.edition.lecture, intent.fields)
            )

    forecast = await as_if(asked, tried)
    if not said.dry_run:
        async with asked.writing() as session:
            done = await changes.change(session, author, intent)
            window = await lecture_store.window_of(session, done.lecture)
        await telling.tell_inside(
            asked.site.database, asked.site.media, edition.lecture, done.lecture, window
        )
    async with asked.reading() as session:
        now = await store.edition(session, series.id, number)
        figures = await store.figures(session, [now])
    shown = models.EditionChanged(
        done=not said.dry_run,
        edition=_edition(now, figures[0]),
        following=len(intent.later),
        keeping=list(intent.keeping),
        told=told_of(forecast),
        later=_fates(asked, prospect),
    )
    return reply(shown, version=now.lecture.version).written()


def _fates(asked: Context, prospect: Prospect) -> list[models.EditionFate]:
    return [
        models.EditionFate(
            number=one.number,
            lecture_id=one.before.id,
            gets=one.gets,
            starts_at=models.moment(one.after.starts_at, one.after.zone),
            ends_at=models.moment(one.after.ends_at, one.after.zone),
            keeps=_fields(one.keeps),
            reason=" ".join(series_words.stays(asked, one)) or None,
            told=told_of(one.forecast) if one.forecast else None,
        )
        for one in prospect.fates
    ]


def _fields(names: Sequence[str]) -> list[str]:
    """Fields of a series by their names in the API."""
    return ["time" if name == "starts_wall" else name for name in names]


def _wanted(edition: OneEdition, said: models.EditionChange) -> dict[str, object]:
    asked_for = change_of(edition.lecture, said)
    wanted = given_in(asked_for)
    if {"starts_wall", "ends_wall"} & wanted.keys():
        wanted.setdefault("zone", edition.lecture.zone)
    if "lecturer_ids" in said.model_fields_set:
        wanted[LECTURERS] = sorted(set(said.lecturer_ids))
    return wanted


async def cancel(request: web.Request) -> web.StreamResponse:
    """Call an edition off, or it and all that follow; or say what would follow."""
    asked = context(request)
    said = await wire.body(request, models.EditionCancellation)
    following, number = said.applies_to == "following", whole(request.match_info["number"])
    prospect = Prospect()
    async with asked.reading() as session:
        series = await _managed(session, asked)
        edition = await store.edition(session, series.id, number)
        if following:
            await service.must_be_made(session, series)
            prospect = await ahead.of_cancel(session, series, number)
    told: list[tuple[Lecture, Window]] = []

    async def deed(session: AsyncSession) -> Reply:
        managed = await _managed(session, asked)
        if said.dry_run:
            off = await lectures.cancel(session, edition.lecture, said.reason, asked.now, asked.actor)
            count = 1 + sum(1 for one in prospect.fates if not one.begun)
        else:
            count = await changes.cancel(
                session, _author(asked), managed, number, said.reason, following=following
            )
            off = (await store.edition(session, managed.id, number)).lecture
        told.append((off, await lecture_store.window_of(session, off)))
        document = models.EditionsCancelled(
            done=not said.dry_run,
            cancelled=count,
            told=told_of(await owing.ahead(session, off)),
            later=_fates(asked, prospect),
        )
        return reply(document)

    if said.dry_run:
        return (await as_if(asked, deed)).written()
    answer = await once(asked, deed)
    for off, window in told:
        await telling.tell_inside(
            asked.site.database, asked.site.media, edition.lecture, off, window, reason=said.reason
        )
    return answer.written()


async def extend(request: web.Request) -> web.StreamResponse:
    """Add editions behind the last one."""
    asked = context(request)
    said = await wire.body(request, models.Extension)
    ending = _ending(said)

    async def deed(session: AsyncSession) -> Reply:
        series = await _managed(session, asked)
        await service.extend(
            session,
            asked.rights,
            series,
            ending,
            version=series.version,
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
        )
        return await _reply(session, asked, await _managed(session, asked))

    return (await once(asked, deed)).written()


def _ending(said: models.Extension) -> Ending:
    if (said.count is None) == (said.until is None):
        raise Invalid.at("count", "Say how many more, or until when, one of the two.")
    try:
        return Ending(said.count, date.fromisoformat(said.until) if said.until is not None else None)
    except ValueError:
        raise Invalid.at("until", "This is not a date.") from None


async def join(request: web.Request) -> web.StreamResponse:
    """Register people for the whole series."""
    asked = context(request)
    said = await wire.body(request, models.NewMembers)

    async def deed(session: AsyncSession) -> Reply:
        series = await _managed(session, asked)
        added, already = await service.join(
            session, asked.rights, series, said.person_ids, now=asked.now, actor=asked.actor
        )
        members = await store.count_members(session, series.id)
        return reply(models.Members(added=added, already=already, members=members))

    return (await once(asked, deed)).written()


# --- times -------------------------------------------------------------------------------------


async def find_time(request: web.Request) -> web.StreamResponse:
    """Times at which the lecturers are free, and most participants."""
    asked = context(request)
    said = await wire.body(request, models.TimeWish)
    wish = Wish(
        minutes=said.minutes,
        lecturer_ids=tuple(said.lecturer_ids),
        unit_id=said.unit_id or "",
        person_ids=tuple(said.person_ids),
        weeks=said.weeks,
        count=said.count,
    )
    async with asked.reading() as session:
        _, zone = await office.office(session, asked.rights.institution_id)
        try:
            found = await slots.find(session, asked.rights, wish, asked.now)
        except NotFound:
            raise Invalid.at("unit_id", "Choose a unit.") from None
    items = [
        models.ProposedTime(
            starts_at=models.moment(one.starts_at, zone),
            ends_at=models.moment(one.ends_at, zone),
            busy=one.busy,
        )
        for one in found.proposals
    ]
    return reply(models.ProposedTimes(people=found.people, items=items)).written()


async def check_time(request: web.Request) -> web.StreamResponse:
    """What speaks against a time: holidays, office hours, other lectures."""
    asked = context(request)
    said = await wire.body(request, models.TimeToCheck)
    if said.ends_at <= said.starts_at:
        raise Invalid.at("ends_at", "The end has to come after the start.")
    span = (said.starts_at, said.ends_at)
    async with asked.reading() as session:
        institution = asked.rights.institution_id
        _, zone = await office.office(session, institution)
        cautions = await workdays.looked_at(session, institution, *span, asked.language)
        busy = await clashes.clashes(
            session, asked.rights, clashes.named(said.lecturer_ids), span, limit=clashes.PAGE
        )
        others = clashes.NONE
        if said.unit_id:
            try:
                path = (await people.unit(session, asked.rights, said.unit_id)).path
            except NotFound:
                raise Invalid.at("unit_id", "Choose a unit.") from None
            others = await clashes.clashes(
                session, asked.rights, clashes.of_unit(path), span, limit=clashes.PAGE
            )
    shown = models.CheckedTime(
        warnings=[wording.told(asked.language, caution) for caution in cautions],
        lecturers=_clashes(busy.shown, zone),
        participants_busy=others.people,
        participants=_clashes(others.shown, zone),
    )
    return reply(shown).written()


def _clashes(shown: Sequence[clashes.Clash], zone: str) -> list[models.Clash]:
    return [
        models.Clash(
            person_id=one.person_id,
            name=one.name,
            lecture_id=one.lecture_id or None,
            title=one.title or None,
            starts_at=models.moment(one.starts_at, zone),
            ends_at=models.moment(one.ends_at, zone),
        )
        for one in shown
    ]


_EDITION = "/series/{id}/editions/{number}"
ENDPOINTS = (
    Endpoint(
        "GET", "/series", index, "lectures:read", "List series",
        query=models.PageQuery, gives=models.SeriesList,
    ),
    Endpoint(
        "POST", "/series", create, "lectures:write", "Book a series",
        takes=models.NewSeries, gives=models.Series, status=201, errors=(409,), repeatable=True,
    ),
    Endpoint(
        "GET", "/series/{id}", show, "lectures:read", "See one series with its editions",
        gives=models.Series, errors=(404,),
    ),
    Endpoint(
        "PATCH", _EDITION, change, "lectures:write", "Change an edition, or it and all that follow",
        takes=models.EditionChange, gives=models.EditionChanged, errors=(404, 409), versioned=True,
        also_takes=(wire.MERGE_PATCH,),
    ),
    Endpoint(
        "POST", f"{_EDITION}/cancel", cancel, "lectures:write", "Call an edition off, or all that follow",
        takes=models.EditionCancellation, gives=models.EditionsCancelled, errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "POST", "/series/{id}/extend", extend, "lectures:write", "Add editions to a series",
        takes=models.Extension, gives=models.Series, errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "POST", "/series/{id}/members", join, "lectures:write", "Register people for a whole series",
        takes=models.NewMembers, gives=models.Members, errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "POST", "/times/find", find_time, "lectures:read", "Find times for a lecture",
        takes=models.TimeWish, gives=models.ProposedTimes,
    ),
    Endpoint(
        "POST", "/times/check", check_time, "lectures:read", "See what speaks against a time",
        takes=models.TimeToCheck, gives=models.CheckedTime,
    ),
)  # fmt: skip
