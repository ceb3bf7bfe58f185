"""Presence checks: planned when a lecture goes live, asked once, answered in time, and counted."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select, update

from scheduler.lecture import Reconciler
from tests.build import MINUTE, NINE, a_lecture, a_person, a_policy, a_registration, a_room, an_institution
from tests.pools import alone
from webinar.attendance import service as attendance
from webinar.classroom import checks
from webinar.classroom.check_rules import PAUSE_MS
from webinar.classroom.checks import CheckClosed
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Outcome, Skip
from webinar.core.errors import Invalid, NotFound, Refused
from webinar.core.tables import EffectRow
from webinar.evidence.tables import AnswerRow, PresenceCheckRow, WebhookRow
from webinar.lectures import store as lectures
from webinar.lectures.rules import Registration
from webinar.lectures.tables import LectureRow
from webinar.media.fake import FakeMedia
from webinar.media.tokens import mint

TWO_MINUTES = 2 * MINUTE


@dataclass
class Scene:
    db: Database
    clock: ManualClock
    media: FakeMedia
    lecture: LectureRow
    seats: dict[str, Registration]

    async def reconcile(self) -> Outcome:
        effect = Effect(1, "k", "lecture", f"lecture:{self.lecture.id}", {}, self.clock.now(), 1, 1)
        return await Reconciler(self.db, alone(self.media), self.clock)(effect)

    async def planned(self) -> list[PresenceCheckRow]:
        async with self.db.reading() as session:
            query = select(PresenceCheckRow).order_by(PresenceCheckRow.number)
            return list(await session.scalars(query))

    async def ask(self, check: PresenceCheckRow) -> Outcome:
        effect = Effect(1, f"check:{check.id}", "check", f"lecture:{self.lecture.id}", {}, 0, 1, 1)
        return await checks.asker(self.db, self.media, self.clock)(effect)

    async def answer(self, name: str, check: PresenceCheckRow, how: object = "click") -> None:
        seat = self.seats[name]
        async with self.db.writing() as session:
            await checks.answer(
                session, seat, check.id, identity=f"{seat.seat}.tab", how=how, now=self.clock.now()
            )

    async def move(self, **values: object) -> None:
        async with self.db.writing() as session:
            await session.execute(update(LectureRow).values(**values))


@pytest.fixture
async def scene(database: Database, clock: ManualClock) -> Scene:
    async with database.writing() as session:
        home = await an_institution(session)
        policy = await a_policy(session, home, checks=2, checks_needed=1)
        lecture = await a_lecture(session, home, policy=policy, state="live", live_at=NINE)
        await a_room(session, lecture, state="open", sid="RM_1")
        for name, role in (("siti", "participant"), ("budi", "participant"), ("maya", "lecturer")):
            person = await a_person(session, home, name=name)
            await a_registration(session, lecture, person, seat=name, role=role)
    async with database.reading() as session:
        seats = {seat.seat: seat for seat in await lectures.registrations(session, lecture.id)}
    media = FakeMedia(clock, "key", "s" * 32)
    await media.open_room(f"{lecture.id}.main")
    return Scene(database, clock, media, lecture, seats)


async def test_the_moments_are_chosen_once_when_the_lecture_is_live(scene: Scene) -> None:
    await scene.reconcile()
    first = [(one.number, one.due_at) for one in await scene.planned()]
    assert [number for number, _ in first] == [1, 2]
    await scene.reconcile()
    assert [(one.number, one.due_at) for one in await scene.planned()] == first
    async with scene.db.reading() as session:
        due = await session.scalars(select(EffectRow.due_at).where(EffectRow.kind == "check"))
        assert sorted(due) == [at for _, at in first]


async def test_a_lecture_that_is_too_short_for_checks_settles_without_them(scene: Scene) -> None:
    await scene.move(ends_at=NINE + MINUTE)
    assert isinstance(await scene.reconcile(), Again)
    assert await scene.planned() == []


async def test_a_check_is_asked_once_and_a_repeat_only_tells_again(scene: Scene) -> None:
    await scene.reconcile()
    check, _ = await scene.planned()
    scene.clock.at = check.due_at
    assert await scene.ask(check) == Done()
    scene.clock.advance(1_000)
    assert await scene.ask(check) == Done()
    asked, later = await scene.planned()
    assert (asked.asked_at, asked.closes_at) == (check.due_at, check.due_at + TWO_MINUTES)
    assert later.asked_at is None


async def test_a_check_is_asked_in_all_rooms(scene: Scene) -> None:
    async with scene.db.writing() as session:
        lecture = await session.get_one(LectureRow, scene.lecture.id)
        main, group = f"{lecture.id}.main", f"{lecture.id}.b1"
        await a_room(session, lecture, state="open", kind="breakout", position=1, name=group)
    await scene.media.open_room(group)
    for seat, room in (("siti", main), ("budi", group)):
        identity = f"{seat}.tab"
        scene.media.join(mint("key", "s" * 32, identity=identity, name=seat, room=room, now=NINE))
    await scene.reconcile()
    check, _ = await scene.planned()
    scene.clock.at = check.due_at
    await scene.ask(check)
    told = {seat: [topic for topic, _ in inbox] for seat, inbox in scene.media.inbox.items()}
    assert told == {"siti.tab": ["check"], "budi.tab": ["check"]}


async def test_a_scheduler_that_was_away_does_not_ask_what_nobody_could_answer_in_time(scene: Scene) -> None:
    await scene.reconcile()
    check, _ = await scene.planned()
    scene.clock.at = NINE + 89 * MINUTE
    assert isinstance(await scene.ask(check), Skip)
    await scene.move(state="ended")
    scene.clock.at = NINE + 30 * MINUTE
    assert await scene.ask(check) == Skip("the lecture is ended")
    assert (await scene.planned())[0].asked_at is None


async def test_a_scheduler_that_was_away_asks_one_after_the_other(scene: Scene) -> None:
    await scene.reconcile()
    first, second = await scene.planned()
    scene.clock.at = max(second.due_at, NINE + 60 * MINUTE)
    assert await scene.ask(first) == Done()
    free_at = scene.clock.now() + TWO_MINUTES + PAUSE_MS
    assert await scene.ask(second) == Again(free_at)
    assert (await scene.planned())[1].asked_at is None
    scene.clock.at = free_at
    assert await scene.ask(second) == Done()
    assert (await scene.planned())[1].asked_at == free_at


async def test_two_schedulers_never_open_two_checks_of_a_lecture_at_once(scene: Scene) -> None:
    await scene.reconcile()
    planned = await scene.planned()
    scene.clock.at = NINE + 60 * MINUTE
    outcomes = await asyncio.gather(*(scene.ask(check) for check in planned))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Again", "Done"]
    assert sum(check.asked_at is not None for check in await scene.planned()) == 1


async def test_a_lecture_that_went_live_late_is_asked_only_from_then_on(scene: Scene) -> None:
    await scene.move(live_at=NINE + 40 * MINUTE)
    scene.clock.at = NINE + 40 * MINUTE
    await scene.reconcile()
    assert [one.number for one in await scene.planned()] == [1, 2]
    assert all(one.due_at >= NINE + 45 * MINUTE for one in await scene.planned())


async def test_an_answer_counts_once_and_only_in_time(scene: Scene) -> None:
    await scene.reconcile()
    check, other = await scene.planned()
    scene.clock.at = check.due_at
    await scene.ask(check)
    for _ in range(2):
        await scene.answer("siti", check)
    scene.clock.advance(TWO_MINUTES + 10_000)
    with pytest.raises(CheckClosed):
        await scene.answer("budi", check)
    with pytest.raises(NotFound):
        await scene.answer("budi", other)
    with pytest.raises(Invalid):
        await scene.answer("budi", check, how="robot")
    async with scene.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AnswerRow)) == 1


async def test_who_was_put_out_or_sits_in_another_lecture_answers_nothing(scene: Scene) -> None:
    await scene.reconcile()
    check, _ = await scene.planned()
    scene.clock.at = check.due_at
    await scene.ask(check)
    from dataclasses import replace

    siti = scene.seats["siti"]
    for stranger in (replace(siti, removed_at=NINE), replace(siti, lecture_id="b" * 26)):
        with pytest.raises(Refused):
            async with scene.db.writing() as session:
                await checks.answer(
                    session, stranger, check.id, identity="siti.tab", how="click", now=scene.clock.now()
                )


async def test_a_page_that_missed_the_telling_finds_the_check_and_hosts_see_how_many_answered(
    scene: Scene,
) -> None:
    await scene.reconcile()
    check, _ = await scene.planned()
    scene.clock.at = check.due_at
    await scene.ask(check)
    await scene.answer("siti", check)

    async def seen_by(name: str) -> int | None:
        async with scene.db.reading() as session:
            found = await checks.open_for(session, scene.seats[name], scene.clock.now())
        return found.answered if found else None

    assert [await seen_by(name) for name in ("siti", "budi", "maya")] == [1, 0, 1]
    scene.clock.advance(TWO_MINUTES)
    assert [await seen_by(name) for name in ("siti", "budi", "maya")] == [None, None, None]


async def test_who_answers_too_few_checks_earns_nothing_and_is_told_so(scene: Scene) -> None:
    await scene.reconcile()
    async with scene.db.writing() as session:
        for name in ("siti", "budi", "maya"):
            for event, at in (("participant_joined", NINE), ("participant_left", NINE + 90 * MINUTE)):
                session.add(
                    WebhookRow(
                        event_id=f"{event}{name}", event=event, room_name=f"{scene.lecture.id}.main",
                        room_sid="RM_1", participant_sid=f"PA_{name}", identity=f"{name}.tab",
                        kind="standard", joined_at_ms=NINE, created_at_s=at // 1000, received_at=at,
                        body_sha256="0" * 64,
                    )
                )  # fmt: skip
    for check in await scene.planned():
        scene.clock.at = check.due_at
        await scene.ask(check)
        if check.number == 1:
            await scene.answer("siti", check, how="speaking")
    async with scene.db.reading() as session:
        lecture = await lectures.find(session, scene.lecture.id)
        assert lecture is not None
        log = await attendance.log_of(session, lecture, NINE + 100 * MINUTE)
    found = {entry.registration.seat: entry.credit for entry in log.entries}
    assert {seat: credit.jp for seat, credit in found.items()} == {"siti": 200, "budi": 0, "maya": 200}
    assert (found["budi"].checks_asked, found["budi"].checks_answered) == (2, 0)
    assert found["maya"].checks_asked == 0
