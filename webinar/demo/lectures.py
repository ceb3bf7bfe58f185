"""The lectures of the demonstration: those that were, with attendance and a replay, and those that come."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.storage import Storage
from webinar.core.audit import Actor
from webinar.core.clock import to_datetime, to_ms
from webinar.core.database import Database
from webinar.core.errors import NotFound
from webinar.core.ids import new_id
from webinar.demo import presence, replay
from webinar.demo.people import BKPSDM, DOMAIN, LECTURER, ORGANISER, ZONE, City
from webinar.demo.presence import DROPPED, LEFT, SENT_HOME, Session, Stay
from webinar.evidence import store as evidence
from webinar.evidence.append_rules import row_of
from webinar.evidence.tables import HeartbeatRow, WebhookRow
from webinar.hours import service as hours
from webinar.invites import owing
from webinar.lectures import booking, rooms, store
from webinar.lectures import service as lectures
from webinar.lectures.booking import Booking
from webinar.lectures.rules import UPCOMING, Lecture, LectureState, Registration, main_room_name, wall_of
from webinar.policies import store as policies
from webinar.policies.rules import Kind, Policy

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
QUIET_S = 60
LENGTH = 90 * MINUTE
STARTS_IN = 4 * MINUTE
STALE_AFTER = 7 * DAY
SHARE, STEPS = "Hadir 80 %", "Setiap 45 menit"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a lecture is about."""

    title: str
    description: str


ARCHIVES = Topic(
    "Pengelolaan Arsip Digital di Perangkat Daerah",
    "Dari surat masuk sampai penyusutan: bagaimana arsip tertata, aman, dan cepat ditemukan kembali.",
)
ETHICS = Topic(
    "Etika dan Integritas ASN",
    "Benturan kepentingan, gratifikasi, dan keberanian berkata tidak, dengan contoh sehari-hari.",
)
SERVICE = Topic(
    "Pelayanan Publik yang Ramah Penyandang Disabilitas",
    "Apa yang menghalangi warga di loket dan di situs kita, dan apa yang dapat diperbaiki minggu ini juga.",
)
BUDGET = Topic(
    "Membaca APBD untuk Bukan Orang Keuangan",
    "Pendapatan, belanja, dan pembiayaan dalam bahasa sederhana. Bawalah satu pertanyaan dari unit Anda.",
)

TITLES = frozenset(topic.title for topic in (ARCHIVES, ETHICS, SERVICE, BUDGET))


async def policies_of(session: AsyncSession, city: City, now: int) -> dict[str, Policy]:
    """The city's two policies, with a quiet period of a minute, so that hours can be seen at once."""
    known = {policy.name: policy for policy in await policies.current(session, city.scope)}
    share = Policy(new_id(), 1, city.id, SHARE, Kind.THRESHOLD, threshold_percent=80, quiet_period_s=QUIET_S)
    steps = replace(share, id=new_id(), name=STEPS, kind=Kind.PROPORTIONAL, threshold_percent=None)
    for number, policy in enumerate((share, steps)):
        if policy.name not in known:
            known[policy.name] = await policies.create(session, policy, now=now + number)
    return known


class Maker:
    """Makes what is missing of the demonstration's lectures; the same at the same instant, but for ids."""

    def __init__(self, db: Database, storage: Storage, city: City, link_key: bytes, now: int) -> None:
        self._db = db
        self._storage = storage
        self._city = city
        self._link_key = link_key
        self._chance = random.Random(now)

    @property
    def actor(self) -> Actor:
        return Actor("person", self._city.people[ORGANISER])

    async def upcoming(self, now: int) -> None:
        """One lecture that starts in a few minutes, and one a week later, unless such are booked."""
        minute = -(-(now + STARTS_IN) // MINUTE) * MINUTE
        async with self._db.writing() as session:
            coming = await self._of(session, UPCOMING, since=now + 15 * MINUTE)
            if not any(lecture.starts_at < now + 60 * MINUTE for lecture in coming):
                lecture = await self._book(session, SERVICE, minute, SHARE, now, recorded=True)
                await self.register(session, lecture, self._city.participants[:24], now)
            if not any(lecture.starts_at >= now + DAY for lecture in coming):
                lecture = await self._book(session, BUDGET, nine(now, 7), STEPS, now, recorded=False)
                await self.register(session, lecture, self._city.participants[4:], now)

    async def past(self, now: int) -> None:
        """Two lectures that are over and settled, one of them with a replay, unless such are recent."""
        async with self._db.reading() as session:
            if await self._of(session, (LectureState.FINAL,), since=now - STALE_AFTER):
                return
        async with self._db.writing() as session:
            await self._happened(session, ETHICS, nine(now, -21), STEPS, recorded=False)
        async with self._db.writing() as session:
            lecture = await self._happened(session, ARCHIVES, nine(now, -1), SHARE, recorded=True)
        await replay.record(self._db, self._storage, lecture)

    async def _of(
        self, session: AsyncSession, states: Sequence[LectureState] | frozenset[LectureState], since: int
    ) -> list[Lecture]:
        found = await store.page(session, self._city.scope, states=tuple(states), since=since, limit=50)
        # Editions of the series come and go by themselves.
        return [lecture for lecture in found if lecture.title in TITLES]

    async def _book(
        self, session: AsyncSession, topic: Topic, starts_at: int, policy: str, now: int, *, recorded: bool
    ) -> Lecture:
        wanted = Booking(
            id=new_id(),
            unit_id=self._city.units[BKPSDM],
            title=topic.title,
            description=topic.description,
            starts_wall=wall_of(starts_at, ZONE),
            ends_wall=wall_of(starts_at + LENGTH, ZONE),
            zone=ZONE,
            jp=200,
            policy_id=(await policies_of(session, self._city, now))[policy].id,
            recorded=recorded,
            lecturer_ids=(self._city.people[LECTURER],),
            overrun_s=60,
        )
        return await booking.book(
            session, self._city.scope, wanted, now=now, actor=self.actor, link_key=self._link_key
        )

    async def register(
        self, session: AsyncSession, lecture: Lecture, people: Sequence[str], now: int
    ) -> None:
        await booking.register(session, lecture, people, now=now, actor=self.actor, link_key=self._link_key)

    async def _happened(
        self, session: AsyncSession, topic: Topic, starts_at: int, policy: str, *, recorded: bool
    ) -> Lecture:
        """Live through a lecture in one transaction: no scheduler sees it half-way."""
        booked_at = starts_at - 6 * DAY
        lecture = await self._book(session, topic, starts_at, policy, booked_at, recorded=recorded)
        await self.register(session, lecture, self._city.participants[:30], booked_at + MINUTE)
        return await self.lived(session, lecture)

    async def lived(self, session: AsyncSession, lecture: Lecture) -> Lecture:
        """A lecture that is booked, from its opening to its hours, as everybody registered lived it."""
        await self.mailed(session, lecture, lecture.starts_at - DAY)
        told = await self._told(session, lecture)
        [room] = await lectures.wanted_rooms(session, [(lecture, main_room_name(lecture.id))])
        await rooms.opened(session, [rooms.Made(lecture, room, told.room_sid)], lecture.opens_at)
        lecture = await lectures.went_live(session, await self._again(session, lecture), lecture.starts_at)
        await self._witnessed(session, lecture, told)
        lecture = await lectures.ended(session, lecture, told.closed_at, self.actor)
        for open_room in await store.rooms_of(session, lecture.id):
            closing = await rooms.closing(session, open_room)
            if closing is not None:
                await rooms.closed(session, lecture, closing, told.closed_at + 1_000)
        settled_at = told.closed_at + QUIET_S * 1_000
        await hours.settle(session, lecture, settled_at)
        return await lectures.finalised(session, lecture, settled_at)

    async def mailed(self, session: AsyncSession, lecture: Lecture, at: int) -> None:
        """Everybody was told by mail what they did not know; nothing leaves for what is long over."""
        seats = await store.registrations(session, lecture.id, active=False)
        owed = await owing.missing(session, lecture, seats, DOMAIN)
        await owing.write(session, [replace(one, invite=one.invite.accepted(at)) for one in owed])

    async def _again(self, session: AsyncSession, lecture: Lecture) -> Lecture:
        found = await store.find(session, lecture.id)
        if found is None:
            raise NotFound
        return found

    async def _told(self, session: AsyncSession, lecture: Lecture) -> Session:
        """Everybody's coming and going; some have a story, who stays to the end is sent home."""
        seats = {seat.person_id: seat for seat in await store.registrations(session, lecture.id)}
        closed_at = lecture.ends_at + 2 * MINUTE
        stays = self._stay(seats[self._city.people[LECTURER]], lecture.starts_at - 10 * MINUTE, closed_at)
        audience = [seats[person] for person in self._city.participants if person in seats]
        absent, dropped, early, late = audience[3], audience[5], audience[8], audience[12]
        for seat in audience:
            joined_at = lecture.starts_at - self._chance.randint(10_000, 8 * MINUTE)
            if seat is absent or seat is audience[17]:
                continue
            if seat is dropped:
                lost_at = lecture.starts_at + 31 * MINUTE
                stays += self._stay(seat, joined_at, lost_at, DROPPED)
                stays += self._stay(seat, lost_at + 4 * MINUTE, closed_at)
            elif seat is early:
                stays += self._stay(seat, joined_at, lecture.starts_at + 47 * MINUTE, LEFT)
            elif seat is late:
                stays += self._stay(seat, lecture.starts_at + 24 * MINUTE, closed_at)
            elif self._chance.random() < 0.3:
                stays += self._stay(seat, joined_at, lecture.ends_at + self._chance.randint(0, 100_000), LEFT)
            else:
                stays += self._stay(seat, joined_at, closed_at)
        # Somebody follows on a laptop and on a telephone for a while: one presence.
        stays += self._stay(
            audience[0], lecture.starts_at + 10 * MINUTE, lecture.starts_at + 40 * MINUTE, LEFT
        )
        name = main_room_name(lecture.id)
        sid = presence.made_up(self._chance, "RM_")
        return Session(name, sid, lecture.opens_at, closed_at, tuple(stays))

    def _stay(self, seat: Registration, joined_at: int, left_at: int, why: str = SENT_HOME) -> list[Stay]:
        tab = presence.made_up(self._chance, "", 8)
        sid = presence.made_up(self._chance, "PA_")
        return [Stay(seat.id, f"{seat.seat}.{tab}", sid, joined_at, left_at, why)]

    async def _witnessed(self, session: AsyncSession, lecture: Lecture, told: Session) -> None:
        """Keep what every source would have said."""
        hooks = [row_of(event, at)._asdict() for event, at in presence.events(told, self._chance)]
        await session.execute(insert(WebhookRow), hooks)
        for at, listed in presence.sweeps(told):
            await evidence.record_sweep(
                session, room_name=told.room_name, room_sid=told.room_sid, participants=listed, at=at
            )
        await session.execute(insert(HeartbeatRow), list(presence.heartbeats(lecture.id, told.stays)))


def nine(now: int, days: int) -> int:
    """Nine o'clock in the city, so many days from now, moved away from now to a working day."""
    step = 1 if days > 0 else -1
    day = to_datetime(now, ZONE).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=days)
    while day.weekday() > 4:
        day += timedelta(days=step)
    return to_ms(day)
