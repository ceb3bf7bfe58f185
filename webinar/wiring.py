"""The one place where real parts are built from settings and put together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.headerregistry import Address
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from recordings.rules import Pass
from recordings.storage import ObjectStorage, open_storage
from scheduler.runner import Scheduler, own_handlers
from webinar.attendance.tallies import Tallies
from webinar.classroom.checks import asker
from webinar.classroom.service import remover
from webinar.config import Settings
from webinar.core.clock import Clock, DatabaseClock, SystemClock
from webinar.core.database import Database
from webinar.core.effects import Handler
from webinar.hours.effects import ContestMails
from webinar.invites.reminding import reminder_sender, reminding
from webinar.invites.service import Desk, announcer, sender
from webinar.lectures.placed import PlacedRooms
from webinar.mail.build import address
from webinar.mail.smtp import SmtpMailer, SmtpSettings
from webinar.media import tokens
from webinar.media.livekit import LiveKit
from webinar.media.pool import Pool, ServerUnknown
from webinar.operations.mail import MailDoor
from webinar.people.effects import SignInMails
from webinar.people.importing.write import ImportWriter
from webinar.people.passwords import Passwords
from webinar.privacy.job import RetentionJob
from webinar.reports.service import ReportMaker
from webinar.series.keeper import SeriesKeeper
from webinar.web.site import Site

if TYPE_CHECKING:
    # Loaded by the recorder alone: picture and sound take half of all the time and memory of a start.
    from recordings.worker import RecorderProcess, Ticket

# A recording never fills the disk that the database writes to.
KEEP_FREE_BYTES = 256 * 1024 * 1024


def database(settings: Settings) -> Database:
    return Database(settings.database_url)


@asynccontextmanager
async def media(settings: Settings) -> AsyncIterator[Pool]:
    """The media servers; their connections are given back at the end."""
    async with AsyncExitStack() as everything:
        servers = [
            (server, await everything.enter_async_context(LiveKit(server.url, server.key, server.secret)))
            for server in settings.pool
        ]
        yield Pool(*servers)


def storage(settings: Settings) -> ObjectStorage:
    return open_storage(settings.storage, keep_free=KEEP_FREE_BYTES)


def mailer(settings: Settings) -> SmtpMailer:
    return SmtpMailer(
        SmtpSettings(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
        )
    )


def mailbox(text: str) -> Address:
    """An address as it is written in a setting, "Name <user@host>"."""
    name, spec = parseaddr(text)
    return address(name, spec)


def desk(settings: Settings, db: Database, out: SmtpMailer, clock: Clock) -> Desk:
    """What the sending of invites needs."""
    return Desk(
        database=db,
        clock=clock,
        mailer=out,
        public_url=settings.public_url,
        link_key=settings.link_key_bytes,
        sender=mailbox(settings.mail_from),
        organizer=mailbox(settings.organizer_address),
        domain=urlsplit(settings.public_url).hostname or "localhost",
    )


@asynccontextmanager
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The parts of the site, closed at the end."""
    db = database(settings)
    async with media(settings) as pool:
        try:
            rooms = PlacedRooms(db, pool)
            # Put right with each sign of life, so that what is owed at once is due at once.
            clock = DatabaseClock(SystemClock())
            yield Site(settings, db, clock, pool, rooms, storage(settings), Passwords())
        finally:
            await db.close()


def handlers(
    settings: Settings, db: Database, pool: Pool, out: SmtpMailer, clock: Clock
) -> dict[str, Handler]:
    """What to do for each kind of effect; a test proves that every kind that is owed is here."""
    invites = desk(settings, db, out, clock)
    links = SignInMails(db, out, clock, invites.sender, settings.public_url, settings.link_key_bytes)
    door = MailDoor(db, clock)
    rooms = PlacedRooms(db, pool)
    made: dict[str, Handler] = {
        **own_handlers(db, pool, clock),
        "announce": announcer(invites),
        "invite": sender(invites),
        "remind": reminding(invites),
        "reminder": reminder_sender(invites),
        "remove": remover(db, rooms, clock),
        "check": asker(db, rooms, clock),
        "mail": links.send_sign_in_mail,
        "tally": Tallies(db, clock),
        "contest": ContestMails(db, out, clock, invites.sender, settings.public_url).send,
        "import": ImportWriter(db, clock).write_import,
        "retention": RetentionJob(db, storage(settings), clock),
        "series": SeriesKeeper(db, clock, settings.link_key_bytes).keep,
        "report": ReportMaker(db, clock).make_report,
        "release": door.release,
    }
    return {kind: door.guarded(kind, handler) for kind, handler in made.items()}


@asynccontextmanager
async def scheduler(settings: Settings) -> AsyncIterator[Scheduler]:
    """The scheduler with all its handlers, closed at the end."""
    db, out = database(settings), mailer(settings)
    async with media(settings) as pool:
        try:
            clock = DatabaseClock(SystemClock())
            yield Scheduler(db, pool, clock, handlers(settings, db, pool, out, clock))
        finally:
            await out.close()
            await db.close()


def recorder_ticket(settings: Settings) -> "Ticket":
    """Makes the passes with which a recorder joins: hidden, and no person."""
    servers = {server.name: server for server in settings.pool}

    def ticket(server_name: str, room: str, identity: str, now: int) -> Pass:
        server = servers.get(server_name)
        if server is None:
            raise ServerUnknown
        token = tokens.mint(
            server.key,
            server.secret,
            identity=identity,
            name="",
            room=room,
            now=now,
            hidden=True,
            kind="egress",
        )
        return Pass(server.name, server.signal_url, token)

    return ticket


@asynccontextmanager
async def recorder(settings: Settings) -> "AsyncIterator[RecorderProcess]":
    """A recorder, closed at the end."""
    from recordings.worker import RecorderProcess

    db = database(settings)
    try:
        yield RecorderProcess(
            db,
            storage(settings),
            SystemClock(),
            ticket=recorder_ticket(settings),
        )
    finally:
        await db.close()
