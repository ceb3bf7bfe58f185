"""A replay is for who was registered, its lecturers and its organisers; for others there is none."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from recordings.playlist import INDEX, MASTER, init_name, segment_name
from recordings.tables import RecordingRow
from tests.build import (
    LAST_WEEK,
    NINE,
    a_lecture,
    a_person,
    a_policy,
    a_recording,
    a_role,
    a_unit,
    an_institution,
)
from tests.site import LINK_KEY, RunningSite, Visitor
from webinar.core.audit import SYSTEM
from webinar.evidence.tables import ReplayBeatRow
from webinar.lectures import booking, store
from webinar.lectures.rules import Registration, Seat, join_url, link_token
from webinar.lectures.tables import LectureRow
from webinar.policies.tables import PolicyRow

KEY = LINK_KEY.encode()
INIT, SEGMENT = init_name(0), segment_name(0, 0)
NAMES = ("", f"/{MASTER}", f"/{INDEX}", f"/{INIT}", f"/{SEGMENT}")


@dataclass
class Replay:
    site: RunningSite
    lecture_id: str
    recording_id: str
    people: dict[str, str]
    seats: dict[str, Registration]

    async def by_link(self, name: str) -> Visitor:
        seat = self.seats[name]
        visitor = self.site.visitor()
        await visitor.get(join_url("", seat.id, link_token(KEY, seat.id, 1)))
        return visitor

    async def statuses(self, visitor: Visitor) -> set[int]:
        path = f"/lectures/{self.lecture_id}/replay"
        return {(await visitor.get(path + name)).status for name in NAMES}

    async def set(self, **values: object) -> None:
        async with self.site.database.writing() as session:
            await session.execute(
                update(RecordingRow).where(RecordingRow.id == self.recording_id).values(**values)
            )


@pytest.fixture
async def replay(site: RunningSite) -> Replay:
    async with site.database.writing() as session:
        institution = await an_institution(session)
        unit = await a_unit(session, institution)
        other_unit = await a_unit(session, institution, name="Other")
        row = await a_lecture(session, unit, policy=await a_policy(session, institution), recorded=True)
        people = {n: await a_person(session, unit, name=n) for n in ("Maya", "Ani", "Budi", "Oka", "Eko")}
        people["Rita"] = await a_person(session, other_unit, name="Rita")
        await a_role(session, people["Oka"], unit)
        await a_role(session, people["Rita"], other_unit)
        elsewhere = await an_institution(session, code="lain")
        people["Zul"] = await a_person(session, elsewhere, name="Zul", role="administrator")
        lecture = await store.find(session, row.id)
        assert lecture is not None
        for name, role in (("Maya", Seat.LECTURER), ("Ani", Seat.PARTICIPANT), ("Eko", Seat.PARTICIPANT)):
            await booking.register(
                session, lecture, [people[name].id], role=role, now=LAST_WEEK, actor=SYSTEM, link_key=KEY
            )
        seats = {s.name: s for s in await store.registrations(session, row.id)}
        await booking.cancel_registration(session, lecture, seats["Eko"], now=LAST_WEEK, actor=SYSTEM)
        await session.execute(update(LectureRow).values(state="final"))
        files = ((INIT, 0), (SEGMENT, 4_000))
        recording = await a_recording(session, site.storage, row, files, published_at=NINE)
    return Replay(site, row.id, recording.id, {n: p.id for n, p in people.items()}, seats)


async def test_who_was_registered_taught_or_organises_may_watch(replay: Replay) -> None:
    for name in ("Ani", "Maya"):
        assert await replay.statuses(await replay.by_link(name)) == {200}
    for name in ("Ani", "Maya", "Oka"):
        assert await replay.statuses(await replay.site.signed_in(replay.people[name])) == {200}


async def test_for_anybody_else_it_does_not_exist(replay: Replay) -> None:
    assert await replay.statuses(replay.site.visitor()) == {404}
    for name in ("Budi", "Eko", "Rita", "Zul"):
        assert await replay.statuses(await replay.site.signed_in(replay.people[name])) == {404}, name
    # The link of a cancelled registration gives no cookie to come with.
    assert await replay.statuses(await replay.by_link("Eko")) == {404}


@pytest.mark.parametrize(
    "values",
    [
        {"state": "finishing"},
        {"state": "recording"},
        {"state": "withdrawn"},
        {"state": "failed"},
        {"expires_at": NINE},
    ],
)
async def test_what_is_not_published_withdrawn_or_expired_does_not_exist(
    replay: Replay, values: dict[str, object]
) -> None:
    await replay.set(**values)
    for visitor in (await replay.by_link("Ani"), await replay.site.signed_in(replay.people["Oka"])):
        assert await replay.statuses(visitor) == {404}


async def test_a_range_of_a_segment_is_answered_as_asked(replay: Replay) -> None:
    visitor = await replay.by_link("Ani")
    path = f"/lectures/{replay.lecture_id}/replay/{SEGMENT}"
    whole = (await visitor.get(path)).body
    part = await visitor.get(path, headers={"Range": "bytes=3-9"})
    assert (part.status, part.body) == (206, whole[3:10])
    assert part.headers["Content-Range"] == f"bytes 3-9/{len(whole)}"
    assert (await visitor.get(path, headers={"Range": "bytes=-5"})).body == whole[-5:]
    assert (await visitor.get(path, headers={"Range": f"bytes={len(whole)}-"})).status == 416
    assert (await visitor.get(path, headers={"Range": "bytes=x"})).status == 416
    assert (await replay.site.visitor().get(path, headers={"Range": "bytes=0-1"})).status == 404


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fpendopo.db",
        "%2e%2e/x",
        "p0000-init.mp4%00",
        "..",
        "p0009-000001.m4s",
        "index.m3u8%2f..",
        "p0000-init.MP4",
    ],
)
async def test_no_path_leads_out_of_the_recording(replay: Replay, name: str) -> None:
    answer = await (await replay.by_link("Ani")).get(f"/lectures/{replay.lecture_id}/replay/{name}")
    assert answer.status in {404, 400}


async def test_the_list_shows_what_may_be_watched(replay: Replay) -> None:
    shown = await (await replay.site.signed_in(replay.people["Ani"])).get("/recordings")
    assert replay.lecture_id in shown.text
    hidden = await (await replay.site.signed_in(replay.people["Budi"])).get("/recordings")
    assert replay.lecture_id not in hidden.text


async def counts(replay: Replay, percent: int = 100) -> None:
    """The lecture's policy counts the replay, and its hours are not settled."""
    async with replay.site.database.writing() as session:
        await session.execute(update(PolicyRow).values(replay_percent=percent, replay_days=7))
        over = {
            "state": "ended",
            "starts_at": NINE,
            "ends_at": NINE + 3_600_000,
            "ended_at": NINE + 3_600_000,
        }
        await session.execute(update(LectureRow).values(**over))


async def tell(replay: Replay, visitor: Visitor, *played: tuple[float, float], player: str = "p" * 16) -> int:
    path = f"/lectures/{replay.lecture_id}/replay/watched"
    said = {"player": player, "played": [list(one) for one in played]}
    return (await visitor.post_json(path, said)).status


async def watched(replay: Replay) -> list[tuple[list[list[int]], int]]:
    async with replay.site.database.reading() as session:
        found = (await session.scalars(select(ReplayBeatRow).order_by(ReplayBeatRow.minute))).all()
    return [(row.spans, row.beats) for row in found]


async def test_what_was_played_is_kept_as_instants_of_the_lecture_and_no_faster_than_time(
    replay: Replay,
) -> None:
    await counts(replay)
    ani = await replay.by_link("Ani")
    assert await tell(replay, ani) == 204
    replay.site.clock.advance(1_000)
    assert await tell(replay, ani, (0, 4)) == 204
    replay.site.clock.advance(2_000)
    assert await tell(replay, ani, (3, 4)) == 204
    assert await watched(replay) == [([[NINE, NINE + 1_100], [NINE + 3_000, NINE + 4_000]], 3)]


async def test_nothing_is_kept_where_the_replay_does_not_count_or_no_longer(replay: Replay) -> None:
    ani = await replay.by_link("Ani")
    assert await tell(replay, ani) == 204
    await counts(replay, percent=0)
    assert await tell(replay, ani) == 204
    page = (await ani.get(f"/lectures/{replay.lecture_id}/replay")).text
    assert "data-watched" not in page
    await counts(replay)
    page = (await ani.get(f"/lectures/{replay.lecture_id}/replay")).text
    assert f'data-watched="/lectures/{replay.lecture_id}/replay/watched"' in page
    replay.site.clock.advance(8 * 24 * 3_600_000)
    assert await tell(replay, ani) == 204
    assert await watched(replay) == []


async def test_only_who_has_a_seat_tells_what_was_played(replay: Replay) -> None:
    await counts(replay)
    assert await tell(replay, replay.site.visitor()) == 404
    assert await tell(replay, await replay.site.signed_in(replay.people["Budi"])) == 404
    assert await tell(replay, await replay.site.signed_in(replay.people["Oka"])) == 404
    ani = await replay.by_link("Ani")
    assert await tell(replay, ani, player="../../etc") == 422
    assert await watched(replay) == []
