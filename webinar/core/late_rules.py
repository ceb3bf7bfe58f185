"""What is late after a time without schedulers: what is still done, and what is pointless by then. Pure.

What is late and still useful happens at once; what is late and pointless is skipped, and the reason
stands on the effect and on whatever page shows it. docs/architecture.md has this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Late:
    """The rule of a kind: what happens at once however late, when it is pointless, and the words for that.

    `skipped` is empty for what is never pointless; then `pointless_when` says why not.
    """

    at_once: str
    pointless_when: str
    skipped: str = ""


LATE: Mapping[str, Late] = {
    "lecture": Late(
        "room, start, end and settling, as far as they are still to come",
        "never: a lecture that is over gets no room, and its timeline says why nobody could be let in",
    ),
    "sweep": Late(
        "one look for all that were missed",
        "nobody is to be looked for any more",
        "the room is closed or its lecture over",
    ),
    "announce": Late(
        "compares with what people know by now",
        "never: it owes only what is still missing",
    ),
    "invite": Late(
        "the mail, as the lecture is by then; that it is called off also after its end",
        "nobody can come any more",
        "the lecture is over",
    ),
    "remind": Late(
        "the reminder, where the next one is not due yet and the lecture has not begun",
        "the lecture has begun, or a later reminder is due",
        "too late for this reminder",
    ),
    "reminder": Late(
        "the mail, with the time that is left by then",
        "the lecture has begun, or a later reminder is due",
        "too late for this reminder",
    ),
    "contest": Late(
        "the mail",
        "it was decided before the organisers were told",
        "it is decided already",
    ),
    "mail": Late(
        "the mail with the link",
        "the link helps nobody any more",
        "the link was used or ran out",
    ),
    "import": Late("goes on behind the last row", "never"),
    "check": Late(
        "the question, where all of the time to answer lies in the official window",
        "nobody could answer in time",
        "too late, or in a break: it could not be answered inside the official window",
    ),
    "tally": Late(
        "one computing for all that were missed",
        "never: it computes what is stale, and nothing else",
    ),
    "remove": Late("puts out whoever is still in", "never: it looks who is in"),
    "series": Late(
        "each coming edition takes over what it lacks; those still to be booked are booked",
        "never: editions that are over stay as they are, and one whose day has passed is named as not booked",
    ),
    "release": Late("owes again what was held", "never: what each mail may still say is asked when it goes"),
    "report": Late("the file, or its removal", "never"),
    "retention": Late("one run for all that were missed", "never"),
}


def reason(kind: str) -> str:
    """The words in which the record says that an effect of this kind was pointless.

    Raises:
        KeyError: there is no such kind, or it is never pointless.
    """
    skipped = LATE[kind].skipped
    if not skipped:
        raise KeyError(kind)
    return skipped
