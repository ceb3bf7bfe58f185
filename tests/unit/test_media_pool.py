"""Which media server answers, which one a room is placed on, and when rooms move."""

from collections import Counter

import pytest

from tests.pools import a_server
from webinar.media.fake import FakeMedia
from webinar.media.pool import Pool, ServerUnknown
from webinar.media.pool_rules import (
    MOVE_AFTER_MS,
    RUN_BREAKS_MS,
    Health,
    Heard,
    Load,
    deserted,
    health,
    place,
)

NOW = 1_764_000_000_000


def heard(*, error: str | None = None, since: int = NOW - 60_000, asked_at: int = NOW) -> Heard:
    return Heard("a", since, asked_at, since - 1_000 if error else asked_at, error, 0, 0)


def a_load(
    name: str, people: int = 0, *, capacity: int = 100, how: Health = Health.ANSWERS, **more: bool
) -> Load:
    return Load(name, how, more.get("drains", False), capacity, people)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, Health.SILENT),
        (heard(), Health.ANSWERS),
        # It answered whenever it was asked, though that was an hour ago: nobody knows better.
        (heard(asked_at=NOW - 3_600_000), Health.ANSWERS),
        (heard(error="away", since=NOW), Health.SILENT),
        (heard(error="away", since=NOW - MOVE_AFTER_MS + 1), Health.SILENT),
        (heard(error="away", since=NOW - MOVE_AFTER_MS), Health.GIVEN_UP),
        # Schedulers were away as well: that it was silent all the time is not known.
        (heard(error="away", since=NOW - 3_600_000, asked_at=NOW - RUN_BREAKS_MS - 1), Health.SILENT),
    ],
)
def test_a_server_is_given_up_only_after_being_asked_in_vain_for_long_enough(
    known: Heard | None, expected: Health
) -> None:
    assert health(known, NOW) is expected


def test_the_server_with_most_headroom_takes_a_room_and_the_first_by_name_of_equals() -> None:
    loads = [a_load("b", 20), a_load("a", 20), a_load("c", 500, capacity=579)]
    assert place([10], loads) == ["a"]
    assert place([10], [*loads, a_load("d", 500, capacity=581)]) == ["d"]


def test_a_burst_of_a_thousand_rooms_spreads_by_headroom() -> None:
    loads = [a_load("a", capacity=10_000), a_load("b", capacity=10_000), a_load("c", capacity=20_000)]
    placed = Counter(place([20] * 1_000, loads))
    # What is left is the same everywhere.
    assert {name: 20 * rooms for name, rooms in placed.items()} == {"a": 3_340, "b": 3_340, "c": 13_320}


def test_rooms_in_which_nobody_is_expected_spread_as_well() -> None:
    assert Counter(place([0] * 100, [a_load("a"), a_load("b")])) == {"a": 50, "b": 50}


def test_where_none_has_headroom_the_least_full_takes_the_room() -> None:
    loads = [a_load("a", 130), a_load("b", 240, capacity=200)]
    assert place([5], loads) == ["b"]
    # After that "b" is as full as 245/200 and still the less full one; with 30 people it no longer is.
    assert place([30, 5], loads) == ["b", "a"]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([a_load("b", 99)], "b"),
        ([a_load("b", 99, drains=True)], "b"),
        ([a_load("b", how=Health.GIVEN_UP)], "a"),
    ],
)
def test_a_silent_server_gets_no_room_while_another_one_answers(others: list[Load], expected: str) -> None:
    assert place([1], [a_load("a", how=Health.SILENT), *others]) == [expected]


def test_a_draining_server_gets_no_room_while_another_one_answers() -> None:
    assert place([1], [a_load("a", drains=True), a_load("b", 500)]) == ["b"]
    assert place([1], [a_load("a", drains=True), a_load("b", how=Health.SILENT)]) == ["a"]


def test_rooms_move_from_a_server_that_is_given_up_to_one_that_answers() -> None:
    loads = [a_load("a", how=Health.GIVEN_UP), a_load("b", how=Health.SILENT), a_load("c")]
    assert deserted("abc", loads, "abc") == {"a"}
    assert deserted("bc", loads, "abc") == set()


@pytest.mark.parametrize("how", [Health.SILENT, Health.GIVEN_UP])
def test_nothing_moves_where_no_other_server_answers(how: Health) -> None:
    assert deserted("ab", [a_load("a", how=Health.GIVEN_UP), a_load("b", how=how)], "ab") == set()
    assert deserted("a", [a_load("a", how=Health.GIVEN_UP)], "a") == set()


def test_rooms_move_from_a_server_that_is_gone_from_everybodys_settings() -> None:
    assert deserted(["a", "old"], [a_load("a")], ["a"]) == {"old"}
    # Schedulers with newer settings ask it: it was added a moment ago.
    assert deserted(["a", "new"], [a_load("a")], ["a", "new"]) == set()


def test_a_pool_knows_its_servers_by_name_and_no_others(clock) -> None:  # type: ignore[no-untyped-def]
    a, b = FakeMedia(clock, "key", "s" * 32), FakeMedia(clock, "key", "s" * 32)
    pool = Pool((a_server("a"), a), (a_server("b"), b))
    assert (pool.of("b"), pool.first.name, "a" in pool, "c" in pool, len(pool)) == (b, "a", True, False, 2)
    with pytest.raises(ServerUnknown):
        pool.of("c")
