"""Evidence as it is read: of everybody, of one person, and as it was up to a high-water mark."""

from sqlalchemy import event, insert

from recordings.tables import RecordingRow
from tests.build import MINUTE, NINE, SECOND
from tests.integration.attendance_scene import Scene, scene
from webinar.evidence import store
from webinar.evidence.digest_rules import digest_of
from webinar.evidence.rules import Answer, Check, Evidence, Replay, Segments
from webinar.evidence.store import Only
from webinar.evidence.tables import AnswerRow, PresenceCheckRow, ReplayBeatRow, SegmentRow

__all__ = ["scene"]


async def read(scene: Scene, **how: object) -> Evidence:
    async with scene.db.reading() as session:
        return await store.evidence_of(session, scene.lecture.id, [scene.room], **how)  # type: ignore[arg-type]


async def beat(scene: Scene, seat: str, at: int, *, leaving: bool = False) -> None:
    async with scene.db.writing() as session:
        await store.record_heartbeat(
            session,
            lecture_id=scene.lecture.id,
            registration_id=scene.seats[seat].id,
            identity=f"{seat}.tab",
            participant_sid=f"PA_{seat}",
            visible=True,
            leaving=leaving,
            at=at,
        )


async def everything(scene: Scene) -> None:
    """Both stay for an hour; one check is asked and one is not; each answers and watches a minute again."""
    async with scene.db.writing() as session:
        lecture = scene.lecture.id
        for number, asked_at in ((1, NINE + 20 * MINUTE), (2, None)):
            closes_at = None if asked_at is None else asked_at + 120 * SECOND
            await session.execute(
                insert(PresenceCheckRow).values(
                    id=f"check{number}",
                    lecture_id=lecture,
                    number=number,
                    due_at=NINE + number * 20 * MINUTE,
                    asked_at=asked_at,
                    closes_at=closes_at,
                )
            )
        await session.execute(
            insert(RecordingRow).values(
                id="rec", institution_id=scene.lecture.institution_id, lecture_id=lecture, state="ready"
            )
        )
    for seat in ("budi", "siti"):
        await scene.stayed(seat, NINE, NINE + 60 * MINUTE)
        await beat(scene, seat, NINE + 15 * SECOND)
        whose = {"registration_id": scene.seats[seat].id, "lecture_id": scene.lecture.id}
        minute = {
            "minute": NINE // MINUTE + 99,
            "first_at": NINE + 99 * MINUTE,
            "last_at": NINE + 99 * MINUTE,
        }
        async with scene.db.writing() as session:
            await session.execute(
                insert(AnswerRow).values(
                    check_id="check1",
                    identity=f"{seat}.tab",
                    answered_at=NINE + 21 * MINUTE,
                    how="click",
                    **whose,
                )
            )
            await session.execute(
                insert(ReplayBeatRow).values(
                    player="p",
                    recording_id="rec",
                    spans=[[NINE, NINE + MINUTE]],
                    beats=4,
                    **whose,
                    **minute,
                )
            )
            await session.execute(
                insert(SegmentRow).values(segments=15, from_at=NINE, to_at=NINE + MINUTE, **whose, **minute)
            )


async def test_evidence_has_every_source(scene: Scene) -> None:
    await everything(scene)
    found = await read(scene)
    budi = scene.seats["budi"].id
    asked_at, minute = NINE + 20 * MINUTE, NINE // MINUTE + 99
    assert found.checks == (Check("check1", 1, asked_at, asked_at + 120_000),)
    assert Answer("check1", budi, "budi.tab", asked_at + MINUTE, "click") in found.answers
    watched_at = NINE + 99 * MINUTE
    assert (
        Replay(budi, "p", minute, "rec", ((NINE, NINE + MINUTE),), watched_at, watched_at, 4) in found.replays
    )
    assert Segments(budi, minute, watched_at, watched_at, 15, NINE, NINE + MINUTE) in found.segments
    assert {name: len(getattr(found, name)) for name in ("events", "beats", "answers", "segments")} == {
        "events": 4,
        "beats": 2,
        "answers": 2,
        "segments": 2,
    }
    assert (found.high_water["checks"], found.high_water["segments"]) == (asked_at, watched_at)


async def test_of_one_person_only_the_own_is_read(scene: Scene) -> None:
    await everything(scene)
    found = await read(scene, only=Only(scene.seats["siti"].id, "siti"))
    assert {one.registration_id for one in (*found.answers, *found.replays, *found.segments)} == {
        scene.seats["siti"].id
    }
    assert {one.identity for one in found.beats} == {"siti.tab"}
    assert len(found.checks) == 1


async def test_what_came_after_the_high_water_mark_is_left_out(scene: Scene) -> None:
    await everything(scene)
    settled = await read(scene)
    await scene.stayed("agus", NINE, NINE + 5 * MINUTE)
    await beat(scene, "budi", NINE + 20 * MINUTE)
    now = await read(scene)
    then = await read(scene, until=settled.high_water)
    assert digest_of(then) == digest_of(settled)
    assert digest_of(now) != digest_of(settled)
    assert then.high_water == settled.high_water


async def test_a_minute_that_grew_after_the_mark_ends_where_it_did(scene: Scene) -> None:
    await beat(scene, "budi", NINE + 5 * SECOND)
    settled = await read(scene)
    await beat(scene, "budi", NINE + 20 * SECOND, leaving=True)
    (then,) = (await read(scene, until=settled.high_water)).beats
    assert (then.first_at, then.last_at, then.left_at) == (NINE + 5 * SECOND, NINE + 5 * SECOND, None)


async def test_a_mark_that_names_no_source_reads_nothing_of_it(scene: Scene) -> None:
    await everything(scene)
    assert await read(scene, until={}) == Evidence()


async def test_evidence_costs_seven_statements_whoever_is_in_it(scene: Scene) -> None:
    await everything(scene)
    asked: list[str] = []

    def told(_a: object, _b: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(scene.db.engine.sync_engine, "before_cursor_execute", told)
    await read(scene)
    event.remove(scene.db.engine.sync_engine, "before_cursor_execute", told)
    assert len([one for one in asked if one.lstrip().upper().startswith("SELECT")]) == 7
