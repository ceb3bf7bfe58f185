"""What `/metrics` tells, and to whom."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from tests.build import HOUR, MINUTE, NINE
from tests.site import RunningSite, running_site
from webinar.config import Settings
from webinar.core import processes
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.core.effects_meter import LEASE_LOST, Meter
from webinar.core.tables import EffectRow
from webinar.processes import WrongSettings, require_secrets

TOKEN = "a token of the tests, of thirty-two bytes and more"


async def told(site: RunningSite, **headers: str) -> dict[tuple[str, ...], float]:
    """Every sample: its name and the values of its labels in the order of their names."""
    answer = await site.visitor().get("/metrics", headers=headers)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def a_process(site: RunningSite, name: str, seen_at: int, **detail: Any) -> None:
    async with site.database.writing() as session:
        await processes.beat(
            session, name=name, kind="scheduler", started_at=NINE, now=seen_at, detail=detail
        )


async def owe(site: RunningSite, key: str, **values: Any) -> None:
    row = {
        "key": key, "kind": "invite", "subject": "invites:x", "payload": {}, "due_at": NINE, "state": "owed",
        "fence": 0, "attempts": 0, "nudged": False, "created_at": NINE,
    }  # fmt: skip
    async with site.database.writing() as session:
        await session.execute(insert(EffectRow).values(**row | values))


async def test_what_is_owed_is_told_by_kind_and_how_it_stands(site: RunningSite) -> None:
    await owe(site, "late", due_at=NINE - MINUTE)
    await owe(site, "ahead", due_at=NINE + HOUR)
    await owe(site, "parked", state="parked")
    found = await told(site)
    assert found["pendopo_database_up",] == 1
    assert found["pendopo_effects", "invite", "late"] == 1
    assert found["pendopo_effects", "invite", "parked"] == 1
    assert found["pendopo_effects", "invite", "due"] == 0
    assert found["pendopo_effects_owed", "invite"] == 2
    assert found["pendopo_effects_oldest_lateness_seconds", "invite"] == 60
    assert found["pendopo_mail_holds",] == 0


async def test_lateness_is_a_histogram_by_kind_of_what_each_scheduler_counted(site: RunningSite) -> None:
    meter = Meter()
    for late_ms, how in ((5, "done"), (150, "done"), (90_000, LEASE_LOST)):
        meter.began("invite", late_ms)
        meter.ended("invite", how)
    detail = {"clock_ahead_ms": -31_000, "media": {"main": "media_unavailable", "b": None}}
    await a_process(site, "a", NINE, effects=meter.told(), **detail)
    await a_process(site, "b", NINE - HOUR, effects=Meter().told())
    found = await told(site)
    late = "pendopo_effect_lateness_seconds"
    bounds = ("0.01", "0.1", "0.2", "60", "300", "+Inf")
    buckets = [found[f"{late}_bucket", "invite", le, "a"] for le in bounds]
    assert buckets == [1, 1, 2, 2, 3, 3]
    assert found[f"{late}_sum", "invite", "a"] == pytest.approx(90.155)
    assert found["pendopo_effects_claimed_total", "invite", "a"] == 3
    assert found["pendopo_effects_ended_total", "done", "invite", "a"] == 2
    assert found["pendopo_effect_leases_lost_total", "invite", "a"] == 1
    assert found["pendopo_process_clock_ahead_seconds", "scheduler", "a"] == -31
    assert found["pendopo_media_server_up", "a", "main"] == 0
    assert found["pendopo_media_server_up", "a", "b"] == 1
    assert found["pendopo_processes", "scheduler"] == 1
    assert found["pendopo_process_last_seen_seconds", "scheduler", "b"] == 3_600


async def test_a_database_that_is_away_is_told_as_such(sqlite_url: str, clock: ManualClock) -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    async with running_site(database, clock) as site:
        assert await told(site) == {("pendopo_database_up",): 0}
    await database.close()


async def test_without_a_token_only_this_machine_reads_and_through_no_proxy(site: RunningSite) -> None:
    for name in ("X-Forwarded-For", "Forwarded"):
        assert (await site.visitor().get("/metrics", headers={name: "127.0.0.1"})).status == 401


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Bearer {TOKEN}x", TOKEN[:-1], "Bearer \xe9"])
async def test_with_a_token_nobody_reads_who_has_it_not(
    database: Database, clock: ManualClock, given: str
) -> None:
    async with running_site(database, clock, metrics_token=TOKEN) as site:
        answer = await site.visitor().get("/metrics", headers={"Authorization": given} if given else {})
    assert answer.status == 401


async def test_with_a_token_it_is_read_from_anywhere(database: Database, clock: ManualClock) -> None:
    async with running_site(database, clock, metrics_token=TOKEN) as site:
        found = await told(site, **{"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"})
    assert found["pendopo_database_up",] == 1


def test_a_token_that_can_be_guessed_is_refused_at_the_start() -> None:
    settings = Settings(link_key="k" * 32, media_api_secret="s" * 32, metrics_token="short")
    with pytest.raises(WrongSettings, match="METRICS_TOKEN"):
        require_secrets(settings)
