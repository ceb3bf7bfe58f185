"""The operations page, the banner of the hold, and what home says of what has stopped."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from tests.build import HOUR, MINUTE, NINE, a_lecture, a_person, a_registration, a_unit, an_institution
from tests.integration.test_operations import plan_of
from tests.site import RunningSite, Visitor
from webinar.core import processes
from webinar.core.tables import AuditRow, EffectRow
from webinar.operations.tables import MailHoldRow

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@dataclass
class Place:
    site: RunningSite
    lecture: str
    seat: str
    ade: Visitor
    rina: Visitor

    async def owe(self, number: int = 1, **values: Any) -> list[int]:
        row = {
            "kind": "invite", "subject": f"invites:{self.lecture}", "payload": {}, "due_at": NINE,
            "state": "owed", "fence": 0, "attempts": 0, "nudged": False, "created_at": NINE,
            "key": f"invite:{self.seat}",
        } | values  # fmt: skip
        more = [{"key": f"{row['key']}-{n}", "due_at": row["due_at"] + n} for n in range(1, number)]
        rows = [row, *(row | other for other in more)]
        async with self.site.database.writing() as session:
            made = await session.execute(insert(EffectRow).returning(EffectRow.id), rows)
            return list(made.scalars())

    async def states(self) -> list[str]:
        async with self.site.database.reading() as session:
            return list(await session.scalars(select(EffectRow.state).order_by(EffectRow.id)))


@pytest.fixture
async def place(site: RunningSite) -> Place:
    async with site.database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home)
        ade = await a_person(session, home, name="Ade", role="administrator", language="en")
        rina = await a_person(session, unit, name="Rina", role="organiser", language="en")
        lecture = await a_lecture(session, unit, title=f"Kuliah {XSS}")
        seat = await a_registration(session, lecture, await a_person(session, unit, name=f"Siti {XSS}"))
    return Place(site, lecture.id, seat.id, await site.signed_in(ade.id), await site.signed_in(rina.id))


async def test_with_nothing_due_the_page_says_so(place: Place) -> None:
    page = await place.ade.get("/operations")
    assert page.status == 200
    assert "Everything is on time" in page.text


async def test_what_needs_somebody_most_is_shown_first_with_its_error_in_words(place: Place) -> None:
    await place.owe(state="parked", attempts=60, last_error="451 4.3.0 later")
    await place.owe(key="late", due_at=NINE - HOUR)
    page = await place.ade.get("/operations")
    assert "The mail server answered: 451 4.3.0 later" in page.text
    assert "Stopped, needs you" in page.text
    late = await place.ade.get("/operations?show=late&kind=invite")
    assert "Skip all 1" in late.text


async def test_nothing_that_somebody_typed_becomes_markup(place: Place) -> None:
    await place.owe(state="parked", last_error=XSS, key=f"invite:{place.seat}")
    await place.owe(kind="x'><script>alert(1)</script>", key="x", state="parked", last_error=f"450 {XSS}")
    await place.ade.post("/operations/mail/hold", {"reason": XSS})
    for visitor, path in (
        (place.ade, "/operations"),
        (place.ade, "/operations?show=parked&kind=%3Cscript%3Ealert(1)%3C/script%3E"),
        (place.ade, "/operations?show=%3Cscript%3E&after=%3Cscript%3E-1"),
        (place.rina, "/lectures"),
        (place.rina, f"/lectures/{place.lecture}"),
    ):
        page = await visitor.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


async def test_one_is_tried_again_and_one_is_skipped_with_a_reason(place: Place) -> None:
    [parked] = await place.owe(state="parked", attempts=60)
    [other] = await place.owe(key="other", state="parked", attempts=60)
    done = await place.ade.post(f"/operations/effects/{parked}/retry", {"show": "parked", "kind": ""})
    assert (done.status, done.location) == (303, "/operations?show=parked")
    refused = await place.ade.post(f"/operations/effects/{other}/skip", {"reason": " "})
    assert refused.status == 422
    await place.ade.post(f"/operations/effects/{other}/skip", {"reason": "told by telephone"})
    assert await place.states() == ["owed", "skipped"]
    async with place.site.database.reading() as session:
        rows = (await session.execute(select(AuditRow.action, AuditRow.actor_kind))).all()
    assert [tuple(row) for row in rows] == [("effect_retried", "person"), ("effect_skipped", "person")]


async def test_all_of_a_kind_go_at_once(place: Place) -> None:
    await place.owe(60, state="parked")
    await place.ade.post("/operations/retry", {"show": "parked", "kind": "invite"})
    assert set(await place.states()) == {"owed"}
    form = {"show": "due", "kind": "invite", "reason": "told by telephone"}
    place.site.clock.advance(MINUTE)
    await place.ade.post("/operations/skip", form | {"show": "late"})
    assert set(await place.states()) == {"skipped"}


async def test_a_long_list_has_pages(place: Place) -> None:
    await place.owe(60, state="parked")
    page = await place.ade.get("/operations?show=parked")
    assert page.text.count('/retry"') == 50
    following = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert (await place.ade.get(following)).text.count('/retry"') == 10


async def test_organisers_read_that_mail_is_held_and_why_until_it_is_released(place: Place) -> None:
    await place.ade.post("/operations/mail/hold", {"reason": "The link is wrong"})
    assert "Reason: The link is wrong" in (await place.rina.get("/")).text
    await place.ade.post("/operations/mail/release")
    assert "The link is wrong" not in (await place.rina.get("/")).text
    async with place.site.database.reading() as session:
        assert (await session.scalars(select(MailHoldRow))).all() == []


async def test_home_says_what_has_stopped_to_administrators_alone(place: Place) -> None:
    await place.owe(3, state="parked")
    assert "3 things that should have happened" in (await place.ade.get("/")).text
    assert "things that should have happened" not in (await place.rina.get("/")).text


async def test_a_process_whose_clock_differs_is_named(place: Place) -> None:
    async with place.site.database.writing() as session:
        for kind, ahead in (("scheduler", -31_000), ("web", 12)):
            detail = {"clock_ahead_ms": ahead}
            await processes.beat(
                session, name=f"host:1:{kind}", kind=kind, started_at=NINE, now=NINE, detail=detail
            )
    page = await place.ade.get("/operations")
    assert "The clock of the process scheduler is 31.0 s behind" in page.text
    assert "The clock of the process web" not in page.text
    assert "Not seen lately: hooks, recorder" in page.text


async def test_the_page_asks_the_database_as_often_whatever_is_owed(place: Place) -> None:
    """A kind that has something costs a few statements, an effect none."""
    counts = []
    for number in (1, 40):
        await place.owe(number, state="parked", key=f"of {number}")
        statements: list[str] = []

        def note(_c: Any, _k: Any, statement: str, *_: Any, to: list[str] = statements) -> None:
            to.append(statement)

        engine = place.site.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        await place.ade.get("/operations")
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_a_page_of_a_kind_comes_out_of_the_index(place: Place) -> None:
    async with place.site.database.writing() as session:
        query = "SELECT id FROM effects WHERE state = 'parked' AND kind = 'invite'"
        plan = await plan_of(session, f"{query} AND (due_at, id) > (9, 3) ORDER BY due_at, id LIMIT 51")
    assert "ix_effects_parked" in plan
    assert "TEMP B-TREE" not in plan
