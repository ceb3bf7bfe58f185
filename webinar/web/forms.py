"""Reading what a form or a JSON body says."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from aiohttp import web
from multidict import MultiDictProxy
from pydantic import BaseModel, ValidationError

from webinar.core.errors import FieldError, Invalid, Refused
from webinar.core.language import Translate

M = TypeVar("M", bound=BaseModel)


class Malformed(Refused):
    code = "malformed"
    status = 400
    message = "The body is not valid JSON."


async def fields(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed; the last one wins where a name comes twice."""
    posted = await _posted(request)
    return {name: value.strip() for name, value in posted.items() if isinstance(value, str)}


async def many(request: web.Request, name: str) -> list[str]:
    """All values of one field, such as ticked boxes."""
    posted = await _posted(request)
    return [value for value in posted.getall(name, []) if isinstance(value, str)]


async def _posted(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The form. A NUL, which no form of ours sends, is refused before PostgreSQL refuses it."""
    posted = await request.post()
    if any(isinstance(value, str) and "\0" in value for value in posted.values()):
        raise Malformed
    return posted


def whole(text: str, otherwise: int = 0) -> int:
    """A whole number out of an address, or the other one where somebody has typed something else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000000") else otherwise


def number(text: str, field: str) -> int:
    """A whole number as somebody typed it.

    Raises:
        Invalid: at the field, when it is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 7:
        raise Invalid.at(field, "This has to be a whole number.")
    return int(text)


async def json_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body.

    Raises:
        Malformed: it is none.
    """
    raw = await request.read()
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(body, dict) or b"\\u0000" in raw:
        raise Malformed
    return body


def parsed(model: type[M], data: Mapping[str, Any]) -> M:
    """Check data against a pydantic model.

    Raises:
        Invalid: with each field that is wrong.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid(
            [
                FieldError(
                    ".".join(str(part) for part in e["loc"]) or "body", e["msg"].replace("%", "%%"), {}
                )
                for e in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        ) from None


def messages(invalid: Invalid, _: Translate) -> dict[str, str]:
    """What is wrong, by field, in the reader's language."""
    return {e.field: _(e.message, **e.fields) if e.fields else _(e.message) for e in invalid.errors}
