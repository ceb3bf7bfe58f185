"""The route table: every address of the site, and who may call it."""

from webinar.web import (
    attendance,
    classroom,
    contests,
    health,
    home,
    hours,
    imports,
    institution,
    lectures,
    people,
    policies,
    privacy,
    profile,
    recordings,
    registrations,
    reports,
    sign_in,
    try_policy,
    unit_hours,
)
from webinar.web.api import routes as api
from webinar.web.site import Route

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *home.ROUTES,
    *sign_in.ROUTES,
    *profile.ROUTES,
    *privacy.ROUTES,
    *policies.ROUTES,
    *try_policy.ROUTES,
    *imports.ROUTES,
    *people.ROUTES,
    *institution.ROUTES,
    *registrations.ROUTES,
    *lectures.ROUTES,
    *classroom.ROUTES,
    *attendance.ROUTES,
    *hours.ROUTES,
    *contests.ROUTES,
    *reports.ROUTES,
    *unit_hours.ROUTES,
    *recordings.ROUTES,
    *api.ROUTES,
)
