"""What everybody reads before the room, or before only watching: who lectures, and what it takes."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import consent
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, Registration
from webinar.policies import store as policies
from webinar.policies.wording import promise
from webinar.web.context import Context


@dataclass(frozen=True, slots=True)
class Welcome:
    """`told` is whether this seat was told before what is kept; `promise` is what a participant must do."""

    told: bool
    promise: str
    lecturers: str


async def welcome(asked: Context, session: AsyncSession, lecture: Lecture, seat: Registration) -> Welcome:
    """Read what the page says of a lecture, in the reader's language."""
    told = await consent.given(session, lecture, seat)
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window = await lectures.window_of(session, lecture)
    people = (await lectures.lecturers_of(session, [lecture.id]))[lecture.id]
    rule = promise(asked.language, policy, lecture.jp, window.seconds)
    return Welcome(told, rule, ", ".join(person.name for person in people))
