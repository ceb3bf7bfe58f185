"""Signs of life: who may send them, that they are on disk when they are answered, and what they cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, update

from tests.build import NINE, a_lecture, a_person, a_registration, a_room, an_institution
from tests.site import RunningSite, Visitor
from webinar.classroom.heartbeat_rules import GRACE_MS, Beat
from webinar.classroom.heartbeats import BeatsAway, Heartbeats
from webinar.classroom.rules import NoSession
from webinar.core.database import Database
from webinar.core.errors import Refused
from webinar.evidence.tables import HeartbeatRow
from webinar.lectures.rules import link_token
from webinar.lectures.tables import LectureRow, RegistrationRow

TAB = "abcdefgh"


async def rows(db: Database) -> list[HeartbeatRow]:
    async with db.reading() as session:
        found = await session.scalars(
            select(HeartbeatRow).order_by(HeartbeatRow.identity, HeartbeatRow.minute)
        )
        return list(found.all())


async def a_class(db: Database, seats: int, state: str = "live") -> tuple[LectureRow, list[RegistrationRow]]:
    async with db.writing() as session:
        unit = await an_institution(session)
        lecture = await a_lecture(session, unit, starts_at=NINE, state=state)
        people = [await a_person(session, unit) for _ in range(seats)]
        return lecture, [await a_registration(session, lecture, person) for person in people]


def beat(seat: RegistrationRow, *, at: int = NINE, **more: Any) -> Beat:
    told = {
        "registration_id": seat.id,
        "generation": seat.link_generation,
        "lecture_id": seat.lecture_id,
        "identity": f"{seat.seat}.{TAB}",
        "participant_sid": "PA_1",
        "visible": True,
        "leaving": False,
        "at": at,
    }
    return Beat(**(told | more))


@asynccontextmanager
async def beats(db: Database, collect_s: float = 0.05) -> AsyncIterator[Heartbeats]:
    taken = Heartbeats(db, collect_s=collect_s)
    try:
        yield taken
    finally:
        await taken.close()


async def test_what_is_answered_is_stored_in_one_row_a_connection_and_minute(database: Database) -> None:
    _, (siti, budi) = await a_class(database, 2)
    async with beats(database) as taken:
        told = [
            beat(siti, at=NINE + 15_000),
            beat(siti, at=NINE, visible=False),
            beat(siti, at=NINE + 30_000),
            beat(siti, at=NINE + 60_000, leaving=True),
            beat(budi, at=NINE),
        ]
        await asyncio.gather(*map(taken.tell, told))
        await taken.tell(beat(siti, at=NINE + 45_000))
        found = {(row.registration_id, row.minute - NINE // 60_000): row for row in await rows(database)}
    assert set(found) == {(siti.id, 0), (siti.id, 1), (budi.id, 0)}
    first = found[siti.id, 0]
    assert (first.beats, first.visible, first.first_at, first.last_at) == (4, 3, NINE, NINE + 45_000)
    assert (first.left_at, found[siti.id, 1].left_at) == (None, NINE + 60_000)


async def test_many_beats_cost_two_statements_and_one_transaction(database: Database) -> None:
    _, seats = await a_class(database, 40)
    async with beats(database) as taken:
        await taken.tell(beat(seats[0]))
        statements: list[str] = []

        def note(*args: Any) -> None:
            statements.append(args[2])

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        await asyncio.gather(*(taken.tell(beat(seat, at=NINE + 1)) for seat in seats))
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    assert len([s for s in statements if s.startswith(("SELECT", "INSERT"))]) == 2
    assert len(await rows(database)) == 40


async def test_a_beat_that_does_not_count_takes_no_other_one_with_it(database: Database) -> None:
    lecture, (siti, budi, rudi) = await a_class(database, 3)
    async with database.writing() as session:
        gone = update(RegistrationRow).where(RegistrationRow.id == budi.id)
        await session.execute(gone.values(link_generation=2))
    async with beats(database) as taken:
        answers = await asyncio.gather(
            taken.tell(beat(siti)),
            taken.tell(beat(budi)),
            taken.tell(beat(rudi, identity=f"{siti.seat}.{TAB}")),
            taken.tell(beat(rudi, registration_id="nobody")),
            taken.tell(beat(rudi, lecture_id="another")),
            return_exceptions=True,
        )
    assert answers[0] is False
    assert [type(a).__name__ for a in answers[1:]] == ["NoSession", "Invalid", "NoSession", "NoSession"]
    assert [row.registration_id for row in await rows(database)] == [siti.id]
    assert lecture.id


async def test_a_database_that_is_away_is_told_to_all_and_the_next_beats_are_taken(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    _, (siti,) = await a_class(db, 1)
    away = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    async with beats(away) as taken:
        told = await asyncio.gather(*(taken.tell(beat(siti)) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in told] == [BeatsAway] * 3
        taken._database = db
        await taken.tell(beat(siti))
    assert len(await rows(db)) == 1
    await away.close()
    await db.close()


async def test_two_processes_may_tell_of_the_same_connections_at_once(database: Database) -> None:
    _, seats = await a_class(database, 30)
    async with beats(database, 0) as one, beats(database, 0) as other:
        for turn in range(5):
            forth = [one.tell(beat(seat, at=NINE + turn)) for seat in seats]
            back = [other.tell(beat(seat, at=NINE + turn)) for seat in reversed(seats)]
            await asyncio.gather(*forth, *back)
    assert {row.beats for row in await rows(database)} == {10}


async def test_what_waits_is_stored_before_the_site_ends(database: Database) -> None:
    _, (siti, budi) = await a_class(database, 2)
    taken = Heartbeats(database, collect_s=0.3)
    await taken.tell(beat(siti))
    waiting = asyncio.create_task(taken.tell(beat(budi)))
    await asyncio.sleep(0)
    await taken.close()
    await waiting
    assert len(await rows(database)) == 2


# --- over HTTP --------------------------------------------------------------------------------


async def came(site: RunningSite, seat: RegistrationRow) -> Visitor:
    """A browser that opened the seat's link."""

    visitor = site.visitor()
    token = link_token(site.parts.settings.link_key_bytes, seat.id, seat.link_generation)
    assert (await visitor.get(f"/j/{seat.id}.{token}")).status == 303
    return visitor


async def tell(visitor: Visitor, seat: RegistrationRow, **more: Any) -> int:
    body = {"connection": f"{seat.seat}.{TAB}", "sid": "PA_1", "visible": True}
    return (await visitor.post_json(f"/lectures/{seat.lecture_id}/heartbeat", body, **more)).status


async def test_a_link_that_is_revoked_stops_counting_at_once(site: RunningSite) -> None:
    _, (siti,) = await a_class(site.database, 1)
    visitor = await came(site, siti)
    assert await tell(visitor, siti) == 204
    async with site.database.writing() as session:
        revoked = update(RegistrationRow).where(RegistrationRow.id == siti.id)
        await session.execute(revoked.values(link_generation=2))
    assert await tell(visitor, siti) == 401
    assert [row.beats for row in await rows(site.database)] == [1]


async def test_beats_of_a_lecture_that_is_over_are_refused_so_that_settled_evidence_does_not_grow(
    site: RunningSite,
) -> None:
    lecture, (siti,) = await a_class(site.database, 1)
    visitor = await came(site, siti)
    async with site.database.writing() as session:
        over = update(LectureRow).where(LectureRow.id == lecture.id)
        await session.execute(over.values(state="ended", ended_at=NINE))
    site.clock.advance(GRACE_MS)
    assert await tell(visitor, siti) == 204
    site.clock.advance(1)
    assert await tell(visitor, siti) == 410
    async with site.database.writing() as session:
        await session.execute(update(LectureRow).where(LectureRow.id == lecture.id).values(state="final"))
    assert await tell(visitor, siti) == 410
    assert [row.beats for row in await rows(site.database)] == [1]


async def test_somebody_who_is_signed_in_needs_no_cookie_of_a_link(site: RunningSite) -> None:
    _, (siti, budi) = await a_class(site.database, 2)
    visitor = await site.signed_in(siti.person_id)
    assert await tell(visitor, siti) == 204
    assert await tell(visitor, budi) == 422
    assert [row.registration_id for row in await rows(site.database)] == [siti.id]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"headers": {"Origin": "https://evil.example"}}, 403),
        ({"headers": {"Content-Type": "text/plain"}}, 403),
        ({"headers": {"Host": "evil.example"}}, 421),
    ],
)
async def test_a_beat_comes_from_our_own_page_only(
    site: RunningSite, more: dict[str, Any], status: int
) -> None:
    _, (siti,) = await a_class(site.database, 1)
    visitor = await came(site, siti)
    assert await tell(visitor, siti, **more) == status
    assert await rows(site.database) == []


async def test_a_forged_cookie_is_nobody(site: RunningSite) -> None:
    _, (siti, budi) = await a_class(site.database, 2)
    visitor = await came(site, siti)
    path = f"/lectures/{siti.lecture_id}/"
    own = visitor.cookie("pendopo_seat", path)
    assert own
    for cookie in ("", own[:-1], own.replace(siti.id, budi.id), f"{siti.id}.1.", f"{siti.id}.1." + "0" * 40):
        stranger = site.visitor()
        headers = {"Cookie": f"pendopo_seat={cookie}"}
        assert await tell(stranger, siti, headers=headers) == 401, cookie
    assert await rows(site.database) == []


def test_refusals_are_refusals() -> None:
    assert issubclass(BeatsAway, Refused)
    assert BeatsAway.status == 503
    assert NoSession.status == 401


async def test_a_page_is_told_when_its_room_is_open_on_another_media_server(database: Database) -> None:
    lecture, (siti,) = await a_class(database, 1)
    async with database.writing() as session:
        room = await a_room(session, lecture, state="open", media_server="b")
        lost = await a_room(
            session,
            lecture,
            state="lost",
            media_server="b",
            name=f"{lecture.id}.b1",
            kind="breakout",
            position=1,
        )
        other = await a_room(
            session,
            await a_lecture(session, await an_institution(session, code="o")),
            state="open",
            media_server="b",
        )
    said = [
        {"room": room.name, "server": "a"},
        {"room": room.name, "server": "b"},
        {"room": room.name},
        # It is not open there yet; it is none; it is none of this lecture.
        {"room": lost.name, "server": "a"},
        {"room": f"{lecture.id}.b9", "server": "a"},
        {"room": other.name, "server": "a"},
    ]
    async with beats(database) as taken:
        told = await asyncio.gather(*(taken.tell(beat(siti, **more)) for more in said))
    assert told == [True, False, False, False, False, False]
