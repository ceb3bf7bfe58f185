"""The small types that all others are made of, and what every list and error looks like.

Times are RFC 3339 with an offset, JP a decimal number (1.5), ids 26 characters.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

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
