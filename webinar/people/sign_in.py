"""Signing in by password or by a link in a mail, and setting a password.

The functions that judge a password take the `Database` and not a session: hashing takes longer than
any transaction may, and a wrong try has to stay counted although the request is refused.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit, effects
from webinar.core.audit import Actor
from webinar.core.database import Database, insert_into
from webinar.core.errors import Invalid, Refused
from webinar.core.ids import digest, new_secret
from webinar.people import limits, service, sessions, sign_in_rules
from webinar.people.access import Scope
from webinar.people.passwords import Passwords
from webinar.people.rules import normal_email
from webinar.people.sign_in_rules import Purpose
from webinar.people.tables import DeviceRow, PersonRow, SignInTokenRow


class WrongSignIn(Refused):
    """Nobody has this address, or the password is another: the answer does not say which."""

    code = "wrong_sign_in"
    status = 401
    message = "The e-mail address or the password is not right."


class LinkSpent(Refused):
    """A link out of a mail that was used, replaced or is too old."""

    code = "link_spent"
    status = 410
    message = "This link was used already or is too old. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Browser:
    """Who knocks: network address, device cookie (None at the first visit), what it calls itself."""

    address: str
    device: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The values of the session's and the device's cookie; both are secrets that are kept nowhere."""

    person_id: str
    session: str
    device: str


async def sign_in(
    db: Database, passwords: Passwords, *, email: str, password: str, browser: Browser, now: int, life_ms: int
) -> SignedIn:
    """Raises WrongSignIn or TooMany, as slowly and in the same words whether the person exists or not."""
    email = normal_email(email)[:254]
    async with db.writing() as session:
        person = await _by_email(session, email)
        known = person is not None and await _known_device(session, person.id, browser.device)
        own = (
            sign_in_rules.device_limit(digest(browser.device or ""))
            if known
            else sign_in_rules.account_limit(email)
        )
        tries = await limits.count_try(session, [own, sign_in_rules.address_limit(browser.address)], now)
    stored = person.password_hash if person else None
    right = await passwords.matches(stored, password[: sign_in_rules.PASSWORD_MOST])
    if person is None or stored is None or not right:
        raise WrongSignIn
    fresh = await passwords.hash(password) if passwords.outdated(stored) else None
    async with db.writing() as session:
        await limits.forgive(session, tries)
        if fresh:
            await session.execute(
                update(PersonRow)
                .where(PersonRow.id == person.id, PersonRow.password_hash == stored)
                .values(password_hash=fresh)
            )
        return await _welcome(session, person.id, person.institution_id, browser, "password", now, life_ms)


async def ask_for_link(
    db: Database, *, email: str, purpose: Purpose, browser: Browser, link_key: bytes, now: int
) -> None:
    """Owe a mail with a link to whoever has the address; says nothing about whether somebody has.

    Raises:
        TooMany: for people and for nobody alike.
    """
    email = normal_email(email)[:254]
    asked = [sign_in_rules.links_limit(email), sign_in_rules.address_limit(browser.address, kind="asks")]
    async with db.writing() as session:
        await limits.count_try(session, asked, now)
        person = await _by_email(session, email)
        if person is not None:
            await owe_link(session, person.id, purpose=purpose, link_key=link_key, now=now)


async def owe_link(
    session: AsyncSession, person_id: str, *, purpose: Purpose, link_key: bytes, now: int
) -> None:
    """Keep the digest of a new link and owe the mail; the link itself is computed again when it is sent."""
    token = link_token(link_key, person_id, purpose, now)
    await session.execute(
        insert_into(session, SignInTokenRow)
        .values(
            digest=digest(token),
            person_id=person_id,
            purpose=purpose.value,
            created_at=now,
            expires_at=now + purpose.life_ms,
        )
        .on_conflict_do_nothing()
    )
    await effects.owe(
        session,
        kind="mail",
        key=f"mail:{digest(token)}",
        subject=f"person:{person_id}",
        payload={"token": digest(token)},
        due_at=now,
        now=now,
    )


def link_token(link_key: bytes, person_id: str, purpose: str, created_at: int) -> str:
    """The secret of a link, computable by who holds the key: HMAC-SHA256, URL-safe, 43 characters."""
    text = f"sign-in|{person_id}|{purpose}|{created_at}".encode()
    return urlsafe_b64encode(hmac.digest(link_key, text, hashlib.sha256)).decode().rstrip("=")


async def link_alive(session: AsyncSession, token: str, purpose: Purpose, now: int) -> bool:
    """Whether the link would work. Looking uses nothing up: mail scanners open links."""
    return await session.scalar(select(SignInTokenRow.digest).where(*_alive(token, purpose, now))) is not None


async def sign_in_by_link(
    session: AsyncSession, token: str, *, browser: Browser, now: int, life_ms: int
) -> SignedIn:
    """Raises LinkSpent."""
    person_id, institution_id = await _spend(session, token, Purpose.SIGN_IN, now)
    return await _welcome(session, person_id, institution_id, browser, "link", now, life_ms)


async def set_password_by_link(
    db: Database, passwords: Passwords, token: str, password: str, *, browser: Browser, now: int, life_ms: int
) -> SignedIn:
    """Set it, end every session and sign in anew. Raises LinkSpent or Invalid (the link then stays good)."""
    async with db.reading() as session:
        person = await _of_link(session, token, now)
    _refuse_weak(password, person.email, person.name)
    hashed = await passwords.hash(password)
    async with db.writing() as session:
        person_id, institution_id = await _spend(session, token, Purpose.PASSWORD, now)
        await set_password(session, person_id, institution_id, hashed, now)
        return await _welcome(session, person_id, institution_id, browser, "link", now, life_ms)


async def change_password(
    db: Database,
    passwords: Passwords,
    scope: Scope,
    *,
    old: str,
    new: str,
    browser: Browser,
    now: int,
    life_ms: int,
) -> SignedIn:
    """One's own; asks for the old one where there is one, ends all sessions, begins a new one.

    Raises:
        Invalid: at `old` or at `password`.
        TooMany: the old one was guessed at too often.
    """
    async with db.writing() as session:
        person = (await session.scalars(select(PersonRow).where(PersonRow.id == scope.person_id))).one()
        guess = sign_in_rules.Limit(f"change:{person.id}", sign_in_rules.WRONG_FOR_ACCOUNT)
        tries = await limits.count_try(session, [guess], now)
    if person.password_hash and not await passwords.matches(person.password_hash, old):
        raise Invalid.at("old", "This is not your present password.")
    async with db.writing() as session:
        await limits.forgive(session, tries)
    _refuse_weak(new, person.email, person.name)
    hashed = await passwords.hash(new)
    async with db.writing() as session:
        await set_password(session, person.id, person.institution_id, hashed, now)
        return await _welcome(session, person.id, person.institution_id, browser, "password", now, life_ms)


async def set_password(
    session: AsyncSession, person_id: str, institution_id: str, hashed: str, now: int
) -> None:
    """Store the hash; every session and pending link of the person ends."""
    await session.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=hashed))
    await service.end_access(session, person_id)
    await session.execute(delete(DeviceRow).where(DeviceRow.person_id == person_id))
    await _tell(session, person_id, institution_id, "password_set", now)


async def _by_email(session: AsyncSession, email: str) -> Row[str, str, str | None] | None:
    found = await session.execute(
        select(PersonRow.id, PersonRow.institution_id, PersonRow.password_hash).where(
            PersonRow.email == email, PersonRow.deactivated_at.is_(None)
        )
    )
    return found.one_or_none()


async def _known_device(session: AsyncSession, person_id: str, device: str | None) -> bool:
    if not device:
        return False
    row = await session.get(DeviceRow, (digest(device), person_id))
    return row is not None


async def _welcome(
    session: AsyncSession,
    person_id: str,
    institution_id: str,
    browser: Browser,
    by: str,
    now: int,
    life_ms: int,
) -> SignedIn:
    """A session with a new id, and a device that is known from now on."""
    device = browser.device if await _known_device(session, person_id, browser.device) else new_secret()
    await session.execute(delete(DeviceRow).where(DeviceRow.seen_at < now - sign_in_rules.DEVICE_KEPT_MS))
    await session.merge(DeviceRow(digest=digest(device or ""), person_id=person_id, seen_at=now))
    await session.flush()
    secret = await sessions.begin(session, person_id, user_agent=browser.user_agent, now=now, life_ms=life_ms)
    await _tell(session, person_id, institution_id, "signed_in", now, by=by)
    return SignedIn(person_id, secret, device or "")


async def _spend(session: AsyncSession, token: str, purpose: Purpose, now: int) -> tuple[str, str]:
    """The person and institution of a link that is used now, once."""
    person_id = await session.scalar(
        update(SignInTokenRow)
        .where(*_alive(token, purpose, now))
        .values(used_at=now)
        .returning(SignInTokenRow.person_id)
        .execution_options(synchronize_session=False)
    )
    found = await session.execute(
        select(PersonRow.id, PersonRow.institution_id).where(
            PersonRow.id == person_id, PersonRow.deactivated_at.is_(None)
        )
    )
    person = found.one_or_none()
    if person is None:
        raise LinkSpent
    return person.id, person.institution_id


async def _of_link(session: AsyncSession, token: str, now: int) -> PersonRow:
    person = await session.scalar(
        select(PersonRow)
        .join(SignInTokenRow, SignInTokenRow.person_id == PersonRow.id)
        .where(*_alive(token, Purpose.PASSWORD, now))
    )
    if person is None:
        raise LinkSpent
    return person


def _alive(token: str, purpose: Purpose, now: int) -> tuple[ColumnElement[bool], ...]:
    return (
        SignInTokenRow.digest == digest(token),
        SignInTokenRow.purpose == purpose.value,
        SignInTokenRow.used_at.is_(None),
        SignInTokenRow.expires_at > now,
    )


def _refuse_weak(password: str, email: str | None, name: str) -> None:
    errors = list(sign_in_rules.password_problems(password, email=email or "", name=name))
    if errors:
        raise Invalid(errors)


async def _tell(
    session: AsyncSession, person_id: str, institution_id: str, action: str, now: int, **fields: object
) -> None:
    await audit.record(
        session,
        at=now,
        actor=Actor("person", person_id),
        subject=("person", person_id),
        action=action,
        institution_id=institution_id,
        **fields,
    )
