"""What the commands do: open the database, one transaction around one service call."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from webinar import wiring
from webinar.config import Settings
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.errors import Invalid, NotFound, Refused
from webinar.hours.verifying import Verifier
from webinar.people import administrators, api_keys, sign_in_rules, store, units
from webinar.people.access import Scope
from webinar.people.importing import check, write
from webinar.people.importing.rules import Options
from webinar.people.importing.store import Import
from webinar.people.passwords import Passwords
from webinar.people.rules import Unit
from webinar.privacy import service as privacy

DAY_MS = 86_400_000


class WhichInstitution(Refused):
    code = "which_institution"
    message = "There are several institutions: name one with --institution."


class NoInstitution(Refused):
    code = "no_institution"
    message = "There is no institution yet: name it with --institution."


@dataclass(frozen=True, slots=True)
class Told:
    """What a command has to say, and whether all is well."""

    well: bool
    lines: Sequence[str]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    db = wiring.database(settings)
    try:
        yield db
    finally:
        await db.close()


async def the_institution(session: AsyncSession, wanted: str) -> Unit:
    """The institution of this code, name or id, or the only one there is.

    Raises:
        NotFound, WhichInstitution, NoInstitution.
    """
    known = await store.institutions(session)
    if wanted:
        found = [unit for unit in known if wanted.casefold() in _names(unit)]
        if not found:
            raise NotFound
        return found[0]
    if not known:
        raise NoInstitution
    if len(known) > 1:
        raise WhichInstitution
    return known[0]


def _names(unit: Unit) -> tuple[str, ...]:
    return (unit.id, unit.code.casefold(), unit.name.casefold())


async def create_api_key(
    settings: Settings, institution: str, *, name: str, scopes: Sequence[str], days: int
) -> str:
    """The secret of a new key."""
    now = SystemClock().now()
    async with opened(settings) as db, db.writing() as session:
        scope = Scope.system((await the_institution(session, institution)).id)
        expires_at = now + days * DAY_MS if days else None
        _, secret = await api_keys.create(
            session, scope, name=name, scopes=scopes, expires_at=expires_at, now=now
        )
    return secret


async def create_administrator(
    settings: Settings, institution: str, *, name: str, email: str, zone: str, password: str
) -> list[str]:
    """An administrator, in a new institution when there is none of that name; what to tell."""
    now = SystemClock().now()
    made = password or secrets.token_urlsafe(12)
    if problems := list(sign_in_rules.password_problems(made, email=email, name=name)):
        raise Invalid(problems)
    hashed = await Passwords().hash(made)
    async with opened(settings) as db, db.writing() as session:
        try:
            home = await the_institution(session, institution)
            lines = []
        except NotFound:
            code = units.code_from(institution)
            home = await units.create_institution(session, name=institution, code=code, now=now, zone=zone)
            lines = [f"{home.name} is founded."]
        await administrators.create_administrator(
            session, home.id, name=name, email=email, password_hash=hashed, now=now
        )
    lines.append(f"{email} administers {home.name}. Sign in at {settings.public_url}")
    return lines if password else [*lines, f"Password: {made}"]


async def import_people(settings: Settings, institution: str, file: Path, *, check_only: bool) -> Told:
    """Check a table and write it, if nothing is wrong in it."""
    clock = SystemClock()
    options = Options(create_units=True)
    async with opened(settings) as db:
        async with db.reading() as session:
            scope = Scope.system((await the_institution(session, institution)).id)
        if check_only:
            content = await asyncio.to_thread(file.read_bytes)
            found = await check.check(
                db, scope, content=content, file_name=file.name, now=clock.now(), options=options
            )
            await check.discard(db, scope, found.id)
        else:
            found = await write.import_file(db, scope, file, clock.now, options=options, only_if_right=True)
    if check_only or found.summary.wrong:
        return Told(not found.summary.wrong, _checked(found))
    return Told(True, [f"{found.created} people added, {found.updated} changed, of {found.rows} rows."])


def _checked(found: Import) -> list[str]:
    lines = [f"row {p.row}, {p.column}: {p.message % dict(p.fields)}" for p in found.problems]
    return [*lines, f"{found.rows} rows are right, {found.summary.wrong} are wrong. Nothing was saved."]


async def export_person(settings: Settings, institution: str, wanted: str) -> str:
    """All that is kept of a person, as JSON text."""
    async with opened(settings) as db, db.reading() as session:
        scope = Scope.system((await the_institution(session, institution)).id)
        person = await store.person_known_as(session, scope, wanted)
        found = await privacy.export_of_person(session, person, SystemClock().now())
    return json.dumps(found, ensure_ascii=False, indent=1)


async def erase_person(settings: Settings, institution: str, wanted: str, reason: str) -> str:
    """Erase what names a person; what to tell."""
    now = SystemClock().now()
    async with opened(settings) as db, db.writing() as session:
        scope = Scope.system((await the_institution(session, institution)).id)
        person = await store.person_known_as(session, scope, wanted)
        erased = await privacy.erase(session, scope, person.id, reason=reason, now=now)
    return f"{erased.id} is now called {erased.name}."


async def verify_hours(settings: Settings, institution: str, say: Callable[[str], None]) -> bool:
    """Examine each ledger, its totals and every credit, and say what is found. Whether all is well."""
    well = True
    async with opened(settings) as db:
        async with db.reading() as session:
            known = await store.institutions(session)
            chosen = [await the_institution(session, institution)] if institution else known
        for unit in chosen:
            verifier, wrong = Verifier(db, unit.id), 0
            async for finding in verifier.run():
                say(f"  {'note' if finding.note else 'WRONG'}  {finding.told()}")
                wrong += not finding.note
            seen = verifier.examined
            state = "the chain holds" if not wrong else f"DOES NOT HOLD, {wrong} differences"
            say(
                f"{unit.name}: {seen.entries} entries, {seen.credits} attendances in {seen.lectures} "
                f"lectures; {state}; head {verifier.head.digest}"
            )
            well = well and not wrong
    return well
