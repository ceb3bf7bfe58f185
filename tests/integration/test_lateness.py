"""After days without a scheduler each kind does what the table of `late_rules` says, and says why."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import DAY, HOUR, MINUTE, NINE
from tests.integration.death_scenes import SCENES
from tests.integration.deaths import MortalDatabase, Stage
from webinar.core.clock import ManualClock
from webinar.core.late_rules import LATE
from webinar.core.tables import AuditRow, EffectRow
from webinar.evidence.tables import SweepRow
from webinar.hours import contests
from webinar.hours.tables import ContestRow
from webinar.lectures.tables import LectureRow
from webinar.people.access import Scope

BOOKED = {scene.kind: scene for scene in SCENES}


async def nothing(_: AsyncSession) -> None:
    """Only time passes."""


async def it_ends(session: AsyncSession) -> None:
    await session.execute(update(LectureRow).values(state="ended", ended_at=NINE + HOUR))


async def it_is_decided(session: AsyncSession) -> None:
    [one] = await session.scalars(select(ContestRow))
    scope = Scope.system(one.institution_id)
    await contests.refuse(session, scope, one.id, reason="Tidak ada bukti.", now=NINE + 3 * HOUR)


class Lately(NamedTuple):
    """When a scheduler runs again, what happened meanwhile, and how the effect stands then."""

    at: int
    state: str
    meanwhile: Callable[[AsyncSession], Awaitable[None]] = nothing


AFTERWARDS = {
    # It is settled when its quiet period, which begins only now, is over.
    "lecture": Lately(NINE + 2 * DAY, "owed"),
    "sweep": Lately(NINE + 3 * HOUR, "skipped", it_ends),
    "announce": Lately(NINE + DAY, "done"),
    "invite": Lately(NINE + DAY, "skipped"),
    "remind": Lately(NINE - 10 * MINUTE, "skipped"),
    "reminder": Lately(NINE - 10 * MINUTE, "skipped"),
    "contest": Lately(NINE + DAY, "skipped", it_is_decided),
    "mail": Lately(NINE + DAY, "skipped"),
    "import": Lately(NINE + DAY, "done"),
    "check": Lately(NINE + 89 * MINUTE + 30_000, "skipped"),
    "tally": Lately(NINE + HOUR, "owed"),
    "remove": Lately(NINE + DAY, "done"),
    "series": Lately(NINE + 10 * DAY, "done"),
    "release": Lately(NINE + DAY, "done"),
    "report": Lately(NINE + 30 * DAY, "done"),
    "retention": Lately(NINE + 4_000 * DAY, "owed"),
}


def test_each_kind_is_here() -> None:
    assert set(AFTERWARDS) == set(LATE)
    assert {kind for kind, one in AFTERWARDS.items() if one.state == "skipped"} == {
        kind for kind, rule in LATE.items() if rule.skipped
    }


async def stand(kind: str, url: str, folder: Path) -> tuple[Stage, list[EffectRow]]:
    """Booked, nobody works for a time, then one process does what is due."""
    late = AFTERWARDS[kind]
    stage = Stage(MortalDatabase(url), folder, ManualClock(BOOKED[kind].moments[0]))
    await BOOKED[kind].book(stage)
    await BOOKED[kind].furnish(stage)
    async with stage.db.writing() as session:
        await late.meanwhile(session)
    stage.clock.at = late.at
    stage.mailer.heal()
    await stage.settle()
    async with stage.db.reading() as session:
        found = await session.scalars(select(EffectRow).where(EffectRow.kind == kind).order_by(EffectRow.id))
        return stage, list(found)


@pytest.mark.parametrize("kind", AFTERWARDS)
async def test_what_is_late_stands_as_the_table_says_with_its_reason(
    kind: str, database_url: str, tmp_path: Path
) -> None:
    stage, rows = await stand(kind, database_url, tmp_path)
    late = AFTERWARDS[kind]
    assert rows
    first = rows[0]
    assert (first.state, first.last_error) == (late.state, LATE[kind].skipped or None)
    if late.state == "owed":
        assert first.due_at > late.at
    await stage.db.close()


async def test_a_lecture_that_was_missed_gets_no_room_and_its_timeline_says_so(
    sqlite_url: str, tmp_path: Path
) -> None:
    stage, _ = await stand("lecture", sqlite_url, tmp_path)
    async with stage.db.reading() as session:
        told = list(await session.scalars(select(AuditRow.action).order_by(AuditRow.id)))
    assert told == ["missed", "ended"]
    assert await stage.media.list_rooms() == []
    await stage.db.close()


async def test_all_the_looks_that_were_missed_become_one(sqlite_url: str, tmp_path: Path) -> None:
    stage = Stage(MortalDatabase(sqlite_url), tmp_path, ManualClock(NINE))
    await BOOKED["sweep"].book(stage)
    await BOOKED["sweep"].furnish(stage)
    stage.clock.at = NINE + HOUR
    await stage.settle()
    async with stage.db.reading() as session:
        assert [sweep.at for sweep in await session.scalars(select(SweepRow))] == [NINE + HOUR]
    await stage.db.close()


@pytest.mark.parametrize("kind", ["invite", "mail", "contest"])
async def test_a_mail_that_helps_nobody_any_more_does_not_go_out(
    kind: str, sqlite_url: str, tmp_path: Path
) -> None:
    stage, rows = await stand(kind, sqlite_url, tmp_path)
    # That it is decided is told to who contested.
    assert len(stage.mailer.sent) == (1 if kind == "contest" else 0)
    assert all(row.finished_at == AFTERWARDS[kind].at for row in rows if row.state == "skipped")
    await stage.db.close()
