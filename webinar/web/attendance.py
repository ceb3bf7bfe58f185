"""The attendance review of a lecture: what is stored, filtered, sorted, by pages; and the official time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import hdrs, web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service
from webinar.attendance.credit_rules import earns
from webinar.attendance.curve_rules import Bar, bar
from webinar.attendance.tallies import Shown, Tallies
from webinar.core.errors import Invalid
from webinar.core.language import Language
from webinar.evidence import checks
from webinar.hours import review
from webinar.hours import service as hours
from webinar.hours.adjust_rules import ADJUSTABLE
from webinar.hours.review import Reviewed
from webinar.hours.review_rules import PAGE, Line, Show, Sort, Wish, met
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.rules import IN_SESSION, Lecture, Window
from webinar.policies import store as policies
from webinar.policies.rules import Policy, sentence
from webinar.policies.wording import joined, told
from webinar.web import windows
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route

# How often a page of a lecture under way asks for what is new, in ms.
REFRESH_MS = 30_000


@dataclass(frozen=True, slots=True)
class Row:
    """One registered person as the page shows them."""

    line: Line
    bar: Bar
    why: str
    earns: bool


async def log(request: web.Request) -> web.StreamResponse:
    """Each person's intervals, minutes and JP, absentees too, and in a sentence why."""
    return await log_page(context(request))


async def log_page(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """The review as a page; with what was typed and what is wrong with it."""
    lecture, shown = await _stored(asked)
    wish = Wish.of(asked.request.query)
    async with asked.reading() as session:
        found = await _reviewed(session, asked, lecture, shown, wish)
        lecturers = (await lectures.lecturers_of(session, [lecture.id]))[lecture.id]
        head = await hours.head_of(session, lecture.institution_id)
        window = await lectures.window_of(session, lecture)
    return asked.page(
        "attendance/log.html",
        status=status,
        **found,
        tag=_tag(asked, found),
        lecturers=lecturers,
        head=head,
        rule=_rule(asked.language, found["policy"], lecture, window),
        sorts=_sorts(asked),
        adjusting={},
        adjust_errors={},
        typed=typed or windows.form_of(window, lecture.zone),
        breaks_shown=windows.breaks_shown(typed, window),
        errors=errors or {},
    )


def _sorts(asked: Context) -> list[tuple[str, str]]:
    """The orders that a phone offers in a menu: what is asked for most comes first in each."""
    _ = asked._
    return [
        ("name", _("Name")),
        ("unit", _("Unit")),
        ("minutes", _("Fewest minutes first")),
        ("-minutes", _("Most minutes first")),
        ("jp", _("Least JP first")),
        ("joined", _("First to come")),
        ("-joined", _("Last to come")),
    ]


async def live(request: web.Request) -> web.StreamResponse:
    """What of the page changes: summary, curve and rows, or 304 when nothing has."""
    asked = context(request)
    lecture, shown = await _stored(asked)
    wish = Wish.of(request.query)
    async with asked.reading() as session:
        found = await _reviewed(session, asked, lecture, shown, wish)
    tag = _tag(asked, found)
    if request.headers.get(hdrs.IF_NONE_MATCH) == tag:
        return web.Response(status=304, headers={hdrs.ETAG: tag})
    answer = asked.page("attendance/live.html", **found)
    answer.headers[hdrs.ETAG] = tag
    return answer


async def _stored(asked: Context) -> tuple[Lecture, Shown]:
    """The lecture, and its attendance as it is stored; computed first where that is cheap."""
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, asked.request.match_info["id"], to_change=True)
    return lecture, await Tallies(asked.site.database, asked.site.clock).shown(lecture)


def _tag(asked: Context, found: Mapping[str, Any]) -> str:
    """Differs whenever something that is shown does: a digest of all that the templates are given.

    Rendering is what takes long. Marks of what may have changed would be cheaper still, and would miss a name
    that was corrected or a check that was answered.
    """
    told = repr((sorted(found.items()), asked.language, asked.signed_in.id))
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


async def _reviewed(
    session: AsyncSession, asked: Context, lecture: Lecture, shown: Shown, wish: Wish
) -> dict[str, Any]:
    """What the page and its live part show; a constant number of statements."""
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    of, tally = Reviewed(lecture, policy, asked.rights), shown.tally
    counts = await review.counts(session, of, tally)
    lines = await review.page(session, of, wish) if wish.show is not Show.STRANGERS else []
    return {
        "lecture": lecture,
        "policy": policy,
        "tally": tally,
        "behind": shown.behind,
        "provisional": not (tally.final or lecture.state in service.SETTLED),
        "in_session": lecture.state in IN_SESSION,
        "may_adjust": lecture.state in ADJUSTABLE and not lecture.trial,
        "refresh_ms": REFRESH_MS,
        "counts": counts,
        "matching": await review.matching(session, of, wish) if wish.text else counts.of(wish.show),
        "mark": f"{tally.tag}.{await review.mark(session, lecture.id)}",
        "rows": await _rows(session, asked.language, of, tally.window, lines),
        "wish": wish,
        "page_size": PAGE,
        "following": replace(wish, first=wish.first + wish.rows),
        "Show": Show,
        "Sort": Sort,
    }


async def _rows(
    session: AsyncSession, language: Language, of: Reviewed, window: Window, lines: Sequence[Line]
) -> list[Row]:
    asked = await checks.checks_of(session, of.lecture.id)
    ids = [line.registration_id for line in lines]
    answers = await checks.answers_of(session, of.lecture.id, ids) if asked else {}
    return [
        Row(
            line,
            bar(line.presence, window, met(line, asked, answers.get(line.registration_id, {}))),
            joined(language, line.why, of.lecture.zone),
            earns(of.policy, line.role),
        )
        for line in lines
    ]


def _rule(language: Language, policy: Policy, lecture: Lecture, window: Window) -> str:
    return told(language, sentence(policy, lecture.jp, window.seconds)) if lecture.jp else ""


async def fix_window(request: web.Request) -> web.StreamResponse:
    """Say which time counts, with a reason; the log is computed anew with it."""
    asked = context(request)
    form = await fields(request)
    reason = form.get("reason", "")
    try:
        if not reason:
            raise Invalid.at("reason", "Say why, for whoever reads it later.")
        async with asked.writing() as session:
            lecture = await lectures.get(session, asked.rights, request.match_info["id"], to_change=True)
            spans = windows.spans_of(form, lecture.zone)
            await lecture_service.fix_window(
                session, lecture, spans, reason=reason[:500], now=asked.now, actor=asked.actor
            )
    except Invalid as invalid:
        return await log_page(asked, typed=form, errors=messages(invalid, asked._), status=422)
    return asked.redirect(f"/lectures/{lecture.id}/attendance", asked._("The official time is fixed."))


ROUTES = (
    Route("GET", "/lectures/{id}/attendance", log, Access.ORGANISER),
    Route("GET", "/lectures/{id}/attendance/live", live, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/window", fix_window, Access.ORGANISER),
)
