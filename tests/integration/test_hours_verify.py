"""Whatever is changed behind the service's back is found, said where, and by how much; on both databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, LargeBinary, String, Table, select, update
from sqlalchemy.exc import IntegrityError

from tests.build import DAY, MINUTE, NINE
from tests.integration.attendance_scene import Scene, scene
from tests.integration.hours_scene import LATER, adjust, an_organiser, compute, lecture_of, settle, undo
from webinar import commands
from webinar.attendance.tables import AttendanceRow, TallyRow
from webinar.config import Settings
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Effect
from webinar.evidence import store as evidences
from webinar.evidence.tables import HeartbeatRow, WebhookRow
from webinar.hours.adjust_rules import value
from webinar.hours.tables import AdjustmentRow, HourTotalRow, LedgerHeadRow, LedgerRow
from webinar.hours.verify_rules import Finding
from webinar.hours.verifying import Verifier
from webinar.lectures.tables import LectureRow
from webinar.privacy.job import RetentionJob

__all__ = ["scene"]
TABLES = (TallyRow, AttendanceRow, LedgerRow, LedgerHeadRow, HourTotalRow)
# Of adjustments what the ledger repeats; of evidence what somebody could gain by.
SOME = {
    AdjustmentRow: ("registration_id", "person_id", "after_jp", "reason", "author_id", "undoes"),
    WebhookRow: ("event", "room_sid", "identity", "joined_at_ms", "created_at_s", "reason", "received_at"),
    HeartbeatRow: ("identity", "first_at", "last_at", "beats", "visible", "left_at"),
}
# Names are people's to change; numbers of rows are ours alone.
FREE = {("attendance", "sort_name"), ("ledger", "id")}


@pytest.fixture
async def settled(scene: Scene) -> Scene:
    """Budi earned 2 JP and Siti none; Agus was adjusted before it was settled, Siti after it."""
    rina = await an_organiser(scene)
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 51 * MINUTE)
    await scene.stayed("forwarded", NINE, NINE + 10 * MINUTE)
    async with scene.db.writing() as session:
        await evidences.record_heartbeat(
            session, lecture_id=scene.lecture.id, registration_id=scene.seats["siti"].id,
            identity="siti.tab", participant_sid="PA_siti", visible=True, at=NINE + 5 * MINUTE,
        )  # fmt: skip
    await compute(scene)
    await adjust(scene, rina, {"agus": 0}, value(100))
    await settle(scene)
    one = await adjust(scene, rina, {"siti": 0}, value(150))
    await undo(scene, rina, batch_id=one.id)
    await adjust(scene, rina, {"siti": 0}, value(175))
    return scene


async def findings(scene: Scene) -> list[Finding]:
    verifier = Verifier(scene.db, scene.lecture.institution_id)
    return [finding async for finding in verifier.run()]


async def wrongs(scene: Scene) -> list[Finding]:
    return [one for one in await findings(scene) if not one.note]


@asynccontextmanager
async def tampered(scene: Scene, table: Any, column: str, new: Any, which: Any = None) -> AsyncIterator[None]:
    """Another value in one row, without the service; put back afterwards."""
    made: Table = table.__table__
    key = list(made.primary_key.columns)
    async with scene.db.reading() as session:
        query = select(*key, made.c[column]).order_by(*key)
        rows = (await session.execute(query if which is None else query.where(which))).all()
    row = rows[0]
    condition = [one == wanted for one, wanted in zip(key, row, strict=False)]
    old = row[-1]
    wanted = new(old) if callable(new) else new
    async with scene.db.writing() as session:
        await session.execute(update(made).where(*condition).values({column: wanted}))
    if made.c[column].primary_key:
        index = [one.name for one in key].index(column)
        condition[index] = key[index] == wanted
    try:
        yield
    finally:
        async with scene.db.writing() as session:
            await session.execute(update(made).where(*condition).values({column: old}))


def other(scene: Scene, table: Any, column: str) -> Any:
    """Something else of the same type; of an id one that exists."""
    made = table.__table__.c[column]
    if made.foreign_keys:
        target = next(iter(made.foreign_keys)).column.table.name
        known = {
            "persons": [one.id for one in scene.people.values()],
            "registrations": [one.id for one in scene.seats.values()],
            "lectures": [scene.lecture.id[::-1]],
            "units": [scene.lecture.institution_id[::-1]],
        }
        # Ids are random, and so is whose row comes first: never its own value.
        return lambda old: next((id for id in known.get(target, ()) if id != old), None)
    if isinstance(made.type, Boolean):
        return lambda old: not old
    if isinstance(made.type, JSON):
        return lambda old: [*old, [1, 2]] if isinstance(old, list) else {**(old or {}), "webhooks": 1}
    if isinstance(made.type, String):
        return lambda old: (old or "x")[::-1] if (old or "x")[::-1] != old else "x" * len(old or "x")
    assert not isinstance(made.type, LargeBinary)
    if (table, column) == (HeartbeatRow, "last_at"):
        return lambda old: old - 1  # a minute that grew after the mark is as it was up to the mark
    return lambda old: (old or 0) + 1


async def test_what_nobody_touched_holds(settled: Scene) -> None:
    assert await findings(settled) == []
    verifier = Verifier(settled.db, settled.lecture.institution_id)
    assert [one async for one in verifier.run()] == []
    assert (verifier.examined.entries, verifier.examined.lectures, verifier.examined.credits) == (5, 1, 4)
    assert verifier.head.number == 5


COLUMNS = [
    pytest.param(table, column.name, id=f"{table.__tablename__}.{column.name}")
    for table in TABLES
    for column in table.__table__.columns
    if (table.__tablename__, column.name) not in FREE
] + [
    pytest.param(table, column, id=f"{table.__tablename__}.{column}")
    for table, columns in SOME.items()
    for column in columns
]


async def test_each_column_that_is_tampered_with_is_found(settled: Scene) -> None:
    missed = []
    for param in COLUMNS:
        table, column = param.values
        try:
            async with tampered(settled, table, column, other(settled, table, column)):
                if not await wrongs(settled):
                    missed.append(param.id)
        except IntegrityError:
            continue  # the database itself does not let it happen
    assert missed == []
    assert await findings(settled) == []


async def test_it_is_said_where_and_by_how_much(settled: Scene) -> None:
    budi = settled.people["budi"].id
    mine = AttendanceRow.person_id == budi
    async with tampered(settled, AttendanceRow, "jp", 400, mine):
        found = await wrongs(settled)
    assert [(f.what, f.person_id, f.entry, f.expected, f.found) for f in found] == [
        ("jp of the attendance", budi, None, 200, 400),
        ("jp of the credit", budi, 2, 400, 200),
    ]
    assert found[1].told() == (
        f"lecture {settled.lecture.id}, entry 2, person {budi}: jp of the credit: expected 400, found 200"
    )


async def test_evidence_that_was_removed_changed_or_slipped_in_is_found(settled: Scene) -> None:
    left = WebhookRow.event == "participant_left"
    async with tampered(settled, WebhookRow, "created_at_s", lambda old: old - 3_600, left):
        found = [one.what for one in await wrongs(settled)]
    assert "its evidence is not what it was settled with" in found
    assert "intervals of the attendance" in found


async def test_evidence_that_came_later_is_no_part_of_it(settled: Scene) -> None:
    await settled.stayed("agus", NINE, NINE + 90 * MINUTE)
    assert await findings(settled) == []


async def test_a_total_that_is_missing_or_belongs_to_nothing_is_found(settled: Scene) -> None:
    async with tampered(settled, HourTotalRow, "year", 2031):
        assert sorted(f.what for f in await wrongs(settled)) == [
            "has no entries", "is not what the ledger adds up to",
        ]  # fmt: skip


async def test_an_adjustment_that_was_slipped_in_or_taken_out_is_found(settled: Scene) -> None:
    async with settled.db.reading() as session:
        rows = (await session.scalars(select(AdjustmentRow).order_by(AdjustmentRow.number))).all()
        values = {c.name: getattr(rows[0], c.name) for c in AdjustmentRow.__table__.columns}
    async with settled.db.writing() as session:
        session.add(AdjustmentRow(**{**values, "number": None, "id": "z" * 26, "after_jp": 200}))
    (finding,) = await wrongs(settled)
    assert finding.what == f"adjustment {'z' * 26} is not in the ledger"


async def test_a_settled_lecture_whose_final_mark_was_taken_off_is_found(settled: Scene) -> None:
    async with tampered(settled, TallyRow, "final", False):
        assert [f.what for f in await wrongs(settled)] == [
            "is settled, but its attendance was not kept as final"
        ]


async def test_another_version_of_the_rules_is_said_as_such(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webinar.hours.verifying.RULES_VERSION", 99)
    (note,) = await findings(settled)
    assert note.note
    assert "these are version 99" in note.told()


async def test_retired_evidence_is_compared_by_its_digest(settled: Scene) -> None:
    job = RetentionJob(settled.db, _NoStorage(), ManualClock(LATER + 4000 * DAY))
    await job(Effect(1, "retention:all", "retention", "retention", {}, 0, 1, 1))
    found = await findings(settled)
    assert [f.told().split(": ", 1)[1] for f in found if f.note] == [
        "evidence and heartbeats retired, digest matches"
    ]
    assert [f for f in found if not f.note] == []
    async with tampered(settled, TallyRow, "evidence_sha256", "0" * 64):
        assert "evidence and heartbeats retired, digest DOES NOT MATCH" in [
            f.what for f in await findings(settled)
        ]


class _NoStorage:
    async def list(self, prefix: str) -> list[str]:
        return []


async def test_many_lectures_are_examined_one_at_a_time(
    settled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webinar.hours.verifying.LECTURES", 1)
    verifier = Verifier(settled.db, settled.lecture.institution_id)
    assert [one async for one in verifier.run()] == []
    assert verifier.examined.lectures == 1


async def test_the_command_says_it_and_whether_all_is_well(
    settled: Scene, database: Database, tmp_path: Path
) -> None:
    settings = Settings(
        database_url=database.url.render_as_string(hide_password=False),
        media_api_secret="s" * 32, link_key="k" * 32,
    )  # fmt: skip
    said: list[str] = []
    assert await commands.verify_hours(settings, "", said.append)
    assert len(said) == 1
    assert "5 entries, 4 attendances in 1 lectures; the chain holds; head " in said[0]
    async with tampered(settled, LectureRow, "jp", 300):
        assert not await commands.verify_hours(settings, "", said.append)
    assert said[1].startswith("  WRONG  lecture ")
    assert "DOES NOT HOLD" in said[-1]
    assert (await lecture_of(settled)).jp == 200
