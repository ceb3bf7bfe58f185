"""A booked lecture with three people, what is owed to them, and a mailer that keeps it."""

from dataclasses import dataclass
from email.headerregistry import Address

import pytest
from icalendar import Calendar

from tests import by_hand
from tests.build import (
    LAST_WEEK,
    a_lecture,
    a_person,
    a_policy,
    a_unit,
    an_institution,
)
from webinar.core import effects
from webinar.core.audit import SYSTEM
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.invites.service import Desk, announcer, sender
from webinar.lectures import booking, editing, store
from webinar.lectures.editing import Change
from webinar.lectures.rules import Lecture, Registration
from webinar.mail.fake import FakeMailer
from webinar.mail.port import Message
from webinar.people.access import Scope

KEY = b"k" * 32


@dataclass
class World:
    desk: Desk
    mailer: FakeMailer
    lecture_id: str
    people: tuple[str, ...]

    @property
    def db(self) -> Database:
        return self.desk.database

    async def lecture(self) -> Lecture:
        async with self.db.reading() as session:
            found = await store.find(session, self.lecture_id)
        assert found is not None
        return found

    async def seats(self) -> list[Registration]:
        async with self.db.reading() as session:
            return await store.registrations(session, self.lecture_id, active=False)

    async def run(self) -> None:
        """Do what is owed by now, as the scheduler would, until nothing is due."""
        handlers = {"announce": announcer(self.desk), "invite": sender(self.desk)}
        now = self.desk.clock.now()
        while due := await by_hand.claim(self.db, worker="test", limit=50, lease_ms=60_000, now=now):
            for effect in due:
                handler = handlers.get(effect.kind)
                outcome = await handler(effect) if handler else effects.Skip("not of this test")
                await by_hand.finish(self.db, effect, outcome, now)

    async def change(self, **wanted: object) -> None:
        """A change, and everything that follows from it."""
        await self.edit(self.desk.clock.now(), **wanted)
        await self.run()

    async def edit(self, now: int, **wanted: object) -> None:
        """A change that is committed, and not announced yet."""
        lecture = await self.lecture()
        async with self.db.writing() as session:
            await editing.change(
                session,
                Scope.system(lecture.institution_id),
                lecture,
                Change(**wanted),  # type: ignore[arg-type]
                version=lecture.version,
                now=now,
                actor=SYSTEM,
            )


def event(message: Message) -> dict[str, object]:
    assert message.calendar is not None
    calendar = Calendar.from_ical(message.calendar.content)
    [found] = calendar.walk("VEVENT")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(found["UID"]),
        "sequence": int(found["SEQUENCE"]),
        "starts": found["DTSTART"].dt,
        "url": str(found.get("URL", "")),
    }


@pytest.fixture
async def world(database: Database, clock: ManualClock) -> World:
    clock.at = LAST_WEEK
    mailer = FakeMailer()
    desk = Desk(
        database,
        clock,
        mailer,
        "https://pendopo.example",
        KEY,
        Address("Pendopo", addr_spec="pendopo@example.test"),
        Address("Undangan", addr_spec="undangan@example.test"),
        "example.test",
    )
    async with database.writing() as session:
        institution = await an_institution(session)
        unit = await a_unit(session, institution)
        lecture = await a_lecture(session, unit, policy=await a_policy(session, institution))
        names = ("Ani", "Budi", "Citra")
        people = [await a_person(session, unit, name=n, email=f"{n.lower()}@example.test") for n in names]
        found = await store.find(session, lecture.id)
        assert found is not None
        await booking.register(
            session, found, [p.id for p in people], now=LAST_WEEK, actor=SYSTEM, link_key=KEY
        )
    return World(desk, mailer, lecture.id, tuple(p.id for p in people))
