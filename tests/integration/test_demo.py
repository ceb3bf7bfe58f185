"""The demonstration: what it promises is there, made by the services, and it can be renewed."""

import os
import sqlite3
import sys
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from recordings import service as recordings
from tests.build import DAY, HOUR, MINUTE, an_institution
from webinar import demo
from webinar.attendance import service as attendance
from webinar.cli import main
from webinar.config import Settings
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.demo import people
from webinar.demo.people import City
from webinar.demo.series import first_day
from webinar.hours import service as hours
from webinar.invites import owing
from webinar.lectures import store
from webinar.lectures.rules import Lecture, LectureState
from webinar.people.access import Scope
from webinar.people.store import count_persons, units
from webinar.series import store as series


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, data=tmp_path, link_key="k" * 32)


async def the_city(database: Database) -> City:
    async with database.reading() as session:
        city = await people.found(session)
    assert city is not None
    return city


async def lectures_of(database: Database, city: City) -> list[Lecture]:
    async with database.reading() as session:
        return await store.page(session, city.scope, limit=50)


async def test_it_holds_one_institution_with_three_units_and_forty_people(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    lines = await demo.put_in(settings, clock)
    city = await the_city(database)
    async with database.reading() as session:
        assert len(await units(session, city.scope)) == 1 + 3
        assert await count_persons(session, city.scope) == 40
    assert len(lines) == 1 + 5


async def test_a_lecture_starts_in_a_few_minutes_and_another_has_ended_with_attendance_and_a_replay(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    await demo.put_in(settings, clock)
    city = await the_city(database)
    lectures = await lectures_of(database, city)
    assert any(0 < lecture.starts_at - clock.now() <= 5 * MINUTE for lecture in lectures)
    ended = next(one for one in lectures if one.state is LectureState.FINAL and one.recorded)
    async with database.reading() as session:
        log = await attendance.log_of(session, ended, clock.now())
        states = {entry.credit.state.value for entry in log.entries}
        assert {"credited", "not_credited", "absent"} <= states
        assert any(len(entry.presence.intervals) > 1 for entry in log.entries)
        replay = await recordings.replay(session, city.scope, ended.id, clock.now())
        assert replay.duration_ms == 20_000
        assert (await hours.verify(session, city.id)).holds


async def test_the_participant_has_hours_to_look_at(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    await demo.put_in(settings, clock)
    city = await the_city(database)
    me = city.people[people.PARTICIPANT]
    async with database.reading() as session:
        year = await hours.year_of(session, Scope(city.id, me), me, 2026, clock.now())
    # Two lectures of 2 JP, and of the weekly series the four editions that were held.
    assert year.total == 800


async def test_again_at_once_changes_nothing_and_the_next_day_there_is_a_lecture_in_a_few_minutes(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    await demo.put_in(settings, clock)
    city = await the_city(database)
    first = await lectures_of(database, city)
    await demo.put_in(settings, clock)
    assert await lectures_of(database, city) == first
    clock.advance(DAY + HOUR)
    await demo.put_in(settings, clock)
    fresh = [one for one in await lectures_of(database, city) if one not in first]
    assert [0 < one.starts_at - clock.now() <= 5 * MINUTE for one in fresh] == [True]


async def test_it_is_never_put_beside_a_real_institution(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    async with database.writing() as session:
        await an_institution(session)
    with pytest.raises(demo.InUse):
        await demo.put_in(settings, clock)


async def test_a_weekly_series_grows_with_an_edition_off_one_moved_and_holidays_left_out(
    settings: Settings, database: Database, clock: ManualClock
) -> None:
    await demo.put_in(settings, clock)
    city = await the_city(database)
    async with database.reading() as session:
        [forum] = await series.page(session, city.scope)
        editions = await series.editions(session, forum.id)
        figures = await series.figures(session, editions)
    held = [one for one in figures if one.came is not None]
    assert len(held) == 4
    assert all(later.registered > earlier.registered for earlier, later in pairwise(held))
    assert all((one.more_came or 0) > 0 for one in held[1:])
    states = [one.lecture.state for one in editions]
    assert states.count(LectureState.CANCELLED) == 1
    assert states.count(LectureState.SCHEDULED) == 5
    assert [one.own for one in editions if one.own] == [("starts_wall",)]
    assert forum.skips_holidays
    days = [date.fromisoformat(one.slot[:10]) for one in editions]
    assert any((later - earlier).days > 7 for earlier, later in pairwise(days))
    assert await series_members(database, forum.id) == 32
    async with database.reading() as session:
        for one in editions:
            if one.lecture.ends_at < clock.now():
                assert set(await owing.counts(session, one.lecture, clock.now())) == {"accepted"}
                # Nobody gets a mail about what is long over.
                assert not (await owing.ahead(session, one.lecture)).anybody


async def series_members(database: Database, series_id: str) -> int:
    async with database.reading() as session:
        return await series.count_members(session, series_id)


@pytest.mark.parametrize("today", [date(2026, 11, 25) + timedelta(days=n) for n in range(0, 380, 19)])
def test_the_series_begins_on_a_working_day_that_meets_no_edition_today(today: date) -> None:
    first = first_day(today)
    assert first.weekday() < 5
    assert 29 <= (today - first).days <= 34
    assert (today - first).days % 7


def test_the_command_puts_it_into_the_folder_that_it_is_given_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("PENDOPO_")]:
        monkeypatch.delenv(name)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    there = tmp_path / "there"
    there.mkdir()
    for command in ("migrate", "demo"):
        monkeypatch.setattr(sys, "argv", ["webinar", command, "--data", str(there)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
    assert list(elsewhere.iterdir()) == []
    with closing(sqlite3.connect(there / "pendopo.db")) as database:
        assert database.execute("SELECT count(*) FROM lectures").fetchone()[0] > 0
