"""Year targets of an institution, by employment."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.database import insert_into
from webinar.hours.tables import YearTargetRow
from webinar.hours.target_rules import DEFAULTS, Target, checked, chosen_or_usual
from webinar.people import store as people
from webinar.people.access import Scope
from webinar.people.rules import Employment, Unit

__all__ = ["DEFAULTS", "Target", "set_targets", "targets", "targets_of", "write_targets"]


async def targets_of(session: AsyncSession, home: Unit) -> Mapping[str, Target]:
    """The targets of an institution, by employment; every kind has one."""
    rows = await session.execute(
        select(YearTargetRow.employment, YearTargetRow.target, YearTargetRow.most).where(
            YearTargetRow.institution_id == home.id
        )
    )
    return chosen_or_usual({kind: (target, most) for kind, target, most in rows}, home.year_target)


async def targets(session: AsyncSession, institution_id: str) -> Mapping[str, Target]:
    """The same by the institution's id. Raises NotFound."""
    return await targets_of(session, await people.institution(session, institution_id))


async def set_targets(
    session: AsyncSession, scope: Scope, wanted: Mapping[Employment, Target], now: int
) -> None:
    """Change some of them; hours on record stay as they are, they are only compared with other numbers.

    Raises:
        Forbidden: not an administrator of the whole institution.
        Invalid: names `target_<employment>` or `most_<employment>`.
    """
    scope.require_institution()
    await write_targets(session, scope, wanted, now)


async def write_targets(
    session: AsyncSession, scope: Scope, wanted: Mapping[Employment, Target], now: int
) -> None:
    """The same for a caller that has checked who asks."""
    before = await targets(session, scope.institution_id)
    for kind, target in wanted.items():
        checked(target, (f"target_{kind.value}", f"most_{kind.value}"))
        if target == before[kind.value]:
            continue
        values = {
            "target": target.target,
            "most": target.most,
            "changed_by": scope.person_id or scope.key_id,
            "changed_at": now,
        }
        await session.execute(
            insert_into(session, YearTargetRow)
            .values(institution_id=scope.institution_id, employment=kind.value, **values)
            .on_conflict_do_update(index_elements=["institution_id", "employment"], set_=values)
        )
        await audit.record(
            session,
            at=now,
            actor=scope.actor,
            subject=("institution", scope.institution_id),
            action="year_target_changed",
            institution_id=scope.institution_id,
            employment=kind.value,
            before=[before[kind.value].target, before[kind.value].most],
            after=[target.target, target.most],
        )
