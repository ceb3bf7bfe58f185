"""Named queries on units, people and roles; a list costs the same number of statements at any length."""

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.errors import Invalid, NotFound
from webinar.people.access import Role, Scope, in_institution, in_subtrees
from webinar.people.rules import (
    Employment,
    Grant,
    Page,
    Person,
    Unit,
    normal_email,
    normal_nip,
    sort_name,
    tree_order,
)
from webinar.people.tables import PersonRow, RoleRow, UnitRow

PAGE_LENGTH = 50
PAGE_MOST = 200


async def unit(session: AsyncSession, scope: Scope, unit_id: str) -> Unit:
    """Raises NotFound, also for units of other institutions."""
    row = await session.scalar(
        select(UnitRow).where(UnitRow.id == unit_id, in_institution(scope, UnitRow.institution_id))
    )
    if row is None:
        raise NotFound
    return _unit(row)


async def institution(session: AsyncSession, institution_id: str) -> Unit:
    """The root unit. Raises NotFound."""
    row = await session.get(UnitRow, institution_id)
    if row is None or row.parent_id is not None:
        raise NotFound
    return _unit(row)


async def lock_institution(session: AsyncSession, institution_id: str) -> None:
    """Have whoever asks the same of this institution wait until the transaction ends."""
    await session.execute(select(UnitRow.id).where(UnitRow.id == institution_id).with_for_update())


async def institutions(session: AsyncSession) -> list[Unit]:
    rows = await session.scalars(
        select(UnitRow).where(UnitRow.parent_id.is_(None)).order_by(UnitRow.created_at)
    )
    return [_unit(row) for row in rows]


async def units(session: AsyncSession, scope: Scope, *, below: Collection[str] | None = None) -> list[Unit]:
    """The units, each before those below it; only those of the subtrees `below` (paths), if given."""
    query = select(UnitRow).where(in_institution(scope, UnitRow.institution_id))
    if below is not None:
        query = query.where(in_subtrees(UnitRow.path, below))
    return tree_order(_unit(row) for row in await session.scalars(query))


async def people_by_unit(session: AsyncSession, scope: Scope) -> Mapping[str, int]:
    """How many active people each unit has itself, by unit id; units without any are missing."""
    rows = await session.execute(
        select(PersonRow.unit_id, func.count().label("people"))
        .where(in_institution(scope, PersonRow.institution_id), PersonRow.deactivated_at.is_(None))
        .group_by(PersonRow.unit_id)
    )
    return {row.unit_id: row.people for row in rows}


async def person(session: AsyncSession, scope: Scope, person_id: str) -> Person:
    """Raises NotFound, also for people whom the scope may not see."""
    found = (await session.execute(_people(scope).where(PersonRow.id == person_id))).one_or_none()
    if found is None:
        raise NotFound
    return _person(scope, *found)


async def person_known_as(session: AsyncSession, scope: Scope, wanted: str) -> Person:
    """Somebody by id, e-mail address or NIP.

    Raises:
        NotFound: nobody whom the scope may see.
    """
    found = await session.scalar(
        select(PersonRow.id).where(
            or_(
                PersonRow.id == wanted,
                PersonRow.email == normal_email(wanted),
                PersonRow.nip == normal_nip(wanted),
            )
        )
    )
    return await person(session, scope, found or "")


async def persons_by_ids(session: AsyncSession, scope: Scope, ids: Collection[str]) -> Mapping[str, Person]:
    """Those of the ids whom the scope may see."""
    found = await session.execute(_people(scope).where(PersonRow.id.in_(ids)))
    return {row.id: _person(scope, row, name, path) for row, name, path in found}


async def persons(
    session: AsyncSession,
    scope: Scope,
    *,
    text: str = "",
    unit_path: str | None = None,
    active: bool | None = True,
    after: str | None = None,
    limit: int = PAGE_LENGTH,
) -> Page:
    """People by name; `text` is looked for in names, addresses and (where they may be seen) NIPs.

    Args:
        unit_path: only this unit and those below it.
        active: True for active people, False for deactivated ones, None for both.
        after: the `next` of the page before.

    Raises:
        Invalid: the cursor is none of ours.
    """
    limit = max(1, min(limit, PAGE_MOST))
    query = _people(scope).where(*_filters(scope, text, unit_path, active))
    if after is not None:
        query = query.where(tuple_(PersonRow.sort_name, PersonRow.id) > tuple_(*_place(after)))
    rows = (await session.execute(query.order_by(PersonRow.sort_name, PersonRow.id).limit(limit + 1))).all()
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        tuple(_person(scope, *row) for row in shown),
        _cursor(shown[-1][0]) if more else None,
    )


async def count_persons(
    session: AsyncSession,
    scope: Scope,
    *,
    text: str = "",
    unit_path: str | None = None,
    active: bool | None = True,
) -> int:
    """How many people `persons` lists over all its pages."""
    query = (
        select(func.count())
        .select_from(PersonRow)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(visible(scope), *_filters(scope, text, unit_path, active))
    )
    return (await session.execute(query)).scalar_one()


async def active_ids_below(session: AsyncSession, scope: Scope, unit_path: str) -> list[str]:
    """Ids of the active people of a unit and of the units below it, by name."""
    rows = await session.scalars(
        select(PersonRow.id)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(visible(scope), in_subtrees(UnitRow.path, [unit_path]), PersonRow.deactivated_at.is_(None))
        .order_by(PersonRow.sort_name, PersonRow.id)
    )
    return list(rows)


async def grants(session: AsyncSession, ids: Collection[str]) -> Mapping[str, Sequence[Grant]]:
    """The roles of some people; whoever has none is missing. For callers that have checked who asks."""
    rows = await session.execute(
        select(RoleRow, UnitRow.name, UnitRow.path)
        .join(UnitRow, UnitRow.id == RoleRow.unit_id)
        .where(RoleRow.person_id.in_(ids))
        .order_by(UnitRow.path, RoleRow.role)
    )
    found: dict[str, list[Grant]] = {}
    for row, name, path in rows:
        found.setdefault(row.person_id, []).append(
            Grant(Role(row.role), row.unit_id, name, path, row.granted_at)
        )
    return found


async def administrators(session: AsyncSession, institution_id: str) -> list[str]:
    """Ids of the active people who administer the whole institution."""
    rows = await session.scalars(
        select(RoleRow.person_id)
        .join(PersonRow, PersonRow.id == RoleRow.person_id)
        .where(
            RoleRow.role == Role.ADMINISTRATOR.value,
            RoleRow.unit_id == institution_id,
            PersonRow.deactivated_at.is_(None),
        )
    )
    return list(rows)


def visible(scope: Scope) -> ColumnElement[bool]:
    """SQL on persons and units: organisers see their institution, managers their units, all themselves."""
    own = in_institution(scope, PersonRow.institution_id)
    if scope.has(Role.ORGANISER):
        return own
    return and_(
        own, or_(in_subtrees(UnitRow.path, scope.paths(Role.UNIT_MANAGER)), PersonRow.id == scope.person_id)
    )


def may_see_private(scope: Scope, person_id: str, unit_path: str) -> bool:
    """Whether NIP and telephone may be seen: one's own, and those of the units one has an office in."""
    return person_id == scope.person_id or any(
        unit_path.startswith(top) for top in scope.paths(Role.ORGANISER, Role.UNIT_MANAGER)
    )


def _people(scope: Scope) -> Select[PersonRow, str, str]:
    return (
        select(PersonRow, UnitRow.name, UnitRow.path)
        .join(UnitRow, UnitRow.id == PersonRow.unit_id)
        .where(visible(scope))
    )


def _filters(
    scope: Scope, text: str, unit_path: str | None, active: bool | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if unit_path is not None:
        conditions.append(in_subtrees(UnitRow.path, [unit_path]))
    if active is not None:
        gone = PersonRow.deactivated_at
        conditions.append(gone.is_(None) if active else gone.is_not(None))
    return conditions + [_matches(scope, word) for word in text.split()[:8]]


def _matches(scope: Scope, word: str) -> ColumnElement[bool]:
    either = [
        PersonRow.sort_name.contains(sort_name(word), autoescape=True),
        PersonRow.email.contains(word.lower(), autoescape=True),
    ]
    digits = normal_nip(word)
    if digits.isascii() and digits.isdigit():
        private = in_subtrees(UnitRow.path, scope.paths(Role.ORGANISER, Role.UNIT_MANAGER))
        either.append(and_(private, PersonRow.nip.startswith(digits, autoescape=True)))
    return or_(*either)


def _cursor(row: PersonRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.sort_name, row.id]).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str]:
    try:
        name, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid.at("cursor", "This is not a cursor of this list.") from error
    if not (isinstance(name, str) and isinstance(id, str)):
        raise Invalid.at("cursor", "This is not a cursor of this list.")
    return name, id


def _unit(row: UnitRow) -> Unit:
    return Unit(**{name: getattr(row, name) for name in Unit.__slots__})


def _person(scope: Scope, row: PersonRow, unit_name: str, unit_path: str) -> Person:
    found = Person(
        id=row.id,
        institution_id=row.institution_id,
        unit_id=row.unit_id,
        unit_name=unit_name,
        unit_path=unit_path,
        name=row.name,
        email=row.email,
        phone=row.phone,
        nip=row.nip,
        employment=Employment(row.employment),
        zone=row.zone,
        language=row.language,
        version=row.version,
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        has_password=row.password_hash is not None,
    )
    return found if may_see_private(scope, row.id, unit_path) else found.without_private()
