"""The scene of attendance with two organisers, for tests of what people change of it."""

from collections.abc import Mapping

from sqlalchemy import select, update

from tests.build import DAY, LAST_WEEK, NINE, a_person
from tests.integration.attendance_scene import EVERYTHING, Scene
from webinar.attendance.tallies import Tallies
from webinar.core.clock import ManualClock
from webinar.hours import adjustments, service, store
from webinar.hours.adjust_rules import FULL, To
from webinar.hours.adjustments import Batch
from webinar.hours.tables import HourTotalRow, LedgerRow
from webinar.lectures import service as lecture_service
from webinar.lectures import store as lectures
from webinar.lectures.rules import Lecture
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope, scope_of
from webinar.people.tables import PersonRow, RoleRow, UnitRow

LATER = NINE + 2 * DAY
WHY = "Duduk bersama di satu layar."


async def an_organiser(scene: Scene, name: str = "Rina Wati") -> Scope:
    """Somebody who organises the lectures of the scene's institution."""
    async with scene.db.writing() as session:
        unit = await session.get(UnitRow, scene.lecture.institution_id)
        person: PersonRow = await a_person(session, unit, name=name)
        session.add(
            RoleRow(person_id=person.id, role="organiser", unit_id=person.unit_id, granted_at=LAST_WEEK)
        )
        await session.flush()
        return await scope_of(session, person.id)


async def compute(scene: Scene, now: int = LATER) -> None:
    """Have the attendance computed and stored, as any look at it does."""
    await Tallies(scene.db, ManualClock(now)).shown(await lecture_of(scene))


async def lecture_of(scene: Scene) -> Lecture:
    async with scene.db.reading() as session:
        return await lectures.get(session, EVERYTHING, scene.lecture.id)


async def settle(scene: Scene, now: int = LATER) -> None:
    """As the scheduler does it."""
    async with scene.db.writing() as session:
        lecture = await lectures.get(session, EVERYTHING, scene.lecture.id)
        await service.settle(session, lecture, now)
        await lecture_service.finalised(session, lecture, now)


async def adjust(
    scene: Scene, scope: Scope, seen: Mapping[str, int], to: To = FULL, *, reason: str = WHY, now: int = LATER
) -> Batch:
    """Adjust by seats: `seen` is what the organiser saw of each."""
    ids = {scene.seats[seat].id: jp for seat, jp in seen.items()}
    async with scene.db.writing() as session:
        return await adjustments.adjust(
            session, scope, scene.lecture.id, seen=ids, to=to, reason=reason, now=now
        )


async def undo(scene: Scene, scope: Scope, *, now: int = LATER, **which: str) -> Batch:
    async with scene.db.writing() as session:
        return await adjustments.undo(session, scope, scene.lecture.id, now=now, **which)


async def effective(scene: Scene) -> dict[str, int]:
    """What counts instead of what was computed, by seat."""
    async with scene.db.reading() as session:
        found = await store.effective(session, scene.lecture.id)
    seats = {row.id: seat for seat, row in scene.seats.items()}
    return {seats[id]: one.jp for id, one in found.items()}


async def entries(scene: Scene) -> list[tuple[str, str, int]]:
    """(seat, kind, JP) of the ledger, in its order."""
    names = {row.id: seat for seat, row in scene.people.items()}
    async with scene.db.reading() as session:
        rows = (await session.scalars(select(LedgerRow).order_by(LedgerRow.number))).all()
    return [(names[row.person_id], row.kind, row.jp) for row in rows]


async def totals(scene: Scene) -> dict[str, tuple[int, int]]:
    """(JP, entries) of the kept totals, by seat."""
    names = {row.id: seat for seat, row in scene.people.items()}
    async with scene.db.reading() as session:
        rows = (await session.scalars(select(HourTotalRow))).all()
    return {names[row.person_id]: (row.jp, row.entries) for row in rows}


async def set_state(scene: Scene, state: str) -> None:
    async with scene.db.writing() as session:
        await session.execute(update(LectureRow).where(LectureRow.id == scene.lecture.id).values(state=state))
