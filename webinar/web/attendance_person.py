"""All evidence of one person in a lecture on one page, what was made of it, and every change of the value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from webinar.attendance import service
from webinar.attendance.connection_rules import Connection
from webinar.attendance.curve_rules import bar
from webinar.attendance.rules import connections
from webinar.attendance.story_rules import Item, What, story, tab_of
from webinar.attendance.tallies import Tallies
from webinar.core.errors import NotFound
from webinar.evidence import checks
from webinar.hours import contest_store, review, store
from webinar.hours.adjust_rules import ADJUSTABLE, Adjustment, standing
from webinar.hours.review import Reviewed
from webinar.hours.review_rules import Line, met
from webinar.lectures import store as lectures
from webinar.lectures.rules import Window
from webinar.policies import store as policies
from webinar.policies.wording import joined
from webinar.web.context import context
from webinar.web.evidence_words import contest_words, said, source_words
from webinar.web.site import Access, Route

# What the timeline shows before the first and after the last that happened, in ms.
MARGIN_MS = 120_000
LONGEST_LIST = 500


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline: what a source says; `spans` are (from, to, style)."""

    label: str
    spans: Sequence[tuple[int, int, str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One adjustment with its author's name; whether it is what counts now."""

    adjustment: Adjustment
    author: str
    counts: bool
    taken_back: bool


async def person(request: web.Request) -> web.StreamResponse:
    """The evidence of one person, each fact with its source."""
    asked = context(request)
    id = request.match_info["registration"]
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, request.match_info["id"], to_change=True)
        seat = await lectures.registration(session, id)
    if seat is None or seat.lecture_id != lecture.id:
        raise NotFound
    shown = await Tallies(asked.site.database, asked.site.clock).shown(lecture)
    async with asked.reading() as session:
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        line = await review.line(session, Reviewed(lecture, policy, asked.rights), id)
        if line is None:
            raise NotFound
        found = await service.gather(session, lecture, only=seat)
        answers = await checks.answers_of(session, lecture.id, [id])
        history = await store.history(session, lecture.id, [id])
        contests = (await contest_store.of_registrations(session, [id])).get(id, [])
        whose = [one.author_id for one in history] + [one.decided_by for one in contests]
        names = await store.authors(session, [one for one in whose if one])
        mark = await review.mark(session, lecture.id)
    window = shown.tally.window
    asked_then = met(line, found.evidence.checks, answers.get(id, {}))
    mine = [one for one in connections(found.evidence, asked.now) if one.seat == seat.seat]
    items = story(found.evidence, seat.seat, asked_then)
    start, end = _reach(window, mine)
    return asked.page(
        "attendance/person.html",
        lecture=lecture,
        line=line,
        window=window,
        provisional=not (shown.tally.final or lecture.state in service.SETTLED),
        computed_at=shown.tally.computed_at,
        why=joined(asked.language, line.why, lecture.zone),
        bar=bar(line.presence, window, asked_then),
        connections=mine,
        tab_of=tab_of,
        items=items[:LONGEST_LIST],
        left_out=max(0, len(items) - LONGEST_LIST),
        said=partial(said, asked._, asked.language, lecture.zone),
        source_words=source_words(asked._),
        contest_words=contest_words(asked._),
        start=start,
        end=end,
        lanes=_lanes(asked._, line, mine, items),
        steps=_steps(history, names),
        contests=contests,
        names=names,
        may_adjust=lecture.state in ADJUSTABLE and not lecture.trial,
        mark=f"{shown.tally.tag}.{mark}",
        adjusting={},
        adjust_errors={},
    )


def _reach(window: Window, mine: Sequence[Connection]) -> tuple[int, int]:
    """From when to when the timeline goes."""
    start = min([window.starts_at, *(one.start for one in mine)]) - MARGIN_MS
    return start, max([window.ends_at, *(one.end for one in mine)]) + MARGIN_MS


def _lanes(_: Any, line: Line, mine: Sequence[Connection], items: Sequence[Item]) -> list[Lane]:
    """What each source says, one under the other; the intervals that were made of it stand above them."""
    devices: dict[str, list[Connection]] = {}
    for one in mine:
        devices.setdefault(tab_of(one.identity), []).append(one)
    lanes = [
        Lane(_("Device %(number)s", number=number), [(one.start, one.end, "lane-on") for one in there])
        for number, there in enumerate(devices.values(), 1)
    ]
    by_source = (
        (_("Lists of the room"), {What.SEEN: "lane-on", What.NOT_SEEN: "lane-off"}),
        (_("Page"), {What.VISIBLE: "lane-on", What.HIDDEN: "lane-hidden"}),
    )
    for label, styles in by_source:
        spans = [(one.at, one.until, styles[one.what]) for one in items if one.what in styles]
        if spans:
            lanes.append(Lane(label, spans))
    return lanes


def _steps(history: Sequence[Adjustment], names: Mapping[str, str]) -> list[Step]:
    """The newest first."""
    now = standing(history)
    back = {one.undoes for one in history if one.undoes}
    return [
        Step(one, names.get(one.author_id or "", ""), now is not None and one.id == now.id, one.id in back)
        for one in reversed(history)
    ]


ROUTES = (Route("GET", "/lectures/{id}/attendance/{registration}", person, Access.ORGANISER),)
