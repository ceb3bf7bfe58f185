"""Adjusting what counts from the review: those ticked, or everybody who matches; and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import store as attendances
from webinar.core.errors import Invalid, NotFound
from webinar.hours import adjustments, review
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged
from webinar.hours.review import Reviewed
from webinar.hours.review_rules import Wish
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.policies import store as policies
from webinar.web.amounts import seen as seen_jp
from webinar.web.amounts import wanted
from webinar.web.context import Context, context, local_path
from webinar.web.forms import fields, many, messages
from webinar.web.site import Access, Route

# Ten thousand boxes, each with its registration and the value that was shown beside it.
LARGEST_FORM = 1024 * 1024
# So many are named where there is no dialog.
MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Deed:
    """What a form asks for: whom it is about, with the values that were seen, and everything typed."""

    lecture: Lecture
    form: Mapping[str, str]
    chosen: Sequence[str]
    seen: Mapping[str, int]

    @property
    def back(self) -> str:
        """The page that the form stood on."""
        here = f"/lectures/{self.lecture.id}/attendance"
        wish = Wish.of(self.form).address()
        return local_path(self.form.get("next", ""), f"{here}?{urlencode(wish)}" if wish else here)


async def adjust(request: web.Request) -> web.StreamResponse:
    """Give those who are ticked a value with one reason; where there was no dialog, ask for both."""
    asked = context(request)
    deed = await _deed(asked, await fields(request), await many(request, "registration"))
    if not deed.seen:
        return asked.redirect(deed.back, asked._("Tick somebody first."), "warning")
    if "do" not in deed.form:
        return await _ask(asked, deed)
    try:
        to = wanted(deed.form.get("jp_kind", ""), deed.form.get("jp", ""))
        reason = deed.form.get("adjust_reason", "")
        async with asked.writing() as session:
            done = await adjustments.adjust(
                session, asked.rights, deed.lecture.id, seen=deed.seen, to=to, reason=reason, now=asked.now
            )
    except Invalid as invalid:
        return await _ask(asked, deed, errors=messages(invalid, asked._), status=422)
    except ValuesChanged as stale:
        return await _ask(asked, deed, stale=asked._(stale.message, **stale.fields), status=412)
    except NothingToDo:
        return asked.redirect(deed.back, asked._("Everybody has this value already."), "info")
    told = asked._("Adjusted: %(count)s people.", count=len(done.made))
    to_undo = f"/lectures/{deed.lecture.id}/attendance/undo?" + urlencode(
        {"batch": done.id, "next": deed.back}
    )
    return asked.redirect(deed.back, told, undo=(to_undo, asked._("Undo")))


async def undo(request: web.Request) -> web.StreamResponse:
    """Take back one deed, or one adjustment of it."""
    asked = context(request)
    said = {**request.query, **await fields(request)}
    lecture_id = request.match_info["id"]
    async with asked.writing() as session:
        done = await adjustments.undo(
            session,
            asked.rights,
            lecture_id,
            adjustment_id=said.get("adjustment", ""),
            batch_id=said.get("batch", ""),
            reason=said.get("reason", ""),
            now=asked.now,
        )
    back = local_path(said.get("next", ""), f"/lectures/{lecture_id}/attendance")
    return asked.redirect(back, asked._("Taken back: %(count)s people.", count=len(done.made)))


async def _deed(asked: Context, form: Mapping[str, str], boxes: Sequence[str]) -> Deed:
    async with asked.reading() as session:
        lecture = await lectures.get(session, asked.rights, asked.request.match_info["id"], to_change=True)
        seen = dict(_box(box) for box in boxes)
        if form.get("all"):
            policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
            seen = await review.values(session, Reviewed(lecture, policy, asked.rights), Wish.of(form))
            if form.get("mark") != await _mark(session, lecture.id):
                # Whoever matched may have been somebody else: no value is taken for seen.
                seen = dict.fromkeys(seen, -1)
    return Deed(lecture, form, boxes, seen)


async def _mark(session: AsyncSession, lecture_id: str) -> str:
    """Of everything that the review shows, as its form carries it."""
    tally = await attendances.tally_of(session, lecture_id)
    return f"{tally.tag if tally else ''}.{await review.mark(session, lecture_id)}"


def _box(box: str) -> tuple[str, int]:
    """A registration and the value that was shown beside its box."""
    id, _, jp = box.partition(".")
    return id, seen_jp(jp)


async def _ask(
    asked: Context,
    deed: Deed,
    *,
    errors: Mapping[str, str] | None = None,
    stale: str = "",
    status: int = 200,
) -> web.Response:
    """The page that asks for value and reason; where somebody was faster, with the values as they are now."""
    async with asked.reading() as session:
        policy = await policies.get(session, deed.lecture.policy_id, deed.lecture.policy_version)
        of = Reviewed(deed.lecture, policy, asked.rights)
        lines = await review.some(session, of, list(deed.seen)[:MOST_NAMES])
        if not lines:
            raise NotFound
        now = await review.values_of(session, of, list(deed.seen)) if stale else deed.seen
        mark = await _mark(session, deed.lecture.id)
    shown: dict[str, Any] = {
        "boxes": [f"{id}.{jp}" for id, jp in now.items()] if not deed.form.get("all") or stale else [],
        "everybody": bool(deed.form.get("all")) and not stale,
        "mark": mark,
    }
    return asked.page(
        "attendance/adjust.html",
        status=status,
        lecture=deed.lecture,
        lines=lines,
        total=len(deed.seen),
        wish=Wish.of(deed.form),
        back=deed.back,
        adjusting=deed.form,
        adjust_errors=errors or {},
        stale=stale,
        **shown,
    )


ROUTES = (
    Route("POST", "/lectures/{id}/attendance/adjust", adjust, Access.ORGANISER, body=LARGEST_FORM),
    Route("POST", "/lectures/{id}/attendance/undo", undo, Access.ORGANISER),
)
