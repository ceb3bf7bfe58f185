"""Evidence that came after a lecture was settled: what it would give, and accepting it."""

from collections.abc import Mapping

from aiohttp import web

from webinar.core.errors import Invalid, Refused
from webinar.hours import proposals
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged
from webinar.lectures import store as lectures
from webinar.web.amounts import seen
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages
from webinar.web.site import Access, Route


async def index(request: web.Request) -> web.StreamResponse:
    """Whom the evidence of today would give another value than counts."""
    return await _page(context(request))


async def _page(
    asked: Context, *, reason: str = "", errors: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, asked.request.match_info["id"], to_change=True)
        found = await proposals.proposals(session, lecture)
    return asked.page(
        "hours/late.html",
        status=status,
        lecture=lecture,
        proposals=sorted(found, key=lambda one: one.name.casefold()),
        reason=reason,
        e=errors or {},
    )


async def accept(request: web.Request) -> web.StreamResponse:
    """Adjust those who were ticked to what is proposed for them."""
    asked = context(request)
    form = await fields(request)
    ticked = await many(request, "registration_id")
    reason = form.get("reason", "")
    lecture_id = request.match_info["id"]
    try:
        async with asked.writing() as session:
            done = await proposals.accept(
                session,
                asked.rights,
                lecture_id,
                seen={id: seen(form.get(f"seen.{id}", "")) for id in ticked},
                reason=reason,
                now=asked.now,
            )
    except (Invalid, ValuesChanged, NothingToDo) as refused:
        return await _page(asked, reason=reason, errors=_told(asked, refused), status=refused.status)
    return asked.redirect(
        f"/lectures/{lecture_id}/late-evidence",
        asked._("JP of %(people)s people adjusted", people=len(done.made)),
    )


def _told(asked: Context, refused: Refused) -> Mapping[str, str]:
    if isinstance(refused, Invalid):
        return messages(refused, asked._)
    said = asked._(refused.message, **refused.fields) if refused.fields else asked._(refused.message)
    return {"proposals": said}


ROUTES = (
    Route("GET", "/lectures/{id}/late-evidence", index, Access.ORGANISER),
    Route("POST", "/lectures/{id}/late-evidence", accept, Access.ORGANISER),
)
