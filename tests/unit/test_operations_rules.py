"""How what is owed stands, and what may be done about it."""

import pytest

from tests.build import MINUTE, NINE, SECOND
from webinar.core.effects_rules import EffectState
from webinar.core.errors import Invalid
from webinar.core.language import translator
from webinar.core.late_rules import LATE
from webinar.core.processes import clock_words, clocks_apart
from webinar.operations.lines import counted, duration, listed
from webinar.operations.rules import (
    HELD_KINDS,
    LATE_AFTER_MS,
    KindCount,
    Listed,
    Standing,
    checked_reason,
    skippable,
    standing,
)
from webinar.operations.wording import error_words


@pytest.mark.parametrize(
    ("state", "attempts", "due_in_ms", "expected"),
    [
        ("owed", 0, 1, Standing.AHEAD),
        ("owed", 0, 0, Standing.DUE),
        ("owed", 0, -LATE_AFTER_MS, Standing.DUE),
        ("owed", 0, -LATE_AFTER_MS - 1, Standing.LATE),
        ("owed", 1, 60_000, Standing.FAILING),
        ("owed", 1, -60_000, Standing.FAILING),
        ("claimed", 1, -60_000, Standing.RUNNING),
        ("parked", 20, -60_000, Standing.PARKED),
        ("held", 0, -60_000, Standing.HELD),
        ("done", 0, -60_000, Standing.DONE),
        ("skipped", 0, -60_000, Standing.SKIPPED),
    ],
)
def test_how_an_effect_stands(state: str, attempts: int, due_in_ms: int, expected: Standing) -> None:
    assert standing(state, attempts, NINE + due_in_ms, NINE) is expected


def test_every_state_of_the_table_stands_somehow() -> None:
    assert {standing(state.value, 0, NINE, NINE) for state in EffectState} <= set(Standing)


def test_what_is_looked_after_as_long_as_it_lasts_is_not_skipped() -> None:
    assert [skippable(kind) for kind in ("lecture", "sweep", "retention", "invite", "report")] == [
        *(False, False, False),
        *(True, True),
    ]


def test_sign_in_mails_are_never_held() -> None:
    assert frozenset({"invite", "reminder", "contest"}) == HELD_KINDS


@pytest.mark.parametrize("reason", ["", "  ", "ab", "x" * 501])
def test_a_reason_says_something_and_not_too_much(reason: str) -> None:
    with pytest.raises(Invalid):
        checked_reason(reason)


def test_a_reason_is_kept_without_blanks_around_it() -> None:
    assert checked_reason("  sent by hand ") == "sent by hand"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, ""),
        ("media_unavailable", "The video server did not answer."),
        ("took longer than 120 s", "It took too long."),
        ("deferred: 451 4.3.0", "The mail server answered: 451 4.3.0"),
        ("450 4.7.1 try later", "The mail server answered: 450 4.7.1 try later"),
        ("ZeroDivisionError: broken", "An error of the service: ZeroDivisionError: broken"),
        ("connection refused", "connection refused"),
    ],
)
def test_errors_are_told_in_words(error: str | None, words: str) -> None:
    assert error_words(lambda text, **fields: text % fields if fields else text, error) == words


def test_a_clock_may_differ_by_two_seconds() -> None:
    assert [clocks_apart(ms) for ms in (0, 2_000, -2_000, 2_001, -2_001)] == [False] * 3 + [True] * 2
    assert clock_words(-3_210) == "3.2 s behind the database's"


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 s"),
        (119_999, "119 s"),
        (12 * MINUTE, "12 min"),
        (3 * 3_600_000, "3 h"),
        (49 * 3_600_000, "2 days"),
    ],
)
def test_how_long_in_words(ms: int, words: str) -> None:
    assert duration(ms) == words


def test_the_command_prints_a_line_for_each_kind_and_its_last_error() -> None:
    counts = {Standing.PARKED: 2, Standing.DUE: 312}
    lines = counted([KindCount("invite", counts, NINE - 95 * SECOND, "451 4.3.0")], NINE)
    assert [line.split() for line in lines] == [
        ["kind", "parked", "failing", "late", "due", "running", "held", "oldest"],
        ["invite", "2", "-", "-", "312", "-", "-", "95", "s"],
        ["->", "The", "mail", "server", "answered:", "451", "4.3.0"],
    ]
    assert counted([], NINE) == ["Nothing is due, and nothing has failed."]


def test_the_command_lists_effects_with_their_numbers() -> None:
    effect = Listed(
        7, "invite:a", "invite", "invites:b", Standing.FAILING, NINE + 5 * SECOND, 3, "no route", None
    )
    assert listed([effect], NINE)[0].split() == (
        ["7", "failing", "invite", "invites:b", "due", "in", "5", "s,", "3", "tries", "no", "route"]
    )


def test_each_reason_why_something_late_was_pointless_has_words_of_its_own() -> None:
    indonesian = translator("id")
    for kind, rule in LATE.items():
        if rule.skipped:
            words = error_words(indonesian, rule.skipped)
            assert words not in {"", rule.skipped}, kind
    assert error_words(indonesian, "Narasumber sakit") == "Narasumber sakit"
