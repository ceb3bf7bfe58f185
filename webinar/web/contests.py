"""Contesting a value, and deciding about it."""

from collections.abc import Mapping

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.core.errors import Invalid, NotFound, Refused
from webinar.hours import contest_store, contests, store
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged
from webinar.hours.contest_rules import (
    LONGEST_TEXT,
    ContestClosed,
    ContestOpen,
    ContestState,
    ContestTooLate,
    contest_until,
    contestable,
)
from webinar.hours.contest_store import Contested
from webinar.lectures import store as lectures
from webinar.policies.wording import joined
from webinar.web.amounts import seen, wanted
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route


async def own(request: web.Request) -> web.StreamResponse:
    """The own value of a lecture with its reason, what was contested, and the form to contest it."""
    return await _own_page(context(request))


async def _own_page(
    asked: Context, *, typed: str = "", errors: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, asked.request.match_info["id"])
        entry = await attendance.of_person(session, lecture, asked.signed_in.id, asked.now)
        if entry is None:
            if asked.request.method == "POST":
                raise NotFound
            # Who has no seat and may see it organises it.
            return asked.redirect(f"/lectures/{lecture.id}/contests")
        seat = entry.registration
        changed = (await store.effective_of(session, [seat.id])).get(seat.id)
        before = (await contest_store.of_registrations(session, [seat.id])).get(seat.id, [])
        names = await store.authors(session, [one.decided_by for one in before if one.decided_by])
    return asked.page(
        "hours/contest.html",
        status=status,
        lecture=lecture,
        jp=changed.jp if changed else entry.credit.jp,
        changed=changed,
        state=entry.credit.state.value,
        why=joined(asked.language, entry.credit.why, lecture.zone),
        contests=before,
        names=names,
        may_contest=contestable(lecture, asked.now)
        and not any(one.state is ContestState.OPEN for one in before),
        until=contest_until(lecture),
        longest=LONGEST_TEXT,
        typed=typed,
        e=errors or {},
    )


async def submit(request: web.Request) -> web.StreamResponse:
    """Contest the own value."""
    asked = context(request)
    text = (await fields(request)).get("text", "")
    lecture_id = request.match_info["id"]
    try:
        async with asked.writing() as session:
            await contests.contest(session, asked.rights, lecture_id, text=text, now=asked.now)
    except Invalid as invalid:
        return await _own_page(asked, typed=text, errors=messages(invalid, asked._), status=422)
    except (ContestOpen, ContestTooLate) as refused:
        errors = {"text": asked._(refused.message, **refused.fields)}
        return await _own_page(asked, typed=text, errors=errors, status=409)
    return asked.redirect(
        f"/lectures/{lecture_id}/contest", asked._("An organiser is told. You get a mail when it is decided.")
    )


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take the own contest back."""
    asked = context(request)
    async with asked.writing() as session:
        done = await contests.withdraw(session, asked.rights, request.match_info["id"], asked.now)
    return asked.redirect(f"/lectures/{done.lecture_id}/contest", asked._("The contest is withdrawn."))


# --- organisers --------------------------------------------------------------------------------


async def index(request: web.Request) -> web.StreamResponse:
    """Every open contest of the lectures that the asker manages, the oldest first."""
    return await _list_page(context(request))


async def of_lecture(request: web.Request) -> web.StreamResponse:
    """All contests of one lecture."""
    return await _list_page(context(request), request.match_info["id"])


async def _list_page(
    asked: Context,
    lecture_id: str | None = None,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        lecture = None
        if lecture_id is not None:
            lecture = await lectures.get(session, asked.rights, lecture_id, to_change=True)
        state = None if lecture else ContestState.OPEN
        found = await contest_store.listed(session, asked.rights, lecture_id=lecture_id, state=state)
        current = await _values(session, found)
    return asked.page(
        "hours/contests.html",
        status=status,
        lecture=lecture,
        waiting=[one for one in found if one.contest.state is ContestState.OPEN],
        decided=[one for one in found if one.contest.state is not ContestState.OPEN],
        current=current,
        typed=typed or {},
        errors=errors or {},
    )


async def _values(session: AsyncSession, found: list[Contested]) -> dict[str, int]:
    """What counts now, by contest."""
    changed = await store.effective_of(session, [one.contest.registration_id for one in found])
    computed = await store.computed_of(session, [one.contest.registration_id for one in found])
    values = {}
    for one in found:
        id = one.contest.registration_id
        values[one.contest.id] = changed[id].jp if id in changed else computed.get(id, one.contest.jp)
    return values


async def accept(request: web.Request) -> web.StreamResponse:
    """Agree, with the value that shall count and a reason."""
    asked = context(request)
    form = await fields(request)
    try:
        async with asked.writing() as session:
            done = await contests.accept(
                session,
                asked.rights,
                request.match_info["id"],
                to=wanted(form.get("jp_kind", ""), form.get("jp", "")),
                seen=seen(form.get("seen", "")),
                reason=form.get("reason", ""),
                now=asked.now,
            )
    except (Invalid, ValuesChanged, NothingToDo) as refused:
        return await _again(asked, form, refused)
    except ContestClosed as refused:
        return await _late(asked, refused)
    return asked.redirect(
        f"/lectures/{done.lecture_id}/contests", asked._("Accepted. The participant is told.")
    )


async def refuse(request: web.Request) -> web.StreamResponse:
    """Keep the value, with a reason."""
    asked = context(request)
    form = await fields(request)
    try:
        async with asked.writing() as session:
            done = await contests.refuse(
                session, asked.rights, request.match_info["id"], reason=form.get("reason", ""), now=asked.now
            )
    except Invalid as refused:
        return await _again(asked, form, refused)
    except ContestClosed as refused:
        return await _late(asked, refused)
    return asked.redirect(
        f"/lectures/{done.lecture_id}/contests", asked._("Refused. The participant is told.")
    )


async def _again(asked: Context, form: Mapping[str, str], refused: Refused) -> web.Response:
    """The page once more, with what was typed at its contest."""
    said = (
        messages(refused, asked._)
        if isinstance(refused, Invalid)
        else {
            "jp": asked._(refused.message, **refused.fields) if refused.fields else asked._(refused.message)
        }
    )
    id = asked.request.match_info["id"]
    typed = {**form, "id": id}
    lecture_id = await _lecture_of(asked, id)
    return await _list_page(asked, lecture_id, typed=typed, errors=said, status=refused.status)


async def _late(asked: Context, refused: ContestClosed) -> web.Response:
    lecture_id = await _lecture_of(asked, asked.request.match_info["id"])
    return asked.redirect(f"/lectures/{lecture_id}/contests", asked._(refused.message), "warning")


async def _lecture_of(asked: Context, contest_id: str) -> str:
    async with asked.reading() as session:
        found = await contest_store.find(session, contest_id)
    if found is None:
        raise NotFound
    return found.lecture_id


ROUTES = (
    Route("GET", "/lectures/{id}/contest", own, Access.SIGNED_IN),
    Route("POST", "/lectures/{id}/contest", submit, Access.SIGNED_IN),
    Route("POST", "/contests/{id}/withdraw", withdraw, Access.SIGNED_IN),
    Route("GET", "/contests", index, Access.ORGANISER),
    Route("GET", "/lectures/{id}/contests", of_lecture, Access.ORGANISER),
    Route("POST", "/contests/{id}/accept", accept, Access.ORGANISER),
    Route("POST", "/contests/{id}/refuse", refuse, Access.ORGANISER),
)
