"""Lists handed in: several colleagues at one screen, with a preview of what they would get."""

from collections.abc import Mapping, Sequence

from aiohttp import web
from aiohttp.web import FileField

from webinar.attendance.tallies import Tallies
from webinar.core.errors import Invalid, Refused
from webinar.hours import lists
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged, checked_reason
from webinar.hours.list_rules import MOST_BYTES, checked_file
from webinar.hours.lists import Preview
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, Window, instant_of, wall_of
from webinar.web.amounts import seen
from webinar.web.context import Context, context
from webinar.web.forms import fields, many, messages
from webinar.web.list_picks import picks
from webinar.web.site import Access, Route

BODY = MOST_BYTES + 256 * 1024
SEEN = "seen."


async def index(request: web.Request) -> web.StreamResponse:
    """The lists of a lecture, and the form for another one."""
    return await _page(context(request))


async def _page(
    asked: Context,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    ticked: Sequence[str] = (),
    preview: Preview | None = None,
    status: int = 200,
) -> web.Response:
    said = typed or {}
    async with asked.reading() as session:
        lecture = await _managed(asked, session)
        window = await lectures.window_of(session, lecture)
        known = await lists.handed_in(session, lecture.id)
    offered = await picks(asked, lecture, said.get("q", ""), ticked, said.get("step", ""))
    return asked.page(
        "hours/lists.html",
        status=status,
        lecture=lecture,
        lists=known,
        preview=preview,
        picks=offered,
        v={**_times(window, lecture.zone), **said},
        e=errors or {},
    )


async def _managed(asked: Context, session: object) -> Lecture:
    return await lectures.get(session, asked.rights, asked.request.match_info["id"], to_change=True)  # type: ignore[arg-type]


def _times(window: Window, zone: str) -> dict[str, str]:
    return {"starts": wall_of(window.starts_at, zone), "ends": wall_of(window.ends_at, zone)}


async def submit(request: web.Request) -> web.StreamResponse:
    """Search and tick, show what a list would change, or hand in with its attachment what was seen so."""
    asked = context(request)
    form, ticked = await fields(request), await many(request, "pick")
    if form.get("step"):
        return await _page(asked, typed=form, ticked=ticked)
    shown = {name.removeprefix(SEEN): seen(value) for name, value in form.items() if name.startswith(SEEN)}
    try:
        async with asked.reading() as session:
            lecture = await _managed(asked, session)
        span = (
            instant_of(form.get("starts", "")[:16], lecture.zone, "starts"),
            instant_of(form.get("ends", "")[:16], lecture.zone, "ends"),
        )
        reason = checked_reason(form.get("reason", ""))
        if not shown:
            return await _preview(asked, lecture, form, ticked, span)
        sent = (await request.post()).get("file")
        name, content = (sent.filename, sent.file.read()) if isinstance(sent, FileField) else ("", b"")
        attachment = checked_file(name, content)
        async with asked.writing() as session:
            done = await lists.hand_in(
                session,
                asked.rights,
                lecture.id,
                seen=shown,
                span=span,
                reason=reason,
                attachment=attachment,
                now=asked.now,
            )
    except Invalid as invalid:
        return await _again(asked, form, ticked, messages(invalid, asked._), invalid, shown)
    except (ValuesChanged, NothingToDo) as refused:
        text = asked._(refused.message, **refused.fields) if refused.fields else asked._(refused.message)
        return await _again(asked, form, ticked, {"list": text}, refused, {})
    return asked.redirect(
        f"/lectures/{lecture.id}/lists",
        asked._("The list is on record; the JP of %(people)s people changed.", people=len(done.made)),
    )


async def _preview(
    asked: Context, lecture: Lecture, form: Mapping[str, str], ticked: Sequence[str], span: tuple[int, int]
) -> web.Response:
    await Tallies(asked.site.database, asked.site.clock).shown(lecture)
    lines = form.get("list", "").split("\n")
    async with asked.reading() as session:
        found = await lists.preview(session, asked.rights, lecture.id, lines, span, ticked)
    if not found.changes and not found.unknown:
        raise Invalid.at("list", "Name somebody first.")
    return await _page(asked, typed=form, ticked=ticked, preview=found)


async def _again(
    asked: Context,
    form: Mapping[str, str],
    ticked: Sequence[str],
    errors: Mapping[str, str],
    refused: Refused,
    shown: Mapping[str, int],
) -> web.Response:
    """The page once more; what was already previewed is previewed again, for only the file was wrong."""
    if shown and "file" in errors:
        async with asked.reading() as session:
            lecture = await _managed(asked, session)
            span = tuple(instant_of(form[name][:16], lecture.zone, name) for name in ("starts", "ends"))
            lines = form.get("list", "").split("\n")
            found = await lists.preview(session, asked.rights, lecture.id, lines, (span[0], span[1]), ticked)
        return await _page(
            asked, typed=form, ticked=ticked, errors=errors, preview=found, status=refused.status
        )
    return await _page(asked, typed=form, ticked=ticked, errors=errors, status=refused.status)


async def file(request: web.Request) -> web.StreamResponse:
    """The attachment; a browser saves it and never shows it as a page of ours."""
    asked = context(request)
    async with asked.reading() as session:
        found = await lists.attachment(
            session, asked.rights, request.match_info["id"], request.match_info["list"]
        )
    return web.Response(
        body=found.content,
        content_type=found.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{found.file_name}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


ROUTES = (
    Route("GET", "/lectures/{id}/lists", index, Access.ORGANISER),
    Route("POST", "/lectures/{id}/lists", submit, Access.ORGANISER, body=BODY),
    Route("GET", "/lectures/{id}/lists/{list}/file", file, Access.ORGANISER),
)
