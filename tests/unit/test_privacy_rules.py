"""Retention's numbers: bounds, what an institution chose, and the document that tells of them."""

import re
from pathlib import Path

import pytest

from webinar.core.errors import Invalid
from webinar.privacy.rules import DAY_MS, RETENTION, Kind, before, checked, chosen
from webinar.privacy.wording import WORDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_each_kind_has_its_words() -> None:
    assert set(WORDS) == set(RETENTION) == set(Kind)


def test_what_an_institution_did_not_choose_is_ours() -> None:
    assert chosen({"chat": 3})[Kind.CHAT] == 3
    assert chosen({"chat": 3})[Kind.MAIL] == RETENTION[Kind.MAIL].days


@pytest.mark.parametrize("kind", list(Kind))
def test_days_are_kept_within_their_bounds(kind: Kind) -> None:
    kept = RETENTION[kind]
    assert kept.least <= kept.days <= kept.most
    assert [checked(kind, days) for days in (kept.least, kept.most)] == [kept.least, kept.most]
    for days in (kept.least - 1, kept.most + 1, None):
        with pytest.raises(Invalid):
            checked(kind, days)


def test_days_are_counted_back_from_now() -> None:
    assert before(2, 10 * DAY_MS) == 8 * DAY_MS


def test_the_document_has_the_kinds_and_days_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|[^|]*\|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert {kind: int(days) for kind, days in rows} == {
        kind.value: kept.days for kind, kept in RETENTION.items()
    }
