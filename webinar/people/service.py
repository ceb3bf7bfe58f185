"""What can be done to people: create, change, deactivate, grant and withdraw roles."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Executable, Result, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.errors import FieldError, Forbidden, Invalid, Refused, Stale
from webinar.core.ids import new_id
from webinar.people import rules, store
from webinar.people.access import Role, Scope
from webinar.people.rules import Grant, Person, PersonDraft, PersonFields
from webinar.people.tables import NipRow, PersonRow, RoleRow, SessionRow, SignInTokenRow

EMAIL_TAKEN = "Somebody else already has this e-mail address."
NIP_TAKEN = "Somebody else already has this NIP."


class LastAdministrator(Refused):
    code = "last_administrator"
    message = "This is the last administrator. Make somebody else an administrator first."


class NeedsAdministrator(Forbidden):
    code = "needs_administrator"
    message = "This person holds a role. Only an administrator changes the e-mail address or deactivates."


async def create_person(session: AsyncSession, scope: Scope, draft: PersonDraft, now: int) -> Person:
    """A new person in one of the scope's units.

    Raises:
        Invalid: with every wrong field, also those that somebody else already has.
        Forbidden: the unit is not the scope's.
    """
    fields = rules.checked(draft)
    unit = await _own_unit(session, scope, fields.unit_id)
    await _refuse_taken(session, fields, except_id=None)
    person_id = new_id()
    values = asdict(fields) | {"employment": fields.employment.value}
    await _guarded(
        session,
        insert(PersonRow).values(
            id=person_id, institution_id=unit.institution_id, version=1, created_at=now, **values
        ),
    )
    if fields.nip:
        await session.execute(insert(NipRow).values(person_id=person_id, nip=fields.nip, since=now))
    await _tell(session, scope, person_id, unit.institution_id, "person_created", now)
    return await store.person(session, scope, person_id)


async def update_person(
    session: AsyncSession, scope: Scope, person_id: str, draft: PersonDraft, version: int, now: int
) -> Person:
    """The person with the draft's fields; `version` is the one that the author looked at.

    Raises:
        Stale: somebody changed the person in the meantime.
        Invalid, Forbidden, NotFound, NeedsAdministrator.
    """
    fields = rules.checked(draft)
    before = await store.person(session, scope, person_id)
    scope.require(Role.ORGANISER, before.unit_path)
    await _own_unit(session, scope, fields.unit_id)
    if fields.email != before.email:
        await require_power_over(session, scope, person_id)
    await _refuse_taken(session, fields, except_id=person_id)
    changed = changes(before, fields)
    await _write(session, person_id, changed, version, now)
    if "email" in changed:
        # Links to sign in that went to the old address must not work any more.
        await session.execute(delete(SignInTokenRow).where(SignInTokenRow.person_id == person_id))
    await _tell(
        session, scope, person_id, before.institution_id, "person_updated", now, changed=sorted(changed)
    )
    return await store.person(session, scope, person_id)


async def update_self(
    session: AsyncSession,
    scope: Scope,
    *,
    name: str,
    phone: str,
    language: str,
    zone: str,
    version: int,
    now: int,
) -> Person:
    """What everybody may change of themselves; the rest is the institution's."""
    before = await store.person(session, scope, scope.person_id or "")
    draft = replace(draft_of(before), name=name, phone=phone, language=language, zone=zone)
    fields = rules.checked(draft)
    changed = changes(before, fields)
    await _write(session, before.id, changed, version, now)
    await _tell(
        session, scope, before.id, before.institution_id, "person_updated", now, changed=sorted(changed)
    )
    return await store.person(session, scope, before.id)


async def deactivate(session: AsyncSession, scope: Scope, person_id: str, version: int, now: int) -> None:
    """Nobody signs in as this person any more; hours and evidence stay.

    Raises:
        LastAdministrator: the institution would have none left.
    """
    person = await store.person(session, scope, person_id)
    scope.require(Role.ORGANISER, person.unit_path)
    await require_power_over(session, scope, person_id)
    if await store.administrators(session, person.institution_id) == [person_id]:
        raise LastAdministrator
    await _write(session, person_id, {"deactivated_at": now}, version, now)
    await end_access(session, person_id)
    await _tell(session, scope, person_id, person.institution_id, "person_deactivated", now)


async def reactivate(session: AsyncSession, scope: Scope, person_id: str, version: int, now: int) -> None:
    person = await store.person(session, scope, person_id)
    scope.require(Role.ORGANISER, person.unit_path)
    await require_power_over(session, scope, person_id)
    await _write(session, person_id, {"deactivated_at": None}, version, now)
    await _tell(session, scope, person_id, person.institution_id, "person_reactivated", now)


async def grant(
    session: AsyncSession, scope: Scope, person_id: str, role: Role, unit_id: str, now: int
) -> None:
    """Give a role that reaches down from the unit; giving it twice is harmless. Administrators only."""
    person = await store.person(session, scope, person_id)
    unit = await store.unit(session, scope, unit_id)
    scope.require(Role.ADMINISTRATOR, unit.path)
    if any((g.role, g.unit_id) == (role, unit_id) for g in await roles(session, person_id)):
        return
    await session.execute(
        insert(RoleRow).values(person_id=person_id, role=role.value, unit_id=unit_id, granted_at=now)
    )
    await _tell(
        session,
        scope,
        person_id,
        person.institution_id,
        "role_granted",
        now,
        role=role.value,
        unit_id=unit_id,
    )


async def withdraw(
    session: AsyncSession, scope: Scope, person_id: str, role: Role, unit_id: str, now: int
) -> None:
    """Take a role back. Raises LastAdministrator when the institution would have none left."""
    person = await store.person(session, scope, person_id)
    unit = await store.unit(session, scope, unit_id)
    scope.require(Role.ADMINISTRATOR, unit.path)
    last = await store.administrators(session, person.institution_id) == [person_id]
    if role is Role.ADMINISTRATOR and unit.is_root and last:
        raise LastAdministrator
    await session.execute(
        delete(RoleRow).where(
            RoleRow.person_id == person_id, RoleRow.role == role.value, RoleRow.unit_id == unit_id
        )
    )
    await _tell(
        session,
        scope,
        person_id,
        person.institution_id,
        "role_withdrawn",
        now,
        role=role.value,
        unit_id=unit_id,
    )


async def roles(session: AsyncSession, person_id: str) -> Sequence[Grant]:
    """The person's roles."""
    return (await store.grants(session, [person_id])).get(person_id, [])


def draft_of(person: Person) -> PersonDraft:
    """The form, filled with what is known."""
    return PersonDraft(
        name=person.name,
        unit_id=person.unit_id,
        email=person.email or "",
        phone=person.phone or "",
        nip=person.nip or "",
        employment=person.employment.value,
        zone=person.zone,
        language=person.language,
    )


def changes(before: Person, fields: PersonFields) -> dict[str, object]:
    """Columns that differ, with their new values."""
    after = asdict(fields) | {"employment": fields.employment.value}
    then = asdict(rules.as_fields(draft_of(before))) | {"employment": before.employment.value}
    return {name: value for name, value in after.items() if then[name] != value}


async def require_power_over(session: AsyncSession, scope: Scope, person_id: str) -> None:
    """Raise unless every role of the person is within the scope's reach.

    Who changes an address can sign in with it, and so would take the roles over.
    """
    if person_id == scope.person_id:
        return
    for held in await roles(session, person_id):
        if not scope.reaches(Role.ADMINISTRATOR, held.unit_path):
            raise NeedsAdministrator


async def end_access(session: AsyncSession, person_id: str) -> None:
    """End every session and every pending link of the person."""
    await session.execute(delete(SessionRow).where(SessionRow.person_id == person_id))
    await session.execute(delete(SignInTokenRow).where(SignInTokenRow.person_id == person_id))


async def _own_unit(session: AsyncSession, scope: Scope, unit_id: str) -> rules.Unit:
    unit = await store.unit(session, scope, unit_id)
    scope.require(Role.ORGANISER, unit.path)
    return unit


async def _refuse_taken(session: AsyncSession, fields: PersonFields, except_id: str | None) -> None:
    """Friendly words for what the unique constraints would refuse; they decide in the end."""
    errors: list[FieldError] = []
    taken = (
        ("email", PersonRow.email, fields.email, EMAIL_TAKEN),
        ("nip", PersonRow.nip, fields.nip, NIP_TAKEN),
    )
    for name, column, value, message in taken:
        holder = value and await session.scalar(select(PersonRow.id).where(column == value))
        if holder and holder != except_id:
            errors.append(FieldError(name, message, {}))
    if errors:
        raise Invalid(errors)


async def _write(
    session: AsyncSession, person_id: str, values: dict[str, object], version: int, now: int
) -> None:
    statement = (
        update(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.version == version)
        .values(version=version + 1, **values)
        .returning(PersonRow.id)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if (await _guarded(session, statement)).scalar_one_or_none() is None:
        raise Stale
    session.expire_all()
    if values.get("nip"):
        await session.execute(insert(NipRow).values(person_id=person_id, nip=values["nip"], since=now))


async def _guarded(session: AsyncSession, statement: Executable) -> Result[Any]:
    """Run it; a uniqueness that another writer was faster to use up is told at its field."""
    try:
        return await session.execute(statement)
    except IntegrityError as error:
        field = "nip" if "nip" in str(error.orig) else "email"
        raise Invalid.at(field, NIP_TAKEN if field == "nip" else EMAIL_TAKEN) from error


async def _tell(
    session: AsyncSession,
    scope: Scope,
    person_id: str,
    institution_id: str,
    action: str,
    now: int,
    **fields: object,
) -> None:
    await audit.record(
        session,
        at=now,
        actor=scope.actor,
        subject=("person", person_id),
        action=action,
        institution_id=institution_id,
        **fields,
    )
