"""Who is registered for a lecture, each with the personal link into the room."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service as classroom
from webinar.core.errors import FieldError, Invalid, NotFound
from webinar.lectures import booking, store
from webinar.lectures.rules import Lecture, Registration, Seat, join_url, link_token
from webinar.web.api import models, paging, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.wire import Reply, reply
from webinar.web.context import Context, context

# How the link stands in an answer until it goes out: the generation, never the link's secret.
PLACEHOLDER = "generation:"


def _out(seat: Registration) -> models.Registration:
    return models.Registration(
        id=seat.id,
        person_id=seat.person_id,
        name=seat.name,
        email=seat.email,
        unit=seat.unit_name,
        role=seat.role.value,
        state=seat.state,
        removed=seat.removed_at is not None,
        join_url=f"{PLACEHOLDER}{seat.link_generation}" if seat.active else None,
    )


def _with_links(asked: Context, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with the links themselves; they are made anew each time, and kept nowhere."""
    if "items" not in document:
        return _linked(asked, document)
    return {**document, "items": [_linked(asked, item) for item in document["items"]]}


def _linked(asked: Context, item: Mapping[str, Any]) -> Mapping[str, Any]:
    if item["join_url"] is None:
        return item
    here = asked.site.settings
    generation = int(item["join_url"].removeprefix(PLACEHOLDER))
    token = link_token(here.link_key_bytes, item["id"], generation)
    return {**item, "join_url": join_url(here.public_url, item["id"], token)}


def _written(asked: Context, found: Reply) -> web.Response:
    return Reply(found.status, _with_links(asked, found.document), found.headers).written()


async def _managed(session: AsyncSession, asked: Context) -> Lecture:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def index(request: web.Request) -> web.StreamResponse:
    """The seats of a lecture."""
    asked = context(request)
    wish = wire.query(request, models.RegistrationsQuery)
    place = paging.opened(wish.cursor, str)
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
        rows = await store.registrations(
            session,
            lecture.id,
            active=wish.state == "registered",
            after=place[0] if place else "",
            limit=wish.limit + 1,
        )
    shown, last = paging.cut(rows, wish.limit)
    following = paging.next_link(asked, paging.sealed(last.id) if last else None)
    items = [_out(seat) for seat in shown]
    found = reply(models.Registrations(items=items, next=following), link=paging.link(following))
    return _written(asked, found)


async def create(request: web.Request) -> web.StreamResponse:
    """Give people seats. The answer names all that were asked for, also those who had one."""
    asked = context(request)
    said = await wire.body(request, models.NewRegistrations)

    async def deed(session: AsyncSession) -> Reply:
        lecture = await _managed(session, asked)
        wanted = await _wanted(session, asked, said)
        done = await booking.register(
            session,
            lecture,
            wanted,
            role=Seat(said.role),
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
        )
        seats = {seat.person_id: seat for seat in await store.registrations(session, lecture.id)}
        items = [_out(seats[person_id]) for person_id in wanted]
        return reply(models.Registered(added=done.added, already=done.already, items=items), 201)

    return (await once(asked, deed, finish=lambda document: _with_links(asked, document))).written()


async def _wanted(session: AsyncSession, asked: Context, said: models.NewRegistrations) -> Sequence[str]:
    """The ids of everybody named.

    Raises:
        Invalid: names each one who does not exist.
    """
    if not said.person_ids and not said.emails:
        raise Invalid.at("person_ids", "Choose somebody first.")
    ids = list(said.person_ids)
    missing = await booking.unknown_persons(session, asked.rights, ids)
    errors = [_nobody(f"person_ids.{n}") for n, ident in enumerate(ids) if ident in missing]
    found, unknown = await booking.find_by_list(session, asked.rights, said.emails)
    lost = set(unknown)
    errors += [_nobody(f"emails.{n}") for n, email in enumerate(said.emails) if email.strip().lower() in lost]
    if errors:
        raise Invalid(errors)
    return list(dict.fromkeys([*ids, *found]))


def _nobody(field: str) -> FieldError:
    return FieldError(field, "This person does not exist.", {})


async def cancel(request: web.Request) -> web.StreamResponse:
    """Take a seat back; doing it twice is harmless."""
    asked = context(request)

    async def deed(session: AsyncSession) -> Reply:
        lecture = await _managed(session, asked)
        seat = await store.registration(session, request.match_info["registration"])
        if seat is None or seat.lecture_id != lecture.id:
            raise NotFound
        await classroom.unregister(session, lecture, seat, now=asked.now, actor=asked.actor)
        after = await store.registration(session, seat.id)
        return reply(_out(after or seat))

    return (await once(asked, deed, finish=lambda document: _with_links(asked, document))).written()


ENDPOINTS = (
    Endpoint(
        "GET", "/lectures/{id}/registrations", index, "lectures:read", "List who is registered",
        query=models.RegistrationsQuery, gives=models.Registrations, errors=(404,),
    ),
    Endpoint(
        "POST", "/lectures/{id}/registrations", create, "lectures:write", "Register people",
        takes=models.NewRegistrations, gives=models.Registered, status=201,
        errors=(404, 409), repeatable=True,
    ),
    Endpoint(
        "POST", "/lectures/{id}/registrations/{registration}/cancel", cancel, "lectures:write",
        "Cancel a registration", gives=models.Registration, errors=(404, 409), repeatable=True,
    ),
)  # fmt: skip
