"""Who is told what by mail, whatever happens to a lecture; on both databases."""

from dataclasses import replace

from sqlalchemy import select

from tests import by_hand
from tests.build import (
    LAST_WEEK,
    NINE,
)
from tests.integration.invite_world import KEY, World, event
from tests.integration.invite_world import world as world
from webinar.core.audit import SYSTEM
from webinar.core.tables import EffectRow
from webinar.invites import service as invites
from webinar.invites import store as invite_store
from webinar.invites.service import announcer, personal_link, sender
from webinar.lectures import booking, service, store
from webinar.lectures.rules import Seat
from webinar.people.tables import PersonRow


async def test_each_person_gets_one_invite_with_the_own_link(world: World) -> None:
    await world.run()
    await world.run()
    assert sorted(m.to.addr_spec for m in world.mailer.sent) == [
        "ani@example.test",
        "budi@example.test",
        "citra@example.test",
    ]
    links = {event(m)["url"] for m in world.mailer.sent}
    assert links == {personal_link("https://pendopo.example", KEY, s) for s in await world.seats()}
    assert {event(m)["method"] for m in world.mailer.sent} == {"REQUEST"}


async def test_a_reschedule_is_told_once_with_a_higher_sequence(world: World) -> None:
    await world.run()
    before = {m.to.addr_spec: event(m) for m in world.mailer.sent}
    world.mailer.sent.clear()
    await world.change(starts_wall="2026-11-26T13:00", ends_wall="2026-11-26T14:30")
    assert len(world.mailer.sent) == 3
    for message in world.mailer.sent:
        was, told = before[message.to.addr_spec], event(message)
        assert told["uid"] == was["uid"]
        assert told["sequence"] == was["sequence"] + 1  # type: ignore[operator]


async def test_another_title_is_told_with_the_same_sequence(world: World) -> None:
    await world.run()
    world.mailer.sent.clear()
    await world.change(title="Another title")
    assert [event(m)["sequence"] for m in world.mailer.sent] == [0, 0, 0]
    assert len({m.message_id for m in world.mailer.sent}) == 3


async def test_a_setting_that_nobody_sees_sends_no_mail(world: World) -> None:
    await world.run()
    world.mailer.sent.clear()
    await world.change(overrun_s=300, recorded=True)
    assert world.mailer.sent == []


async def test_a_cancelled_lecture_takes_the_invites_back(world: World) -> None:
    await world.run()
    world.mailer.sent.clear()
    async with world.db.writing() as session:
        lecture = await store.find(session, world.lecture_id)
        assert lecture is not None
        await service.cancel(session, lecture, "The lecturer is ill", LAST_WEEK, SYSTEM)
    await world.run()
    assert [(event(m)["method"], event(m)["sequence"]) for m in world.mailer.sent] == [("CANCEL", 1)] * 3
    assert all("The lecturer is ill" in m.text for m in world.mailer.sent)
    await world.run()
    assert len(world.mailer.sent) == 3


async def test_a_cancelled_registration_and_its_undoing_are_told_to_that_person_only(world: World) -> None:
    await world.run()
    world.mailer.sent.clear()
    seat = (await world.seats())[0]
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await booking.cancel_registration(session, lecture, seat, now=LAST_WEEK, actor=SYSTEM)
    await world.run()
    async with world.db.writing() as session:
        await booking.register(
            session,
            lecture,
            [seat.person_id],
            role=Seat.PARTICIPANT,
            now=LAST_WEEK,
            actor=SYSTEM,
            link_key=KEY,
        )
    await world.run()
    told = [(m.to.addr_spec, event(m)["method"], event(m)["sequence"]) for m in world.mailer.sent]
    assert told == [(seat.email, "CANCEL", 1), (seat.email, "REQUEST", 2)]


async def test_a_refused_address_is_shown_and_a_deferred_one_is_tried_again(world: World) -> None:
    world.mailer.refuse("ani@example.test")
    world.mailer.defer("budi@example.test")
    await world.run()
    async with world.db.reading() as session:
        states = {
            s.email: (await invite_store.get(session, s.id))
            for s in await store.registrations(session, world.lecture_id)
        }
        owed = (
            (
                await session.execute(
                    select(EffectRow).where(EffectRow.state == "owed", EffectRow.kind == "invite")
                )
            )
            .scalars()
            .all()
        )
    found = {email: (i.state.value, bool(i.last_error)) for email, i in states.items() if i}
    assert found == {
        "ani@example.test": ("refused", True),
        "budi@example.test": ("deferred", True),
        "citra@example.test": ("accepted", False),
    }
    assert [row.due_at > LAST_WEEK for row in owed] == [True]


async def test_a_mail_server_that_was_away_costs_no_invite(world: World) -> None:
    world.mailer.go_away()
    await world.run()
    assert world.mailer.sent == []
    world.mailer.heal()
    world.desk.clock.advance(3_600_000)  # type: ignore[attr-defined]
    await world.run()
    assert len(world.mailer.sent) == 3


async def test_a_mail_that_was_accepted_just_before_a_crash_repeats_as_the_same_mail(world: World) -> None:
    handler = announcer(world.desk)
    [announce] = await by_hand.claim(world.db, worker="a", limit=1, lease_ms=1, now=LAST_WEEK)
    await by_hand.finish(world.db, announce, await handler(announce), LAST_WEEK)
    claimed = await by_hand.claim(world.db, worker="a", limit=1, lease_ms=1, now=LAST_WEEK)
    send = sender(world.desk)
    await send(claimed[0])
    # The process dies here: nothing was written back. Another one does it again.
    await send(claimed[0])
    first, second = world.mailer.sent
    assert first.message_id == second.message_id
    assert event(first) == event(second)


async def test_a_wished_resend_is_another_mail_with_the_same_sequence(world: World) -> None:
    await world.run()
    first = world.mailer.to("ani@example.test")[0]
    seat = next(s for s in await world.seats() if s.email == "ani@example.test")
    async with world.db.writing() as session:
        lecture = await store.find(session, world.lecture_id)
        assert lecture is not None
        assert await invites.resend(session, lecture, [seat], now=LAST_WEEK, actor=SYSTEM) == 1
    await world.run()
    second = world.mailer.to("ani@example.test")[1]
    assert first.message_id != second.message_id
    assert event(first)["sequence"] == event(second)["sequence"] == 0


async def test_a_revoked_link_is_replaced_in_a_new_mail(world: World) -> None:
    await world.run()
    seat = (await world.seats())[0]
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await booking.revoke_link(session, lecture, seat, now=LAST_WEEK, actor=SYSTEM, link_key=KEY)
    await world.run()
    old, new = world.mailer.to(seat.email or "")
    assert event(old)["url"] != event(new)["url"]
    assert event(new)["url"] == personal_link(
        "https://pendopo.example", KEY, replace(seat, link_generation=seat.link_generation + 1)
    )


async def test_somebody_without_an_address_is_shown_and_not_tried(world: World) -> None:
    async with world.db.writing() as session:
        person = await session.get(PersonRow, world.people[0])
        assert person is not None
        person.email = None
    await world.run()
    seat = next(s for s in await world.seats() if s.person_id == world.people[0])
    async with world.db.reading() as session:
        invite = await invite_store.get(session, seat.id)
    assert invite is not None and invite.state.value == "no_address"
    assert len(world.mailer.sent) == 2


async def test_a_lecture_that_is_over_sends_nothing_more(world: World) -> None:
    async with world.db.writing() as session:
        lecture = await store.find(session, world.lecture_id)
        assert lecture is not None
        live = await service.start_now(session, lecture, NINE, SYSTEM)
        await service.end_now(session, live, NINE + 1, SYSTEM)
    await world.run()
    assert world.mailer.sent == []
