"""Signing in on both databases: limits, links, sessions, keys."""

import asyncio
from email.headerregistry import Address

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from tests import by_hand
from tests.build import MINUTE, NINE, a_person
from webinar.core.database import Database
from webinar.core.effects import Done, Skip
from webinar.core.errors import Forbidden, Invalid, TooMany
from webinar.core.tables import EffectRow
from webinar.mail.fake import FakeMailer
from webinar.people import api_keys, service, sessions, sign_in, store
from webinar.people.access import Scope, scope_of
from webinar.people.effects import SignInMails
from webinar.people.passwords import Passwords
from webinar.people.sign_in import Browser, LinkSpent, WrongSignIn
from webinar.people.sign_in_rules import DAY, Purpose
from webinar.people.tables import AttemptRow, SessionRow, SignInTokenRow

# Real argon2, with parameters that a test can afford.
PASSWORDS = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
RIGHT, KEY, LIFE = "kuda hijau makan bakso", b"k" * 32, 14 * DAY
HOME = Browser("203.0.113.7", user_agent="Firefox")


@pytest.fixture
async def siti(database: Database):
    hashed = await PASSWORDS.hash(RIGHT)
    async with database.writing() as session:
        return await a_person(session, email="siti@kota.example", password_hash=hashed)


async def enter(
    db: Database,
    password: str = RIGHT,
    *,
    email: str = "siti@kota.example",
    browser: Browser = HOME,
    now: int = NINE,
):
    return await sign_in.sign_in(
        db, PASSWORDS, email=email, password=password, browser=browser, now=now, life_ms=LIFE
    )


async def refused(db: Database, **more: object) -> type[Exception]:
    try:
        await enter(db, "wrong wrong wrong", **more)  # type: ignore[arg-type]
    except (WrongSignIn, TooMany) as error:
        return type(error)
    raise AssertionError("signed in with a wrong password")


async def test_the_right_password_begins_a_session_whose_secret_is_not_stored(database, siti):
    signed = await enter(database, email=" Siti@Kota.Example ")
    async with database.reading() as session:
        found = await sessions.find(session, signed.session, NINE)
        stored = (await session.scalars(select(SessionRow.digest))).all()
        assert not (await session.scalars(select(AttemptRow))).all()
    assert found is not None and found.person_id == siti.id
    assert signed.session not in stored


async def test_nobody_and_a_wrong_password_get_the_same_answer(database, siti):
    for email in ("siti@kota.example", "nobody@kota.example"):
        answers = [await refused(database, email=email) for _ in range(6)]
        assert answers == [WrongSignIn] * 5 + [TooMany]


async def test_tries_at_the_same_instant_do_not_slip_past_the_limit(database, siti):
    answers = await asyncio.gather(*(refused(database) for _ in range(12)))
    assert answers.count(WrongSignIn) == 5


async def test_the_limit_ends_after_a_quarter_of_an_hour(database, siti):
    for _ in range(6):
        await refused(database)
    with pytest.raises(TooMany):
        await enter(database, now=NINE + 14 * MINUTE)
    assert await enter(database, now=NINE + 16 * MINUTE)


async def test_a_device_that_signed_in_before_is_not_locked_out_by_others(database, siti):
    device = (await enter(database)).device
    for _ in range(6):
        await refused(database, browser=Browser("198.51.100.9"))
    with pytest.raises(TooMany):
        await enter(database)
    assert (await enter(database, browser=Browser("203.0.113.7", device))).device == device


async def test_a_stolen_looking_device_cookie_is_nothing_without_its_record(database, siti):
    for _ in range(5):
        await refused(database, browser=Browser("198.51.100.9", "made-up"))
    with pytest.raises(TooMany):
        await enter(database, browser=Browser("198.51.100.9", "made-up"))


async def test_an_ipv6_network_is_limited_as_one(database, siti):
    answers = [
        await refused(database, email=f"a{n}@kota.example", browser=Browser(f"2001:db8::{n:x}"))
        for n in range(51)
    ]
    assert answers == [WrongSignIn] * 50 + [TooMany]


async def test_the_session_slides_on_with_use_and_ends_without(database, siti):
    signed = await enter(database)
    assert await sessions.resolve(database, signed.session, now=NINE + 13 * DAY, life_ms=LIFE)
    assert await sessions.resolve(database, signed.session, now=NINE + 26 * DAY, life_ms=LIFE)
    assert await sessions.resolve(database, signed.session, now=NINE + 41 * DAY, life_ms=LIFE) is None


async def test_a_session_of_somebody_deactivated_is_none(database, siti):
    signed = await enter(database)
    async with database.writing() as session:
        await service.deactivate(session, Scope.system(siti.institution_id), siti.id, 1, NINE)
    assert await sessions.resolve(database, signed.session, now=NINE, life_ms=LIFE) is None
    assert await refused(database) is WrongSignIn


async def test_one_ends_the_own_sessions_and_nobody_elses(database, siti):
    here, there = await enter(database), await enter(database)
    async with database.writing() as session:
        other = await a_person(session, name="Budi")
        [listed, _] = await sessions.of_person(session, siti.id, NINE)
        await sessions.end_one(session, other.id, listed.digest)
        assert len(await sessions.of_person(session, siti.id, NINE)) == 2
        await sessions.end_one(session, siti.id, listed.digest)
        assert len(await sessions.of_person(session, siti.id, NINE)) == 1
        await sessions.end_all(session, siti.id)
        assert not await sessions.of_person(session, siti.id, NINE)
    assert here.session != there.session


async def test_changing_the_password_asks_for_the_old_one_and_ends_all_sessions(database, siti):
    old = await enter(database)
    async with database.reading() as session:
        scope = await scope_of(session, siti.id)

    async def change(before: str, after: str):
        return await sign_in.change_password(
            database, PASSWORDS, scope, old=before, new=after, browser=HOME, now=NINE, life_ms=LIFE
        )

    with pytest.raises(Invalid):
        await change("wrong wrong wrong", "gajah biru minum kopi")
    with pytest.raises(Invalid):
        await change(RIGHT, "short")
    fresh = await change(RIGHT, "gajah biru minum kopi")
    assert await sessions.resolve(database, old.session, now=NINE, life_ms=LIFE) is None
    assert await sessions.resolve(database, fresh.session, now=NINE, life_ms=LIFE)
    assert await enter(database, "gajah biru minum kopi")


def mails(database: Database, clock, mailer: FakeMailer, key: bytes = KEY) -> SignInMails:
    sender = Address("Pendopo", addr_spec="pendopo@kota.example")
    return SignInMails(database, mailer, clock, sender, "https://kota.example/", key)


async def ask(
    database: Database, purpose: Purpose, email: str = "siti@kota.example", now: int = NINE
) -> None:
    await sign_in.ask_for_link(database, email=email, purpose=purpose, browser=HOME, link_key=KEY, now=now)


async def mailed(database: Database, clock, purpose: Purpose) -> str:
    """Ask for a link and read it out of the mail."""
    await ask(database, purpose)
    [effect] = await by_hand.claim(database, worker="w", limit=9, lease_ms=9_000, now=NINE)
    mailer = FakeMailer()
    assert await mails(database, clock, mailer).send_sign_in_mail(effect) == Done()
    [message] = mailer.sent
    [line] = [line for line in message.text.splitlines() if line.startswith("https://")]
    return line.rpartition("/")[2]


async def test_a_link_signs_in_once_and_looking_at_it_uses_nothing_up(database, clock, siti):
    token = await mailed(database, clock, Purpose.SIGN_IN)
    async with database.reading() as session:
        assert await sign_in.link_alive(session, token, Purpose.SIGN_IN, NINE)
        assert not await sign_in.link_alive(session, token, Purpose.PASSWORD, NINE)
    async with database.writing() as session:
        signed = await sign_in.sign_in_by_link(session, token, browser=HOME, now=NINE, life_ms=LIFE)
    assert signed.person_id == siti.id
    with pytest.raises(LinkSpent):
        async with database.writing() as session:
            await sign_in.sign_in_by_link(session, token, browser=HOME, now=NINE, life_ms=LIFE)


async def test_the_database_never_holds_a_link(database, clock, siti):
    token = await mailed(database, clock, Purpose.SIGN_IN)
    async with database.reading() as session:
        rows = [*await session.scalars(select(SignInTokenRow)), *await session.scalars(select(EffectRow))]
    assert not [row for row in rows if token in str(vars(row))]


async def test_a_link_ends_with_its_time(database, clock, siti):
    token = await mailed(database, clock, Purpose.SIGN_IN)
    with pytest.raises(LinkSpent):
        async with database.writing() as session:
            await sign_in.sign_in_by_link(session, token, browser=HOME, now=NINE + 20 * MINUTE, life_ms=LIFE)


async def test_a_forgotten_password_is_set_by_link_and_a_weak_one_does_not_spend_it(database, clock, siti):
    before = await enter(database)
    token = await mailed(database, clock, Purpose.PASSWORD)

    async def choose(password: str):
        return await sign_in.set_password_by_link(
            database, PASSWORDS, token, password, browser=HOME, now=NINE, life_ms=LIFE
        )

    with pytest.raises(Invalid):
        await choose("password123")
    await choose("gajah biru minum kopi")
    assert await sessions.resolve(database, before.session, now=NINE, life_ms=LIFE) is None
    assert await enter(database, "gajah biru minum kopi")
    with pytest.raises(LinkSpent):
        await choose("gajah biru minum susu")


async def test_asking_for_nobody_answers_alike_and_owes_nothing(database, siti):
    await ask(database, Purpose.SIGN_IN, "nobody@kota.example")
    assert await by_hand.claim(database, worker="w", limit=9, lease_ms=9_000, now=NINE) == []


async def test_asking_too_often_is_refused_for_people_and_for_nobody(database, siti):
    for email in ("siti@kota.example", "nobody@kota.example"):
        for second in range(4):
            await ask(database, Purpose.SIGN_IN, email, NINE + second)
        with pytest.raises(TooMany):
            await ask(database, Purpose.SIGN_IN, email, NINE + 5)


async def test_a_mail_whose_link_was_used_or_made_with_another_key_is_skipped(database, clock, siti):
    await ask(database, Purpose.SIGN_IN)
    [effect] = await by_hand.claim(database, worker="w", limit=9, lease_ms=9_000, now=NINE)
    mailer = FakeMailer()
    assert isinstance(await mails(database, clock, mailer, b"other" * 8).send_sign_in_mail(effect), Skip)
    clock.advance(60 * MINUTE)
    assert isinstance(await mails(database, clock, mailer).send_sign_in_mail(effect), Skip)
    assert not mailer.sent


async def test_a_new_address_ends_the_links_that_went_to_the_old_one(database, clock, siti):
    token = await mailed(database, clock, Purpose.SIGN_IN)
    async with database.writing() as session:
        scope = Scope.system(siti.institution_id)
        draft = service.draft_of(await store.person(session, scope, siti.id))
        changed = type(draft)(
            **{name: getattr(draft, name) for name in draft.__slots__} | {"email": "new@kota.example"}
        )
        await service.update_person(session, scope, siti.id, changed, 1, NINE)
    async with database.reading() as session:
        assert not await sign_in.link_alive(session, token, Purpose.SIGN_IN, NINE)


async def make_key(database: Database, scope: Scope, **more: object):
    async with database.writing() as session:
        values = {"name": "LMS", "scopes": ["people:read"], "expires_at": None, "now": NINE} | more
        return await api_keys.create(session, scope, **values)  # type: ignore[arg-type]


async def test_a_key_works_within_its_scopes_until_it_ends(database, siti):
    key, secret = await make_key(database, Scope.system(siti.institution_id), expires_at=NINE + DAY)
    assert secret.startswith("pdp_")
    found = await api_keys.resolve(database, secret, NINE)
    assert found is not None and found.id == key.id and found.scopes == {"people:read"}
    assert not found.scope.allows("people:write")
    assert await api_keys.resolve(database, secret, NINE + DAY) is None
    assert await api_keys.resolve(database, secret + "x", NINE) is None


async def test_a_revoked_key_is_refused(database, siti):
    scope = Scope.system(siti.institution_id)
    key, secret = await make_key(database, scope)
    async with database.writing() as session:
        await api_keys.revoke(session, scope, key.id, NINE)
    assert await api_keys.resolve(database, secret, NINE) is None


async def test_only_administrators_make_keys_and_only_with_known_scopes(database, siti):
    async with database.reading() as session:
        scope = await scope_of(session, siti.id)
    with pytest.raises(Forbidden):
        await make_key(database, scope)
    with pytest.raises(Invalid):
        await make_key(database, Scope.system(siti.institution_id), scopes=["people:delete"])
