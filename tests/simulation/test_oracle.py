"""The oracle can fail: with a service that is wrong it says so."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.simulation.oracle import VERIFY_EVERY, seconds_within
from tests.simulation.scenario import Act, Scenario, Somebody, scenario
from tests.simulation.simulate import simulate
from webinar.attendance import log_rules, rules, service
from webinar.attendance import store as attendances
from webinar.attendance.credit_rules import Interval, Presence
from webinar.attendance.rules import Connection
from webinar.hours import posting

SEED = 9


def a_plan(*people: Somebody, **fields: Any) -> Scenario:
    smooth: dict[str, Any] = {
        "people": people, "faults": (), "loses": 0.0, "doubles": 0.0, "delays": 0.0, "list_age_ms": 0,
        "ends_early_at": None, "broken": frozenset(), "window_ms": 120_000, "grace_s": 0,
    }  # fmt: skip
    return replace(scenario(SEED), **(smooth | fields))


def stay(first_s: float, last_s: float) -> tuple[Act, ...]:
    return (Act(int(first_s * 1000), "join"), Act(int(last_s * 1000), "leave"))


def violations(plan: Scenario) -> str:
    return "\n".join(simulate(SEED, plan=plan).violations)


ONE = Somebody("part", (stay(-10, 60),))
TWO_DEVICES = Somebody("two devices", (stay(-10, 60), stay(-5, 70)))


def test_a_right_service_satisfies_it() -> None:
    assert violations(a_plan(ONE, TWO_DEVICES)) == ""


def test_it_sees_that_a_left_is_not_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(evidence: Any, now: int) -> list[Connection]:
        return [replace(c, end=now) for c in rules.connections(evidence, now)]

    monkeypatch.setattr(service, "connections", endless)
    assert "are allowed" in violations(a_plan(ONE))


def test_it_sees_that_two_devices_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def summed(connections: Iterable[Connection], *_: Any) -> Presence:
        at, apart = 0, []
        for one in connections:
            at = max(at, one.start)
            apart.append(Interval(at, at + one.end - one.start, one.sources, one.uncertainty_ms))
            at = apart[-1].end + 1
        return Presence(tuple(apart))

    monkeypatch.setattr(log_rules, "presence", summed)
    assert "are allowed" in violations(a_plan(TWO_DEVICES))


def test_it_sees_an_uncertainty_that_is_not_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    def certain(evidence: Any, now: int) -> list[Connection]:
        return [replace(c, uncertainty_ms=0) for c in rules.connections(evidence, now)]

    monkeypatch.setattr(service, "connections", certain)
    silent = Somebody("part", (stay(-10, 63),), goodbye=False)
    lost = a_plan(silent, loses=1.0, broken=frozenset({"webhooks lost"}))
    assert "stated" in violations(lost)


def test_it_sees_that_somebody_is_not_credited(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> int:
        return 0

    monkeypatch.setattr(posting, "post_final", nothing)
    assert "the ledger says" in violations(a_plan(Somebody("whole", (stay(-10, 125),))))


def test_it_has_the_hours_verified_from_the_evidence_of_some_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = a_plan(Somebody("whole", (stay(-10, 125),)), seed=VERIFY_EVERY)
    assert violations(whole) == ""
    keep_header = attendances.keep_header

    async def another(session: Any, log: Any, **kept: Any) -> Any:
        return await keep_header(session, replace(log, high_water=dict.fromkeys(log.high_water, 0)), **kept)

    monkeypatch.setattr(attendances, "keep_header", another)
    assert "hours verify" in violations(whole)


@pytest.mark.parametrize(
    ("spans", "grace_s", "seconds"),
    [
        ([(0, 10_000)], 0, 5),
        ([(6_000, 9_000), (7_000, 12_000)], 0, 6),
        ([(6_000, 7_000), (9_000, 10_000)], 1, 2),
        ([(6_000, 7_000), (9_000, 10_000)], 2, 4),
        ([(14_000, 99_000)], 0, 1),
        ([], 0, 0),
    ],
)
def test_its_own_arithmetic(spans: list[tuple[int, int]], grace_s: int, seconds: int) -> None:
    assert seconds_within(spans, (5_000, 15_000), grace_s * 1000) == seconds
