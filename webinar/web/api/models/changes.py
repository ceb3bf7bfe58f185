"""Changes of a lecture on its way, as the API says them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from webinar.web.api.models.attendance import Span
from webinar.web.api.models.basics import AN_ID, Answer, Given, Id, Instant, Line, MinuteInstant, Word
from webinar.web.api.models.lectures import Lecture, LectureChange

_Reason = Annotated[Line, Field(max_length=500, description="On the timeline; of a cancel, told to all.")]


class Break(Given):
    starts_at: MinuteInstant
    ends_at: MinuteInstant


class WantedChange(Given):
    """What is wanted, in absolute terms. `dry_run` does nothing and says who would be told.

    | kind | fields |
    |---|---|
    | edit | `edit`, as in PATCH |
    | extend | `until`, `counts` |
    | end | `until`: the official time ends then; without it stays; `reason` |
    | late | `since`: the official time begins then; `reason` |
    | breaks | `breaks`, all of them |
    | lecturers | `lecturer_ids`, all of them |
    | cancel | `reason` |
    | restore | `starts_at` and `ends_at`, or neither for the old time |
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "lecturers", "lecturer_ids": [AN_ID], "dry_run": True},
                {"kind": "extend", "until": "2026-11-25T10:45:00+08:00"},
            ]
        }
    )
    kind: Literal["edit", "extend", "end", "late", "breaks", "lecturers", "cancel", "restore"]
    dry_run: Annotated[bool, Field(description="Only say what would follow.")] = False
    edit: LectureChange | None = None
    until: Instant | None = None
    since: Instant | None = None
    counts: Annotated[bool, Field(description="Whether the time that is added is official time.")] = False
    breaks: Annotated[list[Break], Field(default_factory=list, max_length=8)]
    lecturer_ids: Annotated[list[Id], Field(default_factory=list, max_length=50)]
    starts_at: MinuteInstant | None = None
    ends_at: MinuteInstant | None = None
    reason: _Reason = ""


_News = Annotated[
    Word,
    Field(description="invited, moved, changed, restored, cancelled; never_told and no_address get no mail."),
]


class ToldParticipants(Answer):
    news: _News
    people: int


class ToldLecturer(Answer):
    name: str
    news: _News


class Told(Answer):
    """Who is told what by mail."""

    mails: int
    participants: list[ToldParticipants]
    lecturers: list[ToldLecturer]


class Changed(Answer):
    done: Annotated[bool, Field(description="False of a dry run.")]
    lecture: Lecture
    official_time: Annotated[list[Span], Field(description="What counts; breaks are the gaps.")]
    told: Told
