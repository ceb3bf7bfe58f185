"""Watching as it runs, without the room: who may, what is told first, and what it is worth."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from recordings.playlist import INDEX, STREAM_SEGMENTS, init_name, segment_name
from recordings.tables import RecordingRow
from tests.build import NINE, a_lecture, a_person, a_policy, a_recording, a_registration, an_institution
from tests.site import LINK_KEY, RunningSite, Visitor
from webinar.attendance import service as attendance
from webinar.classroom.consent import NOTICE_VERSION
from webinar.classroom.tables import ConsentRow
from webinar.core.clock import ManualClock
from webinar.evidence.tables import SegmentRow
from webinar.lectures.rules import join_url, link_token
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.access import Scope

SEGMENT_MS = 4_000
RECORDED = 20


@dataclass
class Stream:
    site: RunningSite
    lecture_id: str
    recording_id: str
    seat: RegistrationRow
    visitor: Visitor

    async def get(self, name: str = "") -> int:
        return (await self.visitor.get(self._path(name))).status

    async def text(self, name: str) -> str:
        return (await self.visitor.get(self._path(name))).text

    async def agree(self) -> int:
        return (await self.visitor.post_json(self._path(), {"notice": NOTICE_VERSION})).status

    async def set(self, **values: object) -> None:
        async with self.site.database.writing() as session:
            await session.execute(update(RecordingRow).values(**values))

    async def fetched(self) -> list[SegmentRow]:
        async with self.site.database.reading() as session:
            return list(await session.scalars(select(SegmentRow).order_by(SegmentRow.minute)))

    def _path(self, name: str = "") -> str:
        return f"/lectures/{self.lecture_id}/stream" + (f"/{name}" if name else "")


@pytest.fixture
async def stream(site: RunningSite) -> Stream:
    async with site.database.writing() as session:
        unit = await an_institution(session)
        policy = await a_policy(session, unit, tolerance_s=0)
        row = await a_lecture(session, unit, policy=policy, starts_at=NINE, state="live", recorded=True)
        seat = await a_registration(session, row, await a_person(session, unit, name="Ani"))
        # Two parts: the recorder was started anew after three segments.
        names = [(init_name(1), 0), *((segment_name(1, n), SEGMENT_MS) for n in range(3))]
        names += [(init_name(2), 0), *((segment_name(2, n), SEGMENT_MS) for n in range(RECORDED - 3))]
        recording = await a_recording(session, site.storage, row, names, state="recording")
    visitor = site.visitor()
    await visitor.get(join_url("", seat.id, link_token(LINK_KEY.encode(), seat.id, 1)))
    return Stream(site, row.id, recording.id, seat, visitor)


async def test_nobody_watches_before_they_were_told_what_is_kept(stream: Stream) -> None:
    assert await stream.get() == 200
    assert await stream.get(INDEX) == 428
    assert await stream.get(segment_name(2, 5)) == 428
    assert await stream.fetched() == []
    assert await stream.agree() == 204
    assert await stream.get(INDEX) == 200
    async with stream.site.database.reading() as session:
        kinds = await session.scalars(select(ConsentRow.kind).order_by(ConsentRow.kind))
        assert list(kinds) == ["notice", "recording"]


async def test_another_version_of_the_notice_is_no_consent(stream: Stream) -> None:
    answer = await stream.visitor.post_json(
        f"/lectures/{stream.lecture_id}/stream", {"notice": NOTICE_VERSION + 1}
    )
    assert answer.status == 428
    assert await stream.get(INDEX) == 428


async def test_the_list_names_the_newest_minute_and_counts_what_came_before(stream: Stream) -> None:
    await stream.agree()
    lines = (await stream.text(INDEX)).splitlines()
    segments = [line for line in lines if line.endswith(".m4s")]
    assert segments == [segment_name(2, n) for n in range(RECORDED - 3)][-STREAM_SEGMENTS:]
    assert f"#EXT-X-MEDIA-SEQUENCE:{RECORDED - STREAM_SEGMENTS}" in lines
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1" in lines
    assert "#EXT-X-ENDLIST" not in lines


async def test_each_segment_that_is_handed_out_is_evidence(stream: Stream) -> None:
    await stream.agree()
    for name in (init_name(2), segment_name(2, 14), segment_name(2, 15), segment_name(2, 15)):
        assert await stream.get(name) == 200
    (row,) = await stream.fetched()
    assert (row.registration_id, row.lecture_id, row.segments) == (stream.seat.id, stream.lecture_id, 3)
    shown_from = NINE + (3 + 14) * SEGMENT_MS
    assert (row.from_at, row.to_at) == (shown_from, shown_from + 2 * SEGMENT_MS)


@pytest.mark.parametrize("state", ["wanted", "failed", "withdrawn"])
async def test_before_there_is_something_to_show_the_page_waits(stream: Stream, state: str) -> None:
    await stream.agree()
    await stream.set(state=state)
    assert await stream.get(INDEX) == 409
    assert await stream.get() == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [({"state": "cancelled"}, 410), ({"state": "final"}, 410), ({"state": "ended"}, 410)],
)
async def test_it_is_over_with_the_lecture(stream: Stream, change: dict[str, str], status: int) -> None:
    await stream.agree()
    async with stream.site.database.writing() as session:
        await session.execute(update(LectureRow).values(**change))
    assert await stream.get(segment_name(2, 5)) == status
    assert await stream.fetched() == []


@pytest.mark.parametrize("change", [{"removed_at": NINE}, {"state": "cancelled"}, {"link_generation": 2}])
async def test_who_is_put_out_of_the_room_watches_no_longer(
    stream: Stream, change: dict[str, object]
) -> None:
    await stream.agree()
    async with stream.site.database.writing() as session:
        await session.execute(update(RegistrationRow).values(**change))
    assert await stream.get(segment_name(2, 5)) in {401, 403}
    assert await stream.fetched() == []


@pytest.mark.parametrize("name", ["p0002-999999.m4s", "..%2f..%2fetc%2fpasswd", "master.m3u8"])
async def test_only_files_of_the_recording_are_handed_out(stream: Stream, name: str) -> None:
    await stream.agree()
    assert await stream.get(name) == 404


async def test_watching_with_an_open_page_is_presence_and_the_page_alone_is_not(
    stream: Stream, clock: ManualClock
) -> None:
    await stream.agree()
    beats_only, watched = 60, 120
    for second in range(0, beats_only + watched + 1, 15):
        clock.advance(NINE + second * 1000 - clock.now())
        beat = {"connection": f"{stream.seat.seat}.abcdefgh", "sid": "", "visible": True}
        path = f"/lectures/{stream.lecture_id}/heartbeat"
        assert (await stream.visitor.post_json(path, beat)).status == 204
        # A segment confirms the minute before it: the page was alone for the first one.
        if second >= 2 * beats_only:
            assert await stream.get(segment_name(2, 10)) == 200
    async with stream.site.database.reading() as session:
        log = await attendance.log(session, Scope.everything(), stream.lecture_id, clock.now())
    (entry,) = log.entries
    assert entry.credit.seconds == watched
    assert entry.credit.uncertainty_s >= beats_only
