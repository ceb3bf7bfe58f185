"""Office hours can be set, and a time can be looked at before it is agreed on."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.clock import to_datetime
from webinar.core.language import Language
from webinar.people.access import Scope
from webinar.workdays import national, store
from webinar.workdays.rules import Caution, OfficeHours, cautions
from webinar.workdays.tables import OfficeHoursRow


async def looked_at(
    session: AsyncSession, institution_id: str, starts_at: int, ends_at: int, language: Language
) -> list[Caution]:
    """What to say of a time before it is booked, by the institution's clock; names in the language."""
    return await looked_at_all(session, institution_id, [(starts_at, ends_at)], language)


async def looked_at_all(
    session: AsyncSession, institution_id: str, spans: Sequence[tuple[int, int]], language: Language
) -> list[Caution]:
    """The same of several times, such as those of a series."""
    office, zone = await store.office(session, institution_id)
    return [
        caution
        for start, end in spans
        for caution in cautions(
            _wall(start, zone), _wall(end, zone), office, lambda day: national.holiday(language, day)
        )
    ]


def _wall(at: int, zone: str) -> str:
    return to_datetime(at, zone).strftime("%Y-%m-%dT%H:%M")


async def set_office_hours(session: AsyncSession, scope: Scope, hours: OfficeHours, now: int) -> None:
    """Say when the institution works. Administrators of the whole institution only."""
    scope.require_institution()
    before, _ = await store.office(session, scope.institution_id)
    if before == hours:
        return
    await session.execute(delete(OfficeHoursRow).where(OfficeHoursRow.institution_id == scope.institution_id))
    session.add(
        OfficeHoursRow(
            institution_id=scope.institution_id,
            days=[list(span) if span else None for span in hours.days],
            set_by=scope.person_id,
            set_at=now,
        )
    )
    await session.flush()
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("unit", scope.institution_id),
        action="office_hours_set",
        institution_id=scope.institution_id,
        before=before.days,
        after=hours.days,
    )
