"""Trying another policy on a lecture that is over, before it is used for the next ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from webinar.attendance import service
from webinar.attendance.trial_rules import compared
from webinar.attendance.wording import why
from webinar.core.errors import Invalid
from webinar.lectures import store as lectures
from webinar.lectures.rules import LectureState
from webinar.policies import store as policies
from webinar.policies.rules import Kind, Policy, checked
from webinar.policies.wording import promise
from webinar.web.context import Context, context
from webinar.web.forms import messages, whole
from webinar.web.site import Access, Route

OVER = (LectureState.ENDED, LectureState.FINAL, LectureState.ARCHIVED)
# What can be typed beside a policy that is there: the values that are most often argued about.
TYPED = ("threshold_percent", "minutes_per_jp", "tolerance_s", "grace_s", "checks_needed")
MINUTE_S = 60
MOST_SHOWN = 200


async def show(request: web.Request) -> web.StreamResponse:
    """ "With 75 % it would have been 361 instead of 341": nothing is stored, nobody is told."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, request.match_info["id"], to_change=True)
        known = await policies.current(session, asked.rights)
        found = await service.gather(session, lecture) if lecture.state in OVER else None
    if found is None:
        return asked.page("policies/try_early.html", lecture=lecture)
    chosen = next((one for one in known if one.id == request.query.get("policy")), found.policy)
    errors: dict[str, str] = {}
    try:
        wanted = checked(_wanted(chosen, request.query))
    except Invalid as invalid:
        wanted, errors = chosen, messages(invalid, asked._)
    before, after = await asyncio.to_thread(found.tried, wanted, asked.now)
    result = compared(before, after)
    return asked.page(
        "policies/try.html",
        status=422 if errors else 200,
        lecture=lecture,
        own=found.policy,
        own_promise=promise(asked.language, found.policy, lecture.jp, found.window.seconds),
        wanted=wanted,
        wanted_promise=promise(asked.language, wanted, lecture.jp, found.window.seconds),
        policies=_options(asked, known, found.policy),
        result=result,
        shown=[
            (change, why(asked.language, change.after.credit, lecture.zone))
            for change in result.changes[:MOST_SHOWN]
        ],
        v=_values(wanted) | {name: request.query[name] for name in TYPED if name in request.query},
        e=errors,
        evidence_gone=bool(before.entries) and not found.evidence.events and not found.evidence.sweeps,
    )


def _options(asked: Context, known: list[Policy], own: Policy) -> list[tuple[str, str]]:
    """The institution's policies; the lecture's own version where it is no longer the newest."""
    options = [(one.id, one.name) for one in known]
    return options if own.id in dict(options) else [(own.id, own.name), *options]


def _values(policy: Policy) -> dict[str, str]:
    minutes = {"tolerance_s": f"{policy.tolerance_s / MINUTE_S:g}"}
    return {name: str(getattr(policy, name) or 0) for name in TYPED} | minutes | {"policy": policy.id}


def _wanted(policy: Policy, query: Mapping[str, str]) -> Policy:
    """The policy with what was typed in its place; what is no number is refused at its field."""
    typed = {name: whole(query[name].strip(), -1) for name in TYPED if query.get(name, "").strip()}
    if "tolerance_s" in typed:
        typed["tolerance_s"] *= MINUTE_S
    if policy.kind is Kind.PROPORTIONAL:
        typed.pop("threshold_percent", None)
    return replace(policy, **typed)  # type: ignore[arg-type]  # names of numbers


ROUTES = (Route("GET", "/lectures/{id}/attendance/try", show, Access.ORGANISER),)
