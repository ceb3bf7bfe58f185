"""What can be done to the tree of units: found an institution, add a unit, rename."""

import re

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.errors import FieldError, Invalid
from webinar.core.ids import new_id
from webinar.people import rules, store
from webinar.people.access import Role, Scope
from webinar.people.rules import Unit
from webinar.people.tables import UnitRow

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?")
CODE_TAKEN = "Another unit already has this code."


async def create_institution(
    session: AsyncSession,
    *,
    name: str,
    code: str,
    now: int,
    zone: str = rules.DEFAULT_ZONE,
    year_target: int = rules.DEFAULT_YEAR_TARGET,
) -> Unit:
    """A root unit; `zone` says when its year begins, `year_target` is in hundredths of a JP."""
    errors = _problems(name, code)
    if zone not in rules.zones():
        errors.append(FieldError("zone", "This time zone is not known.", {}))
    if errors:
        raise Invalid(errors)
    unit_id = new_id()
    unit = Unit(
        unit_id, unit_id, None, rules.child_path("", unit_id), code, rules.tidy(name), zone, year_target
    )
    await _insert(session, unit, now)
    await _tell(session, Scope.system(unit_id), unit, "institution_created", now)
    return unit


async def create_unit(
    session: AsyncSession, scope: Scope, *, parent_id: str, name: str, now: int, code: str = ""
) -> Unit:
    """A unit below another; without a code it gets one from its name. Administrators of the parent only."""
    parent = await store.unit(session, scope, parent_id)
    scope.require(Role.ADMINISTRATOR, parent.path)
    code = code.strip().lower() or await _free_code(session, parent.institution_id, name)
    errors = _problems(name, code)
    if parent.depth + 1 > rules.UNIT_DEPTH:
        errors.append(FieldError("parent_id", "Units go at most %(most)s deep.", {"most": rules.UNIT_DEPTH}))
    if errors:
        raise Invalid(errors)
    unit_id = new_id()
    path = rules.child_path(parent.path, unit_id)
    unit = Unit(unit_id, parent.institution_id, parent.id, path, code, rules.tidy(name))
    await _insert(session, unit, now)
    await _tell(session, scope, unit, "unit_created", now)
    return unit


async def rename_unit(session: AsyncSession, scope: Scope, unit_id: str, name: str, now: int) -> Unit:
    unit = await store.unit(session, scope, unit_id)
    scope.require(Role.ADMINISTRATOR, unit.path)
    errors = list(rules.name_problems(name))
    if errors:
        raise Invalid(errors)
    await session.execute(update(UnitRow).where(UnitRow.id == unit_id).values(name=rules.tidy(name)))
    await _tell(session, scope, unit, "unit_renamed", now)
    return await store.unit(session, scope, unit_id)


def code_from(name: str) -> str:
    """`dinas-pendidikan` from Dinas Pendidikan."""
    code = re.sub(r"[^a-z0-9]+", "-", rules.sort_name(name)).strip("-")
    return code[: rules.UNIT_CODE_LENGTH - 8].strip("-") or "unit"


async def _free_code(session: AsyncSession, institution_id: str, name: str) -> str:
    code = code_from(name)
    taken = await session.scalar(
        select(UnitRow.id).where(UnitRow.institution_id == institution_id, UnitRow.code == code)
    )
    return f"{code}-{new_id()[:6]}" if taken else code


def _problems(name: str, code: str) -> list[FieldError]:
    errors = list(rules.name_problems(name))
    if not _CODE.fullmatch(code):
        errors.append(FieldError("code", "A code has 1 to 40 small letters, digits, dots and hyphens.", {}))
    return errors


async def _insert(session: AsyncSession, unit: Unit, now: int) -> None:
    values = {name: getattr(unit, name) for name in Unit.__slots__}
    try:
        await session.execute(insert(UnitRow).values(created_at=now, **values))
    except IntegrityError as error:
        raise Invalid.at("code", CODE_TAKEN) from error


async def _tell(session: AsyncSession, scope: Scope, unit: Unit, action: str, now: int) -> None:
    await audit.record(
        session, at=now, actor=scope.actor, subject=("unit", unit.id), action=action,
        institution_id=unit.institution_id,
    )  # fmt: skip
