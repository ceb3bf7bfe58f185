"""When a failed effect is tried again, and when no longer."""

import pytest

from tests.build import NINE
from webinar.core.effects_rules import BACK_OFFS, BackOff, back_off, next_try

RULE = BackOff(first_ms=1_000, cap_ms=10_000, tries=6)


def test_waits_double_up_to_the_cap() -> None:
    assert [RULE.wait_ms(attempt) for attempt in (1, 2, 3, 4, 5, 100_000)] == [
        1_000,
        2_000,
        4_000,
        8_000,
        10_000,
        10_000,
    ]


def test_the_last_try_is_the_last() -> None:
    assert [RULE.spent(attempt) for attempt in (5, 6, 7)] == [False, True, True]


@pytest.mark.parametrize("kind", [*BACK_OFFS, "another"])
def test_each_kind_is_parked_after_its_last_try_and_not_before(kind: str) -> None:
    tries = back_off(kind).tries
    assert next_try(kind, 1, NINE) == NINE + back_off(kind).first_ms
    assert next_try(kind, tries - 1, NINE) is not None
    assert next_try(kind, tries, NINE) is None


@pytest.mark.parametrize("kind", ["mail", "invite"])
def test_a_mail_outlives_a_mail_server_that_is_away_for_half_a_day(kind: str) -> None:
    rule = back_off(kind)
    assert sum(rule.wait_ms(attempt) for attempt in range(1, rule.tries)) > 12 * 3_600_000
