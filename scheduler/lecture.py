"""The reconciler of one lecture, the handler of kind `lecture`: observe, plan, apply, until nothing lacks."""

from collections.abc import Sequence

import structlog

from scheduler.apply import Doer
from scheduler.observe import observe
from scheduler.plan import Action, Plan, Seen, plan
from webinar.core.batches import Batches
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome, Skip
from webinar.core.effects_rules import BackOff
from webinar.core.effects_runner import batch_size
from webinar.core.errors import IllegalMove, Stale
from webinar.media.port import Media, MediaUnavailable

# Each look does at least one thing; a lecture's whole life, missed and made up for, takes six.
MOST_LOOKS = 10
LOOK_AGAIN_MS = 1_000
# The watch wakes the lecture as soon as the media server answers again, so this is only a net.
MEDIA_AWAY = BackOff(first_ms=500, cap_ms=5_000, tries=0)

log = structlog.get_logger()


class Reconciler:
    """Brings a lecture to where it should be; safe to run at any time, and as often as one likes."""

    def __init__(self, db: Database, media: Media, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._doer = Doer(db, media, clock)
        self._seen: Batches[str, Seen | None] = Batches(self._observe, **batch_size(db))

    async def __call__(self, effect: Effect) -> Outcome:
        lecture_id = effect.subject.removeprefix("lecture:")
        for _ in range(MOST_LOOKS):
            seen = await self._seen(lecture_id)
            if seen is None:
                return Skip("there is no such lecture")
            what = plan(seen, self._clock.now())
            if not what.actions:
                return Done() if what.next_at is None else Again(what.next_at)
            if what.actions == (Action.OPEN_ROOM,):
                return await self._open(what, seen)
            if not await self._apply(what, seen):
                return Again(self._soon(what, seen))
        log.warning("lecture_not_settled", lecture=lecture_id, actions=what.actions)
        return Again(self._clock.now() + LOOK_AGAIN_MS)

    async def _observe(self, lecture_ids: Sequence[str]) -> Sequence[Seen | None]:
        async with self._db.reading() as session:
            seen = await observe(session, lecture_ids)
        return [seen.get(ident) for ident in lecture_ids]

    async def _open(self, what: Plan, seen: Seen) -> Outcome:
        """The most frequent look: nothing lacks but the room. That it stands is written with the outcome."""
        try:
            made = await self._doer.opener.open(seen)
        except MediaUnavailable as error:
            log.warning(
                "media_away", lecture=seen.lecture.id, action=Action.OPEN_ROOM.value, error=error.code
            )
            return Again(self._soon(what, seen))
        return self._doer.opener.outcome(made, seen)

    async def _apply(self, what: Plan, seen: Seen) -> bool:
        """Do everything that can be done; False when the media server was needed and is away."""
        answered = True
        for action in what.actions:
            try:
                await self._doer.do(action, seen)
            except (Stale, IllegalMove):
                return True  # somebody else was faster: look again
            except MediaUnavailable as error:
                log.warning("media_away", lecture=seen.lecture.id, action=action.value, error=error.code)
                answered = False
        return answered

    def _soon(self, what: Plan, seen: Seen) -> int:
        now = self._clock.now()
        tried = seen.room.attempts if seen.room is not None else 0
        retry = now + MEDIA_AWAY.wait_ms(tried + 1)
        return retry if what.next_at is None or what.next_at <= now else min(retry, what.next_at)
