"""Reminders: who gets which, once, and who gets none."""

from collections import Counter

import pytest
from sqlalchemy import delete, select

from tests import by_hand
from tests.build import DAY, HOUR, LAST_WEEK, MINUTE, NINE
from tests.integration.invite_world import KEY, World, world  # noqa: F401 - a fixture
from webinar.core.audit import SYSTEM
from webinar.core.clock import ManualClock
from webinar.core.effects import Skip
from webinar.core.tables import EffectRow
from webinar.invites import reminder_rules, reminders
from webinar.invites.reminding import reminder_sender, reminding
from webinar.invites.service import announcer, sender
from webinar.invites.tables import DeliveryRow
from webinar.lectures import booking, changes, service
from webinar.lectures.rules import Times
from webinar.people import exemptions
from webinar.people.access import Scope

A_DAY, A_QUARTER = NINE - DAY, NINE - 15 * MINUTE


@pytest.fixture
def told(world: World, clock: ManualClock) -> "Told":  # noqa: F811 - the fixture
    return Told(world, clock)


class Told:
    """The world's mails as time passes."""

    def __init__(self, world: World, clock: ManualClock) -> None:  # noqa: F811
        self.world, self.clock = world, clock

    async def at(self, now: int) -> list[str]:
        """Who got a reminder by what was owed until then, by name; in the order of names."""
        self.clock.at = now
        before = len(self.world.mailer.sent)
        desk = self.world.desk
        handlers = {
            "announce": announcer(desk), "invite": sender(desk),
            "remind": reminding(desk), "reminder": reminder_sender(desk),
        }  # fmt: skip
        while due := await by_hand.claim(self.world.db, worker="test", limit=50, lease_ms=60_000, now=now):
            for effect in due:
                handler = handlers.get(effect.kind)
                outcome = await handler(effect) if handler else Skip("not of this test")
                await by_hand.finish(self.world.db, effect, outcome, now)
        new = self.world.mailer.sent[before:]
        return sorted(mail.to.display_name for mail in new if "List-Unsubscribe" in mail.headers)

    async def reasons(self) -> Counter[str]:
        """Why reminders of a person were not sent."""
        async with self.world.db.reading() as session:
            query = select(EffectRow.last_error).where(
                EffectRow.kind == "reminder", EffectRow.state == "skipped"
            )
            return Counter(map(str, await session.scalars(query)))


EVERYBODY = ["Ani", "Budi", "Citra"]


async def test_everybody_is_reminded_a_day_and_a_quarter_of_an_hour_before_once(told: Told) -> None:
    assert await told.at(LAST_WEEK) == []
    assert await told.at(A_DAY - 1) == []
    assert await told.at(A_DAY) == EVERYBODY
    assert await told.at(A_DAY + HOUR) == []
    assert await told.at(A_QUARTER) == EVERYBODY
    assert await told.at(NINE) == []
    last = told.world.mailer.sent[-1]
    assert "15 menit lagi" in last.text
    assert last.calendar is None


async def test_each_mail_has_the_own_link_to_the_room_and_out_of_reminders(told: Told) -> None:
    await told.at(LAST_WEEK)
    await told.at(A_DAY)
    mails = [mail for mail in told.world.mailer.sent if "List-Unsubscribe" in mail.headers]
    links = {mail.headers["List-Unsubscribe"].strip("<>") for mail in mails}
    wanted = {reminder_rules.link("https://pendopo.example", KEY, person) for person in told.world.people}
    assert links == wanted
    assert all(any(link in mail.text for link in links) for mail in mails)
    assert len({mail.message_id for mail in mails}) == 3


async def test_after_hours_without_a_scheduler_only_the_nearest_reminder_comes(told: Told) -> None:
    await told.at(LAST_WEEK)
    assert await told.at(NINE - 10 * MINUTE) == EVERYBODY
    async with told.world.db.reading() as session:
        query = select(EffectRow.last_error).where(EffectRow.key.like("remind:%:1440"))
        assert list(await session.scalars(query)) == ["too late for this reminder"]


async def test_after_the_start_nobody_is_reminded(told: Told) -> None:
    await told.at(LAST_WEEK)
    assert await told.at(NINE) == []


async def test_a_lecture_that_was_moved_reminds_at_its_new_times_and_again(told: Told) -> None:
    await told.at(LAST_WEEK)
    assert await told.at(A_DAY) == EVERYBODY
    await told.world.edit(A_DAY + HOUR, starts_wall="2026-11-28T09:00", ends_wall="2026-11-28T10:30")
    assert await told.at(A_DAY + HOUR) == []
    assert await told.at(A_QUARTER) == []
    assert await told.at(NINE + 2 * DAY) == EVERYBODY
    assert await told.at(NINE + 3 * DAY - 15 * MINUTE) == EVERYBODY


async def test_who_was_told_of_a_change_after_the_time_is_not_reminded_for_it(told: Told) -> None:
    await told.at(LAST_WEEK)
    # Moved nearer: a day before is past by now.
    sooner = NINE - 2 * HOUR
    await told.world.edit(A_DAY - HOUR, starts_wall="2026-11-25T07:00", ends_wall="2026-11-25T08:30")
    assert await told.at(A_DAY - HOUR) == []
    assert await told.at(A_DAY) == []
    assert await told.at(sooner - 15 * MINUTE) == EVERYBODY


async def test_who_comes_late_gets_the_reminders_that_are_left(told: Told) -> None:
    await told.at(LAST_WEEK)
    world = told.world  # noqa: F811
    async with world.db.writing() as session:
        lecture = await world.lecture()
        [seat, *_] = await world.seats()
        await booking.cancel_registration(session, lecture, seat, now=A_DAY - HOUR, actor=SYSTEM)
    await told.at(A_DAY - HOUR)
    assert await told.at(A_DAY) == [one for one in EVERYBODY if one != seat.name]
    async with world.db.writing() as session:
        await booking.register(
            session, lecture, [seat.person_id], now=A_DAY + HOUR, actor=SYSTEM, link_key=KEY
        )
    assert await told.at(A_DAY + HOUR) == []
    assert await told.at(A_QUARTER) == EVERYBODY


async def test_a_lecture_that_is_called_off_reminds_nobody_and_a_restored_one_does(told: Told) -> None:
    await told.at(LAST_WEEK)
    world = told.world  # noqa: F811
    async with world.db.writing() as session:
        called_off = await service.cancel(
            session, await world.lecture(), reason="", now=LAST_WEEK, actor=SYSTEM
        )
    assert await told.at(A_DAY) == []
    async with world.db.writing() as session:
        times = Times(
            called_off.starts_wall,
            called_off.ends_wall,
            called_off.zone,
            called_off.starts_at,
            called_off.ends_at,
        )
        await changes.restore(session, called_off, times, now=A_DAY + HOUR, actor=SYSTEM)
    await told.at(A_DAY + HOUR)
    assert await told.at(A_QUARTER) == EVERYBODY


async def test_who_wants_none_gets_none_until_they_want_them_again(told: Told) -> None:
    await told.at(LAST_WEEK)
    world = told.world  # noqa: F811
    ani = next(seat.person_id for seat in await world.seats() if seat.name == "Ani")
    async with world.db.writing() as session:
        await reminders.refuse(session, ani, LAST_WEEK)
        await reminders.refuse(session, ani, LAST_WEEK + 1)
    assert await told.at(A_DAY) == ["Budi", "Citra"]
    async with world.db.writing() as session:
        await reminders.accept(session, ani)
    assert await told.at(A_QUARTER) == EVERYBODY


async def test_who_is_exempt_on_the_day_is_not_reminded(told: Told) -> None:
    await told.at(LAST_WEEK)
    world = told.world  # noqa: F811
    lecture = await world.lecture()
    budi = next(seat.person_id for seat in await world.seats() if seat.name == "Budi")
    async with world.db.writing() as session:
        await exemptions.add(
            session, Scope.system(lecture.institution_id), budi,
            reason="Cuti", starts_on="2026-11-25", ends_on="2026-11-25", now=LAST_WEEK,
        )  # fmt: skip
    assert await told.at(A_DAY) == ["Ani", "Citra"]
    assert await told.reasons() == {"wants no reminders, or is exempt on that day": 1}


async def test_the_times_are_chosen_for_lectures_that_are_booked_already(told: Told) -> None:
    await told.at(LAST_WEEK)
    world = told.world  # noqa: F811
    scope = Scope.system((await world.lecture()).institution_id)
    async with world.db.writing() as session:
        await reminders.set_times(session, scope, (60,), LAST_WEEK)
        assert await reminders.times(session, scope.institution_id) == (60,)
    assert await told.at(A_DAY) == []
    assert await told.at(NINE - HOUR) == EVERYBODY
    assert await told.at(A_QUARTER) == []
    async with world.db.writing() as session:
        await reminders.set_times(session, scope, (), NINE)
        assert await reminders.times(session, scope.institution_id) == ()


async def test_what_the_mail_server_took_is_not_sent_again_when_the_owing_is_repeated(told: Told) -> None:
    await told.at(LAST_WEEK)
    assert await told.at(A_DAY) == EVERYBODY
    world = told.world  # noqa: F811
    # As if the process had died before it wrote back that all were owed.
    lecture = await world.lecture()
    async with world.db.writing() as session:
        await session.execute(delete(EffectRow).where(EffectRow.kind == "remind"))
        await reminders.owe(session, lecture, A_DAY - 1)
    assert await told.at(A_DAY) == []
    assert await told.reasons() == {"sent already": 3}


async def test_a_mail_server_that_is_away_delays_a_reminder_and_a_refused_address_ends_it(told: Told) -> None:
    await told.at(LAST_WEEK)
    mailer = told.world.mailer
    mailer.go_away()
    assert await told.at(A_DAY) == []
    mailer.heal()
    assert await told.at(A_DAY + MINUTE) == EVERYBODY
    async with told.world.db.reading() as session:
        outcomes = Counter(await session.scalars(select(DeliveryRow.outcome).where(DeliveryRow.at >= A_DAY)))
    assert outcomes == {"deferred": 3, "accepted": 3}
