"""The types of the API: they check what comes in, shape what goes out, and are the OpenAPI document.

Times are RFC 3339 with an offset, JP a decimal number (1.5), ids 26 characters.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from webinar.core.clock import to_datetime, to_ms
from webinar.core.ids import is_id
from webinar.core.language import marked
from webinar.people.rules import has_controls

AN_ID = "kq3vq5xw2mzn7yd4tcfgb6ahre"
ANOTHER_ID = "b6ahrekq3vq5xw2mzn7yd4tcfg"
MINUTE_MS = 60_000
MOST_IN_ONE = 5_000
MOST_JP = 24

_MOMENT = re.compile(r"2\d{3}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_DATE_TIME: dict[str, Any] = {
    "type": "string",
    "format": "date-time",
    "description": "RFC 3339 with an offset.",
    "examples": ["2026-11-25T09:00:00+08:00"],
}
_JP: dict[str, Any] = {
    "type": "number",
    "minimum": 0,
    "description": "JP (learning hours) as a decimal number of at most two decimals.",
    "examples": [1.5],
}


def _instant(value: object) -> int:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return to_ms(datetime.fromisoformat(value.upper()))
        except ValueError:
            pass
    raise ValueError(marked("This is not a time as in RFC 3339, for example 2026-11-25T09:00:00+08:00."))


def _whole_minute(at: int) -> int:
    if at % MINUTE_MS:
        raise ValueError(marked("A lecture begins and ends at a whole minute."))
    return at


def _known_form(text: str) -> str:
    if not is_id(text):
        raise ValueError(marked("This is not an id."))
    return text


def _visible(text: str) -> str:
    if has_controls(text):
        raise ValueError(marked("There are characters in it that cannot be shown."))
    return text


def _visible_lines(text: str) -> str:
    _visible(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))
    return text


def _hundredths(value: object) -> Decimal:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    jp = Decimal(str(value)) if number else Decimal("NaN")
    if not jp.is_finite() or not 0 <= jp <= MOST_JP or jp * 100 != int(jp * 100):
        raise ValueError(marked("JP is a number from 0 to 24 with at most two decimals."))
    return jp


Id = Annotated[
    str, AfterValidator(_known_form), WithJsonSchema({"type": "string", "pattern": "^[a-z2-7]{26}$"})
]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema(_DATE_TIME)]
MinuteInstant = Annotated[Instant, AfterValidator(_whole_minute)]
Line = Annotated[str, AfterValidator(_visible)]
Lines = Annotated[str, AfterValidator(_visible_lines)]
JpIn = Annotated[Decimal, BeforeValidator(_hundredths), WithJsonSchema({**_JP, "maximum": MOST_JP})]
Moment = Annotated[str, WithJsonSchema(_DATE_TIME)]
JpOut = Annotated[float, WithJsonSchema(_JP)]
# A state added later is no new version of the API, so that programs have to expect others.
Word = Annotated[str, Field(max_length=40)]


def moment(at: int, zone: str) -> str:
    """An instant as the API writes it, in the zone's offset."""
    return to_datetime(at, zone).isoformat(timespec="milliseconds" if at % 1000 else "seconds")


def jp_number(hundredths: int) -> float:
    """2, 1.5: whole numbers without a point."""
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


class Given(BaseModel):
    """What a program sends: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What it gets."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Given):
    limit: Annotated[int, Field(ge=1, le=200, description="Rows on a page.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=1000, description="From the `next` of the page before.")
    ] = None


class Following(Answer):
    next: Annotated[str | None, Field(description="Address of the next page; null at the end.")]


# --- people ------------------------------------------------------------------------------------


class Unit(Answer):
    id: Id
    parent_id: Id | None
    code: str
    name: str


class Units(Following):
    items: list[Unit]


class NewPerson(Given):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Siti Rahma", "unit_id": AN_ID, "email": "siti@dinas.example", "employment": "pns"}
            ]
        }
    )
    name: Line
    unit_id: Id
    email: Line = ""
    phone: Line = ""
    nip: Line = ""
    employment: Literal["pns", "pppk", "other"] = "pns"
    zone: Annotated[Line, Field(description="IANA name.")] = "Asia/Jakarta"
    language: Literal["id", "en"] = "id"


class Person(Answer):
    """`nip` and `phone` are there only for keys with people:read."""

    id: Id
    name: str
    email: str | None
    nip: str | None = None
    phone: str | None = None
    unit_id: Id
    unit: str
    employment: Word
    zone: str
    language: str
    active: bool
    version: int
    created_at: Moment


class People(Following):
    items: list[Person]


class PeopleQuery(PageQuery):
    q: Annotated[Line, Field(max_length=200, description="Part of a name or of an address, or a NIP.")] = ""
    unit_id: Annotated[Id | None, Field(description="Only this unit and those below it.")] = None
    active: Annotated[Literal["true", "false", "all"], Field(description="Deactivated people, too?")] = "true"


class ImportRow(Given):
    """As a row of a table: `unit` is the unit's code or name."""

    name: Line
    email: Line = ""
    nip: Line = ""
    unit: Line = ""
    employment: Line = ""
    phone: Line = ""
    zone: Line = ""
    language: Line = ""


class NewImport(Given):
    """Rows as JSON; a CSV file or a workbook may be the body instead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rows": [{"name": "Siti Rahma", "email": "siti@dinas.example", "unit": "disdik"}]}]
        }
    )
    rows: Annotated[list[ImportRow], Field(min_length=1, max_length=50_000)]


class ImportQuery(Given):
    default_unit_id: Annotated[Id | None, Field(description="For rows that name no unit.")] = None
    write: Annotated[
        Literal["right_rows", "only_if_all_right", "nothing"],
        Field(description="What is written: right rows, or all or nothing, or nothing (a check only)."),
    ] = "right_rows"


class RowProblem(Answer):
    row: Annotated[int, Field(description="From 1: of a table with its headings, of JSON without.")]
    column: str
    detail: str
    value: str


class Import(Answer):
    """How an import stands; the rows are written in the background, in short steps."""

    id: Id
    state: Annotated[
        Word, Field(examples=["writing"], description="checked, writing, done, undoing or undone")
    ]
    rows: Annotated[int, Field(description="Right rows that change something.")]
    new: int
    changed: int
    unchanged: int
    wrong: int
    written: int
    created: int
    updated: int
    problems: Annotated[list[RowProblem], Field(description="The first thousand.")]
    problems_total: int
    created_at: Moment
    finished_at: Moment | None


# --- lectures ----------------------------------------------------------------------------------

_Title = Annotated[Line, Field(min_length=1, max_length=200)]
_Description = Annotated[Lines, Field(max_length=10_000)]
_Capacity = Annotated[int, Field(description="Seats; without it there is no limit.")]
_OpenBefore = Annotated[int, Field(description="Seconds before the start at which the room opens.")]
_Overrun = Annotated[int, Field(description="Seconds after the end at which it ends by itself.")]
_LiveBy = Annotated[Literal["schedule", "host"], Field(description="What begins it: the time, or its host.")]


class NewLecture(Given):
    """The instants decide; the lecture keeps them as wall times of `zone`, whatever their offset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Pengelolaan Keuangan Daerah",
                    "unit_id": AN_ID,
                    "starts_at": "2026-11-25T09:00:00+08:00",
                    "ends_at": "2026-11-25T10:30:00+08:00",
                    "zone": "Asia/Makassar",
                    "jp": 2,
                    "lecturer_ids": [ANOTHER_ID],
                    "recorded": True,
                }
            ]
        }
    )
    title: _Title
    unit_id: Id
    starts_at: MinuteInstant
    ends_at: MinuteInstant
    zone: Annotated[Line, Field(description="IANA name, for example Asia/Makassar.")]
    jp: JpIn
    description: _Description = ""
    policy_id: Annotated[Id | None, Field(description="Without it the institution's own policy.")] = None
    recorded: bool = False
    lecturer_ids: Annotated[list[Id], Field(max_length=50)] = []
    capacity: _Capacity | None = None
    open_before_s: _OpenBefore = 900
    overrun_s: _Overrun = 600
    live_by: _LiveBy = "schedule"


class LectureChange(Given):
    """Fields that are not there stay as they are; `capacity` null lifts the limit."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"starts_at": "2026-11-26T09:00:00+08:00", "ends_at": "2026-11-26T10:30:00+08:00"}]
        }
    )
    title: _Title = ""
    description: _Description = ""
    starts_at: MinuteInstant = 0
    ends_at: MinuteInstant = 0
    zone: Line = ""
    jp: JpIn = Decimal(0)
    policy_id: Id = ""
    recorded: bool = False
    capacity: _Capacity | None = None
    open_before_s: _OpenBefore = 0
    overrun_s: _Overrun = 0
    live_by: _LiveBy = "schedule"


class Lecturer(Answer):
    person_id: Id
    name: str


class Policy(Answer):
    id: Id
    version: int


class Lecture(Answer):
    id: Id
    unit_id: Id
    title: str
    description: str
    starts_at: Moment
    ends_at: Moment
    zone: str
    jp: JpOut
    policy: Policy
    recorded: bool
    capacity: int | None
    open_before_s: int
    overrun_s: int
    live_by: Word
    state: Annotated[
        Word,
        Field(
            examples=["scheduled"],
            description="draft, scheduled, open, live, ended, final, archived, cancelled",
        ),
    ]
    lecturers: list[Lecturer]
    registered: Annotated[int, Field(description="Participants; lecturers are not counted.")]
    url: Annotated[str, Field(description="Its page for those who manage it.")]
    version: Annotated[int, Field(description="As in the ETag; If-Match of a change names it.")]


class Lectures(Following):
    items: list[Lecture]


class LecturesQuery(PageQuery):
    q: Annotated[Line, Field(max_length=200, description="Part of the title.")] = ""
    since: Annotated[Instant | None, Field(description="Only those that end at or after this.")] = None
    until: Annotated[Instant | None, Field(description="Only those that start before this.")] = None
    state: Literal["draft", "scheduled", "open", "live", "ended", "final", "archived", "cancelled"] | None = (
        None
    )


class Cancellation(Given):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Narasumber sakit"}]})
    reason: Annotated[Line, Field(max_length=500, description="Told to everybody registered.")] = ""


# --- registrations -----------------------------------------------------------------------------


class NewRegistrations(Given):
    """Whom to give seats: by id, by e-mail address, or both. Those who have one keep it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_ids": [AN_ID]}]})
    person_ids: Annotated[list[Id], Field(max_length=MOST_IN_ONE)] = []
    emails: Annotated[list[Line], Field(max_length=MOST_IN_ONE)] = []
    role: Literal["participant", "lecturer"] = "participant"


class Registration(Answer):
    id: Id
    person_id: Id
    name: str
    email: str | None
    unit: str
    role: Word
    state: Annotated[Word, Field(examples=["registered"], description="registered or cancelled")]
    removed: Annotated[bool, Field(description="Put out of the room by its host; the link lets nobody in.")]
    join_url: Annotated[
        str | None, Field(description="The personal link into the room: keep it secret. Null once cancelled.")
    ]


class Registrations(Following):
    items: list[Registration]


class Registered(Answer):
    added: int
    already: int
    items: list[Registration]


class RegistrationsQuery(PageQuery):
    state: Annotated[Literal["registered", "all"], Field(description="Cancelled ones, too?")] = "registered"


# --- attendance and hours ----------------------------------------------------------------------


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


class FieldProblem(Answer):
    field: Annotated[str, Field(examples=["starts_at"])]
    detail: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `title` and `detail` are in the language of Accept-Language."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:pendopo:problem:invalid",
                    "title": "Some of the input is not right yet.",
                    "status": 422,
                    "code": "invalid",
                    "detail": "jp: This field is missing.",
                    "errors": [{"field": "jp", "detail": "This field is missing."}],
                }
            ]
        },
    )
    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldProblem] | None = None
