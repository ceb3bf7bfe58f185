"""Contesting a value and deciding about it: who may, who is told, and who is faster; on both databases."""

import asyncio

import pytest
from sqlalchemy import select

from scheduler.observe import observe
from scheduler.plan import Action, Deed, plan
from tests.build import DAY, MINUTE, NINE
from tests.integration.attendance_scene import Scene, scene
from tests.integration.hours_scene import (
    LATER,
    adjust,
    an_organiser,
    compute,
    effective,
    entries,
    settle,
)
from tests.integration.test_tallies import counted
from webinar.core import audit
from webinar.core.clock import ManualClock
from webinar.core.effects import Done, Effect, Skip
from webinar.core.errors import NotFound, Stale
from webinar.core.tables import EffectRow
from webinar.hours import contest_store, contests, store
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged, value
from webinar.hours.contest_rules import Contest, ContestClosed, ContestOpen, ContestState, ContestTooLate
from webinar.hours.effects import ContestMails
from webinar.mail.build import address
from webinar.mail.fake import FakeMailer
from webinar.people.access import Scope, scope_of
from webinar.people.tables import PersonRow

__all__ = ["scene"]
TEXT = "Saya hadir bersama Budi di satu layar <b>"


@pytest.fixture
async def over(scene: Scene) -> Scene:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 51 * MINUTE)
    await compute(scene)
    return scene


async def scope_for(scene: Scene, seat: str) -> Scope:
    async with scene.db.reading() as session:
        return await scope_of(session, scene.people[seat].id)


async def contest(scene: Scene, seat: str = "siti", *, now: int = LATER, text: str = TEXT) -> Contest:
    scope = await scope_for(scene, seat)
    async with scene.db.writing() as session:
        return await contests.contest(session, scope, scene.lecture.id, text=text, now=now)


async def accept(scene: Scene, scope: Scope, one: Contest, *, seen: int = 0, jp: int = 200) -> Contest:
    async with scene.db.writing() as session:
        return await contests.accept(
            session, scope, one.id, to=value(jp), seen=seen, reason="Sudah dicek.", now=LATER + 1
        )


async def refuse(scene: Scene, scope: Scope, one: Contest) -> Contest:
    async with scene.db.writing() as session:
        return await contests.refuse(session, scope, one.id, reason="Tidak ada bukti.", now=LATER + 1)


async def withdraw(scene: Scene, scope: Scope, one: Contest) -> Contest:
    async with scene.db.writing() as session:
        return await contests.withdraw(session, scope, one.id, LATER + 1)


async def stored(scene: Scene, one: Contest) -> Contest:
    async with scene.db.reading() as session:
        found = await contest_store.find(session, one.id)
    assert found is not None
    return found


async def test_a_participant_contests_the_value_that_counts(over: Scene) -> None:
    one = await contest(over)
    assert (one.jp, one.state, one.person_id) == (0, ContestState.OPEN, over.people["siti"].id)
    assert await stored(over, one) == one


async def test_one_is_open_at_a_time_also_when_two_come_at_once(over: Scene) -> None:
    done = await asyncio.gather(*(contest(over) for _ in range(4)), return_exceptions=True)
    assert sorted(type(d).__name__ for d in done) == ["Contest", *["ContestOpen"] * 3]
    first = next(d for d in done if isinstance(d, Contest))
    await withdraw(over, await scope_for(over, "siti"), first)
    await contest(over)
    with pytest.raises(ContestOpen):
        await contest(over)


async def test_who_has_no_seat_contests_nothing(over: Scene) -> None:
    for scope in (await an_organiser(over), Scope(over.lecture.institution_id, "n" * 26)):
        async with over.db.writing() as session:
            with pytest.raises(NotFound):
                await contests.contest(session, scope, over.lecture.id, text=TEXT, now=LATER)


async def test_accepting_adjusts_the_value_and_is_linked(over: Scene) -> None:
    rina = await an_organiser(over)
    one = await contest(over)
    done = await accept(over, rina, one, jp=150)
    assert (done.state, done.decided_by, done.decision) == (
        ContestState.ACCEPTED, rina.person_id, "Sudah dicek.",
    )  # fmt: skip
    assert await effective(over) == {"siti": 150}
    async with over.db.reading() as session:
        (made,) = await store.history(session, over.lecture.id)
    assert (made.contest_id, made.reason) == (one.id, "Sudah dicek.")


async def test_refusing_keeps_the_value(over: Scene) -> None:
    done = await refuse(over, await an_organiser(over), await contest(over))
    assert (done.state, done.decision) == (ContestState.REFUSED, "Tidak ada bukti.")
    assert await effective(over) == {}


async def test_of_two_who_decide_at_once_one_is_told_that_the_other_was_faster(over: Scene) -> None:
    rina, joko = await an_organiser(over), await an_organiser(over, "Joko")
    one = await contest(over)
    done = await asyncio.gather(
        accept(over, rina, one), refuse(over, joko, one), accept(over, joko, one, jp=50),
        refuse(over, rina, one), return_exceptions=True,
    )  # fmt: skip
    assert sorted(type(d).__name__ for d in done) == ["Contest", *["ContestClosed"] * 3]
    won = next(d for d in done if isinstance(d, Contest))
    assert await stored(over, one) == won
    assert bool(await effective(over)) is (won.state is ContestState.ACCEPTED)


async def test_what_is_withdrawn_meanwhile_is_not_decided_or_the_other_way_round(over: Scene) -> None:
    rina, siti = await an_organiser(over), await scope_for(over, "siti")
    one = await contest(over)
    done = await asyncio.gather(withdraw(over, siti, one), accept(over, rina, one), return_exceptions=True)
    assert sorted(type(d).__name__ for d in done) == ["Contest", "ContestClosed"]
    state = (await stored(over, one)).state
    assert bool(await effective(over)) is (state is ContestState.ACCEPTED)
    with pytest.raises(ContestClosed):
        await refuse(over, rina, one)


async def test_nobody_withdraws_or_decides_what_is_not_theirs(over: Scene) -> None:
    one = await contest(over)
    budi, siti = await scope_for(over, "budi"), await scope_for(over, "siti")
    for scope in (budi, siti):
        with pytest.raises(NotFound):
            await accept(over, scope, one)
        with pytest.raises(NotFound):
            await refuse(over, scope, one)
    for scope in (budi, await an_organiser(over)):
        with pytest.raises(NotFound):
            await withdraw(over, scope, one)
    assert (await stored(over, one)).state is ContestState.OPEN


async def test_a_value_that_changed_since_the_organiser_looked_is_said_and_the_contest_stays_open(
    over: Scene,
) -> None:
    rina, joko = await an_organiser(over), await an_organiser(over, "Joko")
    one = await contest(over)
    await adjust(over, joko, {"siti": 0}, value(100))
    with pytest.raises(ValuesChanged):
        await accept(over, rina, one, seen=0)
    with pytest.raises(NothingToDo):
        await accept(over, rina, one, seen=100, jp=100)
    assert (await stored(over, one)).state is ContestState.OPEN


# --- finality ----------------------------------------------------------------------------------


async def test_a_lecture_is_not_settled_while_a_contest_is_open(over: Scene) -> None:
    rina = await an_organiser(over)
    one = await contest(over)
    async with over.db.reading() as session:
        seen = (await observe(session, [over.lecture.id])).get(over.lecture.id)
    assert seen is not None
    assert seen.open_contests == 1
    assert plan(seen, LATER + 30 * DAY).deeds == ()
    with pytest.raises(Stale):
        await settle(over)
    await accept(over, rina, one)
    async with over.db.reading() as session:
        seen = (await observe(session, [over.lecture.id])).get(over.lecture.id)
        owed = (await session.execute(select(EffectRow.due_at, EffectRow.state).where(
            EffectRow.key == f"lecture:{over.lecture.id}"
        ))).one()  # fmt: skip
    assert seen is not None
    assert plan(seen, LATER).deeds == (Deed(Action.FINALISE),)
    assert tuple(owed) == (LATER + 1, "owed")
    await settle(over)
    assert ("siti", "adjustment", 200) in await entries(over)


async def test_settling_and_contesting_at_once_leave_no_open_contest_unseen(over: Scene) -> None:
    """Whoever is first: either it was settled before, or it is not settled."""
    done = await asyncio.gather(settle(over), contest(over), return_exceptions=True)
    assert not isinstance(done[1], BaseException)
    async with over.db.reading() as session:
        seen = (await observe(session, [over.lecture.id])).get(over.lecture.id)
    assert seen is not None
    assert isinstance(done[0], Stale) is (seen.lecture.state.value == "ended")


async def test_settled_hours_are_contested_for_thirty_days_and_an_acceptance_is_in_the_ledger(
    over: Scene,
) -> None:
    rina = await an_organiser(over)
    await settle(over)
    with pytest.raises(ContestTooLate):
        await contest(over, now=LATER + 31 * DAY)
    one = await contest(over, now=LATER + 30 * DAY)
    await accept(over, rina, one, jp=200)
    assert await entries(over) == [("budi", "credit", 200), ("siti", "adjustment", 200)]


# --- who is told -------------------------------------------------------------------------------


async def owed(scene: Scene) -> list[Effect]:
    async with scene.db.reading() as session:
        rows = (await session.scalars(select(EffectRow).where(EffectRow.kind == "contest"))).all()
    return [
        Effect(
            id=row.id, key=row.key, kind=row.kind, subject=row.subject, payload=row.payload,
            due_at=row.due_at, attempts=0, fence=0,
        )
        for row in rows
    ]  # fmt: skip


def mails(scene: Scene, mailer: FakeMailer) -> ContestMails:
    sender = address("Pendopo", "no-reply@pendopo.example")
    return ContestMails(scene.db, mailer, ManualClock(LATER), sender, "https://pendopo.example")


async def test_organisers_are_told_of_it_and_the_participant_of_the_decision(over: Scene) -> None:
    rina = await an_organiser(over)
    one = await contest(over)
    mailer = FakeMailer()
    (opened,) = await owed(over)
    assert isinstance(await mails(over, mailer).send(opened), Done)
    await accept(over, rina, one, jp=150)
    decided = next(effect for effect in await owed(over) if effect.payload["what"] == "decided")
    assert isinstance(await mails(over, mailer).send(decided), Done)
    first, second = mailer.sent
    assert first.to.display_name == "Rina Wati"
    assert f"https://pendopo.example/lectures/{over.lecture.id}/contests" in first.text
    assert TEXT in first.text
    assert "<b>" not in first.html
    assert second.to.display_name == "Siti Rahma"
    assert second.subject == "Keberatan Anda diterima: Pengelolaan Keuangan Daerah"
    assert "1,5 JP" in second.text
    assert "Sudah dicek." in second.text


async def test_a_mail_about_what_is_decided_already_is_not_sent(over: Scene) -> None:
    rina = await an_organiser(over)
    one = await contest(over)
    (opened,) = await owed(over)
    await refuse(over, rina, one)
    assert isinstance(await mails(over, FakeMailer()).send(opened), Skip)


async def test_who_has_no_address_any_more_is_not_written_to(over: Scene) -> None:
    rina = await an_organiser(over)
    await contest(over)
    async with over.db.writing() as session:
        person = await session.get(PersonRow, rina.person_id)
        assert person is not None
        person.email = None
    (opened,) = await owed(over)
    assert isinstance(await mails(over, FakeMailer()).send(opened), Skip)


async def test_each_deed_is_on_the_trail_without_its_words(over: Scene) -> None:
    rina = await an_organiser(over)
    await refuse(over, rina, await contest(over))
    async with over.db.reading() as session:
        trail = (await audit.of(session, ("lecture", over.lecture.id)))[-2:]
    assert [(e.action, e.actor.id) for e in trail] == [
        ("contest_opened", over.people["siti"].id), ("contest_refused", rina.person_id),
    ]  # fmt: skip
    assert not any(TEXT in str(e.fields) or "bukti" in str(e.fields) for e in trail)


async def test_a_list_costs_the_same_for_one_and_for_three(over: Scene) -> None:
    rina = await an_organiser(over)
    await contest(over)
    seen = counted(over)
    async with over.db.reading() as session:
        assert [c.name for c in await contest_store.listed(session, rina)] == ["Siti Rahma"]
    one = len(seen)
    for seat in ("budi", "agus"):
        await contest(over, seat)
    seen.clear()
    async with over.db.reading() as session:
        assert len(await contest_store.listed(session, rina)) == 3
    assert len(seen) == one


async def test_the_badge_counts_what_waits_for_the_asker(over: Scene) -> None:
    rina, siti = await an_organiser(over), await scope_for(over, "siti")
    await contest(over)
    async with over.db.reading() as session:
        assert await contest_store.count_waiting(session, rina) == 1
        assert await contest_store.count_waiting(session, siti) == 0
