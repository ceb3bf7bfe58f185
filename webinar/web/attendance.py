"""The attendance log of a lecture, and the official time that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from webinar.attendance import service
from webinar.attendance.credit_rules import State, earns
from webinar.attendance.curve_rules import Bar, bar, curve
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.wording import why
from webinar.core.errors import Invalid
from webinar.core.language import Language
from webinar.hours import service as hours
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.rules import Window, instant_of, wall_of
from webinar.policies.rules import sentence
from webinar.policies.wording import told
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages, whole
from webinar.web.site import Access, Route

PAGE = 200
ALL = "all"


@dataclass(frozen=True, slots=True)
class Row:
    """One registered person as the page shows them."""

    entry: Entry
    bar: Bar
    why: str
    earns: bool


async def log(request: web.Request) -> web.StreamResponse:
    """Each person's intervals, minutes and JP, absentees too, and in a sentence why."""
    return await _log_page(context(request))


async def _log_page(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    async with asked.reading() as session:
        found = await service.log(session, asked.rights, asked.request.match_info["id"], asked.now)
        lecturers = (await lectures.lecturers_of(session, [found.lecture.id]))[found.lecture.id]
        head = await hours.head_of(session, found.lecture.institution_id)
    query = asked.request.query
    groups = _groups(found)
    show = query.get("show", ALL) if query.get("show", ALL) in groups else ALL
    text = query.get("q", "").strip()
    chosen = _search(groups[show], text)
    first = whole(query.get("from", ""))
    return asked.page(
        "attendance/log.html",
        status=status,
        log=found,
        lecture=found.lecture,
        lecturers=lecturers,
        rule=_rule(asked.language, found),
        rows=[_row(asked.language, found, entry) for entry in chosen[first : first + PAGE]],
        curve=curve(found),
        head=head,
        counts={name: len(entries) for name, entries in groups.items()},
        show=show,
        text=text,
        total_shown=len(chosen),
        first=first,
        page_length=PAGE,
        typed=typed or _window_form(found.window, found.lecture.zone),
        errors=errors or {},
    )


def _rule(language: Language, found: AttendanceLog) -> str:
    if not found.lecture.jp:
        return ""
    return told(language, sentence(found.policy, found.lecture.jp, found.window.seconds))


def _groups(found: AttendanceLog) -> Mapping[str, Sequence[Entry]]:
    """The pills over the table, each with its people."""
    came = [entry for entry in found.entries if entry.credit.seconds]
    return {
        ALL: found.entries,
        "absent": [entry for entry in found.entries if not entry.credit.seconds],
        "below": [
            entry
            for entry in came
            if entry.credit.jp < found.lecture.jp and earns(found.policy, entry.registration.role)
        ],
        "doubtful": [entry for entry in found.entries if entry.credit.state is State.DOUBTFUL],
    }


def _search(entries: Sequence[Entry], text: str) -> Sequence[Entry]:
    if not text:
        return entries
    seats = ((entry, entry.registration) for entry in entries)
    return [e for e, seat in seats if text.lower() in f"{seat.name} {seat.email} {seat.unit_name}".lower()]


def _row(language: Language, found: AttendanceLog, entry: Entry) -> Row:
    return Row(
        entry,
        bar(entry.presence, found.window),
        why(language, entry.credit, found.lecture.zone),
        earns(found.policy, entry.registration.role),
    )


# --- the official time -------------------------------------------------------------------------


def _window_form(window: Window, zone: str) -> dict[str, str]:
    """The official time as the form shows it; `ends_day` only where it ends on another day."""
    starts, ends = wall_of(window.starts_at, zone), wall_of(window.ends_at, zone)
    shown = {"day": starts[:10], "starts_time": starts[11:], "ends_time": ends[11:], "reason": ""}
    shown["ends_day"] = ends[:10] if ends[:10] != starts[:10] else ""
    shown["break_from"] = wall_of(window.spans[0][1], zone)[11:] if len(window.spans) > 1 else ""
    shown["break_to"] = wall_of(window.spans[1][0], zone)[11:] if len(window.spans) > 1 else ""
    return shown


def _spans(form: Mapping[str, str], zone: str) -> list[tuple[int, int]]:
    """The official time as it was typed, with one break at most.

    Raises:
        Invalid: at the field of the form.
    """
    marks = ["starts_time", "ends_time"]
    if form.get("break_from") or form.get("break_to"):
        marks[1:1] = ["break_from", "break_to"]
    times = [_instant(form, name, zone) for name in marks]
    for number, name in enumerate(marks[1:], 1):
        if times[number] <= times[number - 1]:
            raise Invalid.at(name, "This time has to come after the one before.")
    return list(zip(times[::2], times[1::2], strict=True))


def _instant(form: Mapping[str, str], name: str, zone: str) -> int:
    day = form.get("day", "")
    if name == "ends_time":
        day = form.get("ends_day") or day
    return instant_of(f"{day}T{form.get(name, '')[:5]}", zone, name)


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
            spans = _spans(form, lecture.zone)
            await lecture_service.fix_window(
                session, lecture, spans, reason=reason[:500], now=asked.now, actor=asked.actor
            )
    except Invalid as invalid:
        return await _log_page(asked, typed=form, errors=messages(invalid, asked._), status=422)
    return asked.redirect(f"/lectures/{lecture.id}/attendance", asked._("The official time is fixed."))


ROUTES = (
    Route("GET", "/lectures/{id}/attendance", log, Access.ORGANISER),
    Route("POST", "/lectures/{id}/actions/window", fix_window, Access.ORGANISER),
)
