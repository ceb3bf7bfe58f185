"""What goes over the wire: bodies and queries checked by type, answers written from types."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from webinar.core.errors import FieldError, Invalid, Refused
from webinar.core.language import marked
from webinar.web.forms import Malformed

M = TypeVar("M", bound=BaseModel)

MERGE_PATCH = "application/merge-patch+json"
# The rules' names of fields where the API has other ones.
NAMES = {
    "starts_wall": "starts_at",
    "ends_wall": "ends_at",
    "lecturer": "lecturer_ids",
    "persons": "person_ids",
    "unit": "unit_id",
}
_SAYS = {
    "missing": marked("This field is missing."),
    "extra_forbidden": marked("There is no such field."),
    "string_type": marked("This has to be text."),
    "string_too_short": marked("This may not be empty."),
    "bool_type": marked("This has to be true or false."),
    "bool_parsing": marked("This has to be true or false."),
    "int_type": marked("This has to be a whole number."),
    "int_parsing": marked("This has to be a whole number."),
    "int_from_float": marked("This has to be a whole number."),
    "list_type": marked("This has to be a list."),
    "too_short": marked("This may not be empty."),
    "greater_than_equal": marked("This number is too small."),
    "less_than_equal": marked("This number is too large."),
}


class WrongMediaType(Refused):
    code = "wrong_media_type"
    status = 415
    message = "The body has to be sent as %(expected)s."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is written, so that it can be kept and given again."""

    status: int
    document: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def written(self) -> web.Response:
        text = json.dumps(self.document, ensure_ascii=False)
        return web.Response(
            text=text, status=self.status, headers=dict(self.headers), content_type="application/json"
        )


def reply(
    model: BaseModel,
    status: int = 200,
    *,
    version: int | None = None,
    location: str | None = None,
    link: str | None = None,
) -> Reply:
    """An answer of a type; fields that were not set are left out. The version becomes its ETag."""
    headers = {"Location": location, "Link": link, "ETag": f'"{version}"' if version is not None else None}
    named = {name: value for name, value in headers.items() if value is not None}
    return Reply(status, model.model_dump(mode="json", exclude_unset=True), named)


async def body(request: web.Request, model: type[M]) -> M:
    """The JSON body as the type says.

    Raises:
        WrongMediaType, Malformed, Invalid (with every field that is wrong).
    """
    if request.content_type not in {"application/json", MERGE_PATCH}:
        raise WrongMediaType(expected="application/json")
    return body_of(await request.read(), model)


def body_of(content: bytes, model: type[M]) -> M:
    """The same for bytes that were read already."""
    try:
        return model.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _refusal(error) from None


def query(request: web.Request, model: type[M]) -> M:
    """The query as the type says; a name that it does not know is wrong, too."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Refused:
    found = error.errors(include_url=False, include_input=False)
    if any(e["type"] == "json_invalid" for e in found):
        return Malformed()
    return Invalid([_field_error(e) for e in found])


def _field_error(e: ErrorDetails) -> FieldError:
    name = ".".join(str(part) for part in e["loc"]) or "body"
    context = e.get("ctx", {})
    if e["type"] == "value_error":
        return FieldError(name, str(context["error"]), {})
    if e["type"] in {"string_too_long", "too_long"}:
        return FieldError(name, marked("At most %(most)s."), {"most": context["max_length"]})
    if e["type"] == "literal_error":
        return FieldError(name, marked("Choose one of: %(choices)s."), {"choices": context["expected"]})
    said = _SAYS.get(e["type"])
    return FieldError(name, said or e["msg"], {})


@contextmanager
def api_names() -> Iterator[None]:
    """Errors of the rules name the API's fields."""
    try:
        yield
    except Invalid as invalid:
        raise Invalid([replace(e, field=NAMES.get(e.field, e.field)) for e in invalid.errors]) from None


def version_of(request: web.Request) -> int | None:
    """The version that If-Match names; None for `*`, 0 for what is no version of ours.

    Raises:
        ConditionMissing: there is no If-Match.
    """
    given = request.headers.get(hdrs.IF_MATCH)
    if given is None:
        raise ConditionMissing
    if given.strip() == "*":
        return None
    text = given.strip().strip('"')
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and given[:2] != "W/" else 0


class ConditionMissing(Refused):
    code = "condition_missing"
    status = 428
    message = "Say with If-Match which version you looked at: the ETag of the GET."
