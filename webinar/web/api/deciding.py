"""Adjustments, contests and year targets over the API."""

from collections.abc import Sequence
from decimal import Decimal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid
from webinar.hours import adjustments, contest_store, contests, store
from webinar.hours.adjust_rules import FULL, PRESENT, Adjustment, To, by_registration, standing, value
from webinar.hours.contest_rules import Contest, ContestState
from webinar.hours.target_rules import Target
from webinar.hours.targets import targets, write_targets
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.people.rules import Employment
from webinar.web.api import models, paging, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.wire import Reply, reply
from webinar.web.context import Context, context


async def _managed(session: AsyncSession, asked: Context) -> Lecture:
    return await lectures.get(session, asked.rights, asked.request.match_info["id"], to_change=True)


def _to(kind: str, jp: Decimal | None) -> To:
    if kind != "value":
        return FULL if kind == "full" else PRESENT
    if jp is None:
        raise Invalid.at("jp", "This field is missing.")
    return value(int(jp * 100))


# --- adjustments -------------------------------------------------------------------------------


async def adjusted(request: web.Request) -> web.StreamResponse:
    """Everything that was adjusted in a lecture, what was taken back too."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await _managed(session, asked)
        found = await store.history(session, lecture.id)
    return reply(_adjustments(lecture, found, found)).written()


def _adjustments(
    lecture: Lecture, shown: Sequence[Adjustment], history: Sequence[Adjustment]
) -> models.Adjustments:
    tops = {top.id for of in by_registration(history).values() if (top := standing(of))}
    return models.Adjustments(
        items=[
            models.Adjustment(
                id=one.id,
                batch_id=one.batch_id,
                registration_id=one.registration_id,
                person_id=one.person_id,
                before_jp=models.jp_number(one.before_jp),
                after_jp=models.jp_number(one.after_jp),
                reason=one.reason,
                author_id=one.author_id,
                at=models.moment(one.at, lecture.zone),
                undoes=one.undoes,
                list_id=one.list_id,
                contest_id=one.contest_id,
                counts=one.id in tops,
            )
            for one in shown
        ]
    )


async def adjust(request: web.Request) -> web.StreamResponse:
    """Give people a value; of who has it already nothing is written."""
    asked = context(request)
    said = await wire.body(request, models.NewAdjustments)
    seen = {one.registration_id: int(one.seen_jp * 100) for one in said.items}

    async def deed(session: AsyncSession) -> Reply:
        lecture = await _managed(session, asked)
        done = await adjustments.adjust(
            session, asked.rights, lecture.id,
            seen=seen, to=_to(said.to, said.jp), reason=said.reason, now=asked.now,
        )  # fmt: skip
        return reply(_adjustments(lecture, done.made, done.made), 201)

    return (await once(asked, deed)).written()


async def undo(request: web.Request) -> web.StreamResponse:
    """Take back one adjustment, or a whole deed."""
    asked = context(request)
    said = await wire.body(request, models.Undo)
    if (said.adjustment_id is None) is (said.batch_id is None):
        raise Invalid.at("adjustment_id", "Name either an adjustment or a batch.")

    async def deed(session: AsyncSession) -> Reply:
        lecture = await _managed(session, asked)
        done = await adjustments.undo(
            session, asked.rights, lecture.id,
            adjustment_id=said.adjustment_id or "", batch_id=said.batch_id or "",
            reason=said.reason, now=asked.now,
        )  # fmt: skip
        history = await store.history(session, lecture.id)
        return reply(_adjustments(lecture, done.made, history), 201)

    return (await once(asked, deed)).written()


# --- contests ----------------------------------------------------------------------------------


async def contested(request: web.Request) -> web.StreamResponse:
    """Contests, the oldest first."""
    asked = context(request)
    wish = wire.query(request, models.ContestsQuery)
    async with asked.reading() as session:
        rows = await contest_store.listed(
            session,
            asked.rights,
            lecture_id=wish.lecture_id,
            state=ContestState(wish.state) if wish.state else None,
            after=paging.opened(wish.cursor, int, str),
            limit=wish.limit + 1,
        )
    shown, last = paging.cut(rows, wish.limit)
    sealed = paging.sealed(last.contest.opened_at, last.contest.id) if last else None
    following = paging.next_link(asked, sealed)
    items = [_contest(one.contest, one.zone) for one in shown]
    return reply(models.Contests(items=items, next=following), link=paging.link(following)).written()


def _contest(one: Contest, zone: str) -> models.Contest:
    return models.Contest(
        id=one.id,
        lecture_id=one.lecture_id,
        registration_id=one.registration_id,
        person_id=one.person_id,
        text=one.text,
        state=one.state.value,
        jp=models.jp_number(one.jp),
        opened_at=models.moment(one.opened_at, zone),
        decided_at=models.moment(one.decided_at, zone) if one.decided_at is not None else None,
        decision=one.decision,
    )


async def accept(request: web.Request) -> web.StreamResponse:
    """Agree with a participant; the value is adjusted."""
    asked = context(request)
    said = await wire.body(request, models.Acceptance)

    async def deed(session: AsyncSession) -> Reply:
        done = await contests.accept(
            session, asked.rights, request.match_info["id"],
            to=_to(said.to, said.jp), seen=int(said.seen_jp * 100), reason=said.reason, now=asked.now,
        )  # fmt: skip
        return await _decided(session, done)

    return (await once(asked, deed)).written()


async def refuse(request: web.Request) -> web.StreamResponse:
    """Keep the value, and say why."""
    asked = context(request)
    said = await wire.body(request, models.Refusal)

    async def deed(session: AsyncSession) -> Reply:
        done = await contests.refuse(
            session, asked.rights, request.match_info["id"], reason=said.reason, now=asked.now
        )
        return await _decided(session, done)

    return (await once(asked, deed)).written()


async def _decided(session: AsyncSession, done: Contest) -> Reply:
    lecture = await lectures.find(session, done.lecture_id)
    return reply(_contest(done, lecture.zone if lecture else "UTC"))


# --- year targets ------------------------------------------------------------------------------


async def year_targets(request: web.Request) -> web.StreamResponse:
    """What is expected of people in a year, by employment."""
    asked = context(request)
    async with asked.reading() as session:
        return (await _targets(session, asked)).written()


async def set_year_target(request: web.Request) -> web.StreamResponse:
    """Change one of them; hours on record are only compared with other numbers."""
    asked = context(request)
    said = await wire.body(request, models.NewYearTarget)
    most = None if said.most_jp is None else round(said.most_jp * 100)
    wanted = {Employment(said.employment): Target(round(said.target_jp * 100), most)}

    async def deed(session: AsyncSession) -> Reply:
        await write_targets(session, asked.rights, wanted, asked.now)
        return await _targets(session, asked)

    return (await once(asked, deed)).written()


async def _targets(session: AsyncSession, asked: Context) -> Reply:
    found = await targets(session, asked.rights.institution_id)
    items = [
        models.YearTarget(
            employment=kind,
            target_jp=models.jp_number(one.target),
            most_jp=None if one.most is None else models.jp_number(one.most),
        )
        for kind, one in found.items()
    ]
    return reply(models.YearTargets(items=items))


_SETTLING = (404, 409, 412)
ENDPOINTS = (
    Endpoint(
        "GET", "/lectures/{id}/adjustments", adjusted, "hours:read", "What was adjusted in a lecture",
        gives=models.Adjustments, errors=(404,),
    ),
    Endpoint(
        "POST", "/lectures/{id}/adjustments", adjust, "hours:write", "Adjust what counts",
        takes=models.NewAdjustments, gives=models.Adjustments, status=201, errors=_SETTLING, repeatable=True,
    ),
    Endpoint(
        "POST", "/lectures/{id}/adjustments/undo", undo, "hours:write", "Take adjustments back",
        takes=models.Undo, gives=models.Adjustments, status=201, errors=_SETTLING, repeatable=True,
    ),
    Endpoint(
        "GET", "/contests", contested, "hours:read", "List contests",
        query=models.ContestsQuery, gives=models.Contests,
    ),
    Endpoint(
        "POST", "/contests/{id}/accept", accept, "hours:write", "Accept a contest",
        takes=models.Acceptance, gives=models.Contest, errors=_SETTLING, repeatable=True,
    ),
    Endpoint(
        "POST", "/contests/{id}/refuse", refuse, "hours:write", "Refuse a contest",
        takes=models.Refusal, gives=models.Contest, errors=_SETTLING, repeatable=True,
    ),
    Endpoint(
        "GET", "/year-targets", year_targets, "hours:read", "Year targets by employment",
        gives=models.YearTargets,
    ),
    Endpoint(
        "POST", "/year-targets", set_year_target, "hours:write", "Change a year target",
        takes=models.NewYearTarget, gives=models.YearTargets, repeatable=True,
    ),
)  # fmt: skip
