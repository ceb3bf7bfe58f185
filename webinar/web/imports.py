"""Pages of imports: upload, what is wrong, confirm, progress, result, undo."""

from aiohttp import web
from aiohttp.web_request import FileField

from webinar.core.errors import Invalid
from webinar.people import store as people
from webinar.people.access import Role
from webinar.people.importing import check, files, store, write
from webinar.people.importing.rules import ImportState, Options
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.people import unit_options
from webinar.web.site import Access, Route

# Multipart adds its own lines to the file.
BODY = files.SIZE_MOST + 64 * 1024
_BUSY = frozenset({ImportState.WRITING, ImportState.UNDOING})
EXAMPLE = (
    "nama;nip;email;unit;jenis;telepon\r\n"
    "Siti Rahma;198503122010012003;siti.rahma@kota.example;Dinas Pendidikan;PNS;081234567890\r\n"
    "Budi Santoso;;budi.santoso@kota.example;Dinas Kesehatan;lainnya;\r\n"
)


async def form(request: web.Request) -> web.StreamResponse:
    return await _form_page(context(request))


async def _form_page(
    asked: Context,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        units = await people.units(session, asked.rights, below=asked.rights.paths(Role.ORGANISER))
        latest = await store.latest(session, asked.rights)
    return asked.page(
        "people/import_form.html",
        status=status,
        units=[("", asked._("None: each row names its unit")), *unit_options(units)],
        latest=latest,
        v=values or {},
        e=errors or {},
        may_create_units=asked.rights.sees_institution and asked.rights.has(Role.ADMINISTRATOR),
    )


async def upload(request: web.Request) -> web.StreamResponse:
    """Check the file; nothing is saved of the people yet."""
    asked = context(request)
    typed = await fields(request)
    sent = (await request.post()).get("file")
    try:
        if not isinstance(sent, FileField) or not sent.filename:
            raise Invalid.at("file", "Choose a file.")
        found = await check.check(
            asked.site.database,
            asked.rights,
            content=sent.file.read(),
            file_name=sent.filename,
            now=asked.now,
            options=Options(
                default_unit_id=typed.get("unit_id", ""),
                create_units=typed.get("create_units") == "1",
                default_zone=asked.zone,
            ),
        )
    except Invalid as invalid:
        return await _form_page(asked, values=typed, errors=messages(invalid, asked._), status=422)
    return asked.redirect(f"/people/import/{found.id}")


async def show(request: web.Request) -> web.StreamResponse:
    """The preview, the progress or the result, by where the import stands."""
    asked = context(request)
    async with asked.reading() as session:
        found = await store.get(session, asked.rights, request.match_info["id"])
        if "HX-Request" in request.headers and found.state not in _BUSY:
            # The poll of the progress is over: the browser asks for the whole page anew.
            return web.Response(status=204, headers={"HX-Refresh": "true"})
        units = {unit.id: unit.name for unit in await people.units(session, asked.rights)}
    return asked.page(
        "people/import.html",
        found=found,
        units=units,
        busy=found.state in _BUSY,
        field_names=_field_names(asked),
    )


async def confirm(request: web.Request) -> web.StreamResponse:
    asked, import_id = context(request), request.match_info["id"]
    async with asked.writing() as session:
        await write.confirm(session, asked.rights, import_id, asked.now)
    return asked.redirect(f"/people/import/{import_id}")


async def discard(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    await check.discard(asked.site.database, asked.rights, request.match_info["id"])
    return asked.redirect("/people/import", asked._("Nothing was imported."), "info")


async def undo(request: web.Request) -> web.StreamResponse:
    asked, import_id = context(request), request.match_info["id"]
    async with asked.writing() as session:
        await write.start_undo(session, asked.rights, import_id, asked.now)
    return asked.redirect(f"/people/import/{import_id}")


async def example(request: web.Request) -> web.StreamResponse:
    """A small file to begin with, as Excel in Indonesia opens it at once."""
    return web.Response(
        body=EXAMPLE.encode("utf-8-sig"),
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": 'attachment; filename="pendopo-import.csv"',
        },
    )


def _field_names(asked: Context) -> dict[str, str]:
    _ = asked._
    return {
        "name": _("Name"),
        "unit_id": _("Unit"),
        "email": _("E-mail"),
        "phone": _("Telephone"),
        "nip": _("NIP"),
        "employment": _("Employment"),
        "zone": _("Time zone"),
        "language": _("Language"),
    }


ROUTES = (
    Route("GET", "/people/import", form, Access.ORGANISER),
    Route("POST", "/people/import", upload, Access.ORGANISER, body=BODY),
    Route("GET", "/people/import/example.csv", example, Access.ORGANISER),
    Route("GET", "/people/import/{id}", show, Access.ORGANISER),
    Route("POST", "/people/import/{id}/confirm", confirm, Access.ORGANISER),
    Route("POST", "/people/import/{id}/discard", discard, Access.ORGANISER),
    Route("POST", "/people/import/{id}/undo", undo, Access.ORGANISER),
)
