"""A small, believable demonstration: a city, its people, lectures that were and that come.

Everything goes through the services, at the times at which it would have happened. Running it again
renews what has become stale, and leaves the rest.
"""

from webinar import wiring
from webinar.config import Settings
from webinar.core.clock import Clock, SystemClock
from webinar.core.errors import Refused
from webinar.demo import people
from webinar.demo.people import City
from webinar.people.passwords import Passwords


class InUse(Refused):
    """People with passwords that everybody knows have no place beside real ones."""

    code = "in_use"
    message = "This installation holds an institution of its own: choose another folder with --data."


async def put_in(settings: Settings, clock: Clock | None = None) -> list[str]:
    """Put the demonstration in, or renew it; how to sign in, to be printed.

    Raises:
        InUse: the database holds a real institution.
    """
    # Here, since it loads the video encoder, which a start without anything to renew can do without.
    from webinar.demo import lectures, series

    db = wiring.database(settings)
    storage = wiring.storage(settings)
    now = (clock or SystemClock()).now()
    try:
        async with db.reading() as session:
            if await people.institutions(session) and await people.found(session) is None:
                raise InUse
        city = await people.settled(db, Passwords(), now)
        async with db.writing() as session:
            await lectures.policies_of(session, city, now)
        maker = lectures.Maker(db, storage, city, settings.link_key_bytes, now)
        await maker.past(now)
        await maker.upcoming(now)
        await series.weekly(db, maker, city, settings.link_key_bytes, now)
    finally:
        await db.close()
    return sign_ins(city)


async def sign_ins_if_there(settings: Settings) -> tuple[bool, list[str]]:
    """Whether the database is new (no institution yet), and how to sign in to a demonstration it holds."""
    db = wiring.database(settings)
    try:
        async with db.reading() as session:
            known = await people.institutions(session)
            city = await people.found(session)
    finally:
        await db.close()
    return not known, sign_ins(city) if city else []


def sign_ins(city: City) -> list[str]:
    """One line for each kind of user."""
    width = max(len(label) for label, _ in city.doors)
    lines = [f"Demonstration of {city.name}; the password of all is  {people.PASSWORD}"]
    return lines + [f"  {label:<{width}}  {email}" for label, email in city.doors]
