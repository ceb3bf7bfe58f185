"""What there is: the database's view of one lecture, in a few statements."""

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store as recordings
from scheduler.plan import Seen
from webinar.classroom import checks
from webinar.hours import contest_store
from webinar.lectures import store as lectures
from webinar.lectures.rules import main_room_name
from webinar.policies import store as policies
from webinar.policies.rules import settling_seconds


async def observe(session: AsyncSession, lecture_id: str) -> Seen | None:
    """The lecture as it is; None when there is none (a draft that was deleted)."""
    lecture = await lectures.find(session, lecture_id)
    if lecture is None:
        return None
    name = main_room_name(lecture_id)
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    return Seen(
        lecture=lecture,
        room=(await lectures.rooms_named(session, [name])).get(name),
        recording=await recordings.of_lecture(session, lecture_id),
        quiet_period_s=settling_seconds(policy),
        checks_to_plan=await checks.to_plan(session, lecture, policy),
        open_contests=await contest_store.count_open(session, lecture_id),
    )
