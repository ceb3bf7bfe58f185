"""Each kind of effect says what happens when it is late, and the docs say the same."""

from pathlib import Path

import pytest

from webinar.core.late_rules import LATE, reason
from webinar.operations.rules import KINDS

DOCS = Path(__file__).parents[2] / "docs" / "architecture.md"


def test_each_kind_that_is_owed_has_its_rule() -> None:
    assert set(LATE) == set(KINDS)


def test_the_table_in_the_docs_is_the_one_of_the_rules() -> None:
    lines = DOCS.read_text("utf-8").partition("### After a time without schedulers")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    told = {row[0].strip("`"): tuple(row[1:]) for row in rows}
    assert told == {kind: (late.at_once, late.pointless_when, late.skipped) for kind, late in LATE.items()}


def test_what_is_never_pointless_has_no_words_for_it_and_what_is_has() -> None:
    assert {kind for kind, late in LATE.items() if late.pointless_when.startswith("never")} == {
        kind for kind, late in LATE.items() if not late.skipped
    }
    with pytest.raises(KeyError):
        reason("retention")
