"""The route table: every address of the site, and who may call it."""

from webinar.web import attendance, classroom, health, home, lectures, recordings, registrations
from webinar.web.api import routes as api
from webinar.web.site import Route

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *home.ROUTES,
    *registrations.ROUTES,
    *lectures.ROUTES,
    *classroom.ROUTES,
    *attendance.ROUTES,
    *recordings.ROUTES,
    *api.ROUTES,
)
