"""The hours of units: who has how much, who is behind, down through the tree."""

from collections.abc import Mapping

from aiohttp import web

from webinar.core import language as wording
from webinar.core.clock import to_datetime
from webinar.core.errors import Invalid
from webinar.people.rules import Employment
from webinar.reports import service, store, unit_file, unit_service
from webinar.reports.rules import DIRECT_ROWS, FileKind, Wish
from webinar.reports.unit_rules import Standing, standing
from webinar.reports.unit_service import number_of
from webinar.reports.unit_store import SORTS, Wanted
from webinar.web.context import Context, context
from webinar.web.forms import fields, whole
from webinar.web.reports import kind_of, sent
from webinar.web.site import Access, Handler, Route

PAGE = 50
FIRST_YEAR = 2000
SHOWN = ("", Standing.BEHIND, "none", Standing.ON_PACE, Standing.REACHED, Standing.EXEMPT, Standing.NO_TARGET)


async def index(request: web.Request) -> web.StreamResponse:
    """The units that one holds an office in; the only one opens at once."""
    asked = context(request)
    async with asked.reading() as session:
        tops = await unit_service.tops(session, asked.rights)
    if len(tops) == 1:
        return asked.redirect(f"/units/{tops[0].id}/hours")
    return asked.page("hours/units.html", tops=tops)


async def show(request: web.Request) -> web.StreamResponse:
    """A unit's year, its parts, and its people."""
    asked, unit_id = context(request), request.match_info["id"]
    wanted = _wanted(request.query)
    async with asked.reading() as session:
        found = await unit_service.unit_hours(
            session, asked.rights, unit_id, _year(request.query.get("year", "")), asked.now
        )
        people, more = await unit_service.page(session, asked.rights, found, wanted)
        made = await store.latest(session, asked.rights, unit_id=unit_id)
    this_year = to_datetime(asked.now, found.zone).year
    return asked.page(
        "hours/unit.html",
        found=found,
        people=people,
        made=made,
        long=found.tally.people > DIRECT_ROWS,
        more=more,
        total=None if wanted.text else number_of(found.tally, wanted.show),
        wanted=wanted,
        page_length=PAGE,
        parts=sorted(found.parts, key=lambda part: (-part.tally.share(part.tally.behind), part.name)),
        pills=[(name, number_of(found.tally, name)) for name in SHOWN],
        day_name=wording.date_long(asked.language, found.goals.day),
        this_year=this_year,
        years=range(this_year, min(this_year - 2, found.goals.year) - 1, -1),
        employments={kind.value: word for kind, word in _employments(asked).items()},
        standing_of=lambda one: standing(found.goals.of(one.employment), one.jp, exempt=one.exempt),
    )


def _at_once(kind: FileKind) -> Handler:
    """The unit's year as a file of this kind; a large one is asked for on the page, and made by and by."""

    async def handler(request: web.Request) -> web.StreamResponse:
        asked, unit_id = context(request), request.match_info["id"]
        year = _year(request.query.get("year", ""))
        async with asked.reading() as session:
            if await unit_service.count(session, asked.rights, unit_id) > DIRECT_ROWS:
                return asked.redirect(f"/units/{unit_id}/hours#files")
            found = await unit_service.unit_hours(session, asked.rights, unit_id, year, asked.now)
            people = await unit_service.everybody(session, asked.rights, found)
        return sent(await unit_file.unit_file(found, people, kind, asked.language))

    return handler


async def ask(request: web.Request) -> web.StreamResponse:
    """Have the file of a large unit made in the background."""
    asked, unit_id = context(request), request.match_info["id"]
    form = await fields(request)
    kind = kind_of(form.get("kind", ""))
    if kind is FileKind.PDF:
        raise Invalid.at("kind", "Choose one of: %(choices)s.", choices="csv, xlsx")
    async with asked.writing() as session:
        unit = await unit_service.reached(session, asked.rights, unit_id)
        goals, _home = await unit_service.goals_of(session, unit, _year(form.get("year", "")), asked.now)
        wish = Wish(kind, asked.language, None, unit_id, goals.year)
        report = await service.ask(session, asked.rights, wish, asked.now)
    return asked.redirect(f"/reports/{report.id}")


def _wanted(said: Mapping[str, str]) -> Wanted:
    show, sort = said.get("show", ""), said.get("sort", "")
    return Wanted(
        show=show if show in SHOWN else "",
        text=said.get("q", "").strip()[:200],
        sort=sort if sort in SORTS else SORTS[0],
        first=whole(said.get("from", "")),
        limit=PAGE,
    )


def _year(wish: str) -> int | None:
    return year if FIRST_YEAR <= (year := whole(wish)) < 3000 else None


def _employments(asked: Context) -> Mapping[Employment, str]:
    return {
        Employment.PNS: asked._("PNS"),
        Employment.PPPK: asked._("PPPK"),
        Employment.OTHER: asked._("From outside"),
    }


ROUTES = (
    Route("GET", "/units", index, Access.UNIT_MANAGER),
    Route("GET", "/units/{id}/hours", show, Access.UNIT_MANAGER),
    Route("GET", "/units/{id}/hours.csv", _at_once(FileKind.CSV), Access.UNIT_MANAGER),
    Route("GET", "/units/{id}/hours.xlsx", _at_once(FileKind.XLSX), Access.UNIT_MANAGER),
    Route("POST", "/units/{id}/files", ask, Access.UNIT_MANAGER),
)
