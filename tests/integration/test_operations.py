"""What is owed as operators see it, trying again, skipping, and the hold on mail."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from tests import by_hand
from tests.build import (
    HOUR,
    MINUTE,
    NINE,
    SECOND,
    a_lecture,
    a_person,
    a_unit,
    an_institution,
)
from webinar.core import effects
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects import Done, Outcome
from webinar.core.effects_rules import Effect
from webinar.core.effects_runner import Runner
from webinar.core.errors import Forbidden, Invalid, NotFound
from webinar.core.tables import AuditRow, EffectRow
from webinar.operations import service, store
from webinar.operations.mail import MailDoor
from webinar.operations.rules import NotSkippable, RunsNow, Standing
from webinar.people.access import Scope, scope_of


@dataclass
class Place:
    """Two institutions with a lecture each, and who administers the first."""

    db: Database
    institution: str
    lecture: str
    administrator: Scope
    other_lecture: str
    other_administrator: Scope
    organiser: Scope

    async def owe(self, key: str, kind: str = "invite", subject: str = "", **values: Any) -> int:
        """An effect of the first lecture, as it came to stand."""
        row = {
            "key": key, "kind": kind, "subject": subject or f"invites:{self.lecture}", "payload": {},
            "due_at": NINE, "state": "owed", "fence": 0, "attempts": 0, "nudged": False, "created_at": NINE,
        }  # fmt: skip
        async with self.db.writing() as session:
            made = await session.execute(insert(EffectRow).values(**row | values).returning(EffectRow.id))
            return made.scalar_one()

    async def row(self, effect_id: int) -> EffectRow:
        async with self.db.reading() as session:
            found = await session.get(EffectRow, effect_id)
        assert found is not None
        return found

    async def states(self) -> dict[str, str]:
        async with self.db.reading() as session:
            rows = await session.execute(select(EffectRow.key, EffectRow.state))
            return {row.key: row.state for row in rows}

    async def notes(self) -> list[tuple[str, dict[str, object]]]:
        async with self.db.reading() as session:
            rows = await session.execute(select(AuditRow.action, AuditRow.fields).order_by(AuditRow.id))
            return [(row.action, row.fields) for row in rows]


@pytest.fixture
async def place(database: Database) -> Place:
    async with database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home)
        other = await an_institution(session, name="Kabupaten", code="kab")
        other_unit = await a_unit(session, other)
        ade = await a_person(session, home, role="administrator")
        zul = await a_person(session, other, role="administrator")
        rina = await a_person(session, unit, role="organiser")
        lecture, other_lecture = await a_lecture(session, unit), await a_lecture(session, other_unit)
    async with database.reading() as session:
        scopes = [await scope_of(session, person.id) for person in (ade, zul, rina)]
    return Place(database, home.id, lecture.id, scopes[0], other_lecture.id, scopes[1], scopes[2])


async def test_what_is_owed_is_counted_by_kind_and_how_it_stands(place: Place) -> None:
    await place.owe("ahead", due_at=NINE + HOUR)
    await place.owe("due", due_at=NINE - SECOND)
    await place.owe("late", due_at=NINE - MINUTE)
    await place.owe("failing and due", due_at=NINE - 2 * MINUTE, attempts=3, last_error="older")
    await place.owe("failing", due_at=NINE + MINUTE, attempts=1, last_error="451 4.3.0")
    await place.owe("parked", state="parked", attempts=20, last_error="550 no")
    await place.owe("held", state="held")
    await place.owe("running", state="claimed", attempts=1, lease_until=NINE + MINUTE)
    await place.owe("done", state="done")
    await place.owe("sweep", kind="sweep", subject=f"lecture:{place.lecture}", due_at=NINE - SECOND)
    await place.owe("other", subject=f"invites:{place.other_lecture}", state="parked")
    async with place.db.reading() as session:
        mine = await store.overview(session, place.institution, NINE)
        everything = await store.overview(session, None, NINE)
        parked = await store.count_parked(session, place.institution)
    invites, sweeps = mine
    assert (sweeps.kind, sweeps.counts) == ("sweep", {Standing.DUE: 1})
    assert invites.counts == {
        Standing.DUE: 1,
        Standing.LATE: 1,
        Standing.FAILING: 2,
        Standing.PARKED: 1,
        Standing.HELD: 1,
        Standing.RUNNING: 1,
    }
    assert (invites.last_error, invites.late_ms(NINE)) == ("550 no", 2 * MINUTE)
    assert everything[0].counts[Standing.PARKED] == 2
    assert parked == 1


async def test_effects_are_listed_by_due_time_a_page_after_the_other(place: Place) -> None:
    for number in range(5):
        kind, subject = ("invite", "") if number % 2 else ("sweep", f"lecture:{place.lecture}")
        await place.owe(f"{number}", kind, subject, due_at=NINE - HOUR + number // 2)
    await place.owe("other", subject=f"invites:{place.other_lecture}", due_at=NINE - HOUR)
    kinds = ("invite", "sweep")
    async with place.db.reading() as session:
        first = await store.listed(session, place.institution, Standing.LATE, kinds, NINE, limit=3)
        after = (first[-1].due_at, first[-1].id)
        rest = await store.listed(
            session, place.institution, Standing.LATE, kinds, NINE, limit=3, after=after
        )
    assert [effect.key for effect in [*first, *rest]] == ["0", "1", "2", "3", "4"]


async def test_a_parked_effect_is_tried_again_from_its_first_try_on(place: Place) -> None:
    parked = await place.owe("parked", state="parked", attempts=60, last_error="550 no", finished_at=NINE)
    async with place.db.writing() as session:
        await service.retry(session, place.administrator, parked, NINE)
    row = await place.row(parked)
    assert (row.state, row.attempts, row.finished_at) == ("owed", 0, None)
    assert await place.notes() == [
        ("effect_retried", {"kind": "invite", "about": f"invites:{place.lecture}", "error": "550 no"})
    ]


async def test_a_skipped_effect_keeps_its_reason_and_who_skipped_it_is_on_record(place: Place) -> None:
    late = await place.owe("late", due_at=NINE - HOUR)
    async with place.db.writing() as session:
        await service.skip(session, place.administrator, late, " told by telephone ", NINE)
    row = await place.row(late)
    assert (row.state, row.last_error, row.finished_at) == ("skipped", "told by telephone", NINE)
    [(action, fields)] = await place.notes()
    assert (action, fields["reason"]) == ("effect_skipped", "told by telephone")


async def test_what_runs_now_is_left_alone(place: Place) -> None:
    running = await place.owe("running", state="claimed", attempts=1)
    with pytest.raises(RunsNow):
        async with place.db.writing() as session:
            await service.skip(session, place.administrator, running, "no longer wanted", NINE)
    assert (await place.row(running)).state == "claimed"


async def test_a_lecture_cannot_be_skipped(place: Place) -> None:
    subject = f"lecture:{place.lecture}"
    parked = await place.owe(subject, "lecture", subject, state="parked")
    with pytest.raises(NotSkippable):
        async with place.db.writing() as session:
            await service.skip(session, place.administrator, parked, "no longer wanted", NINE)
    with pytest.raises(NotSkippable):
        service.skipping(place.administrator, Standing.PARKED, "lecture", "no longer wanted", NINE)


async def test_effects_of_another_institution_are_not_there(place: Place) -> None:
    parked = await place.owe("parked", state="parked")
    for act in (
        lambda session: service.retry(session, place.other_administrator, parked, NINE),
        lambda session: service.skip(session, place.other_administrator, parked, "not mine", NINE),
    ):
        with pytest.raises(NotFound):
            async with place.db.writing() as session:
                await act(session)
    await all_of(place, service.retrying(place.other_administrator, Standing.PARKED, "invite", NINE))
    skipping = service.skipping(place.other_administrator, Standing.PARKED, "invite", "not mine", NINE)
    await all_of(place, skipping)
    assert (await place.row(parked)).state == "parked"


async def test_only_who_administers_the_whole_institution_may(place: Place) -> None:
    parked = await place.owe("parked", state="parked")
    for scope in (place.organiser, Scope(place.institution, "x")):
        with pytest.raises(Forbidden):
            async with place.db.writing() as session:
                await service.retry(session, scope, parked, NINE)
        with pytest.raises(Forbidden):
            async with place.db.writing() as session:
                await service.hold_mail(session, scope, "not mine", NINE)


async def all_of(place: Place, batch: service.Batch) -> int:
    total, count = 0, 1
    while count:
        async with place.db.writing() as session:
            count = await batch(session)
        total += count
    return total


async def test_all_of_a_kind_are_tried_again_or_skipped_at_once(place: Place) -> None:
    for number in range(7):
        await place.owe(f"parked {number}", state="parked", attempts=60)
        await place.owe(f"failing {number}", attempts=2, due_at=NINE + HOUR, last_error="451")
        await place.owe(f"late {number}", due_at=NINE - HOUR)
    await place.owe("report", "report", state="parked")
    assert await all_of(place, service.retrying(place.administrator, Standing.PARKED, "invite", NINE)) == 7
    skipping = service.skipping(place.administrator, Standing.LATE, "invite", "told by hand", NINE)
    assert await all_of(place, skipping) == 7
    assert await all_of(place, service.retrying(place.administrator, Standing.FAILING, "invite", NINE)) == 7
    states = await place.states()
    assert {key.split()[0]: state for key, state in states.items()} == {
        "parked": "owed",
        "failing": "owed",
        "late": "skipped",
        "report": "parked",
    }
    async with place.db.reading() as session:
        due = await session.scalar(select(func.count()).where(EffectRow.due_at == NINE))
    assert due == 7 + 7 + 1
    assert [(action, fields["count"]) for action, fields in await place.notes()] == [
        *(("effects_retried", 7), ("effects_skipped", 7), ("effects_retried", 7))
    ]


# --- the hold on mail --------------------------------------------------------------------------


@dataclass
class Post:
    """A scheduler that only sends mail, and what it has sent."""

    runner: Runner
    sent: list[str]

    async def work(self) -> None:
        for _ in range(4):
            await self.runner.step()
            await self.runner.drain()


@pytest.fixture
async def post(place: Place, clock: ManualClock) -> Post:
    sent: list[str] = []

    async def send(effect: Effect) -> Outcome:
        sent.append(effect.key)
        return Done()

    door = MailDoor(place.db, clock)
    handlers = {kind: door.guarded(kind, send) for kind in ("invite", "contest", "mail", "announce")}
    return Post(Runner(place.db, {**handlers, "release": door.release}, clock), sent)


async def hold(place: Place, reason: str = "wrong link in the text") -> None:
    async with place.db.writing() as session:
        await service.hold_mail(session, place.administrator, reason, NINE)


async def release(place: Place) -> bool:
    async with place.db.writing() as session:
        return await service.release_mail(session, place.administrator, NINE)


async def test_held_mail_stays_owed_and_goes_out_when_it_is_released(place: Place, post: Post) -> None:
    await hold(place)
    await place.owe("invite")
    await place.owe("contest", "contest", f"lecture:{place.lecture}")
    await post.work()
    assert post.sent == []
    assert set((await place.states()).values()) == {"held"}
    assert await release(place)
    await post.work()
    assert sorted(post.sent) == ["contest", "invite"]
    assert [action for action, _ in await place.notes()] == ["mail_held", "mail_released"]


async def test_a_hold_is_of_one_institution_and_lets_sign_in_mails_through(place: Place, post: Post) -> None:
    await hold(place)
    await place.owe("other", subject=f"invites:{place.other_lecture}")
    await place.owe("sign in", "mail", f"person:{place.administrator.person_id}")
    await place.owe("announce", "announce", f"lecture:{place.lecture}")
    await post.work()
    assert sorted(post.sent) == ["announce", "other", "sign in"]


async def test_mail_that_is_owed_again_while_it_is_held_stays_held_and_goes_out_once(
    place: Place, post: Post
) -> None:
    await hold(place)
    for _ in range(2):
        async with place.db.writing() as session:
            await effects.owe(
                session,
                kind="invite",
                key="invite:1",
                subject=f"invites:{place.lecture}",
                due_at=NINE,
                now=NINE,
            )
        await post.work()
    assert await place.states() == {"invite:1": "held"}
    await release(place)
    await post.work()
    assert post.sent == ["invite:1"]


async def test_a_mail_is_not_left_behind_when_the_hold_ends_while_it_is_being_held(
    place: Place, clock: ManualClock
) -> None:
    await hold(place)
    invite = await place.owe("invite")

    async def send(_: Effect) -> Outcome:
        return Done()

    held = MailDoor(place.db, clock).guarded("invite", send)
    [claimed] = await by_hand.claim(place.db, worker="w", limit=1, lease_ms=60_000, now=NINE)
    outcome = await held(claimed)
    await release(place)
    assert await by_hand.finish(place.db, claimed, outcome, NINE)
    assert (await place.row(invite)).state == "owed"


async def test_holding_twice_keeps_the_first_reason_and_releasing_twice_changes_nothing(place: Place) -> None:
    await hold(place, "the first")
    await hold(place, "the second")
    async with place.db.reading() as session:
        [present] = await store.mail_holds(session)
    assert (present.reason, present.held_at) == ("the first", NINE)
    assert [await release(place), await release(place)] == [True, False]
    with pytest.raises(Invalid):
        await hold(place, " ")


async def test_held_mail_can_be_skipped_with_a_reason(place: Place) -> None:
    held = await place.owe("held", state="held")
    async with place.db.writing() as session:
        await service.skip(session, place.administrator, held, "sent by hand", NINE)
    assert (await place.row(held)).state == "skipped"


# --- how the pages find it ---------------------------------------------------------------------


async def test_a_hundred_thousand_effects_are_not_read_to_find_what_needs_somebody(place: Place) -> None:
    """By the plans of both databases: what is owed later and what was done is not touched."""
    conditions = {
        "parked": "state = 'parked'",
        "held": "state = 'held'",
        "failing": "state = 'owed' AND attempts > 0",
        "lease": "state = 'claimed'",
        "due": f"state = 'owed' AND kind = 'invite' AND due_at <= {NINE}",
    }
    async with place.db.writing() as session:
        for name, where in conditions.items():
            query = f"SELECT kind, count(*) FROM effects WHERE {where} GROUP BY kind"  # noqa: S608
            assert f"ix_effects_{name}" in await plan_of(session, query), name


async def plan_of(session: Any, query: str) -> str:
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        return "\n".join((await session.execute(text(f"EXPLAIN {query}"))).scalars())
    rows = await session.execute(text(f"EXPLAIN QUERY PLAN {query}"))
    return "\n".join(row.detail for row in rows)
