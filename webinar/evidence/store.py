"""Evidence is appended and read, never changed; a page's minute grows until it is over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from sqlalchemy import case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.database import insert_for
from webinar.evidence.reading import Only, evidence_of
from webinar.evidence.tables import HeartbeatRow, ReplayBeatRow, SweepRow, WebhookRow

__all__ = [
    "Listed",
    "Only",
    "evidence_of",
    "last_replay_at",
    "last_sweep_at",
    "last_webhook_at",
    "record_heartbeat",
    "record_heartbeats",
    "record_replay",
    "record_sweep",
]

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
    await record_sweeps(session, [Sweep(room_name, room_sid, tuple(participants), at)])


@dataclass(frozen=True, slots=True)
class Sweep:
    """One look at a room, as `record_sweep` takes it."""

    room_name: str
    room_sid: str | None
    participants: Sequence[Listed]
    at: int


async def record_sweeps(session: AsyncSession, sweeps: Sequence[Sweep]) -> None:
    """Keep several looks, with one statement."""
    rows = [
        {
            "room_name": sweep.room_name,
            "room_sid": sweep.room_sid,
            "at": sweep.at,
            "participants": [
                [p.identity, p.sid, p.kind.lower(), p.joined_at_ms]
                for p in sweep.participants
                if p.state == CONNECTED
            ],
        }
        for sweep in sweeps
    ]
    await session.execute(insert(SweepRow), rows)


class Told(Protocol):
    """A page's sign of life."""

    @property
    def registration_id(self) -> str: ...
    @property
    def lecture_id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def participant_sid(self) -> str: ...
    @property
    def visible(self) -> bool: ...
    @property
    def leaving(self) -> bool: ...
    @property
    def at(self) -> int: ...


async def record_heartbeats(session: AsyncSession, beats: Iterable[Told]) -> None:
    """Keep signs of life of many pages: one row a connection and minute, in one go.

    The caller has checked that the seat of each identity is the registration's.
    """
    rows: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for beat in beats:
        key = (beat.registration_id, beat.identity, beat.participant_sid, beat.at // MINUTE_MS)
        row = rows.get(key)
        rows[key] = _row_of(beat) if row is None else _with_another(row, beat)
    if rows:
        # In one order everywhere, so that two processes never wait for each other's rows.
        ordered = [rows[key] for key in sorted(rows)]
        await session.execute(_upsert(session.get_bind().dialect.name), ordered)


def _row_of(beat: Told) -> dict[str, Any]:
    return {
        "registration_id": beat.registration_id,
        "identity": beat.identity,
        "participant_sid": beat.participant_sid,
        "minute": beat.at // MINUTE_MS,
        "lecture_id": beat.lecture_id,
        "first_at": beat.at,
        "last_at": beat.at,
        "beats": 1,
        "visible": int(beat.visible),
        "left_at": beat.at if beat.leaving else None,
    }


def _with_another(row: dict[str, Any], beat: Told) -> dict[str, Any]:
    return row | {
        "first_at": min(row["first_at"], beat.at),
        "last_at": max(row["last_at"], beat.at),
        "beats": row["beats"] + 1,
        "visible": row["visible"] + beat.visible,
        "left_at": beat.at if beat.leaving else row["left_at"],
    }


@dataclass(frozen=True, slots=True)
class _Beat:
    registration_id: str
    lecture_id: str
    identity: str
    participant_sid: str
    visible: bool
    leaving: bool
    at: int


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
    """Keep one sign of life; see `record_heartbeats`.

    Args:
        identity: `<seat>.<tab>`; the caller has checked that the seat is the registration's.
        participant_sid: which connection of that identity, when the page knows it.
        leaving: the page says that it is being left.
    """
    beat = _Beat(registration_id, lecture_id, identity, participant_sid, visible, leaving, at)
    await record_heartbeats(session, [beat])


@cache
def _upsert(dialect: str) -> Any:
    """INSERT … ON CONFLICT DO UPDATE; beats that arrive out of order leave the same row.

    Made once: putting the statement together takes longer than running it.
    """
    old = HeartbeatRow.__table__.c
    statement = insert_for(dialect, HeartbeatRow.__table__)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["registration_id", "identity", "participant_sid", "minute"],
        set_={
            "first_at": case((new.first_at < old.first_at, new.first_at), else_=old.first_at),
            "last_at": case((new.last_at > old.last_at, new.last_at), else_=old.last_at),
            "beats": old.beats + new.beats,
            "visible": old.visible + new.visible,
            "left_at": func.coalesce(new.left_at, old.left_at),
        },
    )


async def record_replay(
    session: AsyncSession,
    *,
    registration_id: str,
    player: str,
    lecture_id: str,
    recording_id: str,
    spans: Sequence[tuple[int, int]],
    at: int,
) -> None:
    """Keep what a player showed: one row a player and minute. The caller holds the registration's lock.

    Args:
        spans: instants of the lecture, in order and apart.
    """
    row = await session.get(ReplayBeatRow, (registration_id, player, at // MINUTE_MS))
    if row is None:
        row = ReplayBeatRow(
            registration_id=registration_id,
            player=player,
            minute=at // MINUTE_MS,
            lecture_id=lecture_id,
            recording_id=recording_id,
            spans=[],
            first_at=at,
            last_at=at,
            beats=0,
        )
        session.add(row)
    row.spans = [*row.spans, *([start, end] for start, end in spans)]
    row.last_at, row.beats = max(row.last_at, at), row.beats + 1
    await session.flush()


async def last_replay_at(session: AsyncSession, registration_id: str) -> int | None:
    """When any player of this person was last heard of."""
    newest = select(func.max(ReplayBeatRow.last_at)).where(ReplayBeatRow.registration_id == registration_id)
    return (await session.execute(newest)).scalar()


async def last_webhook_at(session: AsyncSession) -> int | None:
    """When the newest webhook was received; for the doctor."""
    newest = select(WebhookRow.received_at).order_by(WebhookRow.id.desc()).limit(1)
    return (await session.execute(newest)).scalar()


async def last_sweep_at(session: AsyncSession, room_name: str) -> int | None:
    """When a room was last looked at."""
    newest = select(SweepRow.at).where(SweepRow.room_name == room_name).order_by(SweepRow.id.desc()).limit(1)
    return (await session.execute(newest)).scalar()
