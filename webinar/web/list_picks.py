"""Ticking people for a list handed in, among the registered: a search keeps what is ticked."""

from collections.abc import Sequence
from dataclasses import dataclass

from webinar.attendance.tallies import Tallies
from webinar.hours import review
from webinar.hours.adjust_rules import ADJUSTABLE
from webinar.hours.list_rules import MOST_PEOPLE
from webinar.hours.review import Reviewed
from webinar.hours.review_rules import Line, Wish
from webinar.lectures.rules import Lecture
from webinar.policies import store as policies
from webinar.web.context import Context

# What a button of the form asks for, other than to go on: search, tick or untick whoever is shown.
FIND, ALL, NONE = "find", "all", "none"


@dataclass(frozen=True, slots=True)
class Picks:
    """Who is offered, of so many that match, and who is ticked; `others` are ticked and not offered."""

    text: str
    shown: Sequence[Line]
    matching: int
    ticked: frozenset[str]
    others: Sequence[Line]


async def picks(
    asked: Context, lecture: Lecture, text: str, ticked: Sequence[str], step: str
) -> Picks | None:
    """Who can be ticked; None as long as the lecture is not over."""
    if lecture.trial or lecture.state not in ADJUSTABLE:
        return None
    await Tallies(asked.site.database, asked.site.clock).shown(lecture)
    wish = Wish.of({"q": text})
    async with asked.reading() as session:
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        of = Reviewed(lecture, policy, asked.rights)
        shown = await review.page(session, of, wish)
        matching = await review.matching(session, of, wish)
        mine = {line.registration_id for line in shown}
        others = await review.some(session, of, [id for id in ticked[:MOST_PEOPLE] if id not in mine])
    chosen = {line.registration_id for line in others} | (mine & {*ticked})
    chosen = {ALL: chosen | mine, NONE: chosen - mine}.get(step, chosen)
    return Picks(wish.text, shown, matching, frozenset(chosen), others)
