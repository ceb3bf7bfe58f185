"""Named queries on recordings and their files.

What a recorder writes carries its fence: a recorder that lost its lease to another changes nothing.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    case,
    delete,
    distinct,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from recordings.playlist import PART_PREFIX
from recordings.rules import AT_WORK, Recording, RecordingState, Segment
from recordings.storage import recording_key
from recordings.tables import RecordingFileRow, RecordingRow
from webinar.core.database import now_sql
from webinar.core.ids import new_id

INIT, MEDIA = "init", "segment"


def _recording(row: RecordingRow) -> Recording:
    fields = {name: getattr(row, name) for name in Recording.__slots__ if name != "state"}
    return Recording(state=RecordingState(row.state), **fields)


async def _one(session: AsyncSession, query: Select[Any]) -> Recording | None:
    # What another process changed meanwhile must be seen, whatever the session remembers.
    row = (await session.scalars(query.execution_options(populate_existing=True))).one_or_none()
    return _recording(row) if row else None


async def of_lecture(session: AsyncSession, lecture_id: str, *, to_change: bool = False) -> Recording | None:
    """The recording of a lecture; `to_change` keeps others from changing it meanwhile."""
    query = select(RecordingRow).where(RecordingRow.lecture_id == lecture_id)
    return await _one(session, query.with_for_update() if to_change else query)


async def of_lectures(session: AsyncSession, lecture_ids: Collection[str]) -> dict[str, Recording]:
    """By lecture id, those that have one."""
    rows = await session.scalars(select(RecordingRow).where(RecordingRow.lecture_id.in_(lecture_ids)))
    return {row.lecture_id: _recording(row) for row in rows}


async def find(session: AsyncSession, recording_id: str, *, to_change: bool = False) -> Recording | None:
    """One by id; `to_change` as for `of_lecture`."""
    query = select(RecordingRow).where(RecordingRow.id == recording_id)
    return await _one(session, query.with_for_update() if to_change else query)


async def is_recording(session: AsyncSession, lecture_id: str) -> bool:
    """Whether the lecture is being recorded right now."""
    state = await session.scalar(select(RecordingRow.state).where(RecordingRow.lecture_id == lecture_id))
    return state == RecordingState.RECORDING


async def add(session: AsyncSession, institution_id: str, lecture_id: str) -> None:
    """Want a recording of a lecture that has none."""
    session.add(
        RecordingRow(
            id=new_id(),
            institution_id=institution_id,
            lecture_id=lecture_id,
            state=RecordingState.WANTED.value,
        )
    )
    await session.flush()


async def change(session: AsyncSession, before: Recording, **values: object) -> bool:
    """Change it if it still is in the state, and under the fence, in which it was read."""
    found = await session.execute(
        update(RecordingRow)
        .where(
            RecordingRow.id == before.id,
            RecordingRow.state == before.state.value,
            RecordingRow.fence == before.fence,
        )
        .values(**values)
        .returning(RecordingRow.id)
    )
    return found.one_or_none() is not None


async def forget_files(session: AsyncSession, recording_id: str) -> None:
    """Its files are gone from storage."""
    await session.execute(delete(RecordingFileRow).where(RecordingFileRow.recording_id == recording_id))
    await session.execute(update(RecordingRow).where(RecordingRow.id == recording_id).values(bytes=0))


def _dialect(session: AsyncSession) -> str:
    return session.get_bind().dialect.name


def _now(dialect: str) -> ColumnElement[int]:
    """The database's time; leases are set and compared in it, since the clocks of machines differ."""
    return literal_column(now_sql(dialect), BigInteger())


@cache
def _free(dialect: str) -> Select[Any]:
    return (
        select(RecordingRow.id)
        .where(
            RecordingRow.state.in_([state.value for state in AT_WORK]),
            func.coalesce(RecordingRow.lease_until, 0) < _now(dialect),
        )
        .order_by(RecordingRow.id)
        .limit(1)
    )


async def is_work(session: AsyncSession) -> bool:
    """Whether there is a recording with work and no recorder."""
    return (await session.scalar(_free(_dialect(session)))) is not None


async def claim(session: AsyncSession, *, worker: str, lease_ms: int) -> Recording | None:
    """Take one recording that has work and no recorder, for so long; leases run in the database's time."""
    now = _now(_dialect(session))
    free = _free(_dialect(session)).with_for_update(skip_locked=True)
    taken = await session.scalar(
        update(RecordingRow)
        .where(RecordingRow.id == free.scalar_subquery())
        .values(worker=worker, lease_until=now + lease_ms, fence=RecordingRow.fence + 1)
        .returning(RecordingRow.id)
    )
    return await find(session, taken) if taken else None


async def renew(session: AsyncSession, mine: Recording, *, lease_ms: int) -> bool:
    """Hold it for so long again; False when another recorder has it."""
    found = await session.scalar(
        update(RecordingRow)
        .where(RecordingRow.id == mine.id, RecordingRow.fence == mine.fence)
        .values(lease_until=_now(_dialect(session)) + lease_ms)
        .returning(RecordingRow.id)
    )
    return found is not None


_STATE = select(RecordingRow.state).where(
    RecordingRow.id == bindparam("id"), RecordingRow.fence == bindparam("fence")
)


async def state_of(session: AsyncSession, mine: Recording) -> RecordingState | None:
    """How it stands by now; None when another recorder has it."""
    found = await session.scalar(_STATE, {"id": mine.id, "fence": mine.fence})
    return RecordingState(found) if found is not None else None


async def add_file(session: AsyncSession, mine: Recording, segment: Segment) -> bool:
    """Note a file that has arrived; again is as good. False when another recorder has the recording."""
    held = select(RecordingRow.id).where(RecordingRow.id == mine.id, RecordingRow.fence == mine.fence)
    if (await session.scalar(held.with_for_update())) is None:
        return False
    files = RecordingFileRow.recording_id == mine.id
    known = select(RecordingFileRow.number).where(files, RecordingFileRow.name == segment.name)
    if (await session.scalar(known)) is not None:
        return True
    last = await session.scalar(select(func.max(RecordingFileRow.number)).where(files))
    await session.execute(
        insert(RecordingFileRow).values(
            recording_id=mine.id,
            number=0 if last is None else last + 1,
            kind=MEDIA if segment.duration_ms else INIT,
            name=segment.name,
            duration_ms=segment.duration_ms,
            bytes=segment.size,
            sha256=segment.sha256,
            starts_at=segment.started_at,
        )
    )
    await session.execute(
        update(RecordingRow)
        .where(RecordingRow.id == mine.id)
        .values(
            bytes=RecordingRow.bytes + segment.size,
            duration_ms=RecordingRow.duration_ms + segment.duration_ms,
            started_at=func.coalesce(RecordingRow.started_at, segment.started_at),
        )
    )
    return True


async def files(session: AsyncSession, recording_id: str) -> Sequence[Segment]:
    """The files of a recording in order."""
    rows = await session.scalars(
        select(RecordingFileRow)
        .where(RecordingFileRow.recording_id == recording_id)
        .order_by(RecordingFileRow.number)
    )
    return [_segment(row) for row in rows]


async def newest_segments(
    session: AsyncSession, recording_id: str, limit: int
) -> tuple[Sequence[Segment], int, int]:
    """The newest segments in order; how many came before, and in how many parts before the first's own."""
    mine = (RecordingFileRow.recording_id == recording_id, RecordingFileRow.kind == MEDIA)
    rows = await session.scalars(
        select(RecordingFileRow).where(*mine).order_by(RecordingFileRow.number.desc()).limit(limit)
    )
    newest = list(rows)[::-1]
    if not newest:
        return [], 0, 0
    part = func.substr(RecordingFileRow.name, 1, PART_PREFIX)
    before, parts = (
        await session.execute(
            select(
                func.count(),
                func.count(distinct(case((part != newest[0].name[:PART_PREFIX], part)))),
            ).where(*mine, RecordingFileRow.number < newest[0].number)
        )
    ).one()
    return [_segment(row) for row in newest], before, parts


async def file(session: AsyncSession, recording_id: str, name: str) -> Segment | None:
    row = (
        await session.scalars(
            select(RecordingFileRow).where(
                RecordingFileRow.recording_id == recording_id, RecordingFileRow.name == name
            )
        )
    ).one_or_none()
    return _segment(row) if row else None


def _segment(row: RecordingFileRow) -> Segment:
    return Segment(
        recording_id=row.recording_id,
        name=row.name,
        key=recording_key(row.recording_id, row.name),
        started_at=row.starts_at,
        duration_ms=row.duration_ms,
        size=row.bytes,
        sha256=row.sha256,
    )


async def let_go(session: AsyncSession, mine: Recording, *, for_ms: int = 0) -> None:
    """Leave it to the next recorder, after so long."""
    now = _now(_dialect(session))
    await session.execute(
        update(RecordingRow)
        .where(RecordingRow.id == mine.id, RecordingRow.fence == mine.fence)
        .values(lease_until=now + for_ms, worker=None)
    )
