"""The form that books a series."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import FieldError, Invalid
from webinar.lectures import clashes
from webinar.lectures.booking import Booking
from webinar.lectures.change_rules import TIME
from webinar.lectures.clashes import Clash, Clashes
from webinar.lectures.rules import agreed_times
from webinar.series import service, store
from webinar.series.recurrence_rules import WEEKDAYS, Ending, endless, parsed
from webinar.series.rules import on_slot
from webinar.series.service import Plan
from webinar.web import times
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages, number, whole
from webinar.web.lecture_booking import Form, at_fields, booking_of, first_values, form_page, looking
from webinar.web.site import Access, Route
from webinar.web.times import Warned
from webinar.workdays import service as workdays
from webinar.workdays import wording as workday_words

FIFTH = 5
# Warnings of a whole series that are spelled out.
SHOWN = 10
USUAL_COUNT = "10"


async def new(request: web.Request) -> web.StreamResponse:
    """An empty form for a series: that of a lecture, with how it recurs."""
    asked = context(request)
    values = {**first_values(asked), "repeat": "WEEKLY", "interval": "1", "count": USUAL_COUNT}
    return await form_page(asked, Form(values, {}, ()), series=_about_new(asked))


def _about_new(asked: Context) -> dict[str, Any]:
    return {
        "heading": asked._("Book a series"),
        "action": "/series",
        "back": "/series",
        "save": asked._("Book the series"),
        "following": 0,
    }


async def create(request: web.Request) -> web.StreamResponse:
    """Book every edition, or show the form again with what is wrong or worth a warning."""
    asked = context(request)
    form = await fields(request)
    lecturers = tuple(dict.fromkeys(await many(request, "lecturer_id")))
    weekdays = tuple(await many(request, "weekday"))
    about = _about_new(asked)
    if times.LOOKING & form.keys():
        return await looking(asked, form, lecturers, None, weekdays=weekdays, series=about)
    try:
        first, plan = _read(form, lecturers, weekdays, asked.now)
        warned = await _warned(asked, first, service.planned(plan, first))
        if warned and warned.seen != form.get("warning_seen"):
            shown = Form(form, {}, lecturers, weekdays)
            return await form_page(asked, shown, series=about, warned=warned, status=409)
        async with asked.writing() as session:
            made = await service.book(
                session,
                asked.rights,
                first,
                plan,
                now=asked.now,
                actor=asked.actor,
                link_key=asked.site.settings.link_key_bytes,
            )
    except Invalid as invalid:
        shown = Form(form, at_form_fields(asked, invalid, form), lecturers, weekdays)
        return await form_page(asked, shown, series=about, status=422)
    done = asked._(
        "The series is booked. Now register the participants, for all of it or for single editions."
    )
    return asked.redirect(f"/series/{made.id}", done)


def _read(
    form: Mapping[str, str], lecturers: tuple[str, ...], weekdays: Sequence[str], now: int
) -> tuple[Booking, Plan]:
    """Raises Invalid with everything that is wrong of the first edition and of the rule."""
    wrong: list[FieldError] = []
    first, plan = None, None
    try:
        first = booking_of(form, lecturers, now)
    except Invalid as invalid:
        wrong += invalid.errors
    try:
        rule, ending = parsed(rule_text(form, weekdays))
        plan = Plan(rule, ending, bool(form.get("skips_holidays")))
    except Invalid as invalid:
        wrong += invalid.errors
    if wrong or first is None or plan is None:
        raise Invalid(wrong)
    return first, plan


def rule_text(form: Mapping[str, str], weekdays: Sequence[str]) -> str:
    """The RRULE that the form's controls stand for."""
    kind = form.get("repeat", "")
    interval = number(form.get("interval") or "1", "interval")
    try:
        day = date.fromisoformat(form.get("starts_day", ""))
    except ValueError:
        day = date.min
    of_week = WEEKDAYS[day.weekday()]
    ticked = ",".join(WEEKDAYS[whole(n)] for n in sorted(set(weekdays)) if whole(n, 7) < len(WEEKDAYS))
    which = (day.day - 1) // 7 + 1
    rules = {
        "DAILY": "FREQ=DAILY",
        "WORKDAYS": "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "WEEKLY": f"FREQ=WEEKLY;BYDAY={ticked or of_week}",
        "MONTHLY_DAY": f"FREQ=MONTHLY;BYMONTHDAY={day.day}",
        "MONTHLY_WEEKDAY": f"FREQ=MONTHLY;BYDAY={-1 if which == FIFTH else which}{of_week}",
        "MONTHLY_LAST": f"FREQ=MONTHLY;BYDAY=-1{of_week}",
        "YEARLY": "FREQ=YEARLY",
    }
    if kind not in rules:
        raise Invalid.at("rule", "Choose how the series recurs.")
    return f"{rules[kind]};INTERVAL={interval}{ending_text(form)}"


def ending_text(form: Mapping[str, str]) -> str:
    if form.get("until"):
        try:
            return f";UNTIL={date.fromisoformat(form['until']):%Y%m%d}"
        except ValueError:
            raise Invalid.at("until", "This is not a date.") from None
    return f";COUNT={number(form.get('count', ''), 'count')}"


def at_form_fields(asked: Context, invalid: Invalid, form: Mapping[str, str]) -> dict[str, str]:
    """Errors at the fields of the form; of a later edition with its day."""
    texts = messages(invalid, asked._)
    days = {e.field: str(e.fields["day"]) for e in invalid.errors if "day" in e.fields}
    told = {field: f"{days[field]}: {text}" if field in days else text for field, text in texts.items()}
    return at_fields(told, form)


async def _warned(asked: Context, first: Booking, slots: Sequence[str]) -> Warned | None:
    """What speaks against the editions' times: holidays, office hours, other lectures of the lecturer."""
    base = {name: getattr(first, name) for name in TIME}
    spans = []
    for slot in slots:
        one = on_slot(base, slot, 0)
        agreed = agreed_times(one["starts_wall"], one["ends_wall"], one["zone"])
        spans.append((agreed.starts_at, agreed.ends_at))
    async with asked.reading() as session:
        found = await workdays.looked_at_all(session, asked.rights.institution_id, spans, asked.language)
        busy = await _busy(asked, session, first, spans)
    texts = list(dict.fromkeys(workday_words.told(asked.language, caution) for caution in found))
    if not texts and not busy.people:
        return None
    shown = texts[:SHOWN]
    if len(texts) > SHOWN:
        shown.append(asked._("And so on, %(count)s more.", count=len(texts) - SHOWN))
    return times.warned_of(found, shown, busy, (spans[0][0], spans[-1][1]))


async def _busy(
    asked: Context, session: AsyncSession, first: Booking, spans: Sequence[tuple[int, int]]
) -> Clashes:
    over = (spans[0][0], spans[-1][1])
    lecturing = clashes.named(first.lecturer_ids)
    met = await clashes.clashes(session, asked.rights, lecturing, over, limit=clashes.PAGE)
    mine = await store.lecture_ids(session, first.id)

    def at_an_edition(one: Clash) -> bool:
        return any(one.starts_at < end and start < one.ends_at for start, end in spans)

    there = tuple(one for one in met.shown if at_an_edition(one) and one.lecture_id not in mine)
    return Clashes(len({one.person_id for one in there}), there[:SHOWN])


def ending_of(form: Mapping[str, str], rule: str) -> Ending:
    """How far a series is extended.

    Raises:
        Invalid: neither a number nor a date.
    """
    return parsed(f"{endless(rule)}{ending_text(form)}")[1]


ROUTES = (
    Route("GET", "/series/new", new, Access.ORGANISER),
    Route("POST", "/series", create, Access.ORGANISER),
)
