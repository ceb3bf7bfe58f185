"""Adjustments, contests and year targets, as the API says them."""

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
    JpIn,
    JpOut,
    Line,
    Moment,
    PageQuery,
    Word,
)

Reason = Annotated[Line, Field(min_length=1, max_length=500, description="It stays on record.")]


class Adjustment(Answer):
    id: Id
    batch_id: Annotated[Id, Field(description="One deed on many people.")]
    registration_id: Id
    person_id: Id
    before_jp: JpOut
    after_jp: JpOut
    reason: str
    author_id: Annotated[Id | None, Field(description="A person or an API key; null for the policy.")]
    at: Moment
    undoes: Annotated[Id | None, Field(description="The adjustment that this one takes back.")]
    list_id: Id | None
    contest_id: Id | None
    counts: Annotated[bool, Field(description="Whether this is what counts for the registration now.")]


class Adjustments(Answer):
    items: Annotated[list[Adjustment], Field(description="Oldest first.")]


class SeenValue(Given):
    registration_id: Id
    seen_jp: Annotated[JpIn, Field(description="What counted when it was decided; another value is 412.")]


class NewAdjustments(Given):
    """Give people a value, with one reason. `jp` is asked for with `to` = "value"."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"to": "full", "reason": "Satu layar.", "items": [{"registration_id": AN_ID, "seen_jp": 0}]}
            ]
        }
    )
    to: Annotated[
        Literal["value", "full", "present"],
        Field(description="full: all that the role can earn; present: as if there for the whole window."),
    ]
    jp: JpIn | None = None
    reason: Reason
    items: Annotated[list[SeenValue], Field(min_length=1, max_length=MOST_IN_ONE)]


class Undo(Given):
    """Take back one adjustment, or all of one deed; without a reason the first one's is repeated."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"batch_id": ANOTHER_ID}]})
    adjustment_id: Id | None = None
    batch_id: Id | None = None
    reason: Annotated[Line, Field(max_length=500)] = ""


class ContestsQuery(PageQuery):
    state: Literal["open", "accepted", "refused", "withdrawn"] | None = None
    lecture_id: Id | None = None


class Contest(Answer):
    id: Id
    lecture_id: Id
    registration_id: Id
    person_id: Id
    text: str
    state: Annotated[Word, Field(examples=["open"], description="open, accepted, refused or withdrawn")]
    jp: Annotated[JpOut, Field(description="The value that was not agreed with.")]
    opened_at: Moment
    decided_at: Moment | None
    decision: str | None


class Contests(Following):
    items: Annotated[list[Contest], Field(description="Oldest first.")]


class Acceptance(Given):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": "full", "seen_jp": 0, "reason": "Hadir menurut daftar."}]}
    )
    to: Literal["value", "full", "present"]
    jp: JpIn | None = None
    seen_jp: JpIn
    reason: Reason


class Refusal(Given):
    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Tidak ada bukti."}]})
    reason: Reason


class YearTarget(Answer):
    employment: Annotated[Word, Field(examples=["pns"], description="pns, pppk or other")]
    target_jp: JpOut
    most_jp: Annotated[JpOut | None, Field(description="Hours beyond it are on record; null: no limit.")]


class YearTargets(Answer):
    items: list[YearTarget]


class NewYearTarget(Given):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"employment": "pppk", "target_jp": 20, "most_jp": 24}]}
    )
    employment: Literal["pns", "pppk", "other"]
    target_jp: Annotated[float, Field(ge=0, le=2_000)]
    most_jp: Annotated[float | None, Field(ge=0, le=2_000)] = None
