"""Lectures and registrations, as the API says them."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from webinar.web.api.models.basics import (
    AN_ID,
    ANOTHER_ID,
    MOST_IN_ONE,
    Answer,
    Following,
    Given,
    Id,
    Instant,
    JpIn,
    JpOut,
    Line,
    Lines,
    MinuteInstant,
    Moment,
    PageQuery,
    Word,
)

_Title = Annotated[Line, Field(min_length=1, max_length=200)]
_Description = Annotated[Lines, Field(max_length=10_000)]
_Capacity = Annotated[int, Field(description="Seats; without it there is no limit.")]
_OpenBefore = Annotated[int, Field(description="Seconds before the start at which the room opens.")]
_Overrun = Annotated[int, Field(description="Seconds after the end at which it ends by itself.")]
_EmptyAfter = Annotated[
    int,
    Field(
        description="Seconds after which empty rooms close: breakout rooms at any time, the lecture after "
        "its end. Without it they stay open."
    ),
]
_EmptyEarly = Annotated[bool, Field(description="Empty rooms end the lecture before its end, too.")]
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
    lecturer_ids: Annotated[list[Id], Field(default_factory=list, max_length=50)]
    capacity: _Capacity | None = None
    open_before_s: _OpenBefore = 900
    overrun_s: _Overrun = 600
    live_by: _LiveBy = "schedule"
    empty_after_s: _EmptyAfter | None = None
    empty_early: _EmptyEarly = False


class LectureChange(Given):
    """Fields that are not there stay as they are; `capacity` null lifts the limit, `empty_after_s` null the
    rule for empty rooms."""

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
    empty_after_s: _EmptyAfter | None = None
    empty_early: _EmptyEarly = False


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
    empty_after_s: int | None
    empty_early: bool
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


class NewRegistrations(Given):
    """Whom to give seats: by id, by e-mail address, or both. Those who have one keep it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_ids": [AN_ID]}]})
    person_ids: Annotated[list[Id], Field(default_factory=list, max_length=MOST_IN_ONE)]
    emails: Annotated[list[Line], Field(default_factory=list, max_length=MOST_IN_ONE)]
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
