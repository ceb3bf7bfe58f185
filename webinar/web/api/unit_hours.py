"""The learning hours of a unit over the API."""

from typing import Any

from aiohttp import web

from webinar.reports import unit_service
from webinar.reports.unit_rules import Goals, Tally, standing
from webinar.reports.unit_store import Learner, Wanted
from webinar.web.api import models, paging, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.wire import reply
from webinar.web.context import context


async def show(request: web.Request) -> web.StreamResponse:
    """What a unit adds up to, its parts, and its people."""
    asked = context(request)
    wish = wire.query(request, models.UnitHoursQuery)
    place = paging.opened(wish.cursor, int)
    wanted = Wanted(
        show="" if wish.show == "all" else wish.show, first=max(0, place[0]) if place else 0, limit=wish.limit
    )
    async with asked.reading() as session:
        found = await unit_service.unit_hours(
            session, asked.rights, request.match_info["id"], wish.year, asked.now
        )
        people, more = await unit_service.page(session, asked.rights, found, wanted)
    following = paging.next_link(asked, paging.sealed(wanted.first + wanted.limit) if more else None)
    hours = models.UnitHours(
        unit_id=found.unit.id,
        unit=found.unit.name,
        year=found.goals.year,
        day=found.goals.day.isoformat(),
        target_jp=models.jp_number(found.goals.main.target),
        expected_jp=models.jp_number(found.goals.main.expected),
        total=models.UnitTally(**_tally(found.tally)),
        units=[
            models.UnitPart(unit_id=part.id, unit=part.name, **_tally(part.tally)) for part in found.parts
        ],
        ledger_entry=found.head.number,
        ledger_digest=found.head.digest,
        items=[_learner(one, found.goals) for one in people],
        next=following,
    )
    return reply(hours, link=paging.link(following)).written()


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "people": tally.people,
        "counted": tally.counted,
        "exempt": tally.exempt,
        "no_target": tally.no_target,
        "reached": tally.reached,
        "on_pace": tally.on_pace,
        "behind": tally.behind,
        "none": tally.none,
        "median_jp": models.jp_number(tally.median) if tally.median is not None else None,
    }


def _learner(one: Learner, goals: Goals) -> models.UnitLearner:
    goal = goals.of(one.employment)
    return models.UnitLearner(
        person_id=one.id,
        name=one.name,
        unit_id=one.unit_id,
        unit=one.unit_name,
        employment=one.employment,
        jp=models.jp_number(one.jp),
        target_jp=models.jp_number(goal.target),
        missing_jp=models.jp_number(max(0, goal.target - one.jp)),
        standing=standing(goal, one.jp, exempt=one.exempt).value,
    )


ENDPOINTS = (
    Endpoint(
        "GET", "/units/{id}/hours", show, "hours:read", "The learning hours of a unit's people in a year",
        query=models.UnitHoursQuery, gives=models.UnitHours, errors=(404,),
    ),
)  # fmt: skip
