"""A person becomes a pseudonym: what names them goes, the record of hours and its ids stay.

The ledger and the evidence hold ids only, so that they verify as before.
"""

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.attendance.tables import AttendanceRow
from webinar.classroom.tables import ChatMessageRow, HandRow
from webinar.core import audit
from webinar.core.errors import Refused
from webinar.core.tables import AuditRow
from webinar.hours.tables import AdjustmentRow, ContestRow
from webinar.invites.tables import DeliveryRow, ReminderRefusalRow
from webinar.lectures.rules import UPCOMING
from webinar.lectures.tables import LectureRow, RegistrationRow, RoomPlaceRow
from webinar.people import store as people
from webinar.people.access import Role, Scope
from webinar.people.rules import Person, sort_name
from webinar.people.service import LastAdministrator, require_power_over
from webinar.people.tables import (
    DeviceRow,
    ExemptionRow,
    ImportChangeRow,
    NipRow,
    PersonRow,
    RoleRow,
    SessionRow,
    SignInTokenRow,
)
from webinar.privacy.rules import pseudonym
from webinar.reports.tables import ReportRow
from webinar.series.tables import MemberRow


class StillExpected(Refused):
    """Whoever is registered for something ahead would be invited under no name."""

    code = "still_expected"
    message = "This person is registered for lectures that lie ahead. Cancel these registrations first."


class ReasonMissing(Refused):
    code = "reason_missing"
    status = 422
    message = "Say why, for whoever reads it later."


async def erase(session: AsyncSession, scope: Scope, person_id: str, *, reason: str, now: int) -> Person:
    """Erase what names a person. Cannot be undone; repeating it is harmless.

    Raises:
        NotFound, Forbidden: not the scope's to erase. StillExpected, LastAdministrator, ReasonMissing.
    """
    person = await people.person(session, scope, person_id)
    scope.require(Role.ADMINISTRATOR, person.unit_path)
    await require_power_over(session, scope, person_id)
    if not reason.strip():
        raise ReasonMissing
    if await people.administrators(session, person.institution_id) == [person_id]:
        raise LastAdministrator
    await _refuse_expected(session, person_id)
    await _forget_person(session, person, now)
    await _forget_words(session, person_id)
    await _forget_trail(session, person_id)
    await _forget_files(session, person)
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("person", person_id),
        action="person_erased",
        institution_id=person.institution_id,
        reason=reason[:500],
    )
    session.expire_all()
    return await people.person(session, scope, person_id)


async def _forget_files(session: AsyncSession, person: Person) -> None:
    """Files that were made and may name the person; they can be made anew."""
    lectures = select(RegistrationRow.lecture_id).where(RegistrationRow.person_id == person.id)
    of_units = and_(ReportRow.lecture_id.is_(None), ReportRow.institution_id == person.institution_id)
    await session.execute(delete(ReportRow).where(or_(ReportRow.lecture_id.in_(lectures), of_units)))


async def _refuse_expected(session: AsyncSession, person_id: str) -> None:
    ahead = (
        select(RegistrationRow.id)
        .join(LectureRow, LectureRow.id == RegistrationRow.lecture_id)
        .where(
            RegistrationRow.person_id == person_id,
            RegistrationRow.state == "registered",
            LectureRow.state.in_([state.value for state in UPCOMING]),
        )
        .limit(1)
    )
    if await session.scalar(ahead):
        raise StillExpected


async def _forget_person(session: AsyncSession, person: Person, now: int) -> None:
    name = pseudonym(person.id)
    await session.execute(
        update(PersonRow)
        .where(PersonRow.id == person.id)
        .values(
            name=name,
            sort_name=sort_name(name),
            email=None,
            phone=None,
            nip=None,
            password_hash=None,
            deactivated_at=person.deactivated_at or now,
            version=PersonRow.version + 1,
        )
    )
    await session.execute(
        update(AttendanceRow).where(AttendanceRow.person_id == person.id).values(sort_name=sort_name(name))
    )
    for table in (
        *(NipRow, RoleRow, SessionRow, SignInTokenRow),
        *(DeviceRow, ImportChangeRow, MemberRow, ReminderRefusalRow),
    ):
        await session.execute(delete(table).where(table.person_id == person.id))


async def _forget_words(session: AsyncSession, person_id: str) -> None:
    """What they wrote, and what others wrote about them."""
    seats = select(RegistrationRow.id).where(RegistrationRow.person_id == person_id)
    for said in (ChatMessageRow, HandRow, RoomPlaceRow):
        await session.execute(delete(said).where(said.registration_id.in_(seats)))
    await session.execute(
        update(DeliveryRow).where(DeliveryRow.registration_id.in_(seats)).values(address="", answer="")
    )
    await session.execute(
        update(RegistrationRow).where(RegistrationRow.person_id == person_id).values(removed_reason=None)
    )
    await session.execute(
        update(ContestRow).where(ContestRow.person_id == person_id).values(text="", decision="")
    )
    await session.execute(update(AdjustmentRow).where(AdjustmentRow.person_id == person_id).values(reason=""))
    await session.execute(update(ExemptionRow).where(ExemptionRow.person_id == person_id).values(reason=""))


async def _forget_trail(session: AsyncSession, person_id: str) -> None:
    """That something was changed, and when, stays on the trail; what it was changed to goes."""
    await session.execute(
        update(AuditRow)
        .where(
            AuditRow.subject_kind == "person",
            AuditRow.subject_id == person_id,
            AuditRow.action != "person_erased",
        )
        .values(fields={"erased": True})
    )
