"""Files about a lecture: short ones at once, long ones made in the background and fetched later."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid
from webinar.lectures import store as lectures
from webinar.people import store as people
from webinar.people.access import Role
from webinar.reports import collect, files, service, store
from webinar.reports.files import File
from webinar.reports.rules import BUSY, DIRECT_ROWS, FileKind, Wish
from webinar.web.context import Context, context
from webinar.web.forms import fields
from webinar.web.people import unit_options
from webinar.web.site import Access, Handler, Route


def sent(file: File) -> web.Response:
    """A file to be kept; in one piece, so that it gets the headers of every answer."""
    return web.Response(
        body=file.content,
        headers={
            "Content-Type": file.content_type,
            "Content-Disposition": f'attachment; filename="{file.name}"',
        },
    )


async def as_csv(request: web.Request) -> web.StreamResponse:
    """The attendance log as a table for programs, of any length."""
    asked = context(request)
    async with asked.reading() as session:
        found = await collect.attendance_list(session, asked.rights, request.match_info["id"], asked.now)
    return sent(await files.attendance_file(found, FileKind.CSV, asked.language))


async def intervals(request: web.Request) -> web.StreamResponse:
    """Each stay of each person as a table for programs."""
    asked = context(request)
    async with asked.reading() as session:
        found = await collect.attendance_list(session, asked.rights, request.match_info["id"], asked.now)
    return sent(await files.intervals_csv(found))


def _at_once(kind: FileKind) -> Handler:
    """The list as a file of this kind; where it is long, the page on which it can be asked for."""

    async def handler(request: web.Request) -> web.StreamResponse:
        asked, lecture_id = context(request), request.match_info["id"]
        async with asked.reading() as session:
            await lectures.get(session, asked.rights, lecture_id, to_change=True)
            if await collect.count(session, lecture_id) > DIRECT_ROWS:
                return asked.redirect(f"/lectures/{lecture_id}/exports?kind={kind.value}")
            found = await collect.attendance_list(session, asked.rights, lecture_id, asked.now)
        return sent(await files.attendance_file(found, kind, asked.language))

    return handler


as_xlsx, as_pdf = _at_once(FileKind.XLSX), _at_once(FileKind.PDF)


async def exports(request: web.Request) -> web.StreamResponse:
    """What can be had of a lecture, and the files that were made of it."""
    asked, lecture_id = context(request), request.match_info["id"]
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, lecture_id, to_change=True)
        rows = await collect.count(session, lecture_id)
        made = await store.latest(session, asked.rights, lecture_id=lecture_id)
        units = await people.units(session, asked.rights, below=asked.rights.paths(Role.ORGANISER))
    return asked.page(
        "reports/lecture.html",
        lecture=lecture,
        rows=rows,
        long=rows > DIRECT_ROWS,
        made=made,
        kind=request.query.get("kind", ""),
        units=[("", asked._("Everybody")), *unit_options(units)],
    )


async def ask(request: web.Request) -> web.StreamResponse:
    """Have a list made in the background."""
    asked, lecture_id = context(request), request.match_info["id"]
    form = await fields(request)
    wish = Wish(kind_of(form.get("kind", "")), asked.language, lecture_id, form.get("unit", ""))
    async with asked.writing() as session:
        if wish.unit_id:
            await people.unit(session, asked.rights, wish.unit_id)
        report = await service.ask(session, asked.rights, wish, asked.now)
    return asked.redirect(f"/reports/{report.id}")


def kind_of(word: str) -> FileKind:
    """What a form names. Raises Invalid for anything else."""
    try:
        return FileKind(word)
    except ValueError as error:
        raise Invalid.at("kind", "Choose one of: %(choices)s.", choices=", ".join(FileKind)) from error


async def show(request: web.Request) -> web.StreamResponse:
    """How far a file is, or the link to it."""
    asked = context(request)
    async with asked.reading() as session:
        report = await service.get(session, asked.rights, request.match_info["id"])
        about, back = await _about(asked, session, report.wish)
    if "HX-Request" in request.headers and report.state not in BUSY:
        # The poll of the progress is over: the browser asks for the whole page anew.
        return web.Response(status=204, headers={"HX-Refresh": "true"})
    return asked.page("reports/report.html", report=report, busy=report.state in BUSY, about=about, back=back)


async def _about(asked: Context, session: AsyncSession, wish: Wish) -> tuple[str, str]:
    """The title of what it is about, and the page it was asked for on."""
    if wish.lecture_id is None:
        unit = await people.unit(session, asked.rights, wish.unit_id)
        return f"{unit.name} · {wish.year}", f"/units/{unit.id}/hours?year={wish.year}"
    lecture = await lectures.get(session, asked.rights, wish.lecture_id)
    return lecture.title, f"/lectures/{lecture.id}/exports"


async def fetch(request: web.Request) -> web.StreamResponse:
    """The file."""
    asked = context(request)
    async with asked.reading() as session:
        file = await service.fetch(session, asked.rights, request.match_info["id"], asked.now)
    return sent(file)


ROUTES = (
    Route("GET", "/lectures/{id}/attendance.csv", as_csv, Access.ORGANISER),
    Route("GET", "/lectures/{id}/attendance.xlsx", as_xlsx, Access.ORGANISER),
    Route("GET", "/lectures/{id}/attendance.pdf", as_pdf, Access.ORGANISER),
    Route("GET", "/lectures/{id}/intervals.csv", intervals, Access.ORGANISER),
    Route("GET", "/lectures/{id}/exports", exports, Access.ORGANISER),
    Route("POST", "/lectures/{id}/exports", ask, Access.ORGANISER),
    Route("GET", "/reports/{id}", show, Access.SIGNED_IN),
    Route("GET", "/reports/{id}/file", fetch, Access.SIGNED_IN),
)
