"""Adjusting what counts: many at once, by two organisers, before and after finality; on both databases."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.build import MINUTE, NINE, a_lecture, a_person, a_unit
from tests.integration.attendance_scene import EVERYTHING, Scene, scene
from tests.integration.hours_scene import (
    LATER,
    WHY,
    adjust,
    an_organiser,
    compute,
    effective,
    entries,
    set_state,
    settle,
    totals,
    undo,
)
from tests.integration.test_tallies import counted
from webinar.core import audit
from webinar.core.errors import IllegalMove, Invalid, NotFound
from webinar.hours import adjustments, ledger, posting, service, store
from webinar.hours.adjust_rules import FULL, PRESENT, NothingToDo, NotNewest, ValuesChanged, value
from webinar.hours.tables import AdjustmentRow, LedgerRow
from webinar.people.access import Scope, scope_of
from webinar.people.tables import UnitRow

__all__ = ["scene"]


@pytest.fixture
async def over(scene: Scene) -> Scene:
    """Budi was there all the time, Siti for 51 minutes, Agus not at all."""
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 51 * MINUTE)
    await compute(scene)
    return scene


async def test_many_are_adjusted_at_once_with_one_reason(over: Scene) -> None:
    rina = await an_organiser(over)
    batch = await adjust(over, rina, {"siti": 0, "agus": 0, "budi": 200}, FULL)
    assert (len(batch.made), batch.unchanged) == (2, 1)
    assert await effective(over) == {"siti": 200, "agus": 200}
    async with over.db.reading() as session:
        found = await store.effective(session, over.lecture.id)
    one = found[over.seats["siti"].id]
    assert (one.jp, one.before_jp, one.author, one.reason, one.at, one.batch_id) == (
        200, 0, "Rina Wati", WHY, LATER, batch.id,
    )  # fmt: skip


async def test_a_value_may_be_anything_that_the_lecture_is_worth(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0}, value(125))
    await adjust(over, rina, {"budi": 200}, value(0))
    assert await effective(over) == {"siti": 125, "budi": 0}
    with pytest.raises(Invalid):
        await adjust(over, rina, {"siti": 125}, value(201))


async def test_where_nobody_has_looked_since_the_end_what_counts_is_computed_first(scene: Scene) -> None:
    rina = await an_organiser(scene)
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    with pytest.raises(ValuesChanged):
        await adjust(scene, rina, {"budi": 0}, value(100))
    await adjust(scene, rina, {"budi": 200}, value(100))
    assert await effective(scene) == {"budi": 100}


async def test_a_reason_is_required(over: Scene) -> None:
    rina = await an_organiser(over)
    with pytest.raises(Invalid):
        await adjust(over, rina, {"siti": 0}, reason="  ")


async def test_who_decided_about_something_else_is_told_about_whom_and_nothing_changes(over: Scene) -> None:
    rina, joko = await an_organiser(over), await an_organiser(over, "Joko")
    await adjust(over, rina, {"siti": 0}, value(100))
    with pytest.raises(ValuesChanged) as refused:
        await adjust(over, joko, {"siti": 0, "agus": 0})
    assert refused.value.fields == {"names": "Siti Rahma"}
    assert await effective(over) == {"siti": 100}


async def test_of_two_organisers_at_once_one_is_told_that_the_other_was_faster(over: Scene) -> None:
    who = [await an_organiser(over, name) for name in ("Rina", "Joko", "Tuti", "Wayan")]
    done = await asyncio.gather(
        *(adjust(over, one, {"siti": 0}, value(50 + n)) for n, one in enumerate(who)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["Batch", *["ValuesChanged"] * 3]
    async with over.db.reading() as session:
        assert len((await session.scalars(select(AdjustmentRow))).all()) == 1


async def test_somebody_who_has_the_value_already_is_not_adjusted(over: Scene) -> None:
    rina = await an_organiser(over)
    with pytest.raises(NothingToDo):
        await adjust(over, rina, {"budi": 200}, PRESENT)


async def test_an_undo_brings_back_what_was_before_and_both_stay_on_record(over: Scene) -> None:
    rina = await an_organiser(over)
    first = await adjust(over, rina, {"siti": 0}, value(100))
    second = await adjust(over, rina, {"siti": 100}, value(200))
    await undo(over, rina, adjustment_id=second.made[0].id)
    assert await effective(over) == {"siti": 100}
    await undo(over, rina, adjustment_id=first.made[0].id, reason="Salah orang.")
    assert await effective(over) == {}
    async with over.db.reading() as session:
        rows = await store.history(session, over.lecture.id)
    assert [(a.before_jp, a.after_jp, a.reason) for a in rows] == [
        (0, 100, WHY), (100, 200, WHY), (200, 100, WHY), (100, 0, "Salah orang."),
    ]  # fmt: skip


async def test_a_whole_deed_is_taken_back_at_once(over: Scene) -> None:
    rina = await an_organiser(over)
    batch = await adjust(over, rina, {"siti": 0, "agus": 0})
    back = await undo(over, rina, batch_id=batch.id)
    assert await effective(over) == {}
    assert {a.undoes for a in back.made} == {a.id for a in batch.made}


async def test_only_what_still_counts_is_taken_back_or_nothing(over: Scene) -> None:
    rina = await an_organiser(over)
    batch = await adjust(over, rina, {"siti": 0, "agus": 0})
    await adjust(over, rina, {"siti": 200}, value(50))
    with pytest.raises(NotNewest) as refused:
        await undo(over, rina, batch_id=batch.id)
    assert refused.value.fields == {"names": "Siti Rahma"}
    assert await effective(over) == {"siti": 50, "agus": 200}


async def test_what_was_taken_back_is_not_taken_back_again_nor_is_the_taking_back(over: Scene) -> None:
    rina = await an_organiser(over)
    (one,) = (await adjust(over, rina, {"siti": 0})).made
    done = await asyncio.gather(
        *(undo(over, rina, adjustment_id=one.id) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(d).__name__ for d in done) == ["Batch", *["NotNewest"] * 3]
    (back,) = next(d for d in done if isinstance(d, adjustments.Batch)).made
    with pytest.raises(NotNewest):
        await undo(over, rina, adjustment_id=back.id)


async def test_nobody_is_adjusted_before_the_end(over: Scene) -> None:
    rina = await an_organiser(over)
    await set_state(over, "live")
    with pytest.raises(IllegalMove):
        await adjust(over, rina, {"siti": 0})


async def test_who_does_not_organise_the_lecture_finds_nothing(over: Scene) -> None:
    rina = await an_organiser(over)
    (one,) = (await adjust(over, rina, {"agus": 0})).made
    async with over.db.writing() as session:
        home = await session.get(UnitRow, over.lecture.institution_id)
        assert home is not None
        elsewhere = await a_person(session, await a_unit(session, home), name="Lain", role="organiser")
        scopes = [await scope_of(session, elsewhere.id), await scope_of(session, over.people["siti"].id)]
    scopes.append(Scope.system("x" * 26))
    for scope in scopes:
        with pytest.raises(NotFound):
            await adjust(over, scope, {"siti": 0})
        with pytest.raises(NotFound):
            await undo(over, scope, adjustment_id=one.id)


async def test_a_seat_or_an_adjustment_of_another_lecture_is_not_found(over: Scene) -> None:
    rina = await an_organiser(over)
    (one,) = (await adjust(over, rina, {"agus": 0})).made
    async with over.db.writing() as session:
        home = await session.get(UnitRow, over.lecture.institution_id)
        other = await a_lecture(session, home, state="ended")
    async with over.db.writing() as session:
        for coroutine in (
            adjustments.adjust(
                session, rina, other.id, seen={over.seats["siti"].id: 0}, to=FULL, reason=WHY, now=LATER
            ),
            adjustments.undo(session, rina, other.id, adjustment_id=one.id, now=LATER),
            adjustments.undo(session, rina, other.id, batch_id=one.batch_id, now=LATER),
        ):
            with pytest.raises(NotFound):
                await coroutine


# --- the ledger --------------------------------------------------------------------------------


async def test_adjustments_before_finality_are_in_the_ledger_behind_what_was_computed(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0}, value(150))
    await adjust(over, rina, {"budi": 200}, value(100))
    assert await entries(over) == []
    await settle(over)
    assert sorted(await entries(over)) == [
        ("budi", "adjustment", -100), ("budi", "credit", 200), ("siti", "adjustment", 150),
    ]  # fmt: skip
    assert await totals(over) == {"budi": (100, 2), "siti": (150, 1)}


async def test_what_is_computed_in_the_end_is_not_added_to_what_was_adjusted_meanwhile(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0}, value(200))
    await over.stayed("siti", NINE + 51 * MINUTE, NINE + 90 * MINUTE, sid="PA_late")
    await settle(over)
    assert (await totals(over))["siti"] == (200, 2)
    assert ("siti", "credit", 200) in await entries(over)
    assert ("siti", "adjustment", 0) in await entries(over)


async def test_what_was_taken_back_before_finality_leaves_what_is_computed_in_the_end(over: Scene) -> None:
    rina = await an_organiser(over)
    (one,) = (await adjust(over, rina, {"siti": 0}, value(100))).made
    await undo(over, rina, adjustment_id=one.id)
    await over.stayed("siti", NINE + 51 * MINUTE, NINE + 90 * MINUTE, sid="PA_late")
    await settle(over)
    assert (await totals(over))["siti"][0] == 200


async def test_after_finality_an_adjustment_is_in_the_ledger_at_once(over: Scene) -> None:
    rina = await an_organiser(over)
    await settle(over)
    batch = await adjust(over, rina, {"siti": 0, "agus": 0}, now=LATER + 1)
    assert await totals(over) == {"budi": (200, 1), "siti": (200, 1), "agus": (200, 1)}
    await undo(over, rina, batch_id=batch.id, now=LATER + 2)
    assert await totals(over) == {"budi": (200, 1), "siti": (0, 2), "agus": (0, 2)}
    async with over.db.reading() as session:
        assert (await ledger.verify(session, over.lecture.institution_id)).holds
        year = await service.year_of(session, EVERYTHING, over.people["siti"].id, 2026, LATER)
    assert year.total == 0


async def test_settling_and_adjusting_at_once_add_up_whoever_is_first(over: Scene) -> None:
    rina = await an_organiser(over)
    await asyncio.gather(settle(over), adjust(over, rina, {"siti": 0}, value(50)))
    assert await totals(over) == {"budi": (200, 1), "siti": (50, 1)}


async def test_settling_again_after_late_evidence_adds_nothing(over: Scene) -> None:
    await settle(over)
    await over.stayed("agus", NINE, NINE + 90 * MINUTE)
    await set_state(over, "ended")
    await settle(over)
    assert await entries(over) == [("budi", "credit", 200)]


async def test_the_ledger_holds_no_words_and_no_names(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0}, reason="Siti Rahma di layar Budi")
    await settle(over)
    async with over.db.reading() as session:
        (row,) = await session.scalars(select(LedgerRow).where(LedgerRow.kind == "adjustment"))
        (made,) = await session.scalars(select(AdjustmentRow))
    assert row.body["facts"] == {
        "registration_id": over.seats["siti"].id,
        "adjustment_id": made.id,
        "author_id": rina.person_id,
        "before": 0,
        "after": 200,
        "undoes": None,
        "reason_sha256": posting.digest_of_reason("Siti Rahma di layar Budi"),
    }
    assert not any(word in str(row.body) for word in ("Siti", "Budi", "layar"))


async def test_the_totals_are_kept_by_many_who_append_at_once(over: Scene) -> None:
    await settle(over)
    rina = await an_organiser(over)

    async def turn(seat: str) -> None:
        batch = await adjust(over, rina, {seat: 0}, value(100))
        await undo(over, rina, batch_id=batch.id)
        await adjust(over, rina, {seat: 0}, value(75))

    await asyncio.gather(turn("siti"), turn("agus"), turn("ani"))
    assert await totals(over) == {"budi": (200, 1), "siti": (75, 3), "agus": (75, 3), "ani": (75, 3)}


# --- reading -----------------------------------------------------------------------------------


async def test_a_year_shows_what_counts_and_who_changed_it_and_why(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0}, value(150))

    async def entry() -> Any:
        async with over.db.reading() as session:
            year = await service.year_of(session, EVERYTHING, over.people["siti"].id, 2026, LATER)
        return year.entries[0], year.total, year.provisional

    found, total, provisional = await entry()
    assert (found.jp, found.provisional, total, provisional) == (150, True, 0, 150)
    assert (found.adjusted.author, found.adjusted.reason, found.adjusted.before_jp) == ("Rina Wati", WHY, 0)
    await settle(over)
    found, total, provisional = await entry()
    assert (found.jp, found.provisional, total, provisional) == (150, False, 150, 0)
    assert found.adjusted.author == "Rina Wati"


async def test_what_counts_is_read_with_one_statement_however_many_were_adjusted(over: Scene) -> None:
    rina = await an_organiser(over)
    await adjust(over, rina, {"siti": 0})
    seen = counted(over)
    async with over.db.reading() as session:
        await store.effective(session, over.lecture.id)
    few = len([one for one in seen if one.startswith("SELECT")])
    await adjust(over, rina, {"agus": 0, "budi": 200}, value(50))
    seen.clear()
    async with over.db.reading() as session:
        assert len(await store.effective(session, over.lecture.id)) == 3
    assert few == len([one for one in seen if one.startswith("SELECT")]) == 1


async def test_each_deed_is_in_the_audit_trail(over: Scene) -> None:
    rina = await an_organiser(over)
    batch = await adjust(over, rina, {"siti": 0, "agus": 0})
    await undo(over, rina, batch_id=batch.id)
    async with over.db.reading() as session:
        trail = await audit.of(session, ("lecture", over.lecture.id))
    assert [(e.action, e.actor.id, e.fields["people"]) for e in trail[-2:]] == [
        ("adjusted", rina.person_id, 2),
        ("adjustment_undone", rina.person_id, 2),
    ]
