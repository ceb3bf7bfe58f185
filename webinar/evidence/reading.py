"""All evidence of a lecture, or of one person in it, in a constant number of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.evidence.rules import Answer, Beats, Check, Event, Evidence, Replay, Seen, Segments, Sweep
from webinar.evidence.tables import (
    AnswerRow,
    HeartbeatRow,
    PresenceCheckRow,
    ReplayBeatRow,
    SegmentRow,
    SweepRow,
    WebhookRow,
)


@dataclass(frozen=True, slots=True)
class Only:
    """One person in a lecture."""

    registration_id: str
    seat: str


async def evidence_of(
    session: AsyncSession,
    lecture_id: str,
    room_names: Sequence[str],
    *,
    only: Only | None = None,
    until: Mapping[str, int] | None = None,
) -> Evidence:
    """All evidence of one lecture: seven statements, whatever the number of rooms and people.

    Args:
        only: only what tells of this person, and of the rooms themselves (a room that came back after a crash
            ends everybody's stay in the one before it).
        until: the evidence as it was up to a high-water mark; a source that it does not name was not read.
    """
    rows: dict[str, Sequence[Any]] = {}
    for name, query in _queries(lecture_id, room_names, only).items():
        if until is not None:
            query = query.where(_MARKS[name] <= until.get(name, 0))
        rows[name] = (await session.execute(query)).all()
    seat = None if only is None else only.seat
    found = Evidence(
        events=tuple(Event(*row[1:]) for row in rows["webhooks"]),
        sweeps=tuple(Sweep(name, sid, at, _seen(who, seat)) for _, name, sid, at, who in rows["sweeps"]),
        beats=tuple(Beats(*row) for row in rows["heartbeats"]),
        checks=tuple(Check(*row) for row in rows["checks"]),
        answers=tuple(Answer(*row) for row in rows["answers"]),
        replays=tuple(_replay(row) for row in rows["replays"]),
        segments=tuple(Segments(*row) for row in rows["segments"]),
        high_water={name: _last(name, of) for name, of in rows.items()},
    )
    return found if until is None else _as_of(found, until)


def _queries(lecture_id: str, room_names: Sequence[str], only: Only | None) -> dict[str, Select[Any]]:
    """By source, as the high-water mark names it."""
    hook, look = WebhookRow, SweepRow
    mine = {row: row.lecture_id == lecture_id for row in (HeartbeatRow, AnswerRow, ReplayBeatRow, SegmentRow)}
    events_of: ColumnElement[bool] = hook.room_name.in_(room_names)
    if only is not None:
        first_of_each = select(func.min(hook.id)).where(events_of).group_by(hook.room_sid)
        events_of &= or_(hook.identity.is_(None), _devices(hook.identity, only), hook.id.in_(first_of_each))
        mine[HeartbeatRow] &= _devices(HeartbeatRow.identity, only)
        for row in (AnswerRow, ReplayBeatRow, SegmentRow):
            mine[row] &= row.registration_id == only.registration_id
    queries: dict[str, Any] = {
        "webhooks": select(*_EVENT_COLUMNS).where(events_of).order_by(hook.id),
        "sweeps": select(look.id, look.room_name, look.room_sid, look.at, look.participants)
        .where(look.room_name.in_(room_names))
        .order_by(look.id),
        "heartbeats": select(*_BEAT_COLUMNS).where(mine[HeartbeatRow]),
        "checks": select(*_CHECK_COLUMNS)
        .where(PresenceCheckRow.lecture_id == lecture_id, PresenceCheckRow.asked_at.is_not(None))
        .order_by(PresenceCheckRow.number),
        "answers": select(*_ANSWER_COLUMNS).where(mine[AnswerRow]),
        "replays": select(*_REPLAY_COLUMNS).where(mine[ReplayBeatRow]),
        "segments": select(*_SEGMENT_COLUMNS).where(mine[SegmentRow]),
    }
    return queries


def _devices(identity: Any, only: Only) -> Any:
    return identity.startswith(f"{only.seat}.", autoescape=True)


def _seen(people: Iterable[Sequence[Any]], seat: str | None) -> tuple[Seen, ...]:
    """Those who were listed, or of them only the devices of one seat."""
    own = "" if seat is None else f"{seat}."
    return tuple(Seen(*person) for person in people if str(person[0]).startswith(own))


def _replay(row: Sequence[Any]) -> Replay:
    registration_id, player, minute, recording_id, spans, *rest = row
    shown = tuple((int(start), int(end)) for start, end in spans)
    return Replay(registration_id, player, minute, recording_id, shown, *rest)


def _last(name: str, rows: Sequence[Any]) -> int:
    return max((getattr(row, _LAST[name]) for row in rows), default=0)


def _as_of(found: Evidence, until: Mapping[str, int]) -> Evidence:
    """A page's minute may have grown since it was looked at: what was told later is taken off again."""
    heard = until.get("heartbeats", 0)
    beats = tuple(row if row.last_at <= heard else _earlier(row, heard) for row in found.beats)
    return replace(found, beats=beats, high_water=dict(until))


def _earlier(row: Beats, heard: int) -> Beats:
    said = row.left_at if row.left_at is not None and row.left_at <= heard else None
    return replace(row, last_at=heard, left_at=said)


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
_CHECK_COLUMNS = (
    PresenceCheckRow.id,
    PresenceCheckRow.number,
    PresenceCheckRow.asked_at,
    PresenceCheckRow.closes_at,
)
_ANSWER_COLUMNS = (
    AnswerRow.check_id,
    AnswerRow.registration_id,
    AnswerRow.identity,
    AnswerRow.answered_at,
    AnswerRow.how,
)
_REPLAY_COLUMNS = (
    ReplayBeatRow.registration_id,
    ReplayBeatRow.player,
    ReplayBeatRow.minute,
    ReplayBeatRow.recording_id,
    ReplayBeatRow.spans,
    ReplayBeatRow.first_at,
    ReplayBeatRow.last_at,
    ReplayBeatRow.beats,
)
_SEGMENT_COLUMNS = (
    SegmentRow.registration_id,
    SegmentRow.minute,
    SegmentRow.first_at,
    SegmentRow.last_at,
    SegmentRow.segments,
    SegmentRow.from_at,
    SegmentRow.to_at,
)
# What a high-water mark is compared with (a minute that had begun was looked at), and what it is made of.
_MARKS: Mapping[str, Any] = {
    "webhooks": WebhookRow.id,
    "sweeps": SweepRow.id,
    "heartbeats": HeartbeatRow.first_at,
    "checks": PresenceCheckRow.asked_at,
    "answers": AnswerRow.answered_at,
    "replays": ReplayBeatRow.first_at,
    "segments": SegmentRow.first_at,
}
_LAST = {
    "webhooks": "id",
    "sweeps": "id",
    "heartbeats": "last_at",
    "checks": "asked_at",
    "answers": "answered_at",
    "replays": "last_at",
    "segments": "last_at",
}
