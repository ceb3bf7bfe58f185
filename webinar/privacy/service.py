"""What an institution decides about the keeping of personal data, and who has it asked for or erased."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.people.access import Scope
from webinar.privacy import rules, store
from webinar.privacy.erase import erase as erase
from webinar.privacy.export import of_person as export_of_person
from webinar.privacy.rules import Kind

__all__ = ["Setting", "erase", "export_of_person", "set_days", "settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """How long one kind is kept; bounds in days."""

    kind: Kind
    days: int
    least: int
    most: int


async def settings(session: AsyncSession, institution_id: str) -> list[Setting]:
    """Every kind, in the order of the notice."""
    chosen = rules.chosen(await store.days(session, institution_id))
    return [Setting(kind, chosen[kind], kept.least, kept.most) for kind, kept in rules.RETENTION.items()]


async def set_days(session: AsyncSession, scope: Scope, wish: dict[Kind, int | None], now: int) -> None:
    """Choose for how long the institution keeps what; what is shorter than before goes with the next run.

    Raises:
        Invalid: at the kind. Forbidden: only an administrator of the whole institution decides this.
    """
    scope.require_institution()
    before = rules.chosen(await store.days(session, scope.institution_id))
    wanted = {kind: rules.checked(kind, days) for kind, days in wish.items()}
    changed = {kind: days for kind, days in wanted.items() if days != before[kind]}
    for kind, days in changed.items():
        await store.set_days(session, scope.institution_id, kind, days, by=scope.person_id, now=now)
    if changed:
        await audit.record(
            session,
            at=now,
            actor=scope.actor,
            subject=("institution", scope.institution_id),
            action="retention_changed",
            institution_id=scope.institution_id,
            before={kind.value: before[kind] for kind in changed},
            after={kind.value: days for kind, days in changed.items()},
        )
