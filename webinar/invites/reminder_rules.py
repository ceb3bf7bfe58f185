"""When somebody is reminded of a lecture, and until when that is of use. Pure.

Each reminder is of use from its own time on until the next one is due, the last until the lecture begins:
one that was held up for hours does not arrive together with the one that follows it.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from webinar.core.errors import Invalid

MINUTE_MS = 60_000
# What an institution chooses among, in minutes before the start.
CHOICES = (3 * 24 * 60, 24 * 60, 60, 15)
# Until an institution has chosen.
USUAL = (24 * 60, 15)
LINK = re.compile(r"([a-z2-7]{26})\.([0-9a-f]{40})")


class Use(StrEnum):
    """Whether a reminder is sent by now."""

    LATER = "later"
    NOW = "now"
    TOO_LATE = "too_late"


def due_at(starts_at: int, minutes: int) -> int:
    """The instant of a reminder; instants in Unix ms."""
    return starts_at - minutes * MINUTE_MS


def use(starts_at: int, minutes: int, times: Collection[int], now: int) -> Use:
    """Whether the reminder of so many minutes before is of use, among all times of the institution."""
    if now < due_at(starts_at, minutes):
        return Use.LATER
    nearer = max((other for other in times if other < minutes), default=0)
    return Use.NOW if now < due_at(starts_at, nearer) else Use.TOO_LATE


def ahead(starts_at: int, times: Iterable[int], now: int) -> dict[int, int]:
    """When each reminder that still lies ahead is due, by its minutes."""
    dues = {minutes: due_at(starts_at, minutes) for minutes in times}
    return {minutes: due for minutes, due in dues.items() if due > now}


def checked(chosen: Iterable[str]) -> tuple[int, ...]:
    """The times that were ticked in the form, the farthest first; none switches reminders off.

    Raises:
        Invalid: one that is not offered.
    """
    known = {str(minutes) for minutes in CHOICES}
    wanted = set(chosen)
    if not wanted <= known:
        raise Invalid.at("times", "Choose from the times that are offered.")
    return in_order(int(minutes) for minutes in wanted)


def in_order(times: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(times, reverse=True))


def effect_key(lecture_id: str, minutes: int) -> str:
    """Of what owes the mails of one reminder."""
    return f"remind:{lecture_id}:{minutes}"


def mail_key(registration_id: str, minutes: int) -> str:
    """Of one person's mail."""
    return f"reminder:{registration_id}:{minutes}"


def of_key(key: str) -> tuple[str, int]:
    """What either key names: the lecture or the registration, and the minutes."""
    _, ident, minutes = key.split(":")
    return ident, int(minutes)


def link(public_url: str, link_key: bytes, person_id: str) -> str:
    """Where this person stops reminders, and has them again, without signing in."""
    return f"{public_url}/reminders/{person_id}.{_mac(link_key, person_id)}"


def person_of(link_key: bytes, given: str) -> str | None:
    """The person to whom the last part of such a link was given; None when it was not given by us."""
    found = LINK.fullmatch(given)
    if found is None or not hmac.compare_digest(found[2], _mac(link_key, found[1])):
        return None
    return found[1]


def _mac(link_key: bytes, person_id: str) -> str:
    return hmac.new(link_key, f"reminders:{person_id}".encode(), hashlib.sha256).hexdigest()[:40]


def stored(minutes: object) -> Sequence[int]:
    """The times as the database has them."""
    return in_order(int(one) for one in minutes) if isinstance(minutes, list) else USUAL
