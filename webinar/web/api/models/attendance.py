"""Attendance and hours, as the API says them."""

from typing import Annotated, Literal

from pydantic import Field

from webinar.web.api.models.basics import (
    Answer,
    Following,
    Given,
    Id,
    JpOut,
    Moment,
    PageQuery,
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


class UnitHoursQuery(PageQuery):
    year: Annotated[
        int | None,
        Field(ge=2000, le=2999, description="Without it the present one in the institution's zone."),
    ] = None
    show: Annotated[
        Literal["all", "behind", "none", "on_pace", "reached", "exempt", "no_target"],
        Field(description="Which people: all, or those who stand there; none are those without any JP."),
    ] = "all"


class UnitTally(Answer):
    people: int
    counted: Annotated[int, Field(description="The denominator: neither exempt nor without a target.")]
    exempt: int
    no_target: int
    reached: int
    on_pace: int
    behind: int
    none: Annotated[int, Field(description="Of those who count, how many have no JP yet.")]
    median_jp: JpOut | None


class UnitPart(UnitTally):
    unit_id: Id
    unit: str


class UnitLearner(Answer):
    person_id: Id
    name: str
    unit_id: Id
    unit: str
    employment: Word
    jp: JpOut
    target_jp: JpOut
    missing_jp: JpOut
    standing: Annotated[
        Word, Field(examples=["behind"], description="reached, on_pace, behind, exempt or no_target")
    ]


class UnitHours(Following):
    unit_id: Id
    unit: str
    year: int
    day: Annotated[str, Field(description="The day in the institution's zone that `expected_jp` is of.")]
    target_jp: Annotated[JpOut, Field(description="Of permanent staff.")]
    expected_jp: Annotated[JpOut, Field(description="The share of the year that has passed, in whole JP.")]
    total: UnitTally
    units: Annotated[list[UnitPart], Field(description="Right below, each with everybody in it.")]
    ledger_entry: int
    ledger_digest: str
    items: Annotated[list[UnitLearner], Field(description="People by name.")]
