"""Times on the booking form: what to warn of before one is agreed on, and finding a better one."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid, NotFound
from webinar.lectures import clashes, slots, store
from webinar.lectures.clashes import Clashes
from webinar.lectures.rules import MINUTE_MS, Lecture, Seat, agreed_times, wall_of
from webinar.lectures.slots import Found, Wish
from webinar.people import store as people
from webinar.people.rules import zones
from webinar.web.context import Context, context
from webinar.web.site import Access, Route
from webinar.workdays import service as workdays
from webinar.workdays import wording
from webinar.workdays.rules import Caution

USUAL_MINUTES = 90
# Buttons of the form that look for a time or take one, and book nothing.
LOOKING = frozenset({"find", "pick"})

# As "start-end" in Unix ms.
_PICK = re.compile(r"([0-9]{1,13})-([0-9]{1,13})", re.ASCII)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Warned:
    """What speaks against a time. `seen` stands for just this: who saves again has read it."""

    cautions: tuple[str, ...]
    lecturers: Clashes
    participants: Clashes
    seen: str


async def warned(
    asked: Context,
    session: AsyncSession,
    span: Span,
    lecturer_ids: Sequence[str],
    *,
    itself: str,
    unit_id: str = "",
    lecture: Lecture | None = None,
) -> Warned | None:
    """What to say of a time before it is booked; None for nothing.

    Args:
        itself: the id of what is booked, which a second click finds there already.
        unit_id: whose people are to take part.
        lecture: the one that is moved; its own lecturers and participants are looked at.
    """
    found = await workdays.looked_at(session, asked.rights.institution_id, *span, asked.language)
    besides = [itself]
    lecturing = clashes.named(lecturer_ids)
    participating = await _people_of_unit(asked, session, unit_id)
    if lecture is not None:
        lecturing = lecturing | clashes.registered(besides, Seat.LECTURER)
        participating = clashes.registered(besides, Seat.PARTICIPANT)
    scope = asked.rights
    busy = await clashes.clashes(session, scope, lecturing, span, besides=besides)
    others = clashes.NONE
    if participating is not None:
        others = await clashes.clashes(session, scope, participating, span, besides=besides)
    if not (found or busy.people or others.people):
        return None
    texts = [wording.told(asked.language, caution) for caution in found]
    return warned_of(found, texts, busy, span, others)


def warned_of(
    found: Sequence[Caution],
    texts: Sequence[str],
    busy: Clashes,
    span: Span,
    others: Clashes = clashes.NONE,
) -> Warned:
    """A warning with these texts, that was read once all of this was."""
    return Warned(tuple(texts), busy, others, _seen(found, busy, others, span))


async def _people_of_unit(asked: Context, session: AsyncSession, unit_id: str) -> Any:
    if not unit_id:
        return None
    try:
        return clashes.of_unit((await people.unit(session, asked.rights, unit_id)).path)
    except NotFound:
        return None


def _seen(found: Sequence[Caution], busy: Clashes, others: Clashes, span: Span) -> str:
    """The same for whoever reads it in another language, another one as soon as anything else speaks up."""
    said = [(caution.reason.value, str(caution.day)) for caution in found]
    met = [(one.person_id, one.lecture_id, one.starts_at) for one in (*busy.shown, *others.shown)]
    text = repr((said, met, busy.people, others.people, span))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- what the fields say ------------------------------------------------------------------------


def walls_of(form: Mapping[str, str]) -> tuple[str, str]:
    """The wall times of start and end as they were typed; without a day of its own it ends on the same."""
    day = form.get("starts_day", "")
    starts = f"{day}T{form.get('starts_time', '')[:5]}"
    return starts, f"{form.get('ends_day') or day}T{form.get('ends_time', '')[:5]}"


def as_typed(starts_wall: str, ends_wall: str) -> dict[str, str]:
    """The fields that say these wall times."""
    day, last = starts_wall[:10], ends_wall[:10]
    return {
        "starts_day": day,
        "starts_time": starts_wall[11:],
        "ends_day": last if last != day else "",
        "ends_time": ends_wall[11:],
    }


# --- finding a time ----------------------------------------------------------------------------


async def found(
    asked: Context, form: Mapping[str, str], lecturers: Sequence[str], lecture: Lecture | None
) -> Found:
    """Times for what the form says so far.

    Raises:
        Invalid: at `find`, where the wish cannot be met.
    """
    wish = Wish(
        minutes=_length(form),
        lecturer_ids=tuple(lecturers),
        unit_id=form.get("audience", "") if lecture is None else "",
        lecture_id=lecture.id if lecture else "",
    )
    try:
        async with asked.reading() as session:
            return await slots.find(session, asked.rights, wish, asked.now)
    except NotFound:
        raise Invalid.at("audience", "Choose a unit.") from None
    except Invalid as invalid:
        raise Invalid.at("audience", invalid.errors[0].message, **invalid.errors[0].fields) from None


def _length(form: Mapping[str, str]) -> int:
    """How long it is by the form, in minutes; as long as usual while that is not clear."""
    try:
        times = agreed_times(*walls_of(form), form.get("zone", ""))
    except Invalid:
        return USUAL_MINUTES
    return (times.ends_at - times.starts_at) // MINUTE_MS


def picked(form: Mapping[str, str]) -> dict[str, str]:
    """The form with the time of the button that was pressed, "start-end" in Unix ms."""
    button = _PICK.fullmatch(form.get("pick", ""))
    if button is None or form.get("zone") not in zones():
        return dict(form)
    starts, ends = (wall_of(int(at), form["zone"]) for at in button.groups())
    return {**form, **as_typed(starts, ends)}


# --- everybody's clashes of one lecture ----------------------------------------------------------


async def index(request: web.Request) -> web.StreamResponse:
    """Everybody registered who has another lecture at the time of this one."""
    asked = context(request)
    async with asked.reading() as session:
        lecture = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        span = (lecture.starts_at, lecture.ends_at)
        everybody = clashes.registered([lecture.id], Seat.LECTURER, Seat.PARTICIPANT)
        met = await clashes.clashes(
            session, asked.rights, everybody, span, besides=[lecture.id], limit=clashes.PAGE
        )
    return asked.page("lectures/clashes.html", lecture=lecture, met=met)


ROUTES = (Route("GET", "/lectures/{id}/clashes", index, Access.ORGANISER),)
