"""The first administrator, made by a command since nobody could sign in yet to make one."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.people import rules, service, sign_in, store
from webinar.people.access import Role, Scope
from webinar.people.rules import Employment, Person, PersonDraft


async def create_administrator(
    session: AsyncSession, institution_id: str, *, name: str, email: str, password_hash: str | None, now: int
) -> Person:
    """An administrator of the whole institution; without a password one signs in by a link in a mail.

    Raises:
        Invalid: somebody else has the address already, or a field is wrong.
    """
    root = await store.institution(session, institution_id)
    scope = Scope.system(institution_id)
    draft = PersonDraft(name=name, email=email, unit_id=root.id, employment=Employment.OTHER)
    if not email.strip():
        draft = replace(draft, email="-")  # is told to be no address, since nobody could sign in without
    zone = root.zone or rules.DEFAULT_ZONE
    person = await service.create_person(session, scope, replace(draft, zone=zone), now)
    await service.grant(session, scope, person.id, Role.ADMINISTRATOR, root.id, now)
    if password_hash:
        await sign_in.set_password(session, person.id, institution_id, password_hash, now)
    return person
