"""What is owed is claimed once, written back by its holder only, retried, parked, and never lost."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from tests import by_hand
from tests.build import MINUTE, NINE, SECOND
from webinar.core import effects
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, EffectState, EffectView, Outcome, Retry, Skip
from webinar.core.effects_rules import back_off
from webinar.core.effects_runner import Runner
from webinar.core.wake import Wake

LEASE_MS = 15_000
DUE = (
    "SELECT id FROM effects WHERE state = 'owed' AND kind = 'note' AND due_at <= 5"
    " ORDER BY due_at, id LIMIT 3"
)


async def owe(db: Database, key: str = "note:1", *, due_at: int = NINE, **more: Any) -> None:
    async with db.writing() as session:
        await effects.owe(session, kind="note", key=key, subject="lecture:x", due_at=due_at, now=NINE, **more)


async def nudge(db: Database, key: str = "note:1", now: int = NINE) -> None:
    async with db.writing() as session:
        await effects.nudge(session, key, now)


async def claim(db: Database, *, limit: int = 10, now: int = NINE, lease_ms: int = LEASE_MS) -> list[Effect]:
    return await by_hand.claim(db, worker="test", limit=limit, lease_ms=lease_ms, now=now)


async def the_one(db: Database) -> EffectView:
    async with db.reading() as session:
        [view] = await effects.about(session, "lecture:x")
    return view


async def test_an_effect_is_claimed_when_it_is_due_and_not_before(database: Database) -> None:
    await owe(database, due_at=NINE, payload={"to": "Siti"})
    assert await claim(database, now=NINE - 1) == []
    [effect] = await claim(database)
    assert (effect.key, effect.kind, effect.payload, effect.attempts) == ("note:1", "note", {"to": "Siti"}, 1)
    assert await claim(database) == []


async def test_the_oldest_due_is_claimed_first(database: Database) -> None:
    for number, due_at in enumerate((NINE, NINE - 2, NINE - 1)):
        await owe(database, f"note:{number}", due_at=due_at)
    assert [effect.key for effect in await claim(database, limit=2)] == ["note:1", "note:2"]
    assert [effect.key for effect in await claim(database)] == ["note:0"]


async def test_a_done_effect_is_over_and_can_be_owed_anew(database: Database) -> None:
    await owe(database)
    [effect] = await claim(database)
    assert await by_hand.finish(database, effect, Done(), NINE + 1)
    view = await the_one(database)
    assert (view.state, view.finished_at) == (EffectState.DONE, NINE + 1)
    await nudge(database)
    assert await claim(database) == []
    await owe(database, payload={"again": True})
    [second] = await claim(database)
    assert (second.id, second.attempts, second.payload) == (effect.id, 1, {"again": True})


async def test_an_effect_that_was_rolled_back_was_never_owed(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as session:
            await effects.owe(session, kind="note", key="k", subject="s", due_at=NINE, now=NINE)
            raise ZeroDivisionError
    assert await claim(database) == []


async def test_what_follows_is_written_in_the_transaction_that_says_done(database: Database) -> None:
    await owe(database)
    [effect] = await claim(database)

    async def breaks(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await by_hand.finish(database, effect, Done(breaks), NINE)
    assert (await the_one(database)).state is EffectState.CLAIMED


async def test_again_owes_it_at_the_new_time_with_fresh_tries(database: Database) -> None:
    await owe(database)
    [effect] = await claim(database)
    await by_hand.finish(database, effect, Again(NINE + MINUTE), NINE)
    assert await claim(database, now=NINE + MINUTE - 1) == []
    [again] = await claim(database, now=NINE + MINUTE)
    assert again.attempts == 1


async def test_a_failure_waits_longer_each_time_and_is_parked_in_sight_after_the_last_try(
    database: Database,
) -> None:
    await owe(database)
    now, waits = NINE, []
    while (view := await the_one(database)).state is EffectState.OWED:
        waits.append(view.due_at - now)
        now = view.due_at
        [effect] = await claim(database, now=now)
        await by_hand.finish(database, effect, Retry("no answer"), now)
    assert waits[:5] == [0, 1_000, 2_000, 4_000, 8_000]
    assert (view.state, view.attempts, view.last_error) == (
        EffectState.PARKED,
        back_off("note").tries,
        "no answer",
    )
    await nudge(database, now=now)
    [effect] = await claim(database, now=now)
    assert effect.attempts == 1


async def test_a_pointless_effect_is_skipped_with_its_reason(database: Database) -> None:
    await owe(database)
    [effect] = await claim(database)
    await by_hand.finish(database, effect, Skip("the lecture is over"), NINE)
    view = await the_one(database)
    assert (view.state, view.last_error) == (EffectState.SKIPPED, "the lecture is over")


async def test_a_nudge_makes_it_due_at_once(database: Database) -> None:
    await owe(database, due_at=NINE + MINUTE)
    await nudge(database)
    assert len(await claim(database)) == 1


@pytest.mark.parametrize("outcome", [Done(), Again(NINE + MINUTE), Retry("no"), Skip("no")])
async def test_what_is_nudged_while_it_runs_runs_once_more(database: Database, outcome: Outcome) -> None:
    await owe(database)
    [effect] = await claim(database)
    await nudge(database)
    assert await claim(database) == []
    assert await by_hand.finish(database, effect, outcome, NINE)
    [again] = await claim(database)
    assert again.key == effect.key


async def test_what_is_owed_anew_while_it_runs_runs_once_more_with_the_new_payload(
    database: Database,
) -> None:
    await owe(database, payload={"sequence": 1})
    [effect] = await claim(database)
    await owe(database, due_at=NINE + SECOND, payload={"sequence": 2})
    await by_hand.finish(database, effect, Done(), NINE)
    assert await claim(database) == []
    [again] = await claim(database, now=NINE + SECOND)
    assert again.payload == {"sequence": 2}


async def test_what_is_withdrawn_is_not_done(database: Database) -> None:
    await owe(database)
    async with database.writing() as session:
        await effects.withdraw(session, "note:1", "cancelled", NINE)
    assert await claim(database) == []
    assert (await the_one(database)).last_error == "cancelled"


async def test_a_lost_lease_goes_to_another_and_the_first_holder_writes_nothing(database: Database) -> None:
    await owe(database)
    [hung] = await claim(database, lease_ms=-1)
    [taken] = await claim(database)
    assert (taken.id, taken.attempts) == (hung.id, 2)
    assert not await by_hand.finish(database, hung, Done(), NINE)
    assert (await the_one(database)).state is EffectState.CLAIMED
    assert await by_hand.finish(database, taken, Done(), NINE)


async def test_a_renewed_lease_is_kept(database: Database) -> None:
    await owe(database)
    held = await claim(database, lease_ms=-1)
    await effects.renew(database, held, lease_ms=LEASE_MS)
    assert await claim(database) == []


async def test_the_next_due_is_the_earliest_of_what_is_owed_and_of_the_leases(database: Database) -> None:
    assert await by_hand.next_due(database) is None
    await owe(database, due_at=NINE + MINUTE)
    assert await by_hand.next_due(database) == NINE + MINUTE


async def test_one_handler_that_fails_does_not_delay_the_next(database: Database, clock: ManualClock) -> None:
    ran: list[str] = []

    async def note(effect: Effect) -> Outcome:
        ran.append(effect.key)
        if effect.key == "note:0":
            raise ZeroDivisionError("broken")
        return Done()

    for number in range(3):
        await owe(database, f"note:{number}", due_at=NINE + number)
    runner = Runner(database, {"note": note}, clock, concurrency=1)
    clock.advance(10)
    for _ in range(3):
        await runner.step()
        await runner.drain()
    assert ran == ["note:0", "note:1", "note:2"]
    async with database.reading() as session:
        first = (await effects.about(session, "lecture:x"))[-1]
        states = await effects.counts(session)
    assert (first.key, first.last_error) == ("note:0", "ZeroDivisionError: broken")
    assert states == {("note", EffectState.DONE): 2, ("note", EffectState.OWED): 1}
    await runner.close()


async def test_a_kind_that_nobody_handles_is_seen(database: Database, clock: ManualClock) -> None:
    await owe(database)
    runner = Runner(database, {}, clock)
    await runner.step()
    await runner.drain()
    assert (await the_one(database)).last_error == "nobody handles the kind note"
    await runner.close()


async def test_whoever_waits_is_woken_by_what_is_owed(database: Database) -> None:
    wake = Wake(database)
    await wake.start()
    while await wake.wait(0.2):
        pass  # what the start itself has rung
    waiting = asyncio.create_task(wake.wait(5))
    await owe(database)
    assert await waiting
    await wake.close()


async def test_the_claim_of_what_is_due_uses_the_index_and_no_scan(database: Database) -> None:
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    async with database.reading() as session:
        if database.dialect == "postgresql":
            await session.execute(text("SET enable_seqscan = off"))
        rows = await session.execute(text(f"{explain} {DUE}"))
        plan = " ".join(str(part) for row in rows for part in row)
    assert "ix_effects_due" in plan
