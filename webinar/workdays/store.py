"""Named queries on office hours."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.people.rules import DEFAULT_ZONE
from webinar.people.tables import UnitRow
from webinar.workdays.rules import USUAL, OfficeHours
from webinar.workdays.tables import OfficeHoursRow


async def office(session: AsyncSession, institution_id: str) -> tuple[OfficeHours, str]:
    """The office hours of an institution, and the zone whose clock they are told by."""
    row = (
        await session.execute(
            select(UnitRow.zone, OfficeHoursRow.days)
            .outerjoin(OfficeHoursRow, OfficeHoursRow.institution_id == UnitRow.id)
            .where(UnitRow.id == institution_id)
        )
    ).one_or_none()
    if row is None:
        return USUAL, DEFAULT_ZONE
    return _hours(row.days) if row.days else USUAL, row.zone or DEFAULT_ZONE


def _hours(days: list[list[int] | None]) -> OfficeHours:
    return OfficeHours(tuple((span[0], span[1]) if span else None for span in days))
