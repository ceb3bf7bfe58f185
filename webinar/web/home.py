"""The home page: the one thing that matters now, what is next, and the hours of the year."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import language as wording
from webinar.core.clock import to_datetime
from webinar.core.language import Language
from webinar.hours import contest_store
from webinar.hours import service as hours
from webinar.hours.outlook_rules import outlook
from webinar.hours.rules import YearOfHours
from webinar.lectures import store as lectures
from webinar.lectures.rules import IN_SESSION, UPCOMING, Lecture, Registration, year_of
from webinar.people import store as people
from webinar.people.access import Role
from webinar.policies import store as policies
from webinar.policies.wording import promise
from webinar.web import operations
from webinar.web.context import LANGUAGE_COOKIE, context, local_path, set_cookie
from webinar.web.forms import fields
from webinar.web.site import Access, Route

A_YEAR_S = 365 * 86_400
# A lecture that begins within this time has the top of the page, in ms.
SOON_MS = 24 * 60 * 60_000
NEXT = 6
# Lectures ahead that the outlook on the year takes in.
AHEAD = 200


async def home(request: web.Request) -> web.StreamResponse:
    """What this person can do now."""
    asked = context(request)
    person = asked.signed_in
    now = asked.now
    organises = asked.rights.has(Role.ORGANISER)
    async with asked.reading() as session:
        place = await people.institution(session, person.institution_id)
        year = to_datetime(now, place.zone or person.zone).year
        mine = await lectures.of_person(session, person.id, since=now, states=tuple(UPCOMING), limit=AHEAD)
        mine = [(lecture, seat) for lecture, seat in mine if not lecture.trial]
        managed: list[Lecture] = []
        if organises:
            managed = await lectures.page(
                session, asked.rights, states=tuple(UPCOMING), since=now, limit=NEXT, manageable_only=True
            )
        parked = await operations.count_parked(asked, session)
        waiting = await contest_store.count_waiting(session, asked.rights) if organises else 0
        ids = {lecture.id for lecture, _ in mine[:NEXT]} | {lecture.id for lecture in managed}
        taught = await lectures.lecturers_of(session, sorted(ids))
        first = _first(mine, managed, now)
        rule = await _rule(session, asked.language, first)
        of_year = await hours.year_of(session, asked.rights, person.id, year, now, asked.language)
    mine_ids = {lecture.id for lecture, _ in mine}
    return asked.page(
        "home/home.html",
        first=first,
        seated=first is not None and first.id in mine_ids,
        rest=[pair for pair in mine if first is None or pair[0].id != first.id][:NEXT],
        managed=[lecture for lecture in managed if lecture.id not in mine_ids and lecture != first],
        organises=organises,
        waiting=waiting,
        parked=parked,
        lecturers={ident: ", ".join(p.name for p in people_) for ident, people_ in taught.items()},
        rule=rule,
        year=of_year,
        outlook=outlook(of_year, _in_year([lecture for lecture, _ in mine], of_year)),
        is_open=first is not None and first.state in IN_SESSION,
    )


def _first(
    mine: Sequence[tuple[Lecture, Registration]], managed: Sequence[Lecture], now: int
) -> Lecture | None:
    """What has the top of the page: the own lecture that is near, else one to look after."""
    near = [lecture for lecture in (*(own for own, _ in mine), *managed) if lecture.opens_at - now < SOON_MS]
    running = [lecture for lecture in near if lecture.state in IN_SESSION]
    return next(iter(running or near), None)


async def _rule(session: AsyncSession, language: Language, lecture: Lecture | None) -> str:
    if lecture is None or not lecture.jp:
        return ""
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window = await lectures.window_of(session, lecture)
    return promise(language, policy, lecture.jp, window.seconds)


def _in_year(ahead: Sequence[Lecture], year: YearOfHours) -> list[Lecture]:
    return [lecture for lecture in ahead if year_of(lecture.starts_at, year.zone) == year.year]


async def language(request: web.Request) -> web.StreamResponse:
    """Remember the language that was chosen in the header."""
    asked = context(request)
    form = await fields(request)
    answer = asked.redirect(local_path(form.get("next", "/")))
    chosen = wording.chosen(form.get("language"))
    set_cookie(answer, asked.site, LANGUAGE_COOKIE, chosen, max_age=A_YEAR_S)
    return answer


ROUTES = (
    Route("GET", "/", home, Access.SIGNED_IN),
    Route("POST", "/language", language, Access.PUBLIC),
)
