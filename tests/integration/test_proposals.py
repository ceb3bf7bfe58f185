"""Evidence that comes after finality proposes and changes nothing by itself; on both databases."""

import pytest

from tests.build import MINUTE, NINE
from tests.integration.attendance_scene import Scene, scene
from tests.integration.hours_scene import (
    LATER,
    adjust,
    an_organiser,
    effective,
    entries,
    lecture_of,
    settle,
)
from tests.integration.test_tallies import counted
from webinar.core.errors import NotFound
from webinar.hours import proposals
from webinar.hours.adjust_rules import NothingToDo, ValuesChanged, value
from webinar.hours.adjustments import Batch
from webinar.hours.proposals import Proposal
from webinar.hours.verifying import Verifier
from webinar.people.access import Scope, scope_of

__all__ = ["scene"]


@pytest.fixture
async def late(scene: Scene) -> Scene:
    """Siti was settled with nothing; what the media server says of her came later."""
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await settle(scene)
    await scene.stayed("siti", NINE, NINE + 90 * MINUTE)
    return scene


async def proposed(scene: Scene) -> list[Proposal]:
    lecture = await lecture_of(scene)
    async with scene.db.reading() as session:
        return await proposals.proposals(session, lecture)


async def accept(scene: Scene, scope: Scope, seen: dict[str, int]) -> Batch:
    ids = {scene.seats[seat].id: jp for seat, jp in seen.items()}
    async with scene.db.writing() as session:
        return await proposals.accept(
            session, scope, scene.lecture.id, seen=ids, reason="Peladen terlambat melapor.", now=LATER + 1
        )


async def test_late_evidence_says_what_it_would_give_and_changes_nothing(late: Scene) -> None:
    (one,) = await proposed(late)
    assert (one.name, one.settled_jp, one.now_jp, one.jp) == ("Siti Rahma", 0, 0, 200)
    assert (one.settled_seconds, one.seconds) == (0, 5400)
    assert await entries(late) == [("budi", "credit", 200)]


async def test_without_late_evidence_nothing_is_proposed_and_no_evidence_is_read(scene: Scene) -> None:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    assert await proposed(scene) == []
    await settle(scene)
    seen = counted(scene)
    assert await proposed(scene) == []
    assert not [one for one in seen if "evidence_webhooks.event_id" in one]


async def test_an_organiser_accepts_it_as_an_adjustment_and_then_it_is_proposed_no_more(late: Scene) -> None:
    await accept(late, await an_organiser(late), {"siti": 0})
    assert await effective(late) == {"siti": 200}
    assert ("siti", "adjustment", 200) in await entries(late)
    assert await proposed(late) == []
    verifier = Verifier(late.db, late.lecture.institution_id)
    assert [one async for one in verifier.run()] == []


async def test_who_was_adjusted_to_something_else_is_still_proposed_with_what_counts_now(late: Scene) -> None:
    rina = await an_organiser(late)
    await adjust(late, rina, {"siti": 0}, value(100))
    (one,) = await proposed(late)
    assert (one.settled_jp, one.now_jp, one.jp) == (0, 100, 200)
    with pytest.raises(ValuesChanged):
        await accept(late, rina, {"siti": 0})
    await accept(late, rina, {"siti": 100})
    assert await effective(late) == {"siti": 200}


async def test_what_is_not_proposed_or_not_ones_own_to_decide_is_not_accepted(late: Scene) -> None:
    rina = await an_organiser(late)
    with pytest.raises(NotFound):
        await accept(late, rina, {"budi": 200})
    with pytest.raises(NothingToDo):
        await accept(late, rina, {})
    async with late.db.reading() as session:
        siti = await scope_of(session, late.people["siti"].id)
    with pytest.raises(NotFound):
        await accept(late, siti, {"siti": 0})
