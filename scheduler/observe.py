"""What there is: the database's view of lectures, in a few statements however many they are."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store as recordings
from scheduler.plan import Seen
from webinar.classroom import checks
from webinar.hours import contest_store
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState
from webinar.policies import store as policies
from webinar.policies.rules import settling_seconds


async def observe(session: AsyncSession, lecture_ids: Sequence[str]) -> Mapping[str, Seen]:
    """The lectures as they are; one that does not exist (a draft that was deleted) is left out."""
    found = await lectures.by_ids(session, lecture_ids)
    pinned = await policies.several(session, {_pin(lecture) for lecture in found.values()})
    rooms = await lectures.rooms_of_several(session, list(found))
    recorded = await recordings.of_lectures(session, [x.id for x in found.values() if _may_be_recorded(x)])
    # Nothing is settled before the end, and nobody contests what was not said.
    ended = [ident for ident, lecture in found.items() if lecture.state is LectureState.ENDED]
    contested = await contest_store.open_in(session, ended) if ended else {}
    return {
        ident: Seen(
            lecture=lecture,
            rooms=tuple(rooms[ident]),
            recording=recorded.get(ident),
            quiet_period_s=settling_seconds(pinned[_pin(lecture)]),
            checks_to_plan=await checks.to_plan(session, lecture, pinned[_pin(lecture)]),
            open_contests=contested.get(ident, 0),
        )
        for ident, lecture in found.items()
    }


def _pin(lecture: Lecture) -> tuple[str, int]:
    return lecture.policy_id, lecture.policy_version


def _may_be_recorded(lecture: Lecture) -> bool:
    """One that never was recorded until its room opens has nothing to look for."""
    return lecture.state is not LectureState.SCHEDULED or lecture.opened_at is not None
