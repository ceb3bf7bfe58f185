"""Everything that a file about a lecture says, read with a constant number of statements."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance import service as attendance
from webinar.hours import service as hours
from webinar.hours import store as adjustments
from webinar.lectures import store as lectures
from webinar.lectures.tables import RegistrationRow
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.people.rules import Unit
from webinar.people.tables import PersonRow, UnitRow
from webinar.policies.rules import sentence
from webinar.reports.list_rules import AttendanceList, Change, Listed


async def attendance_list(
    session: AsyncSession, scope: Scope, lecture_id: str, now: int, *, unit_id: str = ""
) -> AttendanceList:
    """The list of a lecture that the scope manages; only the people of a unit and below, if one is named.

    Raises:
        NotFound: no such lecture or unit, or not the scope's.
    """
    log = await attendance.log(session, scope, lecture_id, now)
    unit = await people.unit(session, scope, unit_id) if unit_id else None
    lecture = log.lecture
    home = await people.institution(session, lecture.institution_id)
    taught = await lectures.lecturers_of(session, [lecture.id])
    places = await _places(session, scope, lecture.id)
    changes = await _changes(session, lecture.id)
    listed = [
        Listed(
            entry, *places.get(entry.registration.person_id, (None, "")), changes.get(entry.registration.id)
        )
        for entry in log.entries
    ]
    return AttendanceList(
        institution=home.name,
        log=log,
        rule=sentence(log.policy, lecture.jp, log.window.seconds) if lecture.jp else None,
        lecturers=tuple(seat.name for seat in taught[lecture.id]),
        people=tuple(person for person in listed if _below(person, unit)),
        head=await hours.head_of(session, lecture.institution_id),
        made_at=now,
        unit=unit.name if unit else "",
    )


async def count(session: AsyncSession, lecture_id: str) -> int:
    """How many rows the list of a lecture has."""
    query = (
        select(func.count())
        .select_from(RegistrationRow)
        .where(RegistrationRow.lecture_id == lecture_id, RegistrationRow.state == "registered")
    )
    return (await session.execute(query)).scalar_one()


def _below(person: Listed, unit: Unit | None) -> bool:
    return unit is None or person.unit_path.startswith(unit.path)


async def _places(
    session: AsyncSession, scope: Scope, lecture_id: str
) -> Mapping[str, tuple[str | None, str]]:
    """NIP (where the scope may see it) and path of the unit, by person."""
    rows = await session.execute(
        select(PersonRow.id, PersonRow.nip, UnitRow.path)
        .join(RegistrationRow, RegistrationRow.person_id == PersonRow.id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(RegistrationRow.lecture_id == lecture_id)
    )
    return {
        person_id: (nip if _sees_nip(scope, person_id, path) else None, path) for person_id, nip, path in rows
    }


def _sees_nip(scope: Scope, person_id: str, unit_path: str) -> bool:
    """A key that reads attendance needs the scope of people, too."""
    return scope.allows("people:read") and people.may_see_private(scope, person_id, unit_path)


async def _changes(session: AsyncSession, lecture_id: str) -> Mapping[str, Change]:
    """The adjustment that counts, for each registration that has one; what was taken back does not."""
    found = await adjustments.effective(session, lecture_id)
    return {seat: Change(one.jp, one.author, one.reason, one.at) for seat, one in found.items()}
