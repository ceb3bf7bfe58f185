"""Series and their editions, and times that are looked for, as the API says them."""

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
    Line,
    MinuteInstant,
    Moment,
    Word,
)
from webinar.web.api.models.changes import Told
from webinar.web.api.models.lectures import LectureChange, NewLecture

_Rule = Annotated[
    Line,
    Field(
        max_length=200, description="RRULE of RFC 5545 with COUNT or UNTIL; see docs/api.md for its parts."
    ),
]
_Numbered = Annotated[int, Field(description="Editions are numbered from 1.")]


class NewSeries(NewLecture):
    """The first edition, and how it recurs."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Forum Widyaiswara",
                    "unit_id": AN_ID,
                    "starts_at": "2026-11-25T09:00:00+08:00",
                    "ends_at": "2026-11-25T10:30:00+08:00",
                    "zone": "Asia/Makassar",
                    "jp": 2,
                    "lecturer_ids": [ANOTHER_ID],
                    "rule": "FREQ=WEEKLY;COUNT=10",
                    "skips_holidays": True,
                }
            ]
        }
    )
    rule: _Rule
    skips_holidays: Annotated[bool, Field(description="Pass over national holidays; COUNT is reached.")] = (
        False
    )


class Edition(Answer):
    number: _Numbered
    lecture_id: Id
    title: str
    starts_at: Moment
    ends_at: Moment
    state: Word
    version: Annotated[int, Field(description="Of its lecture; If-Match of a change names it.")]
    own: Annotated[list[Word], Field(description="What was changed in this edition alone.")]
    pending: Annotated[bool, Field(description="It still takes over a change of all that follow.")]
    registered: int
    came: Annotated[int | None, Field(description="Null until it is over.")]
    credited: int | None


class NotMade(Answer):
    number: _Numbered
    slot: Annotated[str, Field(description="The wall time that the rule gives it.")]
    reason: Annotated[str, Field(description="Why it could not be booked, in the language asked for.")]


class Series(Answer):
    id: Id
    unit_id: Id
    title: str
    rule: Annotated[str, Field(description="Without its end.")]
    skips_holidays: bool
    members: Annotated[int, Field(description="People registered for the whole series.")]
    version: int
    editions: list[Edition]
    to_make: Annotated[int, Field(description="Editions that are still being booked.")]
    not_made: Annotated[list[NotMade], Field(description="Editions that could not be booked.")]


class SeriesOutline(Answer):
    id: Id
    unit_id: Id
    title: str
    rule: str
    editions: int
    to_make: Annotated[int, Field(description="Editions that are still being booked.")]


class SeriesList(Following):
    items: list[SeriesOutline]


class EditionChange(LectureChange):
    """A change of one edition, or with `applies_to` "following" of all later ones, field by field.

    `dry_run` does nothing and says what each edition would get, and who would be told.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Forum", "applies_to": "following"}]})
    applies_to: Literal["this", "following"] = "this"
    lecturer_ids: Annotated[list[Id], Field(default_factory=list, max_length=50)]
    dry_run: Annotated[bool, Field(description="Only say what would follow.")] = False


class EditionFate(Answer):
    """What a later edition gets; `starts_at` and `ends_at` are those that it will have."""

    number: _Numbered
    lecture_id: Id
    gets: Annotated[Word, Field(description="new_time, changed, cancelled or nothing.")]
    starts_at: Moment
    ends_at: Moment
    keeps: Annotated[list[Word], Field(description="What it keeps of its own.")]
    reason: Annotated[str | None, Field(description="Why it gets nothing, in the language asked for.")]
    told: Annotated[Told | None, Field(description="Null where its people were not counted.")]


class EditionChanged(Answer):
    done: Annotated[bool, Field(description="False of a dry run.")]
    edition: Annotated[Edition, Field(description="As it is, of a dry run, too.")]
    following: Annotated[int, Field(description="How many later editions take it over.")]
    keeping: Annotated[list[int], Field(description="Numbers of those that keep something of their own.")]
    told: Annotated[Told, Field(description="Who is told of this edition.")]
    later: Annotated[list[EditionFate], Field(description="What those that follow get, in order.")]


class EditionsCancelled(Answer):
    done: Annotated[bool, Field(description="False of a dry run.")]
    cancelled: Annotated[int, Field(description="How many editions are called off.")]
    told: Annotated[Told, Field(description="Who is told of this edition.")]
    later: Annotated[list[EditionFate], Field(description="What those that follow get, in order.")]


class EditionCancellation(Given):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "Narasumber sakit", "applies_to": "following"}]}
    )
    reason: Annotated[Line, Field(max_length=500, description="Told to everybody registered.")] = ""
    applies_to: Literal["this", "following"] = "this"
    dry_run: Annotated[bool, Field(description="Only say what would follow.")] = False


class Extension(Given):
    """More editions behind the last one: so many, or up to a day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 4}]})
    count: int | None = None
    until: Annotated[Line | None, Field(description="YYYY-MM-DD, included.")] = None


class NewMembers(Given):
    """Whom to register for the whole series: a seat in each edition ahead, and in those added later."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_ids": [AN_ID]}]})
    person_ids: Annotated[list[Id], Field(max_length=MOST_IN_ONE)]


class Members(Answer):
    added: int
    already: int
    members: int


class TimeWish(Given):
    """For how long, whose lecture, and who is to take part."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"minutes": 90, "lecturer_ids": [ANOTHER_ID], "unit_id": AN_ID}]}
    )
    minutes: int
    lecturer_ids: Annotated[list[Id], Field(default_factory=list, max_length=50)]
    unit_id: Annotated[Id | None, Field(description="The people of this unit and those below it.")] = None
    person_ids: Annotated[list[Id], Field(default_factory=list, max_length=MOST_IN_ONE)]
    weeks: Annotated[int, Field(description="How far ahead, at most 12.")] = 4
    count: Annotated[int, Field(description="How many times, at most 20.")] = 6


class ProposedTime(Answer):
    starts_at: Moment
    ends_at: Moment
    busy: Annotated[int, Field(description="Participants who have another lecture then.")]


class ProposedTimes(Answer):
    people: int
    items: list[ProposedTime]


class TimeToCheck(Given):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "starts_at": "2026-12-25T09:00:00+08:00",
                    "ends_at": "2026-12-25T10:30:00+08:00",
                    "lecturer_ids": [ANOTHER_ID],
                }
            ]
        }
    )
    starts_at: MinuteInstant
    ends_at: MinuteInstant
    lecturer_ids: Annotated[list[Id], Field(default_factory=list, max_length=50)]
    unit_id: Id | None = None


class Clash(Answer):
    person_id: Id
    name: str
    lecture_id: Id | None
    title: str | None
    starts_at: Moment
    ends_at: Moment


class CheckedTime(Answer):
    """Warnings only: nothing of it forbids to book."""

    warnings: list[str]
    lecturers: list[Clash]
    participants_busy: int
    participants: list[Clash]
