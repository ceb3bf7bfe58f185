"""Changes of a lecture on its way over the API: done, or only said what would follow."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import telling
from webinar.core.errors import Invalid, Stale
from webinar.invites import owing
from webinar.invites.news_rules import Forecast
from webinar.lectures import changes, editing, service, store
from webinar.lectures.rules import Lecture, Times, Window, agreed_times
from webinar.web.api import models, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.idempotency import once
from webinar.web.api.lectures import change_of, out, wall_in
from webinar.web.api.wire import Reply, api_names, reply
from webinar.web.context import Context, context
from webinar.web.dry_run import as_if

Said = models.WantedChange
Deed = Callable[[Context, AsyncSession, Lecture, Said], Awaitable[Lecture]]


async def change(request: web.Request) -> web.StreamResponse:
    """Do what is wanted of the version that was looked at, or say what would follow."""
    asked = context(request)
    said = await wire.body(request, models.WantedChange)
    version = wire.version_of(request)
    told: list[tuple[Lecture, Lecture, Window]] = []

    async def deed(session: AsyncSession) -> Reply:
        await store.lock(session, request.match_info["id"])
        before = await store.get(session, asked.rights, request.match_info["id"], to_change=True)
        with api_names():
            after = await _DEEDS[said.kind](asked, session, before, said)
        if version is not None and version != before.version and after.version != before.version:
            raise Stale
        window = await store.window_of(session, after)
        told.append((before, after, window))
        forecast = await owing.ahead(session, after)
        document = await _changed(session, asked, after, window, forecast, done=not said.dry_run)
        return reply(document, version=before.version if said.dry_run else after.version)

    if said.dry_run:
        return (await as_if(asked, deed)).written()
    answer = await once(asked, deed)
    for before, after, window in told:
        await telling.tell_inside(
            asked.site.database, asked.site.media, before, after, window, reason=_reason(said)
        )
    return answer.written()


def _reason(said: Said) -> str:
    return said.reason if said.kind == "cancel" else ""


async def _changed(
    session: AsyncSession, asked: Context, lecture: Lecture, window: Window, forecast: Forecast, *, done: bool
) -> models.Changed:
    def at(instant: int) -> str:
        return models.moment(instant, lecture.zone)

    return models.Changed(
        done=done,
        lecture=(await out(session, asked, [lecture]))[0],
        official_time=[models.Span(starts_at=at(s), ends_at=at(e)) for s, e in window.spans],
        told=told_of(forecast),
    )


def told_of(forecast: Forecast) -> models.Told:
    """Who is told what."""
    return models.Told(
        mails=forecast.mails,
        participants=[
            models.ToldParticipants(news=news.value, people=count)
            for news, count in forecast.participants.items()
        ],
        lecturers=[models.ToldLecturer(name=one.name, news=one.news.value) for one in forecast.lecturers],
    )


async def _edit(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    return await editing.change(
        session,
        asked.rights,
        lecture,
        change_of(lecture, _given(said.edit, "edit")),
        version=lecture.version,
        now=asked.now,
        actor=asked.actor,
    )


def _given(value: Any, field: str) -> Any:
    if value is None:
        raise Invalid.at(field, "This change needs this field.")
    return value


async def _extend(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    until = _given(said.until, "until")
    return await changes.extend_until(
        session, lecture, until, counts=said.counts, now=asked.now, actor=asked.actor
    )


async def _end(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    return await changes.end_early(
        session, lecture, counts_until=said.until, reason=said.reason, now=asked.now, actor=asked.actor
    )


async def _late(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    since = _given(said.since, "since")
    return await changes.count_from(
        session, lecture, since, reason=said.reason, now=asked.now, actor=asked.actor
    )


async def _breaks(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    breaks = [(one.starts_at, one.ends_at) for one in said.breaks]
    return await changes.plan_breaks(session, lecture, breaks, now=asked.now, actor=asked.actor)


async def _lecturers(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    return await telling.change_lecturers(
        session,
        lecture,
        list(said.lecturer_ids),
        now=asked.now,
        actor=asked.actor,
        link_key=asked.site.settings.link_key_bytes,
    )


async def _cancel(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    return await service.cancel(session, lecture, said.reason, asked.now, asked.actor)


async def _restore(asked: Context, session: AsyncSession, lecture: Lecture, said: Said) -> Lecture:
    times = _times(lecture, said)
    return await changes.restore(session, lecture, times, now=asked.now, actor=asked.actor)


def _times(lecture: Lecture, said: Said) -> Times:
    if said.starts_at is None and said.ends_at is None:
        return Times(lecture.starts_wall, lecture.ends_wall, lecture.zone, lecture.starts_at, lecture.ends_at)
    starts_at, ends_at = _given(said.starts_at, "starts_at"), _given(said.ends_at, "ends_at")
    walls = wall_in(starts_at, lecture.zone, "starts_at"), wall_in(ends_at, lecture.zone, "ends_at")
    return agreed_times(*walls, lecture.zone)


_DEEDS: dict[str, Deed] = {
    "edit": _edit,
    "extend": _extend,
    "end": _end,
    "late": _late,
    "breaks": _breaks,
    "lecturers": _lecturers,
    "cancel": _cancel,
    "restore": _restore,
}

ENDPOINTS = (
    Endpoint(
        "POST", "/lectures/{id}/changes", change, "lectures:write",
        "Extend, end, break, restore and more, or see who would be told",
        takes=models.WantedChange, gives=models.Changed, errors=(404, 409), versioned=True, repeatable=True,
    ),
)  # fmt: skip
