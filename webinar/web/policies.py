"""Attendance policies: what earns hours, in a sentence and with worked examples; each change is a version."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from aiohttp import web

from webinar.attendance.curve_rules import Bar, bar
from webinar.attendance.example_rules import (
    LENGTH_MINUTES,
    WORTH,
    Example,
    examples,
    lecture_window,
)
from webinar.attendance.wording import why
from webinar.core.errors import Invalid, NotFound, Stale
from webinar.core.language import marked
from webinar.lectures.rules import instant_of
from webinar.people import store as people
from webinar.policies import service, store
from webinar.policies.rules import DRAFT, Kind, Policy
from webinar.policies.wording import promise
from webinar.web.context import Context, context
from webinar.web.forms import fields, messages
from webinar.web.site import Access, Route

# Any morning will do: only the times of day are shown.
EXAMPLE_DAY, EXAMPLE_ZONE = "2026-11-25T09:00", "Asia/Jakarta"
MINUTE_S = 60
HOUR_S = 3_600
CASES = {
    "late": marked("Came four minutes late, stayed to the end"),
    "early": marked("Left after an hour"),
    "gap": marked("Was away for a quarter of an hour"),
    "checks": marked("There all the time, but answered one check too few"),
    "replay": marked("There for half an hour, watched the rest in the replay"),
    "lecturer": marked("The lecturer"),
}
LABELS = {
    "name": marked("Name"),
    "kind": marked("Rule"),
    "threshold_percent": marked("Least share of the official time, percent"),
    "minutes_per_jp": marked("Minutes of a JP"),
    "tolerance_s": marked("Tolerance, minutes"),
    "grace_s": marked("A gap counts as present up to, seconds"),
    "lecturer_percent": marked("Lecturers earn, percent of the JP"),
    "organiser_percent": marked("Organisers earn, percent of the JP"),
    "quiet_period_s": marked("Hours are settled after, hours"),
    "checks": marked("Presence checks in a lecture"),
    "checks_needed": marked("Least checks answered"),
    "check_s": marked("Seconds to answer a check"),
    "replay_percent": marked("A replayed minute counts, percent"),
    "replay_days": marked("The replay counts for, days after the end"),
}
# Kept in seconds, typed in units that people think in.
UNITS = {"tolerance_s": MINUTE_S, "quiet_period_s": HOUR_S}


@dataclass(frozen=True, slots=True)
class Worked:
    """An example as the page shows it."""

    example: Example
    title: str
    bar: Bar
    why: str


async def index(request: web.Request) -> web.StreamResponse:
    """The newest version of each policy, with what it asks of participants."""
    asked = context(request)
    async with asked.reading() as session:
        known = await store.current(session, asked.rights)
    return asked.page(
        "policies/index.html",
        policies=[(policy, _promise(asked, policy)) for policy in known],
        may_change=_may_change(asked),
    )


async def show(request: web.Request) -> web.StreamResponse:
    return await _detail(context(request))


async def _detail(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    """One policy: its sentence, worked examples, all its values and its history."""
    async with asked.reading() as session:
        versions = await store.versions(session, asked.rights, asked.request.match_info["id"])
        if not versions:
            raise NotFound
        authors = [one.created_by for one in versions if one.created_by]
        names = await people.persons_by_ids(session, asked.rights, authors)
    policy = versions[0].policy
    starts_at = instant_of(EXAMPLE_DAY, EXAMPLE_ZONE, "")
    history = [
        (
            one,
            names.get(one.created_by or ""),
            _changes(asked, earlier.policy if earlier else None, one.policy),
        )
        for one, earlier in zip(versions, [*versions[1:], None], strict=True)
    ]
    return asked.page(
        "policies/show.html",
        status=status,
        policy=policy,
        promise=_promise(asked, policy),
        worked=[_worked(asked, one, starts_at) for one in examples(policy, starts_at)],
        window=lecture_window(starts_at),
        example_zone=EXAMPLE_ZONE,
        worth=WORTH,
        history=history,
        may_change=_may_change(asked),
        labels=LABELS,
        v=typed or _typed(policy),
        e=errors or {},
        stale=stale,
    )


def _worked(asked: Context, one: Example, starts_at: int) -> Worked:
    return Worked(
        one,
        asked._(CASES[one.case]),
        bar(one.presence, lecture_window(starts_at)),
        why(asked.language, one.credit, EXAMPLE_ZONE),
    )


def _promise(asked: Context, policy: Policy) -> str:
    return promise(asked.language, policy, WORTH, LENGTH_MINUTES * MINUTE_S)


def _may_change(asked: Context) -> bool:
    return asked.rights.administers_institution


def _changes(asked: Context, before: Policy | None, after: Policy) -> list[tuple[str, str, str]]:
    """(what, before, after) of a version, in words."""
    if before is None:
        return []
    changed = service.differences(before, after)
    return [(asked._(LABELS[name]), *_values(asked, name, pair)) for name, pair in changed.items()]


def _values(asked: Context, name: str, pair: tuple[object, object]) -> tuple[str, str]:
    first, second = (_value(asked, name, value) for value in pair)
    return first, second


def _value(asked: Context, name: str, value: object) -> str:
    if name == "kind":
        threshold, proportional = asked._("threshold"), asked._("proportional")
        return threshold if value == Kind.THRESHOLD else proportional
    if isinstance(value, int) and name in UNITS:
        return f"{value / UNITS[name]:g}"
    return "–" if value is None else str(value)


# --- making and changing ------------------------------------------------------------------------


def _typed(policy: Policy) -> dict[str, str]:
    """A policy as the form shows it."""
    values = {name: value for name, value in asdict(policy).items() if name in LABELS}
    shown = {
        name: f"{value / UNITS[name]:g}" if name in UNITS else "" if value is None else str(value)
        for name, value in values.items()
    }
    return shown | {"version": str(policy.version)}


def _draft(form: Mapping[str, str], policy_id: str = "") -> Policy:
    """What was typed; a number that is none becomes -1, which every limit refuses at its field."""
    numbers = {name: _number(form.get(name, ""), UNITS.get(name, 1)) for name in LABELS}
    kind = Kind.PROPORTIONAL if form.get("kind") == Kind.PROPORTIONAL else Kind.THRESHOLD
    values = {name: value for name, value in numbers.items() if name not in {"name", "kind"}}
    if kind is Kind.PROPORTIONAL:
        values["threshold_percent"] = None
    return Policy(
        id=policy_id,
        version=_number(form.get("version", ""), 1) or 0,
        institution_id="",
        name=form.get("name", "")[:120],
        kind=kind,
        **values,  # type: ignore[arg-type]  # the limits refuse what is no number
    )


def _number(text: str, unit: int) -> int | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return -1
    return round(number * unit) if 0 <= number < 10**7 else -1


async def new(request: web.Request) -> web.StreamResponse:
    return _form(context(request), _typed(DRAFT) | {"name": ""})


def _form(
    asked: Context, typed: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    return asked.page("policies/new.html", status=status, labels=LABELS, v=typed, e=errors or {})


async def create(request: web.Request) -> web.StreamResponse:
    asked = context(request)
    typed = await fields(request)
    try:
        async with asked.writing() as session:
            made = await service.create(session, asked.rights, _draft(typed), asked.now)
    except Invalid as invalid:
        return _form(asked, typed, messages(invalid, asked._), 422)
    return asked.redirect(
        f"/settings/policies/{made.id}", asked._("The policy can now be chosen in bookings.")
    )


async def change(request: web.Request) -> web.StreamResponse:
    """Make a further version. Lectures that are booked keep theirs."""
    asked = context(request)
    typed = await fields(request)
    policy_id = request.match_info["id"]
    try:
        async with asked.writing() as session:
            made = await service.change(session, asked.rights, _draft(typed, policy_id), asked.now)
    except Invalid as invalid:
        return await _detail(asked, typed=typed, errors=messages(invalid, asked._), status=422)
    except Stale:
        return await _detail(asked, typed=typed, stale=asked._(Stale.message), status=412)
    done = asked._("Version %(version)s is valid for what is booked from now on.", version=made.version)
    return asked.redirect(f"/settings/policies/{policy_id}", done)


ROUTES = (
    Route("GET", "/settings/policies", index, Access.ORGANISER),
    Route("GET", "/settings/policies/new", new, Access.ADMINISTRATOR),
    Route("POST", "/settings/policies", create, Access.ADMINISTRATOR),
    Route("GET", "/settings/policies/{id}", show, Access.ORGANISER),
    Route("POST", "/settings/policies/{id}", change, Access.ADMINISTRATOR),
)
