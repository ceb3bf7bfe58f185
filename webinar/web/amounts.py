"""JP as people type them: "2", "1,5" or "1.25" become hundredths."""

import re

from webinar.core.errors import Invalid
from webinar.hours.adjust_rules import FULL, PRESENT, To, value

JP = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?")


def hundredths(text: str, field: str = "jp") -> int:
    """Hundredths of a JP out of a form.

    Raises:
        Invalid: it is no amount.
    """
    found = JP.fullmatch(text.strip())
    if found is None:
        raise Invalid.at(field, "Give an amount such as 2 or 1.5.")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def wanted(kind: str, jp: str) -> To:
    """What shall count, as a form says it: "full", "present", "none", or another value.

    Raises:
        Invalid: the other value is no amount.
    """
    known = {"full": FULL, "present": PRESENT, "none": value(0)}
    return known.get(kind) or value(hundredths(jp))


def seen(text: str) -> int:
    """The value that a form has shown, in hundredths; what is none never equals a real one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1
