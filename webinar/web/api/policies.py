"""The attendance policies that a booking can name, over the API."""

from aiohttp import web

from webinar.attendance.example_rules import LENGTH_MINUTES, WORTH
from webinar.policies import store
from webinar.policies.wording import promise
from webinar.web.api import models
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.wire import reply
from webinar.web.context import context


async def index(request: web.Request) -> web.StreamResponse:
    """The newest version of each policy of the institution."""
    asked = context(request)
    async with asked.reading() as session:
        known = await store.current(session, asked.rights)
    items = [
        models.AttendancePolicy(
            id=one.id,
            version=one.version,
            name=one.name,
            kind=one.kind.value,
            threshold_percent=one.threshold_percent,
            minutes_per_jp=one.minutes_per_jp,
            tolerance_seconds=one.tolerance_s,
            grace_seconds=one.grace_s,
            lecturer_percent=one.lecturer_percent,
            organiser_percent=one.organiser_percent,
            quiet_period_seconds=one.quiet_period_s,
            checks=one.checks,
            checks_needed=one.checks_needed,
            check_seconds=one.check_s,
            replay_percent=one.replay_percent,
            replay_days=one.replay_days,
            example=promise(asked.language, one, WORTH, LENGTH_MINUTES * 60),
        )
        for one in known
    ]
    return reply(models.AttendancePolicies(items=items, next=None)).written()


ENDPOINTS = (
    Endpoint(
        "GET", "/policies", index, "lectures:read", "List the attendance policies of the institution",
        gives=models.AttendancePolicies,
    ),
)  # fmt: skip
