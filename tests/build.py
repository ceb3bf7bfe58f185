"""Builders: rows with sensible defaults, so that a test names only what it is about.

Each takes an open writing session, adds and flushes one row, and answers it. `NINE` is the hour at
which the lectures of the tests start.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from recordings.storage import Storage, recording_key, sha256
from recordings.tables import RecordingFileRow, RecordingRow
from webinar.core.ids import digest, new_id
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow, RegistrationRow, RoomRow, WindowRow
from webinar.people.tables import PersonRow, RoleRow, UnitRow
from webinar.policies.tables import PolicyRow
from webinar.series.rules import present_of
from webinar.series.tables import EditionRow, SeriesRow

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ZONE = "Asia/Makassar"
# Wednesday, 25 November 2026, 09.00 WITA.
NINE = round(datetime(2026, 11, 25, 1, 0, tzinfo=UTC).timestamp() * 1000)
# Long before, when things were booked.
LAST_WEEK = NINE - 7 * DAY


async def _add(session: AsyncSession, row: Any) -> Any:
    session.add(row)
    await session.flush()
    return row


async def an_institution(
    session: AsyncSession, *, name: str = "Pemerintah Kota Contoh", code: str = "kota", **more: Any
) -> UnitRow:
    """A root unit: its institution_id is its own id."""
    id = more.pop("id", None) or new_id()
    defaults = {"zone": ZONE, "year_target": 2_000, "created_at": LAST_WEEK}
    row = UnitRow(
        id=id, institution_id=id, parent_id=None, path=f"{id}/", code=code, name=name, **(defaults | more)
    )
    answer: UnitRow = await _add(session, row)
    return answer


async def a_unit(
    session: AsyncSession,
    parent: UnitRow,
    *,
    name: str = "Dinas Pendidikan",
    code: str | None = None,
    **more: Any,
) -> UnitRow:
    """A unit below another."""
    id = more.pop("id", None) or new_id()
    row = UnitRow(
        id=id,
        institution_id=parent.institution_id,
        parent_id=parent.id,
        path=f"{parent.path}{id}/",
        code=code or f"u-{id[:8]}",
        name=name,
        **({"created_at": LAST_WEEK} | more),
    )
    answer: UnitRow = await _add(session, row)
    return answer


async def a_person(
    session: AsyncSession, unit: UnitRow | None = None, *, name: str = "Siti Rahma", **more: Any
) -> PersonRow:
    """A person of a unit (of a new institution when none is given); `role=` grants a role at that unit."""
    unit = unit or await an_institution(session)
    id = more.pop("id", None) or new_id()
    role = more.pop("role", None)
    defaults = {
        "email": f"{name.split()[0].lower()}.{id[:6]}@example.test",
        "phone": None,
        "nip": None,
        "employment": "pns",
        "zone": ZONE,
        "language": "id",
        "password_hash": None,
        "created_at": LAST_WEEK,
    }
    row = PersonRow(
        id=id,
        institution_id=unit.institution_id,
        unit_id=unit.id,
        name=name,
        sort_name=name.lower(),
        **(defaults | more),
    )
    answer: PersonRow = await _add(session, row)
    if role:
        await a_role(session, answer, unit, role=role)
    return answer


async def a_role(
    session: AsyncSession, person: PersonRow, unit: UnitRow, *, role: str = "organiser"
) -> RoleRow:
    """A role that reaches from the unit down the tree."""
    answer: RoleRow = await _add(
        session, RoleRow(person_id=person.id, role=role, unit_id=unit.id, granted_at=LAST_WEEK)
    )
    return answer


async def a_policy(session: AsyncSession, institution: UnitRow, **more: Any) -> PolicyRow:
    """80 % of the official window, 45 minutes a JP, final after a day."""
    defaults = {
        "id": new_id(),
        "version": 1,
        "name": "80 % kehadiran",
        "kind": "threshold",
        "threshold_percent": 80,
        "minutes_per_jp": 45,
        "tolerance_s": 300,
        "grace_s": 0,
        "lecturer_earns": True,
        "quiet_period_s": 86_400,
        "created_at": LAST_WEEK,
    }
    answer: PolicyRow = await _add(
        session, PolicyRow(institution_id=institution.institution_id, **(defaults | more))
    )
    return answer


async def a_lecture(
    session: AsyncSession,
    unit: UnitRow | None = None,
    *,
    starts_at: int = NINE,
    minutes: int = 90,
    state: str = "scheduled",
    policy: PolicyRow | None = None,
    **more: Any,
) -> LectureRow:
    """A booked lecture of 90 minutes and 2 JP; makes an institution and a policy when none is given."""
    unit = unit or await an_institution(session)
    policy = policy or await a_policy(session, unit)
    ends_at = more.pop("ends_at", starts_at + minutes * MINUTE)
    defaults = {
        "id": new_id(),
        "title": "Pengelolaan Keuangan Daerah",
        "description": "",
        "zone": ZONE,
        "jp": 200,
        "recorded": False,
        "capacity": None,
        "open_before_s": 900,
        "overrun_s": 600,
        "empty_after_s": None,
        "empty_early": False,
        "live_by": "schedule",
        "closes_at": ends_at,
        "trial": False,
        "sequence": 0,
        "version": 1,
        "created_by": None,
        "created_at": LAST_WEEK,
        "updated_at": LAST_WEEK,
    }
    fields = defaults | more
    row = LectureRow(
        institution_id=unit.institution_id,
        unit_id=unit.id,
        starts_at=starts_at,
        ends_at=ends_at,
        starts_wall=wall(starts_at, fields["zone"]),
        ends_wall=wall(ends_at, fields["zone"]),
        policy_id=policy.id,
        policy_version=policy.version,
        state=state,
        **fields,
    )
    answer: LectureRow = await _add(session, row)
    return answer


async def a_registration(
    session: AsyncSession,
    lecture: LectureRow,
    person: PersonRow,
    *,
    role: str = "participant",
    **more: Any,
) -> RegistrationRow:
    """A person's seat in a lecture."""
    id = more.pop("id", None) or new_id()
    defaults = {
        "seat": new_id()[:16],
        "state": "registered",
        "link_generation": 1,
        "link_digest": digest(id),
        "created_at": LAST_WEEK,
    }
    row = RegistrationRow(
        id=id,
        institution_id=lecture.institution_id,
        lecture_id=lecture.id,
        person_id=person.id,
        role=role,
        **(defaults | more),
    )
    answer: RegistrationRow = await _add(session, row)
    return answer


async def a_room(
    session: AsyncSession, lecture: LectureRow, *, state: str = "wanted", **more: Any
) -> RoomRow:
    """A room of a lecture, the main one unless said otherwise."""
    defaults = {
        "id": new_id(),
        "kind": "main",
        "position": 0,
        "title": "",
        "needed": True,
        "name": f"{lecture.id}.main",
        "media_server": "main",
        "sid": None,
        "attempts": 0,
        "last_error": None,
        "opened_at": None,
        "closed_at": None,
        "occupied": False,
        "left_at": None,
    }
    answer: RoomRow = await _add(session, RoomRow(lecture_id=lecture.id, state=state, **(defaults | more)))
    return answer


async def a_window(
    session: AsyncSession, lecture: LectureRow, *spans: tuple[int, int], **more: Any
) -> WindowRow:
    """The official window as an organiser fixed it."""
    defaults = {"reason": "Mulai terlambat", "set_by": None, "set_at": LAST_WEEK}
    row = WindowRow(lecture_id=lecture.id, spans=[list(span) for span in spans], **(defaults | more))
    answer: WindowRow = await _add(session, row)
    return answer


async def a_recording(
    session: AsyncSession,
    storage: Storage,
    lecture: LectureRow,
    files: Sequence[tuple[str, int]],
    **more: Any,
) -> RecordingRow:
    """A recording from NINE on, its files in storage; `files` are (name, duration in ms), 0 of an init."""
    defaults = {"id": new_id(), "state": "ready", "duration_ms": sum(duration for _, duration in files)}
    about = {"institution_id": lecture.institution_id, "lecture_id": lecture.id}
    answer: RecordingRow = await _add(session, RecordingRow(**(defaults | about | more)))
    at = NINE
    for number, (name, duration) in enumerate(files, 1):
        body = name.encode() * 50
        await storage.put(recording_key(answer.id, name), body)
        session.add(
            RecordingFileRow(
                recording_id=answer.id,
                number=number,
                kind="segment" if duration else "init",
                name=name,
                duration_ms=duration,
                bytes=len(body),
                sha256=sha256(body),
                starts_at=at,
            )
        )
        at += duration
    await session.flush()
    return answer


def wall(at: int, zone: str = ZONE) -> str:
    """Wall time of an instant, as a lecture keeps it: 2026-11-25T09:00."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


async def a_series(session: AsyncSession, unit: UnitRow, lecture: LectureRow) -> str:
    """A series of which the lecture is the first edition."""
    series_id = new_id()
    session.add(
        SeriesRow(
            id=series_id, institution_id=unit.institution_id, unit_id=unit.id, title=lecture.title,
            rule="FREQ=WEEKLY", first_wall=lecture.starts_wall, skips_holidays=False, shift_days=0,
            version=1, created_at=NINE, updated_at=NINE,
        )
    )  # fmt: skip
    await session.flush()
    found = await lectures.find(session, lecture.id)
    assert found is not None
    session.add(
        EditionRow(
            lecture_id=lecture.id, series_id=series_id, number=1, slot=lecture.starts_wall,
            given=present_of(found, []),
        )
    )  # fmt: skip
    return series_id
