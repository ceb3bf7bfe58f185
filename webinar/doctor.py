"""`webinar doctor`: looks at every part, and says what to do about what is wrong. Changes nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.storage import StorageError
from webinar import wiring
from webinar.config import Settings
from webinar.core import processes
from webinar.core.clock import SystemClock, monotonic
from webinar.core.database import Database
from webinar.core.errors import Refused
from webinar.core.ids import new_id
from webinar.core.processes import CLOCKS_APART_MS
from webinar.evidence.tables import WebhookRow
from webinar.mail.port import MailNotSent
from webinar.media.port import Media, MediaMisconfigured, MediaUnavailable
from webinar.media.servers import Server, WrongServers

KINDS = ("web", "hooks", "scheduler", "recorder")
WEBHOOK_WITHIN_S = 10.0
PROBE_EMPTY_S = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: how it is, and what to do when it is not well."""

    well: bool
    part: str
    detail: str
    advice: str = ""

    def told(self) -> str:
        line = f"{'ok  ' if self.well else 'BAD '} {self.part:<12} {self.detail}"
        return line if self.well else f"{line}\n{'':17} -> {self.advice}"


async def examine(settings: Settings) -> list[Finding]:
    """Every part, in the order in which one depends on the other."""
    db = wiring.database(settings)
    try:
        database = await _database(settings, db)
        findings = [database]
        if database.well:
            findings += await _processes(db)
        findings += await _media_servers(settings, db if database.well else None)
        findings += await asyncio.gather(_mail(settings), _storage(settings))
    finally:
        await db.close()
    return findings


async def _database(settings: Settings, db: Database) -> Finding:
    advice = f"start it, or correct PENDOPO_DATABASE_URL ({_without_password(db)}); then run webinar migrate"
    try:
        began = monotonic()
        ahead = SystemClock().now() - await db.now()
        async with db.reading() as session:
            await session.execute(select(WebhookRow.id).limit(1))
    except Refused as error:
        return Finding(False, "database", str(error), advice)
    except DBAPIError:
        return Finding(False, "database", "it answers, but has no tables", "run webinar migrate")
    took = (monotonic() - began) * 1000
    if abs(ahead) > CLOCKS_APART_MS:
        return Finding(False, "clock", f"the database's differs by {ahead} ms", "set both machines by NTP")
    return Finding(True, "database", f"{db.dialect}, answers in {took:.0f} ms, clock differs by {ahead} ms")


def _without_password(db: Database) -> str:
    return db.url.render_as_string(hide_password=True)


async def _processes(db: Database) -> list[Finding]:
    now = SystemClock().now()
    async with db.reading() as session:
        known = await processes.known(session)
    alive = {kind: [p for p in known if p.kind == kind and p.alive(now)] for kind in KINDS}
    found = []
    for kind in KINDS:
        advice = f"start it with webinar {kind}, or everything with webinar up; look into its log"
        count = len(alive[kind])
        found.append(Finding(count > 0, kind, f"{count} running" if count else "none is running", advice))
    return [*found, *_clocks([process for group in alive.values() for process in group])]


def _clocks(alive: Sequence[processes.Process]) -> list[Finding]:
    """One finding for each process whose clock is wrong, or one for all."""
    wrong = [process for process in alive if processes.clocks_apart(process.clock_ahead_ms)]
    worst = max((abs(process.clock_ahead_ms) for process in alive), default=0)
    if not wrong:
        return [Finding(True, "clock", f"processes and database differ by at most {worst} ms")]
    return [
        Finding(
            False,
            "clock",
            f"that of {process.kind} {process.name} is {processes.clock_words(process.clock_ahead_ms)}",
            "set its machine and the database's by NTP",
        )
        for process in wrong
    ]


async def _media_servers(settings: Settings, db: Database | None) -> list[Finding]:
    """Each of them, side by side; the name of each goes along where there are several."""
    try:
        servers = settings.pool
    except WrongServers as wrong:
        advice = (
            "correct the file that PENDOPO_MEDIA_SERVERS names (docs/operations.md, Several media servers)"
        )
        return [Finding(False, "LiveKit", f"{settings.media_servers}: {wrong}", advice)]
    async with wiring.media(settings) as pool:
        found = await asyncio.gather(*(_media(settings, db, s, pool.of(s.name)) for s in servers))
    if len(servers) == 1:
        return found[0]
    return [
        replace(finding, detail=f"{server.name}: {finding.detail}")
        for server, findings in zip(servers, found, strict=True)
        for finding in findings
    ]


async def _media(settings: Settings, db: Database | None, server: Server, media: Media) -> list[Finding]:
    try:
        await media.health()
    except MediaMisconfigured as error:
        advice = f"set {_setting(settings, 'key')} to a pair of the media server's configuration"
        return [Finding(False, "LiveKit", str(error), advice)]
    except MediaUnavailable as error:
        advice = f"start it, or correct {_setting(settings, 'url')} ({server.url})"
        return [Finding(False, "LiveKit", str(error), advice)]
    found = [Finding(True, "LiveKit", f"answers at {server.url}")]
    return found if db is None else [*found, *await _webhooks(settings, db, media)]


def _setting(settings: Settings, what: Literal["key", "url"]) -> str:
    """What to correct: in the file of several servers, or of the single one."""
    if settings.media_servers is not None:
        names = {"key": "api_key and api_secret", "url": "url"}
        return f"{names[what]} in {settings.media_servers}"
    return {"key": "PENDOPO_MEDIA_API_KEY and _SECRET", "url": "PENDOPO_MEDIA_URL"}[what]


async def _webhooks(settings: Settings, db: Database, media: Media) -> list[Finding]:
    """Open a room that nobody enters, and wait until its webhook is in the database."""
    name = f"probe.{new_id()}"
    began = SystemClock().now()
    try:
        room = await media.open_room(name, empty_timeout_s=PROBE_EMPTY_S)
        arrived = await _arrived(db, name)
        await media.close_room(name)
    except MediaUnavailable as error:
        return [Finding(False, "LiveKit", str(error), "look into its log")]
    ahead = room.created_at_ms - began
    well = abs(ahead) <= CLOCKS_APART_MS
    clock = Finding(well, "clock", f"LiveKit's differs by {abs(ahead)} ms at most", "set the machines by NTP")
    if arrived is None:
        advice = (
            "webhook.urls of the media server has to name this installation's receiver"
            f" (http://…:{settings.hooks_port}/hooks/livekit), webhook.api_key one of its keys"
        )
        detail = f"none arrived within {WEBHOOK_WITHIN_S:g} s"
        return [clock, Finding(False, "webhooks", detail, advice)]
    return [clock, Finding(True, "webhooks", f"arrive, {arrived - began} ms after the event")]


async def _arrived(db: Database, room: str) -> int | None:
    deadline = monotonic() + WEBHOOK_WITHIN_S
    while monotonic() < deadline:
        async with db.reading() as session:
            if (at := await _received_at(session, room)) is not None:
                return at
        await asyncio.sleep(0.1)
    return None


async def _received_at(session: AsyncSession, room: str) -> int | None:
    found = select(WebhookRow.received_at).where(WebhookRow.room_name == room).limit(1)
    at: int | None = (await session.execute(found)).scalar()
    return at


async def _mail(settings: Settings) -> Finding:
    out = wiring.mailer(settings)
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        answer = await out.check()
    except MailNotSent as error:
        advice = "correct PENDOPO_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD, or start the mail server"
        return Finding(False, "SMTP", f"{where}: {error}", advice)
    finally:
        await out.close()
    return Finding(True, "SMTP", f"{where} answers: {answer}")


async def _storage(settings: Settings) -> Finding:
    key, content = f"probe/{new_id()}", b"pendopo"
    advice = "make room, or correct PENDOPO_STORAGE_URL and the AWS_* variables"
    try:
        storage = wiring.storage(settings)
        await storage.put(key, content)
        read = await storage.get(key)
        await storage.delete(key)
    except (StorageError, OSError, ValueError) as error:
        return Finding(False, "storage", f"{settings.storage}: {error}", advice)
    if read != content:
        return Finding(False, "storage", "what comes back is not what was written", advice)
    return Finding(True, "storage", f"{settings.storage}: written, read and deleted")
