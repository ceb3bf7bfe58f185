"""What of a replay counts as shown."""

import pytest

from recordings.rules import Segment
from recordings.watched_rules import LONGEST_PAUSE_MS, Part, believed, checked, instants, parts_of
from tests.build import NINE


def segment(at: int, duration_ms: int) -> Segment:
    return Segment("R", "name", "key", at, duration_ms, 1, "0" * 64)


def test_a_recording_with_a_hole_is_two_runs() -> None:
    files = [
        segment(NINE, 0),
        segment(NINE, 4_000),
        segment(NINE + 4_010, 4_000),
        segment(NINE + 60_000, 0),
        segment(NINE + 60_000, 4_000),
    ]
    assert parts_of(files) == (Part(0, 8_000, NINE), Part(8_000, 12_000, NINE + 60_000))


def test_media_time_becomes_instants_of_the_lecture_across_a_hole() -> None:
    parts = (Part(0, 8_000, NINE), Part(8_000, 12_000, NINE + 60_000))
    expected = [(NINE + 7_000, NINE + 8_000), (NINE + 60_000, NINE + 62_000)]
    assert instants(parts, [(7_000, 10_000)]) == expected
    assert instants(parts, [(12_000, 99_000)]) == []


@pytest.mark.parametrize(
    ("played", "since", "expected"),
    [
        ([(0, 15_000)], 15_000, [(0, 15_000)]),
        # Four times as fast: no more than the time that passed, and a tenth.
        ([(0, 60_000)], 15_000, [(0, 16_500)]),
        ([(0, 10_000), (30_000, 50_000)], 15_000, [(0, 10_000), (30_000, 36_500)]),
        ([(0, 15_000)], 0, []),
        ([(0, 15_000)], -5_000, []),
        ([(0, 600_000)], 3_600_000, [(0, LONGEST_PAUSE_MS * 110 // 100)]),
        ([], 15_000, []),
    ],
)
def test_nobody_watches_faster_than_time(
    played: list[tuple[int, int]], since: int, expected: list[tuple[int, int]]
) -> None:
    assert believed(played, NINE + since, NINE) == expected


def test_the_first_report_only_begins() -> None:
    assert believed([(0, 15_000)], NINE, None) == []


def test_two_windows_together_get_no_more_than_one() -> None:
    last, shown = NINE, 0
    for turn in range(1, 41):
        now = NINE + turn * 7_500
        shown += sum(end - start for start, end in believed([(0, 15_000)], now, last))
        last = now
    assert shown <= 300_000 * 110 // 100


def test_what_a_page_tells_is_in_order_and_apart() -> None:
    assert checked([[3, 5], [0, 1.5], [1.5, 2]]) == [(0, 2_000), (3_000, 5_000)]
    assert checked([[5, 3]]) == []


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        "x",
        [1],
        [[1]],
        [[1, 2, 3]],
        [["0", 1]],
        [[True, 2]],
        [[-1, 2]],
        [[0, 10**9]],
        [[0, 1]] * 51,
        [[0, float("nan")]],
        [[0, float("inf")]],
    ],
)
def test_what_are_no_stretches_is_refused(said: object) -> None:
    assert checked(said) is None
