"""The job that carries retention out, once a day: an effect like any other, so that it survives a restart.

It works in slices, so that no other writer waits, and each slice stands alone: a run that was cut off
is taken up by the next. Evidence of a settled lecture leaves its digest behind.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store as recordings
from recordings.rules import RecordingState
from recordings.storage import Storage, recording_prefix
from webinar.attendance.tables import TallyRow
from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Effect, Outcome
from webinar.core.tables import EffectRow
from webinar.evidence import digest_rules as digests
from webinar.evidence import store as evidence
from webinar.lectures import store as lectures
from webinar.people import store as people
from webinar.privacy import rules, store
from webinar.privacy.rules import DAY_MS, RETENTION, Kind

KEY = "retention:all"
# Between two slices, so that the log of webhooks gets its turn.
PAUSE_S = 0.01
# What was done stands in the audit trail of its subject.
FINISHED_EFFECTS_DAYS = 90
BY_AGE = (Kind.CHAT, Kind.MAIL, Kind.ATTACHMENTS)

log = structlog.get_logger(__name__)


async def owe_first(session: AsyncSession, now: int) -> None:
    """Have the job run from now on, if it is not owed already."""
    if await session.scalar(select(EffectRow.id).where(EffectRow.key == KEY)) is None:
        await effects.owe(session, kind="retention", key=KEY, subject="retention", due_at=now, now=now)


class RetentionJob:
    """The handler of kind `retention`."""

    def __init__(self, db: Database, storage: Storage, clock: Clock) -> None:
        self._db = db
        self._storage = storage
        self._clock = clock

    async def __call__(self, effect: Effect) -> Outcome:
        now = self._clock.now()
        async with self._db.reading() as session:
            institutions = [unit.id for unit in await people.institutions(session)]
        removed = await self._of_everybody(institutions, now)
        for institution_id in institutions:
            removed += await self._of_institution(institution_id, now)
        log.info("retention_carried_out", removed=removed)
        return Again(now + DAY_MS)

    async def _of_everybody(self, institutions: list[str], now: int) -> int:
        """What belongs to no institution is kept for the longest that one of them chose."""
        async with self._db.reading() as session:
            each = [rules.chosen(await store.days(session, one)) for one in institutions]
        longest = {kind: max((days[kind] for days in each), default=RETENTION[kind].days) for kind in Kind}
        ages: tuple[tuple[Callable[[AsyncSession, int], Awaitable[int]], int], ...] = (
            (store.remove_sign_ins, longest[Kind.SIGN_IN]),
            (store.remove_attempts, longest[Kind.ADDRESSES]),
            (store.remove_finished_effects, FINISHED_EFFECTS_DAYS),
        )
        removed = 0
        for remove, days in ages:
            removed += await self._all(remove, rules.before(days, now))
        return removed

    async def _of_institution(self, institution_id: str, now: int) -> int:
        async with self._db.reading() as session:
            days = rules.chosen(await store.days(session, institution_id))
        removed = 0
        # Heartbeats first: the digest of the rest is compared without them, theirs only with them.
        for kind in (Kind.HEARTBEATS, Kind.EVIDENCE):
            removed += await self._evidence(institution_id, kind, rules.before(days[kind], now), now)
        for kind in BY_AGE:

            async def old(session: AsyncSession, before: int, kind: Kind = kind) -> int:
                return await store.remove_old(session, institution_id, kind, before)

            removed += await self._all(old, rules.before(days[kind], now))
        return removed + await self._recordings(institution_id, rules.before(days[Kind.RECORDINGS], now), now)

    async def _all(self, remove: Callable[[AsyncSession, int], Awaitable[int]], before: int) -> int:
        removed = 0
        while True:
            async with self._db.writing() as session:
                gone = await remove(session, before)
            removed += gone
            if not gone:
                return removed
            await asyncio.sleep(PAUSE_S)

    async def _evidence(self, institution_id: str, kind: Kind, before: int, now: int) -> int:
        removed = 0
        while True:
            async with self._db.reading() as session:
                due = await store.lectures_to_retire(session, institution_id, kind, before)
            if not due:
                return removed
            for lecture_id in due:
                await self._leave_digest(lecture_id, kind, now)

                async def slice_of(session: AsyncSession, _: int, lecture_id: str = lecture_id) -> int:
                    return await store.remove_evidence(session, lecture_id, kind)

                removed += await self._all(slice_of, before)

    async def _leave_digest(self, lecture_id: str, kind: Kind, now: int) -> None:
        """Before the first row goes; a run that was cut off afterwards finds it there."""
        async with self._db.reading() as session:
            tally = await session.get(TallyRow, lecture_id)
            known = await store.retired(session, lecture_id)
            if kind.value in known or tally is None or not tally.final:
                return
            names = [room.name for room in await lectures.rooms_of(session, lecture_id)]
            facts = await evidence.evidence_of(session, lecture_id, names, until=tally.high_water)
        beats = digests.beats_digest(facts)
        if (gone := known.get(Kind.HEARTBEATS.value)) is not None:
            beats = gone.sha256
        record = digests.record_digest(facts)
        matched = tally.evidence_sha256 == digests.joined(beats, record)
        if not matched:
            log.warning("evidence_changed_since_settled", lecture=lecture_id)
        of_beats = kind is Kind.HEARTBEATS
        async with self._db.writing() as session:
            await store.note_retired(
                session,
                lecture_id,
                kind,
                rows=len(facts.beats) if of_beats else len(facts.events) + len(facts.sweeps),
                sha256=beats if of_beats else record,
                matched=matched,
                retired_at=now,
            )

    async def _recordings(self, institution_id: str, before: int, now: int) -> int:
        removed = 0
        while True:
            async with self._db.reading() as session:
                due = await store.recordings_to_remove(session, institution_id, before, now)
            if not due:
                return removed
            for recording_id, _ in due:
                await self._remove_recording(recording_id)
                removed += 1

    async def _remove_recording(self, recording_id: str) -> None:
        """Nobody may watch it first, then its files go; one whose files are half gone is due again."""
        async with self._db.writing() as session:
            found = await recordings.find(session, recording_id, to_change=True)
            if found is not None and found.state is not RecordingState.WITHDRAWN and found.may("withdraw"):
                await recordings.change(session, found, state=found.after("withdraw").state.value)
        for key in await self._storage.list(recording_prefix(recording_id)):
            await self._storage.delete(key)
        async with self._db.writing() as session:
            await recordings.forget_files(session, recording_id)
