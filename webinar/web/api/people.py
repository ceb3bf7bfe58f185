"""People and units over the API."""

import csv
import io

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid, NotFound
from webinar.people import service, store
from webinar.people.importing import check, write
from webinar.people.importing import store as imports
from webinar.people.importing.files import SIZE_MOST
from webinar.people.importing.rules import Options
from webinar.people.importing.store import Import
from webinar.people.rules import Person, PersonDraft
from webinar.web.api import idempotency, models, paging, wire
from webinar.web.api.endpoint import PREFIX, Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.wire import Reply, reply
from webinar.web.context import Context, context

UTC = "UTC"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# An import of JSON rows is known by this; its problems count rows without the headings.
JSON_NAME = "rows.json"
FILE_NAMES = {CSV: "people.csv", XLSX: "people.xlsx"}


async def index(request: web.Request) -> web.StreamResponse:
    """People by name."""
    asked = context(request)
    wish = wire.query(request, models.PeopleQuery)
    async with asked.reading() as session:
        unit_path = await _unit_path(session, asked, wish.unit_id)
        page = await store.persons(
            session,
            asked.rights,
            text=wish.q,
            unit_path=unit_path,
            active={"true": True, "false": False, "all": None}[wish.active],
            after=wish.cursor,
            limit=wish.limit,
        )
    following = paging.next_link(asked, page.next)
    shown = models.People(items=[person_out(asked, p) for p in page.people], next=following)
    return reply(shown, link=paging.link(following)).written()


async def _unit_path(session: AsyncSession, asked: Context, unit_id: str | None) -> str | None:
    try:
        return (await store.unit(session, asked.rights, unit_id)).path if unit_id else None
    except NotFound:
        raise Invalid.at("unit_id", "Choose a unit.") from None


def person_out(asked: Context, person: Person) -> models.Person:
    """A person as a key may see them: NIP and telephone only with people:read."""
    private = {}
    if asked.rights.allows("people:read") and person.private_seen:
        private = {"nip": person.nip, "phone": person.phone}
    return models.Person(
        id=person.id,
        name=person.name,
        email=person.email,
        unit_id=person.unit_id,
        unit=person.unit_name,
        employment=person.employment.value,
        zone=person.zone,
        language=person.language,
        active=person.active,
        version=person.version,
        created_at=models.moment(person.created_at, UTC),
        **private,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """One person."""
    asked = context(request)
    async with asked.reading() as session:
        person = await store.person(session, asked.rights, request.match_info["id"])
    return reply(person_out(asked, person), version=person.version).written()


async def create(request: web.Request) -> web.StreamResponse:
    """A new person."""
    asked = context(request)
    said = await wire.body(request, models.NewPerson)

    async def deed(session: AsyncSession) -> Reply:
        await _unit_path(session, asked, said.unit_id)
        draft = PersonDraft(**said.model_dump())
        person = await service.create_person(session, asked.rights, draft, asked.now)
        place = f"{PREFIX}/people/{person.id}"
        return reply(person_out(asked, person), 201, location=place, version=person.version)

    return (await once(asked, deed)).written()


async def units(request: web.Request) -> web.StreamResponse:
    """The units of the institution, each before those below it."""
    asked = context(request)
    wish = wire.query(request, models.PageQuery)
    place = paging.opened(wish.cursor, str)
    async with asked.reading() as session:
        found = await store.units(session, asked.rights)
    start = next((n for n, u in enumerate(found, 1) if place and u.id == place[0]), 0)
    shown, last = paging.cut(found[start : start + wish.limit + 1], wish.limit)
    following = paging.next_link(asked, paging.sealed(last.id) if last else None)
    items = [models.Unit(id=u.id, parent_id=u.parent_id, code=u.code, name=u.name) for u in shown]
    return reply(models.Units(items=items, next=following), link=paging.link(following)).written()


# --- import ------------------------------------------------------------------------------------


async def start_import(request: web.Request) -> web.StreamResponse:
    """Check a table of people, and have its right rows written."""
    asked = context(request)
    wish = wire.query(request, models.ImportQuery)
    if kept := await idempotency.kept(asked):
        return kept.written()
    content, name = await _table(request)
    options = Options(default_unit_id=wish.default_unit_id or "")
    try:
        checked = await check.check(
            asked.site.database, asked.rights, content=content, file_name=name, now=asked.now, options=options
        )
    except NotFound:
        raise Invalid.at("default_unit_id", "Choose a unit.") from None
    wanted = wish.write == "right_rows" or (wish.write == "only_if_all_right" and not checked.summary.wrong)

    async def deed(session: AsyncSession) -> Reply:
        found = checked
        if wanted:
            found = await write.confirm(session, asked.rights, checked.id, asked.now)
        return _import_reply(asked, found, 202 if wanted else 200)

    return (await once(asked, deed)).written()


async def _table(request: web.Request) -> tuple[bytes, str]:
    """The body as a file that the import reads, and the file's name."""
    if name := FILE_NAMES.get(request.content_type):
        return await request.read(), name
    if request.content_type != "application/json":
        raise wire.WrongMediaType(expected=f"application/json, {CSV}, {XLSX}")
    said = wire.body_of(await request.read(), models.NewImport)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(models.ImportRow.model_fields))
    table.writeheader()
    table.writerows(row.model_dump() for row in said.rows)
    return text.getvalue().encode(), JSON_NAME


async def show_import(request: web.Request) -> web.StreamResponse:
    """How an import stands; only for the key that started it."""
    asked = context(request)
    async with asked.reading() as session:
        found = await imports.get(session, asked.rights, request.match_info["id"])
    return _import_reply(asked, found, 200).written()


def _import_reply(asked: Context, found: Import, status: int) -> Reply:
    seen, headings = found.summary, 1 if found.file_name == JSON_NAME else 0
    shown = models.Import(
        id=found.id,
        state=found.state.value,
        rows=found.rows,
        new=seen.new,
        changed=seen.changed,
        unchanged=seen.unchanged,
        wrong=seen.wrong,
        written=found.written,
        created=found.created,
        updated=found.updated,
        problems=[
            models.RowProblem(
                row=p.row - headings,
                column=p.column,
                detail=_told(asked, p.message, p.fields, headings),
                value=p.value,
            )
            for p in found.problems
        ],
        problems_total=seen.wrong_total,
        created_at=models.moment(found.created_at, UTC),
        finished_at=models.moment(found.finished_at, UTC) if found.finished_at else None,
    )
    return reply(shown, status, location=f"{PREFIX}/people/imports/{found.id}")


def _told(asked: Context, message: str, fields: object, headings: int) -> str:
    """The problem in words; another row that it names is counted in the same way."""
    values = dict(fields) if isinstance(fields, dict) else {}
    if isinstance(row := values.get("row"), int):
        values["row"] = row - headings
    return asked._(message, **values)


ENDPOINTS = (
    Endpoint(
        "GET", "/units", units, "people:read", "List the units of the institution",
        query=models.PageQuery, gives=models.Units,
    ),
    Endpoint(
        "GET", "/people", index, "people:read", "List or search people",
        query=models.PeopleQuery, gives=models.People,
    ),
    Endpoint(
        "POST", "/people", create, "people:write", "Add a person",
        takes=models.NewPerson, gives=models.Person, status=201, errors=(409,), repeatable=True,
    ),
    Endpoint(
        "POST", "/people/import", start_import, "people:write", "Import a table of people",
        takes=models.NewImport, query=models.ImportQuery, gives=models.Import, status=202,
        errors=(409,), repeatable=True, also_takes=(CSV, XLSX), body=SIZE_MOST,
    ),
    Endpoint(
        "GET", "/people/imports/{id}", show_import, "people:write", "See how an import stands",
        gives=models.Import, errors=(404,),
    ),
    Endpoint(
        "GET", "/people/{id}", show, "people:read", "See one person", gives=models.Person, errors=(404,)
    ),
)  # fmt: skip
