"""The home page: the one thing that matters now, what is next, and the hours of the year."""

from aiohttp import web

from webinar.core import language as wording
from webinar.core.clock import to_datetime
from webinar.hours import service as hours
from webinar.lectures import store as lectures
from webinar.lectures.rules import UPCOMING, Lecture, LectureState
from webinar.people.access import Role
from webinar.policies import store as policies
from webinar.policies.rules import sentence
from webinar.policies.wording import told
from webinar.web.context import LANGUAGE_COOKIE, context, local_path, set_cookie
from webinar.web.forms import fields
from webinar.web.site import Access, Route

A_YEAR_S = 365 * 86_400
# A lecture that begins within this time has the top of the page, in ms.
SOON_MS = 24 * 60 * 60_000
NEXT = 8


async def home(request: web.Request) -> web.StreamResponse:
    """What this person can do now."""
    asked = context(request)
    person = asked.signed_in
    now = asked.now
    year = to_datetime(now, person.zone).year
    async with asked.reading() as session:
        mine = await lectures.of_person(session, person.id, since=now, states=tuple(UPCOMING), limit=NEXT)
        taught = await lectures.lecturers_of(session, [lecture.id for lecture, _ in mine])
        pins = {(lecture.policy_id, lecture.policy_version) for lecture, _ in mine[:1]}
        pinned = await policies.several(session, pins)
        of_year = await hours.year_of(session, asked.rights, person.id, year, now, asked.language)
        managed: list[Lecture] = []
        if asked.rights.has(Role.ORGANISER):
            managed = await lectures.page(
                session, asked.rights, states=tuple(UPCOMING), since=now, limit=NEXT, manageable_only=True
            )
    first = mine[0] if mine and mine[0][0].opens_at - now < SOON_MS else None
    rule = ""
    if first is not None and first[0].jp:
        lecture = first[0]
        policy = pinned[lecture.policy_id, lecture.policy_version]
        rule = told(
            asked.language, sentence(policy, lecture.jp, (lecture.ends_at - lecture.starts_at) // 1000)
        )
    return asked.page(
        "home/home.html",
        first=first,
        rest=mine[1:] if first else mine,
        lecturers={ident: ", ".join(p.name for p in people) for ident, people in taught.items()},
        rule=rule,
        year=of_year,
        managed=managed,
        is_open=first is not None and first[0].state in {LectureState.OPEN, LectureState.LIVE},
    )


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
