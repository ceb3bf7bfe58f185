"""Who is registered for a lecture: adding people, their invites and links, taking seats back."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service as classroom
from webinar.core.errors import Invalid, NotFound, Refused
from webinar.invites import owing
from webinar.invites import service as invites
from webinar.invites import store as invite_store
from webinar.invites.rules import PENDING, InviteState
from webinar.invites.service import personal_link
from webinar.lectures import booking, clashes, store
from webinar.lectures.rules import UPCOMING, Lecture, Registration, Seat
from webinar.people import store as people
from webinar.people.rules import Unit
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages, whole
from webinar.web.site import Access, Route

PAGE = 50
FOUND = 12
# Invites that are sent once more with one button; one that was put off is tried again by itself.
RESENT = frozenset({InviteState.REFUSED})


async def index(request: web.Request) -> web.StreamResponse:
    """Everybody registered, how each one's invite stands, and the ways to add people."""
    return await _page(context(request))


async def _page(
    asked: Context, *, error: str = "", missing: Sequence[str] = (), typed: str = "", status: int = 200
) -> web.Response:
    """The page, also after something that was typed could not be used as it is: then it is shown again."""
    text = asked.request.query.get("q", "").strip().lower()
    async with asked.reading() as session:
        lecture = await _managed(asked, session)
        seats = await store.registrations(session, lecture.id, active=False)
        sent = await invite_store.of_lecture(session, lecture.id)
        units = await unit_choices(asked, session)
        busy = await _busy(asked, session, lecture)
    found = [s for s in seats if text in f"{s.name} {s.email or ''} {s.unit_name}".lower()]
    start = whole(asked.request.query.get("from", ""))
    shown = found[start : start + PAGE]
    here = asked.site.settings
    links = {s.id: personal_link(here.public_url, here.link_key_bytes, s) for s in shown}
    invited = [s for s in seats if s.active and s.role is not Seat.ORGANISER]
    states = {s.id: owing.shown_of(lecture, sent.get(s.id), asked.now) for s in invited}
    return asked.page(
        "lectures/registrations.html",
        status=status,
        lecture=lecture,
        seats=shown,
        total=len(found),
        active=sum(1 for s in seats if s.active),
        participants=sum(1 for s in seats if s.active and s.role is Seat.PARTICIPANT),
        start=start,
        page_length=PAGE,
        sent=sent,
        links=links,
        invite_states=states,
        pending=sum(1 for state in states.values() if state in PENDING),
        refused=sum(1 for s in seats if s.active and s.id in sent and sent[s.id].state in RESENT),
        units=units,
        busy=busy,
        text=text,
        error=error,
        missing=missing,
        typed=typed,
    )


async def _busy(asked: Context, session: AsyncSession, lecture: Lecture) -> int:
    """How many of those registered have another lecture then; nobody, once it is over."""
    if lecture.state not in UPCOMING:
        return 0
    span = (lecture.starts_at, lecture.ends_at)
    everybody = clashes.registered([lecture.id], Seat.LECTURER, Seat.PARTICIPANT)
    return await clashes.people_busy(session, asked.rights, everybody, span, besides=[lecture.id])


async def unit_choices(asked: Context, session: AsyncSession) -> list[tuple[str, str]]:
    """Units to register as a whole, as a tree, none chosen yet."""
    units = await people.units(session, asked.rights)
    sizes = await people.people_by_unit(session, asked.rights)
    return [("", asked._("Choose a unit")), *_options(units, sizes)]


def _options(units: Sequence[Unit], sizes: Mapping[str, int]) -> list[tuple[str, str]]:
    """Units as a tree, each with the number of people in it and below it."""
    below = {u.id: sum(sizes.get(v.id, 0) for v in units if v.path.startswith(u.path)) for u in units}
    return [(u.id, "\u2003" * u.depth + f"{u.name} ({below[u.id]})") for u in units]


async def _managed(asked: Context, session: AsyncSession) -> Lecture:
    return await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


async def add(request: web.Request) -> web.StreamResponse:
    """Register a unit, a pasted list, or people that were searched and ticked."""
    asked = context(request)
    form = await fields(request)
    picked = await many(request, "person_id")
    missing: list[str] = []
    role = Seat.LECTURER if form.get("role") == Seat.LECTURER.value else Seat.PARTICIPANT
    typed = form.get("list", "")
    try:
        async with asked.writing() as session:
            lecture = await _managed(asked, session)
            wanted = picked
            if form.get("unit_id"):
                wanted = await booking.persons_of_unit(session, asked.rights, form["unit_id"])
            elif form.get("list"):
                wanted, missing = await booking.find_by_list(session, asked.rights, form["list"].split("\n"))
            done = await booking.register(
                session,
                lecture,
                wanted,
                role=role,
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
    except Invalid as invalid:
        error = "; ".join(messages(invalid, asked._).values())
        return await _page(asked, error=error, typed=typed, status=422)
    except booking.LectureFull as full:
        return await _page(asked, error=asked._(full.message), typed=typed, status=409)
    if missing:
        return await _page(asked, missing=missing, typed="\n".join(missing), status=200)
    if not wanted:
        return await _page(asked, error=asked._("Choose somebody first."), status=422)
    return asked.redirect(
        f"/lectures/{lecture.id}/registrations",
        asked._(
            "%(added)s people registered; %(already)s were registered before.",
            added=done.added,
            already=done.already,
        ),
    )


async def _seat(asked: Context, session: AsyncSession) -> tuple[Lecture, Registration]:
    lecture = await _managed(asked, session)
    seat = await store.registration(session, asked.request.match_info["registration"])
    if seat is None or seat.lecture_id != lecture.id:
        raise NotFound
    return lecture, seat


def _back(asked: Context, lecture: Lecture, text: str) -> web.Response:
    return asked.redirect(f"/lectures/{lecture.id}/registrations", text)


async def resend(request: web.Request) -> web.StreamResponse:
    """Send one person's invite once more."""
    asked = context(request)
    async with asked.writing() as session:
        lecture, seat = await _seat(asked, session)
        count = await invites.resend(session, lecture, [seat], now=asked.now, actor=asked.actor)
    if not count:
        raise NoAddress
    return _back(asked, lecture, asked._("The invite to %(name)s is sent again.", name=seat.name))


class NoAddress(Refused):
    code = "no_address"
    status = 409
    message = "This person has no e-mail address. Copy the link and send it by messenger."


async def resend_all(request: web.Request) -> web.StreamResponse:
    """Send again what was refused."""
    asked = context(request)
    async with asked.writing() as session:
        lecture = await _managed(asked, session)
        seats = await store.registrations(session, lecture.id)
        sent = await invite_store.of_lecture(session, lecture.id)
        refused = [s for s in seats if s.id in sent and sent[s.id].state in RESENT]
        count = await invites.resend(session, lecture, refused, now=asked.now, actor=asked.actor)
    return _back(asked, lecture, asked._("%(count)s invites are sent again.", count=count))


async def revoke(request: web.Request) -> web.StreamResponse:
    """Make another link: the one that was sent stops working, the new one goes out by mail."""
    asked = context(request)
    async with asked.writing() as session:
        lecture, seat = await _seat(asked, session)
        await booking.revoke_link(
            session,
            lecture,
            seat,
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
        )
        await classroom.owe_removal(session, seat, asked.now, once=True)
    text = asked._("The old link of %(name)s no longer works; a new one is on its way.", name=seat.name)
    return _back(asked, lecture, text)


async def cancel(request: web.Request) -> web.StreamResponse:
    """Take somebody's seat back."""
    asked = context(request)
    async with asked.writing() as session:
        lecture, seat = await _seat(asked, session)
        await classroom.unregister(session, lecture, seat, now=asked.now, actor=asked.actor)
    return _back(asked, lecture, asked._("The registration of %(name)s is cancelled.", name=seat.name))


async def restore(request: web.Request) -> web.StreamResponse:
    """Undo a cancelled registration."""
    asked = context(request)
    async with asked.writing() as session:
        lecture, seat = await _seat(asked, session)
        await booking.register(
            session,
            lecture,
            [seat.person_id],
            role=seat.role,
            now=asked.now,
            actor=asked.actor,
            link_key=asked.site.settings.link_key_bytes,
        )
    return _back(asked, lecture, asked._("%(name)s is registered again.", name=seat.name))


async def readmit(request: web.Request) -> web.StreamResponse:
    """Let somebody who was put out of the room come in again."""
    asked = context(request)
    async with asked.writing() as session:
        lecture, seat = await _seat(asked, session)
        await classroom.readmit(session, lecture, seat, now=asked.now, actor=asked.actor)
    return _back(asked, lecture, asked._("%(name)s may come in again.", name=seat.name))


async def pick(request: web.Request) -> web.StreamResponse:
    """People whose name, address or NIP holds the text, as boxes to tick; those ticked before stay."""
    asked = context(request)
    text = request.query.get("q", "").strip()
    name = "lecturer_id" if request.query.get("for") == "lecturer" else "person_id"
    ticked = request.query.getall(name, [])
    async with asked.reading() as session:
        kept = await people.persons_by_ids(session, asked.rights, ticked)
        found = await people.persons(session, asked.rights, text=text, limit=FOUND) if text else None
    return asked.page(
        "lectures/pick.html",
        chosen=[kept[ident] for ident in dict.fromkeys(ticked) if ident in kept],
        people=[person for person in found.people if person.id not in kept] if found else [],
        text=text,
        name=name,
    )


_ORGANISER = Access.ORGANISER
_SEAT = "/lectures/{id}/registrations/{registration}"
ROUTES = (
    Route("GET", "/lectures/people", pick, _ORGANISER),
    Route("GET", "/lectures/{id}/registrations", index, _ORGANISER),
    Route("POST", "/lectures/{id}/registrations", add, _ORGANISER),
    Route("POST", "/lectures/{id}/registrations/resend", resend_all, _ORGANISER),
    Route("POST", f"{_SEAT}/resend", resend, _ORGANISER),
    Route("POST", f"{_SEAT}/revoke", revoke, _ORGANISER),
    Route("POST", f"{_SEAT}/cancel", cancel, _ORGANISER),
    Route("POST", f"{_SEAT}/restore", restore, _ORGANISER),
    Route("POST", f"{_SEAT}/readmit", readmit, _ORGANISER),
)
