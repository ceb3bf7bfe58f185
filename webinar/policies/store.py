"""Queries on attendance policies. Versions are only ever added."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_into
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.people.access import Scope
from webinar.policies.rules import Kind, Policy, checked, default
from webinar.policies.tables import PolicyRow


async def get(session: AsyncSession, policy_id: str, version: int) -> Policy:
    """The version a lecture pinned.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(PolicyRow, (policy_id, version))
    if row is None:
        raise NotFound
    return _policy(row)


async def several(session: AsyncSession, pins: set[tuple[str, int]]) -> dict[tuple[str, int], Policy]:
    """Many pinned versions with one statement."""
    if not pins:
        return {}
    rows = await session.scalars(
        select(PolicyRow).where(tuple_(PolicyRow.id, PolicyRow.version).in_(sorted(pins)))
    )
    return {(row.id, row.version): _policy(row) for row in rows}


async def current(session: AsyncSession, scope: Scope) -> list[Policy]:
    """The newest version of each policy of the scope's institution, the oldest policy first."""
    return await _newest(session, PolicyRow.institution_id == scope.institution_id)


class VersionTaken(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """Somebody else has just made this version."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version with who made it (None: the service itself, or before it was noted) and when."""

    policy: Policy
    created_by: str | None
    created_at: int


async def newest(session: AsyncSession, scope: Scope, policy_id: str) -> Policy | None:
    """The newest version of one policy of the scope's institution."""
    found = await versions(session, scope, policy_id)
    return found[0].policy if found else None


async def versions(session: AsyncSession, scope: Scope, policy_id: str) -> list[Version]:
    """Every version of one policy of the scope's institution, the newest first."""
    rows = await session.scalars(
        select(PolicyRow)
        .where(PolicyRow.id == policy_id, PolicyRow.institution_id == scope.institution_id)
        .order_by(PolicyRow.version.desc())
    )
    return [Version(_policy(row), row.created_by, row.created_at) for row in rows]


async def default_for(session: AsyncSession, institution_id: str) -> Policy | None:
    """The newest version of the institution's first policy."""
    policies = await _newest(session, PolicyRow.institution_id == institution_id)
    return policies[0] if policies else None


async def create_default(session: AsyncSession, institution_id: str, *, now: int) -> Policy:
    """The first policy of a new institution: all JP from 80 % of the official window on."""
    return await create(session, default(new_id(), institution_id), now=now)


async def create(session: AsyncSession, policy: Policy, *, now: int, created_by: str | None = None) -> Policy:
    """Add a policy, or a further version of one (the caller raises `version`).

    Raises:
        Invalid: names the field. VersionTaken: there is this version already.
    """
    checked(policy)
    rows = await session.execute(
        insert_into(session, PolicyRow)
        .values(
            id=policy.id,
            version=policy.version,
            institution_id=policy.institution_id,
            name=policy.name,
            kind=policy.kind.value,
            threshold_percent=policy.threshold_percent,
            minutes_per_jp=policy.minutes_per_jp,
            tolerance_s=policy.tolerance_s,
            grace_s=policy.grace_s,
            lecturer_percent=policy.lecturer_percent,
            organiser_percent=policy.organiser_percent,
            lecturer_earns=policy.lecturer_percent > 0,
            quiet_period_s=policy.quiet_period_s,
            checks=policy.checks,
            checks_needed=policy.checks_needed,
            check_s=policy.check_s,
            replay_percent=policy.replay_percent,
            replay_days=policy.replay_days,
            created_by=created_by,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["id", "version"])
        .returning(PolicyRow.version)
    )
    if rows.scalar_one_or_none() is None:
        raise VersionTaken
    return policy


async def _newest(session: AsyncSession, where: ColumnElement[bool]) -> list[Policy]:
    first_made = select(PolicyRow.id, func.min(PolicyRow.created_at).label("first")).group_by(PolicyRow.id)
    newest = select(PolicyRow.id, func.max(PolicyRow.version).label("version")).group_by(PolicyRow.id)
    first, last = first_made.subquery(), newest.subquery()
    rows = await session.scalars(
        select(PolicyRow)
        .join(last, (last.c.id == PolicyRow.id) & (last.c.version == PolicyRow.version))
        .join(first, first.c.id == PolicyRow.id)
        .where(where)
        .order_by(first.c.first, PolicyRow.id)
    )
    return [_policy(row) for row in rows]


def _policy(row: PolicyRow) -> Policy:
    return Policy(
        id=row.id,
        version=row.version,
        institution_id=row.institution_id,
        name=row.name,
        kind=Kind(row.kind),
        threshold_percent=row.threshold_percent,
        minutes_per_jp=row.minutes_per_jp,
        tolerance_s=row.tolerance_s,
        grace_s=row.grace_s,
        lecturer_percent=row.lecturer_percent,
        organiser_percent=row.organiser_percent,
        quiet_period_s=row.quiet_period_s,
        checks=row.checks,
        checks_needed=row.checks_needed,
        check_s=row.check_s,
        replay_percent=row.replay_percent,
        replay_days=row.replay_days,
    )
