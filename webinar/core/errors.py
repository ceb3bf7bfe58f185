"""What the service refuses, and why.

One refusal, one class, one mapping: a subclass says its `code` (a stable word for programs), its
HTTP `status` and its `message` (English, gettext source; `%(name)s` takes the fields). One
middleware of the site turns it into a page or an RFC 9457 problem document in the reader's
language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class Refused(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """Something a person asked for cannot be done; the reason is for that person."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[str] = "This cannot be done."

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.message % fields if fields else self.message)
        self.fields: Mapping[str, Any] = fields


class NotFound(Refused):
    code = "not_found"
    status = 404
    message = "This page or record does not exist, or is not yours to see."


class Forbidden(Refused):
    code = "forbidden"
    status = 403
    message = "You may not do this."


class Unauthenticated(Refused):
    code = "unauthenticated"
    status = 401
    message = "Sign in first."


class IllegalMove(Refused):
    """A state does not allow the move; raise with `state` and `move`."""

    code = "illegal_move"
    status = 409
    message = "Not possible now: the state is %(state)s."


class Stale(Refused):
    """Somebody else changed the record in the meantime."""

    code = "stale"
    status = 412
    message = "Somebody else changed this in the meantime. Nothing of yours is lost: compare and save again."


class TooMany(Refused):
    code = "too_many"
    status = 429
    message = "Too many tries. Wait %(minutes)s minutes and try again."


class Unavailable(Refused):
    """A part the service needs does not answer; trying again later helps."""

    code = "unavailable"
    status = 503
    message = "A part of the service does not answer right now. Nothing is lost; try again shortly."


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: its name, an English gettext source and that source's fields."""

    field: str
    message: str
    fields: Mapping[str, Any]


class Invalid(Refused):
    """The input has errors, each at a field; what was typed is kept and shown again."""

    code = "invalid"
    status = 422
    message = "Some of the input is not right yet."

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__()
        self.errors = tuple(errors)

    @classmethod
    def at(cls, field: str, message: str, **fields: Any) -> "Invalid":
        """One error at one field."""
        return cls([FieldError(field, message, fields)])
