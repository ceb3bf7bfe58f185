"""What an entry of the ledger covers, and what a year adds up to."""

from dataclasses import replace

import pytest

from webinar.hours.rules import (
    CREDIT,
    GENESIS,
    Draft,
    Head,
    LedgerEntry,
    Verification,
    YearOfHours,
    body_of,
    credit_key,
    differs,
    total,
)

DRAFT = Draft("inst", "credit:l:p", "person", "lecture", 2026, CREDIT, 200, {"seconds": 5400, "jp": 200})
BODY = {
    "institution_id": "inst",
    "number": 7,
    "key": "credit:l:p",
    "person_id": "person",
    "lecture_id": "lecture",
    "year": 2026,
    "kind": "credit",
    "jp": 200,
    "at": 1_795_568_400_000,
    "facts": {"seconds": 5400, "jp": 200},
}
ENTRY = LedgerEntry(
    institution_id="inst",
    number=7,
    key="credit:l:p",
    person_id="person",
    lecture_id="lecture",
    year=2026,
    kind="credit",
    jp=200,
    body=BODY,
    at=1_795_568_400_000,
    previous_digest=GENESIS,
    digest="d" * 64,
)


def year(total: int, target: int = 2_000) -> YearOfHours:
    return YearOfHours("person", 2026, "Asia/Jakarta", target, total, 0, ())


def test_a_body_has_everything_of_its_entry() -> None:
    assert body_of(DRAFT, 7, 1_795_568_400_000) == BODY


def test_an_entry_whose_columns_are_its_body_differs_in_nothing() -> None:
    assert differs(ENTRY) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("institution_id", "other"),
        ("number", 8),
        ("key", "credit:l:q"),
        ("person_id", "other"),
        ("lecture_id", "other"),
        ("year", 2025),
        ("kind", "adjustment"),
        ("jp", 100),
        ("at", 0),
    ],
)
def test_each_column_that_was_changed_behind_the_ledger_is_named(column: str, value: object) -> None:
    assert differs(replace(ENTRY, **{column: value})) == [column]  # type: ignore[arg-type]
    shorter = {name: told for name, told in BODY.items() if name != column}
    assert differs(replace(ENTRY, body=shorter)) == [column]


def test_a_person_has_one_key_a_lecture() -> None:
    assert credit_key("l", "p") == "credit:l:p"


def test_the_chain_begins_with_nothing() -> None:
    assert Head() == Head(0, "0" * 64)


def test_totals_add_with_their_signs() -> None:
    assert total([ENTRY, replace(ENTRY, jp=-50), replace(ENTRY, jp=133)]) == 283
    assert total([]) == 0


def test_what_is_missing_is_never_negative() -> None:
    assert [year(jp).missing for jp in (0, 1_999, 2_000, 2_500)] == [2_000, 1, 0, 0]


def test_a_share_of_the_target_is_at_most_all_of_it() -> None:
    assert [year(jp).share for jp in (0, 500, 2_000, 4_000)] == [0, 0.25, 1, 1]
    assert year(0, target=0).share == 1


def test_a_chain_holds_without_problems() -> None:
    assert Verification(3, Head(), ()).holds
    assert not Verification(3, Head(), ("entry 2 differs",)).holds
