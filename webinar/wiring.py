"""The one place where real parts are built from settings and put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from recordings.storage import ObjectStorage, open_storage
from webinar.config import Settings
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.invites.service import Desk
from webinar.mail.build import address
from webinar.mail.smtp import SmtpMailer, SmtpSettings
from webinar.media.livekit import LiveKit
from webinar.people.passwords import Passwords
from webinar.web.site import Site

# A recording never fills the disk that the database writes to.
KEEP_FREE_BYTES = 256 * 1024 * 1024


def database(settings: Settings) -> Database:
    return Database(settings.database_url)


def media(settings: Settings) -> LiveKit:
    return LiveKit(settings.media_url, settings.media_api_key, settings.media_api_secret.get_secret_value())


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


def desk(settings: Settings, db: Database, out: SmtpMailer) -> Desk:
    """What the sending of invites needs."""
    return Desk(
        database=db,
        clock=SystemClock(),
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
    async with media(settings) as rooms:
        try:
            yield Site(settings, db, SystemClock(), rooms, storage(settings), Passwords())
        finally:
            await db.close()
