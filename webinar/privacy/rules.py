"""For how long what is kept of people, as days (UU 27/2022 on personal data, art. 16 and 42).

The words for it are in `wording`; both together are the notice before joining, the settings of an
institution, the job that carries retention out, and the table of docs/privacy.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webinar.core.errors import FieldError, Invalid

DAY_MS = 86_400_000


class Kind(StrEnum):
    """What is kept for a time only."""

    HEARTBEATS = "heartbeats"
    EVIDENCE = "evidence"
    ATTACHMENTS = "attachments"
    CHAT = "chat"
    RECORDINGS = "recordings"
    MAIL = "mail"
    SIGN_IN = "sign_in"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class Kept:
    """Days unless an institution chooses others, and between which it may choose."""

    days: int
    least: int
    most: int


RETENTION: Mapping[Kind, Kept] = {
    Kind.HEARTBEATS: Kept(90, 7, 3_650),
    Kind.EVIDENCE: Kept(730, 30, 3_650),
    Kind.ATTACHMENTS: Kept(730, 30, 3_650),
    Kind.CHAT: Kept(180, 1, 3_650),
    Kind.RECORDINGS: Kept(365, 1, 3_650),
    Kind.MAIL: Kept(365, 30, 3_650),
    Kind.SIGN_IN: Kept(180, 30, 730),
    Kind.ADDRESSES: Kept(30, 1, 365),
}


def checked(kind: Kind, days: int | None) -> int:
    """The days, if the kind may be kept for so long.

    Raises:
        Invalid: names the kind.
    """
    kept = RETENTION[kind]
    if days is None or not kept.least <= days <= kept.most:
        bounds = {"least": kept.least, "most": kept.most}
        raise Invalid([FieldError(kind, "Give a number from %(least)s to %(most)s.", bounds)])
    return days


def chosen(stored: Mapping[str, int]) -> dict[Kind, int]:
    """Days for each kind: what the institution chose, else ours."""
    return {kind: stored.get(kind, kept.days) for kind, kept in RETENTION.items()}


def before(days: int, now: int) -> int:
    """What is older than this instant has been kept for long enough."""
    return now - days * DAY_MS


def pseudonym(person_id: str) -> str:
    """What an erased person is called: the same everywhere, and nobody's name."""
    return f"Data dihapus {person_id[:6]}"
