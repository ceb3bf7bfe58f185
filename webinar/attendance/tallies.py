"""The stored attendance of lectures: who computes it, and when.

There is one path. `shown` answers what is stored; where that is stale it computes small lectures at once,
and owes the effect `tally:<lecture>` for large ones, of which it then says that they are behind. The
effect computes a lecture every minute while people are in it (a large one less often, so that it never
takes more than a tenth of a core), and once more when they are gone.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service, store
from webinar.attendance.curve_rules import curve
from webinar.attendance.log_rules import AttendanceLog
from webinar.attendance.rules import RULES_VERSION
from webinar.attendance.tally_rules import SMALL, Standing, Tally, inputs_of, next_at, standing
from webinar.core import effects
from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome, Owed, Skip
from webinar.evidence.marks import marks_of
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.policies import store as policies

# Rows written in one transaction: the other writers of SQLite wait for less than 50 ms.
SLICE = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """What is stored of a lecture; `behind` when something newer is being computed."""

    tally: Tally
    behind: bool = False


def tally_owed(lecture_id: str, due_at: int) -> Owed:
    """The computing of a lecture's attendance from `due_at` on, for as long as it goes on."""
    said = {"lecture": lecture_id}
    return Owed(
        kind="tally",
        key=f"tally:{lecture_id}",
        subject=f"lecture:{lecture_id}",
        due_at=due_at,
        payload=said,
    )


async def owe_tally(session: AsyncSession, lecture_id: str, due_at: int, now: int) -> None:
    """Have the lecture's attendance computed from `due_at` on, for as long as it goes on."""
    await effects.owe_many(session, [tally_owed(lecture_id, due_at)], now)


class Tallies:
    """Computes and keeps attendance, in transactions of its own: any number may do so at once."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def shown(self, lecture: Lecture) -> Shown:
        """The stored attendance of a lecture, made fresh first where that is cheap."""
        async with self._db.reading() as session:
            tally, state, people = await self._look(session, lecture)
        if tally is None or (state is not Standing.FRESH and people <= SMALL):
            return Shown(await self._computed(lecture))
        if state is not Standing.STALE:
            return Shown(tally)
        async with self._db.writing() as session:
            now = self._clock.now()
            await owe_tally(session, lecture.id, now, now)
        return Shown(tally, behind=True)

    async def __call__(self, effect: Effect) -> Outcome:
        """The handler of kind `tally`."""
        async with self._db.reading() as session:
            lecture = await lectures.find(session, str(effect.payload["lecture"]))
            if lecture is None:
                return Skip("there is no such lecture")
            tally, state, _ = await self._look(session, lecture)
        began = self._clock.now()
        if tally is None or state is not Standing.FRESH:
            tally = await self._computed(lecture)
        now = self._clock.now()
        due_at = next_at(tally, lecture, now - began, now)
        return Done() if due_at is None else Again(due_at)

    async def _look(self, session: AsyncSession, lecture: Lecture) -> tuple[Tally | None, Standing, int]:
        """What is stored, how it stands, and how many people are registered."""
        tally = await store.tally_of(session, lecture.id)
        if tally is not None and (tally.final or lecture.state in service.SETTLED):
            return tally, Standing.FRESH, tally.rows
        seats = await store.seats_of(session, lecture.id)
        if tally is None:
            return None, Standing.STALE, len(seats)
        window = await lectures.window_of(session, lecture)
        policy = await policies.get(session, lecture.policy_id, lecture.policy_version)
        inputs = inputs_of(lecture, window, policy, RULES_VERSION, seats)
        rooms = [room.name for room in await lectures.rooms_of(session, lecture.id)]
        marks = await marks_of(session, lecture.id, rooms)
        return tally, standing(tally, lecture, inputs, marks, self._clock.now()), len(seats)

    async def _computed(self, lecture: Lecture) -> Tally:
        """Compute the lecture and keep it; when somebody was faster, what they kept."""
        now = self._clock.now()
        async with self._db.reading() as session:
            found = await service.gather(session, lecture)
        # In a thread, so that whoever else is served here is served meanwhile.
        log = await asyncio.to_thread(found.computed, now)
        return await self._kept(log, found.inputs)

    async def _kept(self, log: AttendanceLog, inputs: str) -> Tally:
        summary, points = service.summary_of(log), curve(log).points
        lecture_id, last = log.lecture.id, max(len(log.entries) - 1, 0) // SLICE
        for number in range(last + 1):
            async with self._db.writing() as session:
                final, before = await store.held(session, lecture_id)
                if final or before > log.computed_at:
                    break
                await store.keep_rows(session, log, log.entries[number * SLICE : (number + 1) * SLICE])
                if number == last:
                    return await store.keep_header(
                        session, log, inputs=inputs, summary=summary, points=points, final=False
                    )
        async with self._db.reading() as session:
            return await store.kept(session, lecture_id)
