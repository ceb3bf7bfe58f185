"""Attendance and hours, as the API says them."""

from typing import Annotated

from pydantic import Field

from webinar.web.api.models.basics import (
    Answer,
    Following,
    Given,
    Id,
    JpOut,
    Moment,
    Word,
)


class Span(Answer):
    starts_at: Moment
    ends_at: Moment


class Interval(Span):
    sources: Annotated[list[str], Field(description="Which evidence says so.")]


class Attendee(Answer):
    registration_id: Id
    person_id: Id
    name: str
    email: str | None
    unit: str
    role: Word
    first_join: Moment | None
    last_leave: Moment | None
    seconds: Annotated[int, Field(description="Inside the official window.")]
    uncertainty_seconds: int
    jp: JpOut
    state: Annotated[
        Word, Field(examples=["credited"], description="credited, not_credited, absent or doubtful")
    ]
    why: Annotated[str, Field(description="A sentence in the language of Accept-Language.")]
    intervals: list[Interval]


class AttendanceSummary(Answer):
    registered: int
    came: int
    absent: int
    credited: int
    doubtful: int


class Attendance(Following):
    lecture_id: Id
    zone: str
    provisional: Annotated[bool, Field(description="False once the lecture is final.")]
    computed_at: Moment
    window: Annotated[list[Span], Field(description="The official time: only this counts.")]
    window_seconds: int
    jp: JpOut
    summary: AttendanceSummary
    items: list[Attendee]


class YearQuery(Given):
    year: Annotated[
        int | None,
        Field(ge=2000, le=2999, description="Without it the present one in the institution's zone."),
    ] = None


class HoursEntry(Answer):
    lecture_id: Id
    title: str
    starts_at: Moment
    ends_at: Moment
    role: Word
    seconds: int
    lecture_jp: JpOut
    jp: JpOut
    state: Word
    why: str
    provisional: Annotated[bool, Field(description="Not in the ledger yet.")]


class Hours(Answer):
    person_id: Id
    year: int
    zone: str
    target_jp: JpOut
    total_jp: JpOut
    provisional_jp: JpOut
    missing_jp: JpOut
    items: list[HoursEntry]
