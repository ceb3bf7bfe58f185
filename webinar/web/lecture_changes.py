"""Changes of a lecture: each has a form, then says what it would do and who will be told, then is done."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import Invalid, NotFound, Stale
from webinar.invites import owing
from webinar.invites.news_rules import Forecast
from webinar.lectures import store
from webinar.lectures.rules import UPCOMING, Lecture, LectureState, Registration
from webinar.people import store as people
from webinar.policies import store as policies
from webinar.web import change_words, times, windows
from webinar.web.change_kinds import BY_NAME, KINDS, Deed, Kind, Seen, Typed
from webinar.web.change_words import Face
from webinar.web.context import Context, context
from webinar.web.dry_run import as_if
from webinar.web.forms import fields, many, messages, whole
from webinar.web.site import Access, Route
from webinar.web.times import Warned

# What a form carries beside what was typed.
OURS = frozenset({"csrf_token", "version", "step", "lecturer_id", "q"})


@dataclass(frozen=True, slots=True)
class Preview:
    """A change as it would be: both faces of the lecture, and who would be told."""

    before: Face
    after: Face
    forecast: Forecast
    # What speaks against a new time or lecturer; it hinders nobody.
    warned: Warned | None


async def index(request: web.Request) -> web.StreamResponse:
    """What can be changed now."""
    asked = context(request)
    seen = await _seen(asked)
    offered = [
        (kind.name, change_words.title(asked._, kind.name), change_words.purpose(asked._, kind.name))
        for kind in KINDS
        if kind.possible(seen)
    ]
    return asked.page("lectures/changes.html", lecture=seen.lecture, offered=offered)


async def form(request: web.Request) -> web.StreamResponse:
    """The form of one change, with how it is now."""
    asked = context(request)
    kind, seen = _kind(request), await _seen(asked)
    lecturers = tuple(seat.person_id for seat in seen.lecturers)
    return await _form_page(asked, kind, seen, Typed(kind.first(seen), lecturers))


async def submit(request: web.Request) -> web.StreamResponse:
    """Show what the change would do; with `step=confirm` do it, with `step=back` show the form again."""
    asked = context(request)
    kind, seen = _kind(request), await _seen(asked)
    said = await fields(request)
    values = {name: value for name, value in said.items() if name not in OURS}
    typed = Typed(values, tuple(dict.fromkeys(await many(request, "lecturer_id"))))
    step = said.get("step")
    if step == "back":
        return await _form_page(asked, kind, seen, typed)
    try:
        deed = kind.read(typed, seen)
        if step != "confirm":
            return await _preview_page(asked, kind, seen, typed, deed)
        try:
            return await _do(asked, kind, seen, typed, deed, version=whole(said.get("version", "")))
        except Stale as stale:
            text = asked._(stale.message)
            return await _preview_page(asked, kind, await _seen(asked), typed, deed, stale=text)
    except Invalid as invalid:
        return await _form_page(asked, kind, seen, typed, messages(invalid, asked._))


def _kind(request: web.Request) -> Kind:
    kind = BY_NAME.get(request.match_info["kind"])
    if kind is None:
        raise NotFound
    return kind


async def _seen(asked: Context) -> Seen:
    async with asked.reading() as session:
        lecture = await store.get(session, asked.rights, asked.request.match_info["id"], to_change=True)
        if lecture.trial:
            raise NotFound
        face = await _face(session, lecture)
    return Seen(lecture, face.window, face.lecturers, asked.now)


async def _face(session: AsyncSession, lecture: Lecture) -> Face:
    window = await store.window_of(session, lecture)
    lecturers = (await store.lecturers_of(session, [lecture.id]))[lecture.id]
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    return Face(lecture, window, lecturers, policy.name)


async def preview_of(asked: Context, lecture_id: str, deed: Deed) -> Preview:
    """What the deed would do, by doing it and keeping nothing."""

    async def tried(session: AsyncSession) -> tuple[Face, Face, list[Registration], Warned | None]:
        await store.lock(session, lecture_id)
        present = await store.get(session, asked.rights, lecture_id, to_change=True)
        before = await _face(session, present)
        after = await _face(session, await deed(asked, session, present))
        people = {seat.person_id for seat in (*before.lecturers, *after.lecturers)}
        changed = await store.seats_of_persons(session, lecture_id, sorted(people))
        return before, after, changed, await _warned(asked, session, before, after)

    before, after, changed, warned = await as_if(asked, tried)
    # Whoever writes waits for a deed that is tried; for a look at each seat nobody has to wait.
    async with asked.reading() as session:
        forecast = await owing.ahead_of(session, after.lecture, after.lecturers, changed)
    return Preview(before, after, forecast, warned)


async def _warned(asked: Context, session: AsyncSession, before: Face, after: Face) -> Warned | None:
    def of(face: Face) -> tuple[object, ...]:
        people = {seat.person_id for seat in face.lecturers}
        one = face.lecture
        return one.starts_at, one.ends_at, people, one.state is LectureState.CANCELLED

    one = after.lecture
    if of(before) == of(after) or one.state not in UPCOMING:
        return None
    return await times.warned(asked, session, (one.starts_at, one.ends_at), (), itself=one.id, lecture=one)


async def _do(
    asked: Context, kind: Kind, seen: Seen, typed: Typed, deed: Deed, *, version: int
) -> web.Response:
    mails = (await preview_of(asked, seen.lecture.id, deed)).forecast.mails
    async with asked.writing() as session:
        # The second of two clicks waits here, and finds done what it wanted.
        await store.lock(session, seen.lecture.id)
        before = await store.get(session, asked.rights, seen.lecture.id, to_change=True)
        after = await deed(asked, session, before)
        # What is so already, by a double click or somebody else's, is done.
        if after.version != before.version and before.version != version:
            raise Stale
        face = await _face(session, after)
    reason = typed["reason"] if kind.name == "cancel" else ""
    await telling.tell_inside(
        asked.site.database, asked.site.media, before, after, face.window, reason=reason
    )
    done = asked._("Done. Mails on their way: %(count)s.", count=mails) if mails else asked._("Done.")
    return asked.redirect(f"/lectures/{after.id}", done)


async def _form_page(
    asked: Context, kind: Kind, seen: Seen, typed: Typed, errors: dict[str, str] | None = None
) -> web.Response:
    async with asked.reading() as session:
        chosen = await people.persons_by_ids(session, asked.rights, list(typed.lecturer_ids))
        registered = (await store.count_registrations(session, [seen.lecture.id]))[seen.lecture.id]
    return _page(
        asked,
        kind,
        seen,
        v=typed.values,
        e=_at_fields(errors or {}),
        lecturers=[chosen[i] for i in typed.lecturer_ids if i in chosen],
        registered=registered,
        breaks_shown=windows.breaks_shown(typed.values, seen.window),
        possible=kind.possible(seen),
        preview=None,
        status=422 if errors else 200,
    )


def _at_fields(errors: dict[str, str]) -> dict[str, str]:
    """The errors of the rules at the fields of the forms."""
    names = {
        "starts_wall": "starts_time",
        "ends_wall": "ends_time",
        "open_before_s": "open_before",
        "overrun_s": "overrun",
        "empty_after_s": "empty_after",
        "breaks": "break_from_1",
        "lecturer": "find-lecturer",
    }
    return {names.get(field, field): text for field, text in errors.items()}


async def _preview_page(
    asked: Context, kind: Kind, seen: Seen, typed: Typed, deed: Deed, *, stale: str = ""
) -> web.Response:
    found = await preview_of(asked, seen.lecture.id, deed)
    ticked = [("lecturer_id", ident) for ident in typed.lecturer_ids] if kind.name == "lecturers" else []
    return _page(
        asked,
        kind,
        seen,
        preview=shown(asked, kind.name, found),
        button=change_words.button(asked._, kind.name),
        action=f"/lectures/{seen.lecture.id}/changes/{kind.name}",
        stale=stale,
        hidden=[*typed.values.items(), *ticked, ("version", str(found.before.lecture.version))],
        status=412 if stale else 200,
    )


def shown(asked: Context, kind: str, found: Preview) -> dict[str, Any]:
    """What the page says of a preview; see `lectures/_preview.html`."""
    before, after = found.before, found.after
    return {
        "differences": change_words.differences(asked._, asked.language, before, after),
        "told": change_words.told(asked._, found.forecast),
        "notes": change_words.notes(asked._, kind, before.lecture, after.lecture),
        "warned": found.warned,
    }


def _page(asked: Context, kind: Kind, seen: Seen, **more: Any) -> web.Response:
    return asked.page(
        "lectures/change.html",
        lecture=seen.lecture,
        window=seen.window,
        kind=kind.name,
        title=change_words.title(asked._, kind.name),
        purpose=change_words.purpose(asked._, kind.name),
        **more,
    )


_ORGANISER = Access.ORGANISER
ROUTES = (
    Route("GET", "/lectures/{id}/changes", index, _ORGANISER),
    Route("GET", "/lectures/{id}/changes/{kind}", form, _ORGANISER),
    Route("POST", "/lectures/{id}/changes/{kind}", submit, _ORGANISER),
)
