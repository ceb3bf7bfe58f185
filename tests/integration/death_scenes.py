"""For each kind of effect a scene in which a process may die; see `deaths.py`.

A test fails when a kind that `wiring` handles has none.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from recordings.storage import ObjectStorage
from scheduler.sweep import sweep_owed
from tests.build import (
    DAY,
    HOUR,
    LAST_WEEK,
    MINUTE,
    NINE,
    SECOND,
    a_lecture,
    a_person,
    a_policy,
    a_recording,
    a_registration,
    a_room,
    a_unit,
    an_institution,
)  # fmt: skip
from tests.integration.deaths import KEY, LINK_KEY, SECRET, Picture, Scene, Stage
from tests.integration.test_people_import import confirmed, people
from tests.integration.test_privacy import much_is_kept
from tests.integration.test_series import two_houses
from webinar.attendance.tallies import owe_tally
from webinar.classroom import service as classroom
from webinar.classroom.service import WATCH_MS
from webinar.core import effects
from webinar.core.audit import SYSTEM
from webinar.evidence import store as evidence
from webinar.evidence.tables import PresenceCheckRow
from webinar.hours import contests
from webinar.lectures import booking, service, store
from webinar.lectures.rules import Lecture
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.media.tokens import mint
from webinar.operations import service as operations
from webinar.people.access import Scope, scope_of
from webinar.people.sign_in import owe_link
from webinar.people.sign_in_rules import Purpose
from webinar.people.tables import UnitRow
from webinar.privacy import job as retention
from webinar.reports import service as reports
from webinar.reports.rules import KEPT_MS, FileKind, Wish

# FakeMedia counts from one.
FIRST_SID = "RM_000000000001"
# A mail that was handed over twice: in which try it was noted, and which number the mail server gave it.
DELIVERED_IN_A_LATER_TRY = {"deliveries": {"attempt", "answer"}}
# A try that was begun and not ended counts, and the next one waits longer.
TRIED_LATER = {**DELIVERED_IN_A_LATER_TRY, "effects": {"due_at"}}


async def found(session: AsyncSession, row: LectureRow) -> Lecture:
    lecture = await store.find(session, row.id)
    assert lecture is not None
    return lecture


# --- the room ------------------------------------------------------------------------------------


async def book_a_lecture(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row = await a_lecture(session, recorded=True)
        await a_registration(session, row, await a_person(session))
        await service.owe_reconciling(session, row.id, NINE - HOUR)


def lived(picture: Picture) -> bool:
    told = [line["action"] for line in picture.rows["audit"]]
    return told == ["room_opened", "went_live", "ended", "room_closed", "final"]


async def in_session(stage: Stage, session: AsyncSession) -> tuple[LectureRow, RegistrationRow]:
    """A lecture that is on, with one person in its room; `let_in` brings the person."""
    unit = await an_institution(session)
    policy = await a_policy(session, unit, checks=1)
    row = await a_lecture(
        session, unit, policy=policy, state="live", opened_at=NINE - MINUTE, live_at=NINE - MINUTE
    )
    seat = await a_registration(session, row, await a_person(session, unit))
    await a_room(session, row, state="open", sid=FIRST_SID, opened_at=NINE - MINUTE)
    stage.notes |= {"room": f"{row.id}.main", "seat": seat.seat}
    return row, seat


async def let_in(stage: Stage) -> None:
    room = stage.notes["room"]
    await stage.media.open_room(room)
    for tab in ("tab1", "tab2"):
        who = f"{stage.notes['seat']}.{tab}"
        stage.media.join(mint(KEY, SECRET, identity=who, name="", room=room, now=NINE))


async def book_a_sweep(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, _ = await in_session(stage, session)
        [room] = await store.rooms_of(session, row.id)
        await effects.owe_many(session, [sweep_owed(room, NINE)], NINE)


async def book_a_removal(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, _ = await in_session(stage, session)
        [seat] = await store.registrations(session, row.id)
        await store.change_registration(session, seat.id, removed_at=NINE)
        await classroom.owe_removal(session, seat, NINE)


async def book_a_check(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, _ = await in_session(stage, session)
        session.add(PresenceCheckRow(id="c" * 26, lecture_id=row.id, number=1, due_at=NINE + MINUTE))
        await effects.owe(
            session, kind="check", key=f"check:{'c' * 26}", subject=f"lecture:{row.id}",
            due_at=NINE + MINUTE, now=NINE,
        )  # fmt: skip


async def book_a_tally(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, seat = await in_session(stage, session)
        await evidence.record_heartbeat(
            session, lecture_id=row.id, registration_id=seat.id, identity=f"{seat.seat}.tab1",
            participant_sid="PA_1", visible=True, at=NINE,
        )  # fmt: skip
        await owe_tally(session, row.id, NINE, NINE)


# --- mails ---------------------------------------------------------------------------------------


async def register_three(stage: Stage) -> tuple[UnitRow, LectureRow]:
    async with stage.db.writing() as session:
        unit = await an_institution(session)
        row = await a_lecture(session, unit)
        some = [await a_person(session, unit, name=name) for name in ("Ani", "Budi", "Citra")]
        lecture, ids = await found(session, row), [person.id for person in some]
        await booking.register(session, lecture, ids, now=LAST_WEEK, actor=SYSTEM, link_key=LINK_KEY)
    return unit, row


async def book_an_announcement(stage: Stage) -> None:
    await register_three(stage)


async def book_invites(stage: Stage) -> None:
    """Announced, and the mail server was away at the first try."""
    await register_three(stage)
    stage.mailer.go_away()
    await stage.settle()


def post_comes_back(stage: Stage, number: int) -> None:
    """It is away at the second try, too."""
    stage.mailer.heal()
    if number == 0:
        stage.mailer.go_away()


async def book_reminders(stage: Stage) -> None:
    """Invited a week ago; the lecture begins tomorrow."""
    await register_three(stage)
    await stage.settle()


async def book_failing_reminders(stage: Stage) -> None:
    """A day before, and the mail server was away at the first try."""
    stage.clock.at = LAST_WEEK
    await book_reminders(stage)
    stage.clock.at = NINE - DAY
    stage.mailer.go_away()
    await stage.settle()


async def book_held_mails(stage: Stage) -> None:
    unit, _ = await register_three(stage)
    async with stage.db.writing() as session:
        await operations.hold_mail(session, Scope.system(unit.id), "tautan salah", LAST_WEEK)
    await stage.settle()
    async with stage.db.writing() as session:
        await operations.release_mail(session, Scope.system(unit.id), LAST_WEEK)


async def book_a_sign_in(stage: Stage) -> None:
    async with stage.db.writing() as session:
        person = await a_person(session)
        await owe_link(session, person.id, purpose=Purpose.SIGN_IN, link_key=LINK_KEY, now=NINE)


async def over(session: AsyncSession) -> tuple[LectureRow, Scope, Scope]:
    """A lecture that has ended: its only participant, and its organiser."""
    unit = await an_institution(session)
    boss = await a_person(session, unit, name="Rina", role="organiser")
    row = await a_lecture(session, unit, state="ended", live_at=NINE, ended_at=NINE + 90 * MINUTE)
    person = await a_person(session, unit)
    await a_registration(session, row, person)
    await a_room(session, row, state="closed")
    return row, await scope_of(session, person.id), await scope_of(session, boss.id)


async def book_contests(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, mine, boss = await over(session)
        await contests.contest(session, mine, row.id, text="Saya hadir.", now=NINE + 2 * HOUR)
        await a_person(session, await session.get_one(UnitRow, row.unit_id), name="Oki", role="organiser")
    assert boss.person_id


# --- work in the background ----------------------------------------------------------------------


async def book_an_import(stage: Stage) -> None:
    async with stage.db.writing() as session:
        root = await an_institution(session)
        await a_unit(session, root, name="Dinas Pendidikan", code="disdik")
    await confirmed(stage.db, root, people(140))


async def book_retention(stage: Stage) -> None:
    world = await much_is_kept(stage.db)
    storage = stage.storage
    assert isinstance(storage, ObjectStorage)
    async with stage.db.writing() as session:
        files = [("p0001-init.mp4", 0), ("p0001-000001.m4s", 4_000)]
        await a_recording(session, storage, world.lecture, files, ended_at=NINE, bytes=400)
        await retention.owe_first(session, NINE)


def forgotten(picture: Picture) -> bool:
    names = (
        "evidence_webhooks",
        "evidence_sweeps",
        "evidence_heartbeats",
        "chat_messages",
        "recording_files",
    )
    return not any(picture.rows[name] for name in names) and not picture.files


async def book_a_series(stage: Stage) -> None:
    """All that follow get another title, and a member gets seats."""
    world = await two_houses(stage.db)
    series = await world.book("FREQ=WEEKLY;COUNT=2")
    await world.join(series, world.people[0])
    await world.change(series, 1, following=True, title="Forum Baru")


async def book_a_report(stage: Stage) -> None:
    async with stage.db.writing() as session:
        row, _, boss = await over(session)
        await reports.ask(session, boss, Wish(FileKind.CSV, "id", row.id), NINE + DAY)


def sent(count: int) -> "Did":
    return lambda picture: len(picture.mails) == count


Did = type(lived)

SCENES = (
    Scene(
        "lecture", book_a_lecture, lived, (NINE - 15 * MINUTE, NINE, NINE + 100 * MINUTE, NINE + 26 * HOUR),
        twice=frozenset({"evidence_sweeps"}),
    ),
    Scene("sweep", book_a_sweep, lambda p: len(p.rows["evidence_sweeps"]) == 2, (NINE, NINE + 31 * SECOND),
          furnish=let_in),
    Scene("remove", book_a_removal, lambda p: [*p.rooms.values()] == [[]],
          (NINE, NINE + 4 * SECOND, NINE + WATCH_MS + 10 * SECOND), furnish=let_in),
    Scene("check", book_a_check, lambda p: len(p.heard) == 2, (NINE + MINUTE,), furnish=let_in),
    Scene("tally", book_a_tally, lambda p: len(p.rows["tallies"]) == 1, (NINE, NINE + 2 * MINUTE)),
    Scene("announce", book_an_announcement, sent(3), (LAST_WEEK,), tries=DELIVERED_IN_A_LATER_TRY),
    Scene("invite", book_invites, sent(3), (LAST_WEEK + 3 * SECOND, LAST_WEEK + MINUTE),
          at=post_comes_back, tries=DELIVERED_IN_A_LATER_TRY),
    Scene("remind", book_reminders, sent(3), (LAST_WEEK, NINE - DAY), tries=DELIVERED_IN_A_LATER_TRY),
    Scene("reminder", book_failing_reminders, sent(3), (NINE - DAY + 3 * SECOND, NINE - DAY + MINUTE),
          at=post_comes_back, tries=TRIED_LATER),
    Scene("release", book_held_mails, sent(3), (LAST_WEEK,), tries=DELIVERED_IN_A_LATER_TRY),
    Scene("mail", book_a_sign_in, sent(1)),
    Scene("contest", book_contests, sent(1), (NINE + 2 * HOUR,)),
    Scene("import", book_an_import, lambda p: len(p.rows["persons"]) == 140),
    Scene("retention", book_retention, forgotten, (NINE + 4_000 * DAY,)),
    Scene("series", book_a_series, lambda p: len(p.rows["registrations"]) == 4, (LAST_WEEK,),
          tries=DELIVERED_IN_A_LATER_TRY),
    Scene("report", book_a_report, lambda p: not p.rows["reports"],
          (NINE + DAY, NINE + DAY + KEPT_MS + SECOND)),
)  # fmt: skip
