"""The weekly series of the demonstration: it grows, one edition was called off, one is moved, some come."""

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.clock import to_datetime
from webinar.core.database import Database
from webinar.core.ids import new_id
from webinar.demo.lectures import DAY, MINUTE, SHARE, Maker, Topic, policies_of
from webinar.demo.people import BKPSDM, LECTURER, ZONE, City
from webinar.lectures import service as lectures
from webinar.lectures.booking import Booking
from webinar.lectures.rules import wall_of
from webinar.series import changes, service, store
from webinar.series.changes import Author
from webinar.series.recurrence_rules import parsed
from webinar.series.rules import Edition, Series
from webinar.series.service import Plan
from webinar.workdays import national

FORUM = Topic(
    "Forum ASN Belajar",
    "Tiga perempat jam tiap minggu: satu rekan bercerita, lalu semua bertanya. Boleh ikut kapan saja.",
)
EDITIONS = 10
WEEK_DAYS, FRIDAY = 7, 4
# The first edition lies at least so many days back: five are over, or four and a holiday.
BACK_DAYS = 29
LENGTH = 45 * MINUTE
# Of the editions that are over, how many were registered for each; the third was called off.
REGISTERED = (18, 21, 22, 25, 29, 31)
CANCELLED, MEMBERS, MOVED_LATER = 3, 32, 2


async def weekly(db: Database, maker: Maker, city: City, link_key: bytes, now: int) -> None:
    """Book the series and live through what is over, unless one goes on; no scheduler sees it half-way."""
    async with db.writing() as session:
        if await _goes_on(session, city, now):
            return
        made = await _booked(session, maker, city, link_key, now)
        for edition in await store.editions(session, made.id):
            if edition.lecture.ends_at < now:
                await _was(session, maker, city, edition)
            else:
                await maker.register(session, edition.lecture, city.participants[:MEMBERS], made.created_at)
        await service.join(
            session, city.scope, made, city.participants[:MEMBERS], now=made.created_at, actor=maker.actor
        )
        await _moved(session, maker, city, made, link_key, now)


async def _goes_on(session: AsyncSession, city: City, now: int) -> bool:
    for one in await store.page(session, city.scope):
        found = (await store.outlines(session, [one.id])).get(one.id)
        if found is not None and found[2] > now:
            return True
    return False


async def _booked(session: AsyncSession, maker: Maker, city: City, link_key: bytes, now: int) -> Series:
    start = f"{first_day(to_datetime(now, ZONE).date())}T10:00"
    rule, ending = parsed(f"FREQ=WEEKLY;COUNT={EDITIONS}")
    first = Booking(
        id=new_id(),
        unit_id=city.units[BKPSDM],
        title=FORUM.title,
        description=FORUM.description,
        starts_wall=start,
        ends_wall=f"{start[:11]}10:45",
        zone=ZONE,
        jp=100,
        policy_id=(await policies_of(session, city, now))[SHARE].id,
        recorded=False,
        lecturer_ids=(city.people[LECTURER],),
    )
    return await service.book(
        session,
        city.scope,
        first,
        Plan(rule, ending, skips_holidays=True),
        now=now - (BACK_DAYS + 2 * WEEK_DAYS) * DAY,
        actor=maker.actor,
        link_key=link_key,
    )


def first_day(today: date) -> date:
    """A working day some weeks back; of the weekdays one that meets a holiday on the way, if any does."""
    # None of them is today's weekday: no edition is under way while the demonstration is put in.
    days = [today - timedelta(days=BACK_DAYS + n) for n in range(WEEK_DAYS - 1)]
    fit = [day for day in days if day.weekday() <= FRIDAY and not national.is_holiday(day)]

    def meets(day: date) -> bool:
        weeks = (day + timedelta(weeks=n) for n in range(1, EDITIONS))
        return any(national.is_holiday(one) for one in weeks)

    return next((day for day in fit if meets(day)), fit[0])


async def _was(session: AsyncSession, maker: Maker, city: City, edition: Edition) -> None:
    """An edition that is over: lived through, or called off the day before."""
    lecture = edition.lecture
    registered = REGISTERED[min(edition.number, len(REGISTERED)) - 1]
    await maker.register(session, lecture, city.participants[:registered], lecture.starts_at - 2 * DAY)
    if edition.number == CANCELLED:
        await maker.mailed(session, lecture, lecture.starts_at - 2 * DAY)
        off = await lectures.cancel(
            session, lecture, "Narasumber sakit", lecture.starts_at - DAY, maker.actor
        )
        await maker.mailed(session, off, lecture.starts_at - DAY)
    else:
        await maker.lived(session, lecture)


async def _moved(
    session: AsyncSession, maker: Maker, city: City, made: Series, link_key: bytes, now: int
) -> None:
    """One of those to come takes place in the afternoon."""
    ahead = [one for one in await store.editions(session, made.id) if one.lecture.starts_at > now + DAY]
    if len(ahead) < MOVED_LATER:
        return
    edition = ahead[MOVED_LATER - 1]
    afternoon = edition.lecture.starts_at + 4 * 60 * MINUTE
    wanted = {
        "starts_wall": wall_of(afternoon, ZONE),
        "ends_wall": wall_of(afternoon + LENGTH, ZONE),
        "zone": ZONE,
    }
    author = Author(city.scope, maker.actor, now - DAY, link_key)
    intent = await changes.intended(
        session, author, made, edition.number, wanted, version=edition.lecture.version, following=False
    )
    await changes.change(session, author, intent)
