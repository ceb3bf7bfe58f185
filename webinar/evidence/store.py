"""Evidence is appended and read, never changed; a page's minute grows until it is over."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, case, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.evidence.rules import Beats, Event, Evidence, Seen, Sweep
from webinar.evidence.tables import HeartbeatRow, SweepRow, WebhookRow

MINUTE_MS = 60_000
CONNECTED = "ACTIVE"


class Listed(Protocol):
    """A participant as the media server lists it (`media.port.ParticipantState`)."""

    @property
    def identity(self) -> str: ...
    @property
    def sid(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def joined_at_ms(self) -> int: ...


async def record_sweep(
    session: AsyncSession,
    *,
    room_name: str,
    room_sid: str | None,
    participants: Iterable[Listed],
    at: int,
) -> None:
    """Keep one look at a room.

    Args:
        room_sid: None when the media server had no such room.
        participants: the media server's list; only those that are connected are kept, of any kind.
        at: when the list was asked for, Unix ms.
    """
    seen = [[p.identity, p.sid, p.kind.lower(), p.joined_at_ms] for p in participants if p.state == CONNECTED]
    await session.execute(
        insert(SweepRow).values(room_name=room_name, room_sid=room_sid, at=at, participants=seen)
    )


async def record_heartbeat(
    session: AsyncSession,
    *,
    lecture_id: str,
    registration_id: str,
    identity: str,
    participant_sid: str = "",
    visible: bool,
    leaving: bool = False,
    at: int,
) -> None:
    """Keep a page's sign of life: one row a connection and minute, whatever the number of beats.

    Args:
        identity: `<seat>.<tab>`; the caller has checked that the seat is the registration's.
        participant_sid: which connection of that identity, when the page knows it.
        leaving: the page says that it is being left.
    """
    row = {
        "registration_id": registration_id,
        "identity": identity,
        "participant_sid": participant_sid,
        "minute": at // MINUTE_MS,
        "lecture_id": lecture_id,
        "first_at": at,
        "last_at": at,
        "beats": 1,
        "visible": int(visible),
        "left_at": at if leaving else None,
    }
    await session.execute(_upsert(session, row))


def _upsert(session: AsyncSession, row: dict[str, Any]) -> Any:
    """INSERT … ON CONFLICT DO UPDATE; beats that arrive out of order leave the same row."""
    made: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = made(HeartbeatRow).values(row)
    new, old = statement.excluded, HeartbeatRow
    return statement.on_conflict_do_update(
        index_elements=["registration_id", "identity", "participant_sid", "minute"],
        set_={
            "first_at": case((new.first_at < old.first_at, new.first_at), else_=old.first_at),
            "last_at": case((new.last_at > old.last_at, new.last_at), else_=old.last_at),
            "beats": old.beats + 1,
            "visible": old.visible + new.visible,
            "left_at": func.coalesce(new.left_at, old.left_at),
        },
    )


async def evidence_of(
    session: AsyncSession, lecture_id: str, room_names: Sequence[str], *, seat: str | None = None
) -> Evidence:
    """All evidence of one lecture: three statements, whatever the number of rooms and people.

    Args:
        seat: only what tells of this seat, and of the rooms themselves (a room that came back after a crash
            ends everybody's stay in the one before it).
    """
    events_of: ColumnElement[bool] = WebhookRow.room_name.in_(room_names)
    beats_of: ColumnElement[bool] = HeartbeatRow.lecture_id == lecture_id
    if seat is not None:
        own = f"{seat}."
        first_of_each = select(func.min(WebhookRow.id)).where(events_of).group_by(WebhookRow.room_sid)
        events_of &= or_(
            WebhookRow.identity.is_(None),
            WebhookRow.identity.startswith(own, autoescape=True),
            WebhookRow.id.in_(first_of_each),
        )
        beats_of &= HeartbeatRow.identity.startswith(own, autoescape=True)
    hooks = await session.execute(select(*_EVENT_COLUMNS).where(events_of).order_by(WebhookRow.id))
    looks = await session.execute(
        select(SweepRow.id, SweepRow.room_name, SweepRow.room_sid, SweepRow.at, SweepRow.participants)
        .where(SweepRow.room_name.in_(room_names))
        .order_by(SweepRow.id)
    )
    pages = await session.execute(select(*_BEAT_COLUMNS).where(beats_of))
    events, sweeps, beats = hooks.all(), looks.all(), pages.all()
    return Evidence(
        events=tuple(_event(row) for row in events),
        sweeps=tuple(Sweep(name, sid, at, _seen(people, seat)) for _, name, sid, at, people in sweeps),
        beats=tuple(Beats(*row) for row in beats),
        high_water={
            "webhooks": events[-1][0] if events else 0,
            "sweeps": sweeps[-1][0] if sweeps else 0,
            "heartbeats": max((row.last_at for row in beats), default=0),
        },
    )


async def last_webhook_at(session: AsyncSession) -> int | None:
    """When the newest webhook was received; for the doctor."""
    newest = select(WebhookRow.received_at).order_by(WebhookRow.id.desc()).limit(1)
    return (await session.execute(newest)).scalar()


async def last_sweep_at(session: AsyncSession, room_name: str) -> int | None:
    """When a room was last looked at."""
    newest = select(SweepRow.at).where(SweepRow.room_name == room_name).order_by(SweepRow.id.desc()).limit(1)
    return (await session.execute(newest)).scalar()


def _event(row: Sequence[Any]) -> Event:
    return Event(*row[1:])


def _seen(people: Iterable[Sequence[Any]], seat: str | None) -> tuple[Seen, ...]:
    """Those who were listed, or of them only the devices of one seat."""
    own = "" if seat is None else f"{seat}."
    return tuple(Seen(*person) for person in people if str(person[0]).startswith(own))


_EVENT_COLUMNS = (
    WebhookRow.id,
    WebhookRow.event_id,
    WebhookRow.event,
    WebhookRow.room_name,
    WebhookRow.room_sid,
    WebhookRow.participant_sid,
    WebhookRow.identity,
    WebhookRow.kind,
    WebhookRow.joined_at_ms,
    WebhookRow.created_at_s,
    WebhookRow.reason,
    WebhookRow.received_at,
)
_BEAT_COLUMNS = (
    HeartbeatRow.registration_id,
    HeartbeatRow.identity,
    HeartbeatRow.participant_sid,
    HeartbeatRow.minute,
    HeartbeatRow.first_at,
    HeartbeatRow.last_at,
    HeartbeatRow.beats,
    HeartbeatRow.visible,
    HeartbeatRow.left_at,
)
