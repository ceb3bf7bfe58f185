"""Reasons that stay on record: wherever one is asked for, the same holds."""

from collections.abc import Callable

import pytest

from webinar.core.errors import Invalid
from webinar.core.reason_rules import LONGEST_REASON
from webinar.hours import adjust_rules
from webinar.operations import rules as operations
from webinar.people import exemption_rules


def of_an_exemption(reason: str) -> str:
    return exemption_rules.checked(reason, "2026-01-01", "2026-01-31")[0]


@pytest.mark.parametrize("checked", [adjust_rules.checked_reason, of_an_exemption, operations.checked_reason])
def test_a_reason_says_something_and_not_too_much(checked: Callable[[str], str]) -> None:
    longest = "x" * LONGEST_REASON
    assert checked(f" {longest} ") == longest
    for wrong, message in (("  ", "Say why"), (longest + "x", "At most %(most)s characters.")):
        with pytest.raises(Invalid) as refused:
            checked(wrong)
        [error] = refused.value.errors
        assert error.field == "reason"
        assert error.message.startswith(message)
        assert error.fields == ({"most": LONGEST_REASON} if len(wrong) > LONGEST_REASON else {})
