"""The attendance log of a lecture, and everybody's own hours."""

from aiohttp import web

from webinar.attendance import export, service
from webinar.attendance.interval_rules import curve
from webinar.attendance.wording import why
from webinar.core.clock import to_datetime
from webinar.hours import service as hours
from webinar.lectures import store as lectures
from webinar.policies.rules import sentence
from webinar.policies.wording import told
from webinar.web.context import context
from webinar.web.site import Access, Route


async def log(request: web.Request) -> web.StreamResponse:
    """Each person's intervals, minutes and JP, absentees too, and in a sentence why."""
    asked = context(request)
    async with asked.reading() as session:
        found = await service.log(session, asked.rights, request.match_info["id"], asked.now)
        lecturers = (await lectures.lecturers_of(session, [found.lecture.id]))[found.lecture.id]
        head = await hours.head_of(session, found.lecture.institution_id)
    zone = found.lecture.zone
    return asked.page(
        "attendance/log.html",
        log=found,
        lecture=found.lecture,
        lecturers=lecturers,
        rule=told(asked.language, sentence(found.policy, found.lecture.jp, found.window.seconds)),
        why={e.registration.id: why(asked.language, e.credit, zone) for e in found.entries},
        curve=curve(found),
        head=head,
    )


async def as_csv(request: web.Request) -> web.StreamResponse:
    """The log as a file for a spreadsheet."""
    asked = context(request)
    async with asked.reading() as session:
        found = await service.log(session, asked.rights, request.match_info["id"], asked.now)
    day = to_datetime(found.lecture.starts_at, found.lecture.zone).strftime("%Y-%m-%d")
    answer = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="kehadiran-{day}-{found.lecture.id[:8]}.csv"',
        }
    )
    await answer.prepare(request)
    for chunk in export.csv_chunks(found, asked.language):
        await answer.write(chunk)
    await answer.write_eof()
    return answer


async def own_hours(request: web.Request) -> web.StreamResponse:
    """The own hours of a year against the target, with the reason for each."""
    asked = context(request)
    person = asked.signed_in
    this_year = to_datetime(asked.now, person.zone).year
    wish = request.query.get("year", "")
    year = int(wish) if wish.isdigit() and 2000 <= int(wish) <= this_year + 1 else this_year
    async with asked.reading() as session:
        found = await hours.year_of(session, asked.rights, person.id, year, asked.now, asked.language)
    return asked.page("hours/year.html", year=found, this_year=this_year)


ROUTES = (
    Route("GET", "/lectures/{id}/attendance", log, Access.ORGANISER),
    Route("GET", "/lectures/{id}/attendance.csv", as_csv, Access.ORGANISER),
    Route("GET", "/hours", own_hours, Access.SIGNED_IN),
)
