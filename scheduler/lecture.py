"""The reconciler of one lecture, the handler of kind `lecture`: observe, plan, apply, until nothing lacks."""

import asyncio
from collections.abc import Sequence
from itertools import groupby

import structlog

from scheduler.apply import Doer
from scheduler.observe import observe
from scheduler.plan import Action, Deed, Plan, Seen, plan
from webinar.core.batches import Batches
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome, Skip
from webinar.core.effects_rules import BackOff
from webinar.core.effects_runner import batch_size
from webinar.core.errors import IllegalMove, Stale
from webinar.media.pool import Pool
from webinar.media.port import MediaUnavailable

# Each look does at least one thing; a lecture's whole life, missed and made up for, takes six.
MOST_LOOKS = 10
LOOK_AGAIN_MS = 1_000
# The watch wakes the lecture as soon as the media server answers again, so this is only a net.
MEDIA_AWAY = BackOff(first_ms=500, cap_ms=5_000, tries=0)
MEDIA_AWAY_TRIES = 4

log = structlog.get_logger()


class Reconciler:
    """Brings a lecture to where it should be; safe to run at any time, and as often as one likes."""

    def __init__(self, db: Database, pool: Pool, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._doer = Doer(db, pool, clock)
        self._seen: Batches[str, Seen | None] = Batches(self._observe, **batch_size(db))

    async def __call__(self, effect: Effect) -> Outcome:
        lecture_id = effect.subject.removeprefix("lecture:")
        for _ in range(MOST_LOOKS):
            seen = await self._seen(lecture_id)
            if seen is None:
                return Skip("there is no such lecture")
            what = plan(seen, self._clock.now())
            if not what.deeds:
                return Done() if what.next_at is None else Again(what.next_at)
            if len(what.deeds) == 1 and what.deeds[0].action is Action.OPEN_ROOM:
                return await self._open(what, seen)
            if not await self._apply(what, seen):
                return Again(self._soon(what, seen))
        log.warning("lecture_not_settled", lecture=lecture_id, deeds=what.deeds)
        return Again(self._clock.now() + LOOK_AGAIN_MS)

    async def _observe(self, lecture_ids: Sequence[str]) -> Sequence[Seen | None]:
        async with self._db.reading() as session:
            seen = await observe(session, lecture_ids)
        return [seen.get(ident) for ident in lecture_ids]

    async def _open(self, what: Plan, seen: Seen) -> Outcome:
        """The most frequent look: nothing lacks but a room. That it stands is written with the outcome."""
        [deed] = what.deeds
        try:
            made = await self._doer.opener.open(seen, deed.room)
        except MediaUnavailable as error:
            self._away(seen, deed, error)
            return Again(self._soon(what, seen))
        except Stale:
            # Called off or moved since it was seen: look again.
            return Again(self._clock.now())
        return self._doer.opener.outcome(made, seen)

    async def _apply(self, what: Plan, seen: Seen) -> bool:
        """Do everything that can be done; False when the media server was needed and is away."""
        answered = True
        for of_rooms, deeds in groupby(what.deeds, key=lambda deed: deed.room != ""):
            try:
                if of_rooms:
                    answered = await self._do_together(list(deeds), seen) and answered
                else:
                    for deed in deeds:
                        answered = await self._do(deed, seen) and answered
            except (Stale, IllegalMove):
                return True  # somebody else was faster: look again
        return answered

    async def _do_together(self, deeds: Sequence[Deed], seen: Seen) -> bool:
        """What is to be done to several rooms, each for itself: one that is refused stops no other."""
        results = await asyncio.gather(*(self._do(deed, seen) for deed in deeds), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return all(results)

    async def _do(self, deed: Deed, seen: Seen) -> bool:
        try:
            await self._doer.do(deed, seen)
        except MediaUnavailable as error:
            self._away(seen, deed, error)
            return False
        return True

    def _away(self, seen: Seen, deed: Deed, error: MediaUnavailable) -> None:
        log.warning(
            "media_away", lecture=seen.lecture.id, action=deed.action.value, room=deed.room, error=error.code
        )

    def _soon(self, what: Plan, seen: Seen) -> int:
        """When to try again: a room that was tried often does not make one wait that was not."""
        now = self._clock.now()
        rooms = [seen.room(deed.room) for deed in what.deeds if deed.room]
        # What is asked of no single room is not counted, and can wait.
        tried = min((room.attempts if room else 0 for room in rooms), default=MEDIA_AWAY_TRIES)
        retry = now + MEDIA_AWAY.wait_ms(tried + 1)
        return retry if what.next_at is None or what.next_at <= now else min(retry, what.next_at)
