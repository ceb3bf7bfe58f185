"""Attendance policies, as the API says them."""

from typing import Annotated

from pydantic import Field

from webinar.web.api.models.basics import Answer, Following, Id, Word


class AttendancePolicy(Answer):
    id: Id
    version: Annotated[int, Field(description="A lecture keeps the version that it was booked with.")]
    name: str
    kind: Annotated[Word, Field(examples=["threshold"], description="threshold or proportional")]
    threshold_percent: int | None
    minutes_per_jp: int
    tolerance_seconds: int
    grace_seconds: int
    lecturer_percent: int
    organiser_percent: int
    quiet_period_seconds: int
    checks: int
    checks_needed: int
    check_seconds: int
    replay_percent: int
    replay_days: int
    example: Annotated[
        str, Field(description="What participants read of a lecture of 90 minutes that is worth 2 JP.")
    ]


class AttendancePolicies(Following):
    items: list[AttendancePolicy]
