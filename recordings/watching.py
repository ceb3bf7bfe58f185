"""What a viewer's player reports, kept as evidence: only where the policy counts it, and while it does."""

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store
from recordings.rules import Recording
from recordings.watched_rules import Span, believed, instants, parts_of
from webinar.attendance.counted_rules import replay_deadline
from webinar.attendance.interval_rules import union
from webinar.evidence import store as evidence
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture, LectureState, Registration
from webinar.policies import store as policies

SETTLED = frozenset({LectureState.FINAL, LectureState.ARCHIVED})


async def counts(session: AsyncSession, lecture: Lecture, now: int) -> bool:
    """Whether watching the replay is worth anything at this instant."""
    if lecture.state in SETTLED:
        return False
    policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
    window = await lectures.window_of(session, lecture)
    return policy.replay_percent > 0 and now < replay_deadline(policy, window)


async def report(
    session: AsyncSession, seat: Registration, recording: Recording, player: str, played: list[Span], now: int
) -> None:
    """Keep what a player showed since it was last heard of.

    Args:
        player: random, of one opening of the player.
        played: stretches of media time in ms, in order and apart; none when it begins.
    """
    await lectures.lock_registration(session, seat.id)
    last_at = await evidence.last_replay_at(session, seat.id)
    shown = believed(played, now, last_at)
    spans = instants(parts_of(await store.files(session, recording.id)), shown) if shown else []
    await evidence.record_replay(
        session,
        registration_id=seat.id,
        player=player,
        lecture_id=seat.lecture_id,
        recording_id=recording.id,
        spans=union(spans),
        at=now,
    )
