"""A list handed in: several colleagues at one screen, with the paper that says so."""

import re
from dataclasses import dataclass

from webinar.attendance.credit_rules import Interval, Presence, seconds_in
from webinar.core.errors import Invalid
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Policy, earned, role_jp

MOST_BYTES = 2 * 1024 * 1024
MOST_PEOPLE = 500
LIST = "list"
# What a file begins with, by its ending; the type is what it is served as.
KINDS = {
    "pdf": ("application/pdf", b"%PDF-"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file whose content is what its ending says; the name is safe for a header."""

    file_name: str
    content_type: str
    content: bytes


def checked_file(file_name: str, content: bytes) -> Attachment:
    """The attachment of a list.

    Raises:
        Invalid: no file, too large, another kind, or content that is not what the ending says.
    """
    if not content:
        raise Invalid.at("file", "Choose the file with the list.")
    if len(content) > MOST_BYTES:
        raise Invalid.at("file", "The file may have 2 MB at most.")
    name = _UNSAFE.sub("_", file_name.replace("\\", "/").rpartition("/")[2]).strip(". ")[-200:]
    before, _, ending = name.rpartition(".")
    kind = KINDS.get(ending.lower()) if before else None
    if kind is None:
        raise Invalid.at("file", "Hand in a PDF, a JPG or a PNG.")
    if not content.startswith(kind[1]):
        raise Invalid.at("file", "The content of this file is not what its ending says.")
    return Attachment(name, kind[0], content)


def value_with(
    policy: Policy, jp: int, window: Window, there: Presence, span: tuple[int, int], role: Seat
) -> int:
    """Hundredths of a JP for somebody whose own presence and the span of the list count as one."""
    both = Presence((*there.intervals, Interval(*span, (LIST,), 0)), watched=there.watched)
    seconds, _ = seconds_in(both, window, policy.grace_s)
    return earned(policy, role_jp(policy, jp, role), window.seconds, seconds)


def checked_span(start: int, end: int, window: Window) -> tuple[int, int]:
    """The span of a list.

    Raises:
        Invalid: it ends before it starts, or lies outside the official time.
    """
    if end <= start:
        raise Invalid.at("ends_time", "The end has to come after the start.")
    if end <= window.starts_at or start >= window.ends_at:
        raise Invalid.at("starts_time", "This is outside the official time, so that it counts nothing.")
    return start, end
