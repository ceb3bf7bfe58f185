"""What is kept of people can be had, goes in its time, and can be erased without breaking the record."""

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import func, insert, select, update

from recordings.storage import open_storage, recording_key, sha256
from recordings.tables import RecordingFileRow, RecordingRow
from tests.build import (
    DAY,
    MINUTE,
    NINE,
    a_lecture,
    a_person,
    a_policy,
    a_registration,
    a_role,
    a_room,
    an_institution,
)
from webinar.attendance.tables import AttendanceRow
from webinar.classroom.tables import ChatMessageRow, ConsentRow
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Again, Effect
from webinar.core.errors import Forbidden, Invalid, NotFound
from webinar.core.ids import new_id
from webinar.core.tables import AuditRow, Base, EffectRow
from webinar.evidence import store as evidence
from webinar.evidence.tables import HeartbeatRow, RetiredRow, SweepRow, WebhookRow
from webinar.hours import service as hours
from webinar.hours.tables import AdjustmentRow, ContestRow
from webinar.invites.tables import DeliveryRow
from webinar.lectures import store as lectures
from webinar.lectures.tables import LectureRow
from webinar.people import service as people
from webinar.people.access import Scope, scope_of
from webinar.people.service import LastAdministrator
from webinar.people.tables import AttemptRow, ExemptionRow, PersonRow, SessionRow
from webinar.privacy import export, job, service
from webinar.privacy.erase import ReasonMissing, StillExpected
from webinar.privacy.job import RetentionJob
from webinar.privacy.rules import Kind

SECRET_NAME = "Wahyuningtyas"
NIP = "198001012005012001"


@dataclass
class World:
    """A settled lecture of an institution, with one person in it of whom much is kept."""

    db: Database
    home: str
    administrator: PersonRow
    person: PersonRow
    lecture: LectureRow
    seat: str

    async def scope(self) -> Scope:
        async with self.db.reading() as session:
            return await scope_of(session, self.administrator.id)

    async def count(self, table: type[Base]) -> int:
        async with self.db.reading() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0

    async def retired(self) -> dict[str, bool]:
        async with self.db.reading() as session:
            rows = await session.scalars(select(RetiredRow))
            return {row.kind: row.matched for row in rows}


async def much_is_kept(database: Database) -> World:
    async with database.writing() as session:
        home = await an_institution(session)
        administrator = await a_person(session, home, name="Ade", role="administrator")
        person = await a_person(
            session, home, name=SECRET_NAME, nip=NIP, phone="+62811223344", email="wahyu@rahasia.test"
        )
        policy = await a_policy(session, home)
        lecture = await a_lecture(session, home, policy=policy, state="ended", ended_at=NINE + 90 * MINUTE)
        await a_room(session, lecture, state="closed")
        seat = await a_registration(session, lecture, person, seat="wahyu", removed_reason=SECRET_NAME)
        await _kept(session, home.id, lecture, person, seat.id)
    async with database.writing() as session:
        found = await lectures.get(session, Scope.everything(), lecture.id)
        await hours.settle(session, found, NINE + DAY)
        await session.execute(
            update(LectureRow).where(LectureRow.id == lecture.id).values(state="final", final_at=NINE + DAY)
        )
    return World(database, home.id, administrator, person, lecture, seat.id)


@pytest.fixture
async def world(database: Database) -> World:
    return await much_is_kept(database)


async def _kept(session, institution_id, lecture, person, seat_id) -> None:  # type: ignore[no-untyped-def]
    room, about = f"{lecture.id}.main", {"lecture_id": lecture.id, "registration_id": seat_id}
    mine = {**about, "institution_id": institution_id, "person_id": person.id}
    for number, (event, at) in enumerate((("participant_joined", 0), ("participant_left", 80))):
        await session.execute(
            insert(WebhookRow).values(
                event_id=f"EV_{number}", event=event, room_name=room, room_sid="RM_1", participant_sid="PA_1",
                identity="wahyu.tab", kind="standard", joined_at_ms=NINE, created_at_s=NINE // 1000 + at * 60,
                received_at=NINE + at * MINUTE, body_sha256="0" * 64,
            )
        )  # fmt: skip
    people = [["wahyu.tab", "PA_1", "standard", NINE], ["else.tab", "PA_2", "standard", NINE]]
    await session.execute(
        insert(SweepRow).values(room_name=room, room_sid="RM_1", at=NINE + MINUTE, participants=people)
    )
    await evidence.record_heartbeat(
        session, lecture_id=lecture.id, registration_id=seat_id, identity="wahyu.tab", participant_sid="PA_1",
        visible=True, at=NINE + MINUTE,
    )  # fmt: skip
    said = f"saya {SECRET_NAME}"
    session.add_all(
        [
            ChatMessageRow(**about, client_id="1", text=said, at=NINE),
            DeliveryRow(registration_id=seat_id, message_id="m", attempt=1, address="wahyu@rahasia.test",
                        at=NINE, outcome="refused", answer=f"no {SECRET_NAME}"),
            ConsentRow(**about, person_id=person.id, kind="notice", version=1, language="id", at=NINE),
            ExemptionRow(id=new_id(), institution_id=institution_id, person_id=person.id, reason=said,
                         starts_on="2026-01-01", ends_on="2026-02-01", created_at=NINE),
            ContestRow(**mine, id=new_id(), text=said, state="refused", jp=0, opened_at=NINE, decision=said),
            AdjustmentRow(**mine, id=new_id(), before_jp=0, after_jp=0, reason=said, at=NINE,
                          batch_id=new_id()),
            AttemptRow(bucket="address:10.1.2.0", at=NINE),
            SessionRow(digest="d" * 64, person_id=person.id, created_at=NINE, seen_at=NINE, expires_at=NINE),
            AuditRow(at=NINE, actor_kind="system", subject_kind="person", subject_id=person.id,
                     action="person_updated", fields={"name": SECRET_NAME}),
        ]
    )  # fmt: skip
    await session.flush()


async def run_job(world: World, now: int, storage: str = "memory:///") -> object:
    work = RetentionJob(world.db, open_storage(storage), ManualClock(now))
    return await work(Effect(1, job.KEY, "retention", "retention", {}, now, 1, 1))


# --- asking for one's data ----------------------------------------------------------------------


async def test_the_export_has_every_table_that_is_about_a_person(world: World) -> None:
    async with world.db.reading() as session:
        person = await people.store.person(session, await world.scope(), world.person.id)
        found = await service.export_of_person(session, person, NINE)
    about = {name for name, table in Base.metadata.tables.items() if export.is_about_people(table)}
    assert about - set(found["tables"]) <= export.LEFT_OUT
    assert [row["nip"] for row in found["tables"]["persons"]] == [NIP]
    assert len(found["tables"]["evidence_webhooks"]) == 2
    assert found["tables"]["evidence_sweeps"][0]["devices"] == [["wahyu.tab", "PA_1", "standard", NINE]]
    assert found["tables"]["chat_messages"][0]["text"] == f"saya {SECRET_NAME}"
    assert [lecture["id"] for lecture in found["lectures"]] == [world.lecture.id]
    json.dumps(found)


async def test_the_export_has_no_secrets(world: World) -> None:
    async with world.db.reading() as session:
        person = await people.store.person(session, await world.scope(), world.person.id)
        found = await service.export_of_person(session, person, NINE)
    text = json.dumps(found)
    for name in export.SECRET:
        assert f'"{name}"' not in text
    assert "d" * 64 not in text


# --- erasing ------------------------------------------------------------------------------------


async def test_nothing_that_names_an_erased_person_is_left_anywhere(world: World) -> None:
    async with world.db.writing() as session:
        erased = await service.erase(
            session, await world.scope(), world.person.id, reason="diminta", now=NINE + 2 * DAY
        )
    assert erased.name == f"Data dihapus {world.person.id[:6]}"
    everything = (await dumped(world.db)).lower()
    for mark in (SECRET_NAME.lower(), NIP, "rahasia.test", "811223344"):
        assert mark not in everything


async def test_erasing_keeps_the_hours_and_their_chain(world: World) -> None:
    async with world.db.writing() as session:
        await service.erase(session, await world.scope(), world.person.id, reason="diminta", now=NINE)
    async with world.db.reading() as session:
        assert (await hours.verify(session, world.home)).holds
        assert await session.scalar(select(AttendanceRow.jp)) == 200
    assert await world.count(HeartbeatRow) == 1


async def test_nobody_is_erased_without_a_reason_or_while_they_are_expected(world: World) -> None:
    scope = await world.scope()
    with pytest.raises(ReasonMissing):
        async with world.db.writing() as session:
            await service.erase(session, scope, world.person.id, reason=" ", now=NINE)
    async with world.db.writing() as session:
        root = await session.get_one(LectureRow, world.lecture.id)
        ahead = await a_lecture(session, policy=None, starts_at=NINE + DAY, state="scheduled")
        assert root.id != ahead.id
        await a_registration(session, ahead, world.person)
    with pytest.raises(StillExpected):
        async with world.db.writing() as session:
            await service.erase(session, scope, world.person.id, reason="diminta", now=NINE)


async def test_the_last_administrator_stays(world: World) -> None:
    with pytest.raises(LastAdministrator):
        async with world.db.writing() as session:
            await service.erase(
                session, await world.scope(), world.administrator.id, reason="diminta", now=NINE
            )


async def test_only_administrators_of_the_person_erase(world: World) -> None:
    async with world.db.writing() as session:
        elsewhere = await an_institution(session, name="Lain", code="lain")
        stranger = await a_person(session, elsewhere, role="administrator")
        home = await session.get_one(type(elsewhere), world.home)
        organiser = await a_person(session, home, name="Rina")
        await a_role(session, organiser, home)
    for who, refusal in ((stranger, NotFound), (organiser, Forbidden)):
        with pytest.raises(refusal):
            async with world.db.writing() as session:
                scope = await scope_of(session, who.id)
                await service.erase(session, scope, world.person.id, reason="diminta", now=NINE)


async def dumped(db: Database) -> str:
    """Every value of every table as text."""
    parts = []
    async with db.reading() as session:
        for table in Base.metadata.sorted_tables:
            rows = await session.execute(select(table))
            parts += [json.dumps([str(value) for value in row]) for row in rows]
    return "\n".join(parts)


# --- retention ----------------------------------------------------------------------------------


async def test_nothing_goes_before_its_time(world: World) -> None:
    before = await dumped(world.db)
    assert await run_job(world, NINE + DAY + MINUTE) == Again(NINE + 2 * DAY + MINUTE)
    assert await dumped(world.db) == before


async def test_heartbeats_go_first_and_the_digest_of_everything_still_matches(world: World) -> None:
    await run_job(world, NINE + 92 * DAY)
    assert await world.count(HeartbeatRow) == 0
    assert await world.count(WebhookRow) == 2
    assert await world.retired() == {"heartbeats": True}
    await run_job(world, NINE + 732 * DAY)
    assert (await world.count(WebhookRow), await world.count(SweepRow)) == (0, 0)
    assert await world.retired() == {"heartbeats": True, "evidence": True}


async def test_evidence_that_was_changed_after_the_hours_were_settled_is_told(world: World) -> None:
    async with world.db.writing() as session:
        await session.execute(
            update(WebhookRow).where(WebhookRow.event_id == "EV_1").values(created_at_s=NINE // 1000 + 60)
        )
    await run_job(world, NINE + 92 * DAY)
    assert await world.retired() == {"heartbeats": False}


async def test_a_run_that_was_cut_off_is_taken_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:

    async def dies(*_: object) -> int:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(job.store, "remove_evidence", dies)
        with pytest.raises(Exception):  # noqa: B017 - whatever kills a process
            await run_job(world, NINE + 92 * DAY)
    assert await world.count(HeartbeatRow) == 1
    await run_job(world, NINE + 92 * DAY)
    assert await world.count(HeartbeatRow) == 0
    assert await world.retired() == {"heartbeats": True}


async def test_chat_mail_sessions_and_attempts_go_in_their_time(world: World) -> None:
    tables = (ChatMessageRow, DeliveryRow, SessionRow, AttemptRow)
    assert [await world.count(table) for table in tables] == [1, 1, 1, 1]
    await run_job(world, NINE + 31 * DAY)
    assert [await world.count(table) for table in tables] == [1, 1, 1, 0]
    await run_job(world, NINE + 182 * DAY)
    assert [await world.count(table) for table in tables] == [0, 1, 0, 0]
    await run_job(world, NINE + 366 * DAY)
    assert [await world.count(table) for table in tables] == [0, 0, 0, 0]


async def test_an_institution_chooses_its_own_times_within_bounds(world: World) -> None:
    async with world.db.writing() as session:
        await service.set_days(session, await world.scope(), {Kind.CHAT: 7}, NINE)
    await run_job(world, NINE + 9 * DAY)
    assert await world.count(ChatMessageRow) == 0
    with pytest.raises(Invalid):
        async with world.db.writing() as session:
            await service.set_days(session, await world.scope(), {Kind.EVIDENCE: 3}, NINE)


async def test_what_another_institution_keeps_stays(world: World) -> None:
    async with world.db.writing() as session:
        other = await an_institution(session, name="Lain", code="lain")
        lecture = await a_lecture(session, other, state="final", final_at=NINE + 80 * DAY)
        seat = await a_registration(session, lecture, await a_person(session, other, name="Budi"))
        await evidence.record_heartbeat(
            session, lecture_id=lecture.id, registration_id=seat.id, identity="b.t", visible=True, at=NINE
        )
    await run_job(world, NINE + 92 * DAY)
    assert await world.count(HeartbeatRow) == 1


async def test_a_recording_that_was_kept_long_enough_is_gone_from_storage(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = tmp_path_factory.mktemp("recordings").as_uri()
    storage, recording, name = open_storage(url), new_id(), "p0000-init.mp4"
    key = recording_key(recording, name)
    await storage.put(key, b"init")
    async with world.db.writing() as session:
        session.add(
            RecordingRow(
                id=recording, institution_id=world.home, lecture_id=world.lecture.id, state="ready", bytes=4,
                published_at=NINE, ended_at=NINE, duration_ms=1,
            )
        )  # fmt: skip
        await session.flush()
        session.add(
            RecordingFileRow(
                recording_id=recording, number=1, kind="init", name=name, duration_ms=0, bytes=4,
                sha256=sha256(b"init"), starts_at=NINE,
            )
        )  # fmt: skip
    await run_job(world, NINE + 364 * DAY, url)
    assert await storage.list(f"recordings/{recording}") != []
    await run_job(world, NINE + 366 * DAY, url)
    assert await storage.list(f"recordings/{recording}") == []
    async with world.db.reading() as session:
        assert await session.scalar(select(RecordingRow.state)) == "withdrawn"
    assert await world.count(RecordingFileRow) == 0


async def test_the_job_is_owed_once(world: World) -> None:
    for now in (NINE, NINE + DAY):
        async with world.db.writing() as session:
            await job.owe_first(session, now)
    async with world.db.reading() as session:
        assert list(await session.scalars(select(EffectRow.due_at).where(EffectRow.key == job.KEY))) == [NINE]
