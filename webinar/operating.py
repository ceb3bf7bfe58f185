"""What `webinar owed` and `webinar mail` do; for operators of the installation, of all institutions."""

from collections.abc import Sequence

from webinar.commands import opened, the_institution
from webinar.config import Settings
from webinar.core import processes
from webinar.core.clock import SystemClock
from webinar.core.errors import Refused
from webinar.operations import lines, service, store
from webinar.operations.rules import KINDS, LISTED, Standing
from webinar.people import store as people
from webinar.people.access import Scope

EVERYTHING = Scope.everything()


class NoSuchStanding(Refused):
    code = "no_such_standing"
    message = "There is no %(given)s. Choose one of: %(known)s."


def a_standing(given: str) -> Standing:
    """Raises NoSuchStanding."""
    if given not in {how.value for how in LISTED}:
        raise NoSuchStanding(given=given, known=", ".join(LISTED))
    return Standing(given)


async def owed(settings: Settings) -> list[str]:
    """The counts by kind, held mail, and clocks that differ."""
    async with opened(settings) as db, db.reading() as session:
        now = SystemClock().now()
        found = lines.counted(await store.overview(session, None, now), now)
        names = {unit.id: unit.name for unit in await people.institutions(session)}
        found += lines.held(await store.mail_holds(session), names, now)
        return found + lines.clocks(await processes.known(session), now)


async def listed(settings: Settings, standing: str, kind: str, limit: int) -> list[str]:
    """Single effects that stand so."""
    how = a_standing(standing)
    async with opened(settings) as db, db.reading() as session:
        now = SystemClock().now()
        kinds = [kind] if kind else sorted(KINDS)
        effects = await store.listed(session, None, how, kinds, now, limit=limit)
    return lines.listed(effects, now) or [f"Nothing is {how.value}."]


async def retry(settings: Settings, effect_id: int) -> str:
    async with opened(settings) as db, db.writing() as session:
        found = await service.retry(session, EVERYTHING, effect_id, SystemClock().now())
    return f"{found.key} is tried now." if found.retriable else f"{found.key} is {found.standing.value}."


async def skip(settings: Settings, effect_id: int, reason: str) -> str:
    async with opened(settings) as db, db.writing() as session:
        found = await service.skip(session, EVERYTHING, effect_id, reason, SystemClock().now())
    return f"{found.key} is skipped." if found.skippable else f"{found.key} is {found.standing.value}."


async def retry_all(settings: Settings, standing: str, kind: str) -> str:
    how = a_standing(standing)
    count = await _all(settings, service.retrying(EVERYTHING, how, kind, SystemClock().now()))
    return f"{count} of kind {kind} are tried now."


async def skip_all(settings: Settings, standing: str, kind: str, reason: str) -> str:
    how = a_standing(standing)
    count = await _all(settings, service.skipping(EVERYTHING, how, kind, reason, SystemClock().now()))
    return f"{count} of kind {kind} are skipped."


async def _all(settings: Settings, batch: service.Batch) -> int:
    async with opened(settings) as db:
        return await service.every(db.writing, batch)


async def hold_mail(settings: Settings, institution: str, reason: str) -> str:
    async with opened(settings) as db, db.writing() as session:
        unit = await the_institution(session, institution)
        await service.hold_mail(session, Scope.system(unit.id), reason, SystemClock().now())
    return f"Outgoing mail of {unit.name} is held. What is owed stays owed; webinar mail release lets it go."


async def release_mail(settings: Settings, institution: str) -> str:
    async with opened(settings) as db, db.writing() as session:
        unit = await the_institution(session, institution)
        released = await service.release_mail(session, Scope.system(unit.id), SystemClock().now())
    return f"Mail of {unit.name} goes out again." if released else f"No mail of {unit.name} was held."


async def mail_state(settings: Settings) -> Sequence[str]:
    async with opened(settings) as db, db.reading() as session:
        names = {unit.id: unit.name for unit in await people.institutions(session)}
        holds = await store.mail_holds(session)
        return lines.held(holds, names, SystemClock().now()) or ["No mail is held."]
