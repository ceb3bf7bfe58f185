"""Named queries on reports. A report is its asker's: what is in it depends on what that person may see."""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import NotFound
from webinar.people.access import Scope
from webinar.reports.rules import BUSY, FileKind, Report, ReportState, Wish
from webinar.reports.tables import ReportRow

SHOWN = 10


async def get(session: AsyncSession, scope: Scope, report_id: str) -> Report:
    """Raises NotFound, also for reports that somebody else asked for."""
    query = select(ReportRow).where(ReportRow.id == report_id)
    if not scope.sees_everything:
        query = query.where(
            ReportRow.asked_by == scope.person_id, ReportRow.institution_id == scope.institution_id
        )
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound
    return _report(row)


async def find(session: AsyncSession, report_id: str) -> Report | None:
    """For the service's own processes."""
    row = await session.get(ReportRow, report_id, populate_existing=True)
    return _report(row) if row else None


async def content(session: AsyncSession, report_id: str) -> bytes:
    """The file. Raises NotFound unless it is there."""
    found = await session.scalar(select(ReportRow.content).where(ReportRow.id == report_id))
    if found is None:
        raise NotFound
    return found


async def latest(
    session: AsyncSession, scope: Scope, *, lecture_id: str | None = None, unit_id: str = ""
) -> Sequence[Report]:
    """The asker's own reports of a lecture, or of a unit's year; the newest first."""
    query = select(ReportRow).where(
        ReportRow.asked_by == scope.person_id, ReportRow.lecture_id.is_not_distinct_from(lecture_id)
    )
    rows = await session.scalars(query.order_by(ReportRow.created_at.desc(), ReportRow.id).limit(5 * SHOWN))
    found = [_report(row) for row in rows]
    return [one for one in found if lecture_id or one.wish.unit_id == unit_id][:SHOWN]


async def unfinished(session: AsyncSession, person_id: str | None) -> int:
    query = (
        select(func.count())
        .select_from(ReportRow)
        .where(ReportRow.asked_by == person_id, ReportRow.state.in_([state.value for state in BUSY]))
    )
    return (await session.execute(query)).scalar_one()


async def add(session: AsyncSession, report: Report) -> None:
    await session.execute(
        insert(ReportRow).values(
            id=report.id,
            institution_id=report.institution_id,
            lecture_id=report.wish.lecture_id,
            kind=report.wish.kind.value,
            wish=report.wish.row,
            asked_by=report.asked_by,
            state=report.state.value,
            done=report.done,
            total=report.total,
            file_name=report.file_name,
            created_at=report.created_at,
            expires_at=report.expires_at,
        )
    )


async def change(session: AsyncSession, report_id: str, **values: object) -> None:
    await session.execute(update(ReportRow).where(ReportRow.id == report_id).values(**values))


async def remove(session: AsyncSession, report_id: str) -> None:
    await session.execute(delete(ReportRow).where(ReportRow.id == report_id))


def _report(row: ReportRow) -> Report:
    wish = row.wish
    return Report(
        id=row.id,
        institution_id=row.institution_id,
        wish=Wish(
            kind=FileKind(row.kind),
            language=str(wish.get("language", "id")),
            lecture_id=row.lecture_id,
            unit_id=str(wish.get("unit", "")),
            year=int(str(wish.get("year", 0))),
        ),
        asked_by=row.asked_by,
        state=ReportState(row.state),
        done=row.done,
        total=row.total,
        file_name=row.file_name,
        created_at=row.created_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
