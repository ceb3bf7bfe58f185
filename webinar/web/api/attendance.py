"""The attendance log of a lecture over the API."""

from aiohttp import web

from webinar.attendance import service
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.attendance.wording import why
from webinar.web import reports as pages
from webinar.web.api import models, paging, wire
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.wire import reply
from webinar.web.context import Context, context


async def show(request: web.Request) -> web.StreamResponse:
    """Everybody registered, absentees too, with seconds, JP and the reason."""
    asked = context(request)
    wish = wire.query(request, models.PageQuery)
    place = paging.opened(wish.cursor, str)
    async with asked.reading() as session:
        found = await service.log(session, asked.rights, request.match_info["id"], asked.now)
    start = next((n for n, e in enumerate(found.entries, 1) if place and e.registration.id == place[0]), 0)
    shown, last = paging.cut(found.entries[start : start + wish.limit + 1], wish.limit)
    following = paging.next_link(asked, paging.sealed(last.registration.id) if last else None)
    zone = found.lecture.zone
    log = models.Attendance(
        lecture_id=found.lecture.id,
        zone=zone,
        provisional=found.provisional,
        computed_at=models.moment(found.computed_at, zone),
        window=[_span(span, zone) for span in found.window.spans],
        window_seconds=found.window.seconds,
        jp=models.jp_number(found.lecture.jp),
        summary=_summary(found),
        items=[_out(asked, entry, zone) for entry in shown],
        next=following,
    )
    return reply(log, link=paging.link(following)).written()


def _span(span: tuple[int, int], zone: str) -> models.Span:
    return models.Span(starts_at=models.moment(span[0], zone), ends_at=models.moment(span[1], zone))


def _summary(log: AttendanceLog) -> models.AttendanceSummary:
    seen = log.summary
    return models.AttendanceSummary(
        registered=seen.registered,
        came=seen.came,
        absent=seen.absent,
        credited=seen.credited,
        doubtful=seen.doubtful,
    )


def _out(asked: Context, entry: Entry, zone: str) -> models.Attendee:
    seat, there, worth = entry.registration, entry.presence, entry.credit
    return models.Attendee(
        registration_id=seat.id,
        person_id=seat.person_id,
        name=seat.name,
        email=seat.email,
        unit=seat.unit_name,
        role=seat.role.value,
        first_join=models.moment(there.first_join, zone) if there.first_join is not None else None,
        last_leave=models.moment(there.last_leave, zone) if there.last_leave is not None else None,
        seconds=worth.seconds,
        uncertainty_seconds=worth.uncertainty_s,
        jp=models.jp_number(worth.jp),
        state=worth.state.value,
        why=why(asked.language, worth, zone),
        intervals=[
            models.Interval(
                starts_at=models.moment(one.start, zone),
                ends_at=models.moment(one.end, zone),
                sources=list(one.sources),
            )
            for one in there.intervals
        ],
    )


ENDPOINTS = (
    Endpoint(
        "GET", "/lectures/{id}/attendance", show, "attendance:read", "The attendance log",
        query=models.PageQuery, gives=models.Attendance, errors=(404,),
    ),
    Endpoint(
        "GET", "/lectures/{id}/attendance.csv", pages.as_csv, "attendance:read",
        "The attendance log as a table", gives_type="text/csv", errors=(404,),
    ),
)  # fmt: skip
