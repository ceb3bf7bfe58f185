"""Queries that carry retention out: what is due, and its removal in slices that no other writer waits for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.tables import RecordingRow
from webinar.classroom.tables import ChatMessageRow
from webinar.core.database import insert_into
from webinar.core.tables import EffectRow
from webinar.evidence.tables import (
    AnswerRow,
    HeartbeatRow,
    ReplayBeatRow,
    RetiredRow,
    SegmentRow,
    SweepRow,
    WebhookRow,
)
from webinar.hours.tables import AttendanceListRow
from webinar.invites.tables import DeliveryRow
from webinar.lectures.rules import LectureState
from webinar.lectures.tables import LectureRow, RegistrationRow, RoomPlaceRow, RoomRow
from webinar.people.tables import AttemptRow, DeviceRow, SessionRow, SignInTokenRow
from webinar.privacy.rules import Kind
from webinar.privacy.tables import RetentionRow

SLICE = 500
OVER = (LectureState.FINAL.value, LectureState.ARCHIVED.value, LectureState.CANCELLED.value)
OWED_NO_MORE = ("done", "skipped")


async def days(session: AsyncSession, institution_id: str) -> dict[str, int]:
    """What the institution chose, by kind."""
    rows = await session.execute(
        select(RetentionRow.kind, RetentionRow.days).where(RetentionRow.institution_id == institution_id)
    )
    return {row.kind: row.days for row in rows}


async def set_days(
    session: AsyncSession, institution_id: str, kind: Kind, count: int, *, by: str | None, now: int
) -> None:
    values = {"days": count, "changed_by": by, "changed_at": now}
    await session.execute(
        insert_into(session, RetentionRow)
        .values(institution_id=institution_id, kind=kind.value, **values)
        .on_conflict_do_update(index_elements=["institution_id", "kind"], set_=values)
    )


# --- evidence, lecture by lecture ---------------------------------------------------------------


def _over(institution_id: str, before: int) -> Select[Any]:
    """Lectures whose hours were settled before the instant; one without hours, when it was to close."""
    settled = LectureRow.final_at < before
    without = LectureRow.final_at.is_(None) & (LectureRow.closes_at < before) & _never_settled()
    return select(LectureRow.id).where(LectureRow.institution_id == institution_id, or_(settled, without))


def _never_settled() -> ColumnElement[bool]:
    return or_(LectureRow.trial, LectureRow.state == LectureState.CANCELLED.value)


def _room_names() -> Select[Any]:
    return select(RoomRow.name).where(RoomRow.lecture_id == LectureRow.id)


async def lectures_to_retire(
    session: AsyncSession, institution_id: str, kind: Kind, before: int, limit: int = 20
) -> Sequence[str]:
    """Ids of lectures whose evidence of this kind is due and still there."""
    there: ColumnElement[bool] = exists().where(HeartbeatRow.lecture_id == LectureRow.id)
    if kind is not Kind.HEARTBEATS:
        there = or_(
            exists().where(WebhookRow.room_name.in_(_room_names())),
            exists().where(SweepRow.room_name.in_(_room_names())),
            *(exists().where(table.lecture_id == LectureRow.id) for table in _BY_LECTURE),
        )
    due = _over(institution_id, before).where(there).order_by(LectureRow.id).limit(limit)
    return (await session.scalars(due)).all()


_BY_LECTURE = (AnswerRow, ReplayBeatRow, SegmentRow)


async def retired(session: AsyncSession, lecture_id: str) -> dict[str, RetiredRow]:
    """What of a lecture's evidence was retired, by kind."""
    rows = await session.scalars(select(RetiredRow).where(RetiredRow.lecture_id == lecture_id))
    return {row.kind: row for row in rows}


async def note_retired(session: AsyncSession, lecture_id: str, kind: Kind, **values: object) -> None:
    await session.execute(insert(RetiredRow).values(lecture_id=lecture_id, kind=kind.value, **values))


async def remove_evidence(session: AsyncSession, lecture_id: str, kind: Kind) -> int:
    """Remove one slice; how many rows that were, 0 at the end."""
    if kind is Kind.HEARTBEATS:
        return await _remove(session, HeartbeatRow, HeartbeatRow.lecture_id == lecture_id)
    names = select(RoomRow.name).where(RoomRow.lecture_id == lecture_id)
    for table in (WebhookRow, SweepRow):
        if gone := await _remove(session, table, table.room_name.in_(names)):
            return gone
    for other in _BY_LECTURE:
        if gone := await _remove(session, other, other.lecture_id == lecture_id):
            return gone
    return 0


# --- everything else, by age -------------------------------------------------------------------


async def remove_old(session: AsyncSession, institution_id: str, kind: Kind, before: int) -> int:
    """Remove one slice of what an institution has kept for long enough; 0 at the end."""
    return await _OLD[kind](session, institution_id, before)


async def _old_chat(session: AsyncSession, institution_id: str, before: int) -> int:
    """What was said in the rooms, and who was given a place in which of them."""
    over = _over(institution_id, before)
    gone = await _remove(session, ChatMessageRow, ChatMessageRow.lecture_id.in_(over))
    return gone or await _remove(session, RoomPlaceRow, RoomPlaceRow.lecture_id.in_(over))


async def _old_mail(session: AsyncSession, institution_id: str, before: int) -> int:
    seats = select(RegistrationRow.id).where(RegistrationRow.institution_id == institution_id)
    due = (DeliveryRow.at < before) & DeliveryRow.registration_id.in_(seats)
    return await _remove(session, DeliveryRow, due)


async def _old_attachments(session: AsyncSession, institution_id: str, before: int) -> int:
    table = AttendanceListRow
    due = (table.institution_id == institution_id) & (table.created_at < before) & table.content.is_not(None)
    return await _counted(session, update(table).where(due).values(content=None).returning(table.id))


_OLD: Mapping[Kind, Callable[[AsyncSession, str, int], Awaitable[int]]] = {
    Kind.CHAT: _old_chat,
    Kind.MAIL: _old_mail,
    Kind.ATTACHMENTS: _old_attachments,
}


async def remove_sign_ins(session: AsyncSession, before: int) -> int:
    """Sessions, sign-in links and browsers that nobody has used since; of every institution."""
    for table, due in (
        (SessionRow, SessionRow.expires_at < before),
        (SignInTokenRow, SignInTokenRow.expires_at < before),
        (DeviceRow, DeviceRow.seen_at < before),
    ):
        if gone := await _remove(session, table, due):
            return gone
    return 0


async def remove_attempts(session: AsyncSession, before: int) -> int:
    return await _remove(session, AttemptRow, AttemptRow.at < before)


async def remove_finished_effects(session: AsyncSession, before: int) -> int:
    """What was done or skipped is on the record of its subject; parked ones stay in sight."""
    return await _remove(
        session, EffectRow, EffectRow.state.in_(OWED_NO_MORE) & (EffectRow.finished_at < before)
    )


async def recordings_to_remove(
    session: AsyncSession, institution_id: str, before: int, now: int, limit: int = 20
) -> Sequence[tuple[str, str]]:
    """(recording, lecture) of recordings that have been kept for long enough, or expired by themselves."""
    due = or_(RecordingRow.ended_at < before, RecordingRow.expires_at < now)
    rows = await session.execute(
        select(RecordingRow.id, RecordingRow.lecture_id)
        .where(RecordingRow.institution_id == institution_id, due)
        .where(RecordingRow.state.in_(("ready", "failed", "withdrawn")), RecordingRow.bytes > 0)
        .order_by(RecordingRow.id)
        .limit(limit)
    )
    return [(recording, lecture) for recording, lecture in rows]


async def _remove(session: AsyncSession, table: Any, due: ColumnElement[bool]) -> int:
    key = list(table.__table__.primary_key.columns)
    some = select(*key).where(due).limit(SLICE)
    return await _counted(session, delete(table).where(tuple_(*key).in_(some)).returning(key[0]))


async def _counted(session: AsyncSession, statement: Any) -> int:
    rows = await session.execute(statement.execution_options(synchronize_session=False))
    return len(rows.all())
