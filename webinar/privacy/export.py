"""Everything that is kept of one person, as they may ask for it (UU 27/2022 art. 7 and 13).

Tables are found by their columns, so that one which is added later is not forgotten; what is left out
is named, with the reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.tables import AuditRow, Base
from webinar.evidence.tables import SweepRow, WebhookRow
from webinar.lectures.tables import LectureRow, RegistrationRow, RoomRow
from webinar.people.rules import Person
from webinar.people.tables import PersonRow

# Secrets and what only serves them; a digest of a secret tells its holder nothing.
SECRET = frozenset({"password_hash", "digest", "link_digest", "seat"})
# `people` of a list names others; own rows are in `adjustments`. Devices are digests of secrets only.
LEFT_OUT = frozenset({"attendance_lists", "devices"})
LARGEST_PART = 50_000


async def of_person(session: AsyncSession, person: Person, now: int) -> dict[str, Any]:
    """All rows about a person by table, instants in Unix ms, JP in hundredths."""
    tables = Base.metadata.tables
    seats = (
        await session.execute(
            select(RegistrationRow.id, RegistrationRow.lecture_id, RegistrationRow.seat).where(
                RegistrationRow.person_id == person.id
            )
        )
    ).all()
    found = {}
    for name in sorted(tables):
        about = _about(tables[name], person.id, [seat.id for seat in seats])
        if about is not None and name not in LEFT_OUT:
            found[name] = await _rows(session, tables[name], about)
    return {
        "person_id": person.id,
        "made_at": now,
        "units": "instants are Unix milliseconds UTC, JP are hundredths",
        "lectures": await _lectures(session, [seat.lecture_id for seat in seats]),
        "tables": found
        | {
            "persons": await _rows(session, tables["persons"], PersonRow.id == person.id),
            "audit": await _audit(session, person.id),
            "evidence_webhooks": await _webhooks(session, [seat.seat for seat in seats]),
            "evidence_sweeps": await _sweeps(session, seats),
        },
    }


def is_about_people(table: Table) -> bool:
    """Whether a table has rows that belong to one person."""
    return "person_id" in table.columns or "registration_id" in table.columns


def _about(table: Table, person_id: str, seats: Sequence[str]) -> ColumnElement[bool] | None:
    if "person_id" in table.columns:
        condition: ColumnElement[bool] = table.c.person_id == person_id
        return condition
    return table.c.registration_id.in_(seats) if "registration_id" in table.columns else None


async def _rows(session: AsyncSession, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    shown = [column for column in table.columns if column.name not in SECRET]
    rows = await session.execute(
        select(*shown).where(where).order_by(*table.primary_key.columns).limit(LARGEST_PART)
    )
    return [_plain(row._mapping) for row in rows]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items() if not isinstance(value, bytes)}


async def _lectures(session: AsyncSession, ids: Sequence[str]) -> list[dict[str, Any]]:
    columns = (LectureRow.id, LectureRow.title, LectureRow.starts_at, LectureRow.ends_at, LectureRow.jp)
    rows = await session.execute(
        select(*columns).where(LectureRow.id.in_(ids)).order_by(LectureRow.starts_at)
    )
    return [_plain(row._mapping) for row in rows]


async def _audit(session: AsyncSession, person_id: str) -> list[dict[str, Any]]:
    about = (AuditRow.subject_kind == "person") & (AuditRow.subject_id == person_id)
    rows = await session.execute(
        select(AuditRow.at, AuditRow.action, AuditRow.subject_kind, AuditRow.subject_id, AuditRow.fields)
        .where(or_(about, AuditRow.actor_id == person_id))
        .order_by(AuditRow.id)
        .limit(LARGEST_PART)
    )
    return [_plain(row._mapping) for row in rows]


async def _webhooks(session: AsyncSession, seats: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for seat in seats:
        mine = WebhookRow.identity.startswith(f"{seat}.", autoescape=True)
        found += await _rows(session, Base.metadata.tables["evidence_webhooks"], mine)
    return found


async def _sweeps(session: AsyncSession, seats: Sequence[Any]) -> list[dict[str, Any]]:
    """When a list of a room had one of the own devices on it; never who else was."""
    found = []
    for seat in seats:
        rooms = select(RoomRow.name).where(RoomRow.lecture_id == seat.lecture_id)
        rows = await session.execute(
            select(SweepRow.at, SweepRow.participants)
            .where(SweepRow.room_name.in_(rooms))
            .order_by(SweepRow.id)
        )
        own = f"{seat.seat}."
        for at, people in rows:
            mine = [one for one in people if str(one[0]).startswith(own)]
            if mine:
                found.append({"lecture_id": seat.lecture_id, "at": at, "devices": mine})
    return found
