"""Who is exempt, on which days and why."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.people import store
from webinar.people.access import Role, Scope
from webinar.people.exemption_rules import Exemption, checked
from webinar.people.rules import Person
from webinar.people.tables import ExemptionRow


def hold_on(institution_id: str, day: str) -> ColumnElement[bool]:
    """SQL: the exemptions that hold on a day (ISO); who has one is in no denominator of that day."""
    return and_(
        ExemptionRow.institution_id == institution_id,
        ExemptionRow.ended_at.is_(None),
        ExemptionRow.starts_on <= day,
        ExemptionRow.ends_on >= day,
    )


async def of_person(session: AsyncSession, scope: Scope, person_id: str) -> Sequence[Exemption]:
    """The newest first, those that were taken back, too. For who holds an office there, and the person.

    Raises:
        NotFound: nobody whom the scope may see.
    """
    person = await store.person(session, scope, person_id)
    if not store.may_see_private(scope, person.id, person.unit_path):
        return []
    rows = await session.scalars(
        select(ExemptionRow)
        .where(ExemptionRow.person_id == person_id)
        .order_by(ExemptionRow.starts_on.desc(), ExemptionRow.id)
    )
    return [_exemption(row) for row in rows]


async def add(
    session: AsyncSession,
    scope: Scope,
    person_id: str,
    *,
    reason: str,
    starts_on: str,
    ends_on: str,
    now: int,
) -> Exemption:
    """Exempt somebody for some days.

    Raises:
        NotFound, Forbidden: not a person of the scope's own units.
        Invalid: no reason, or days that do not exist.
    """
    person = await _person(session, scope, person_id)
    said, first, last = checked(reason, starts_on, ends_on)
    made = Exemption(new_id(), person_id, said, first, last, scope.person_id or scope.key_id, now)
    values = {name: getattr(made, name) for name in Exemption.__slots__}
    await session.execute(insert(ExemptionRow).values(institution_id=person.institution_id, **values))
    await _note(session, scope, person, "exempted", now, exemption_id=made.id, starts_on=first, ends_on=last)
    return made


async def take_back(session: AsyncSession, scope: Scope, person_id: str, exemption_id: str, now: int) -> None:
    """As if it had never been, but still on record. Twice is harmless.

    Raises:
        NotFound, Forbidden: no such exemption of a person of the scope's own units.
    """
    person = await _person(session, scope, person_id)
    mine = (ExemptionRow.id == exemption_id) & (ExemptionRow.person_id == person_id)
    if await session.scalar(select(ExemptionRow.id).where(mine)) is None:
        raise NotFound
    done = await session.execute(
        update(ExemptionRow)
        .where(mine, ExemptionRow.ended_at.is_(None))
        .values(ended_at=now, ended_by=scope.person_id or scope.key_id)
        .returning(ExemptionRow.id)
        .execution_options(synchronize_session=False)
    )
    if done.scalar_one_or_none() is not None:
        await _note(session, scope, person, "exemption_taken_back", now, exemption_id=exemption_id)


async def _person(session: AsyncSession, scope: Scope, person_id: str) -> Person:
    person = await store.person(session, scope, person_id)
    scope.require(Role.ORGANISER, person.unit_path)
    return person


async def _note(
    session: AsyncSession, scope: Scope, person: Person, action: str, now: int, **more: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("person", person.id),
        action=action,
        institution_id=person.institution_id,
        **more,
    )


def _exemption(row: ExemptionRow) -> Exemption:
    return Exemption(**{name: getattr(row, name) for name in Exemption.__slots__})
