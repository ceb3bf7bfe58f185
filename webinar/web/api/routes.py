"""Every address of the API."""

from webinar.web.api import (
    attendance,
    changes,
    deciding,
    hours,
    lectures,
    openapi,
    people,
    policies,
    registrations,
    rooms,
    series,
    unit_hours,
)

ENDPOINTS = (
    *people.ENDPOINTS,
    *lectures.ENDPOINTS,
    *changes.ENDPOINTS,
    *registrations.ENDPOINTS,
    *rooms.ENDPOINTS,
    *series.ENDPOINTS,
    *policies.ENDPOINTS,
    *attendance.ENDPOINTS,
    *hours.ENDPOINTS,
    *deciding.ENDPOINTS,
    *unit_hours.ENDPOINTS,
)
ROUTES = (openapi.route(ENDPOINTS), *(endpoint.route for endpoint in ENDPOINTS))
