"""The presence curve and a person's bar."""

from tests.unit.attendance_build import NINE
from tests.unit.lecture_build import a_lecture, a_seat
from webinar.attendance.credit_rules import Credit, Interval, Presence, State
from webinar.attendance.curve_rules import MARGIN_MS, bar, curve
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.lectures.rules import Window
from webinar.policies.rules import Kind, Policy

MINUTE = 60_000
WINDOW = Window(((NINE, NINE + 90 * MINUTE),))
POLICY = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80)


def stay(*minutes: tuple[float, float], unsure: int = 0) -> Presence:
    spans = ((NINE + round(a * MINUTE), NINE + round(b * MINUTE)) for a, b in minutes)
    return Presence(tuple(Interval(start, end, ("webhook",), unsure) for start, end in spans))


def a_log(*presences: Presence, now: int = NINE + 1_000 * MINUTE, final: bool = True) -> AttendanceLog:
    credit = Credit(0, 0, 0, State.ABSENT, ())
    entries = tuple(Entry(a_seat(), presence, credit) for presence in presences)
    return AttendanceLog(a_lecture(), WINDOW, POLICY, not final, now, entries)


def counts(log: AttendanceLog) -> dict[int, int]:
    """People by minute from nine o'clock."""
    return {(at - NINE) // MINUTE: count for at, count in curve(log).points}


def test_the_curve_counts_people_minute_by_minute_with_a_margin() -> None:
    found = counts(a_log(stay((0, 30)), stay((10.5, 20)), stay((-60, 200))))
    assert (min(found), max(found)) == (-10, 100)
    assert [found[at] for at in (-10, 0, 10, 11, 19, 20, 29, 30, 100)] == [1, 2, 2, 3, 3, 2, 2, 1, 1]


def test_somebody_who_comes_back_is_one_person() -> None:
    found = counts(a_log(stay((0, 10), (20, 30))))
    assert [found[at] for at in (9, 10, 19, 20)] == [1, 0, 0, 1]


def test_nobody_is_a_flat_line() -> None:
    assert set(counts(a_log()).values()) == {0}
    assert curve(a_log()).most == 0


def test_the_curve_of_a_lecture_under_way_ends_now() -> None:
    log = a_log(stay((0, 30)), now=NINE + 30 * MINUTE, final=False)
    assert max(counts(log)) == 30
    assert curve(log).end == WINDOW.ends_at + MARGIN_MS


def test_a_lecture_that_has_not_begun_has_a_curve_too() -> None:
    log = a_log(now=NINE - 1_000 * MINUTE, final=False)
    assert max(counts(log)) == 0


def test_an_unsure_end_is_marked_and_a_sure_one_is_not() -> None:
    assert bar(stay((0, 30), unsure=1_000), WINDOW).doubtful == ()
    ((start, end),) = bar(stay((0, 30), unsure=300_000), WINDOW).doubtful
    assert (start - NINE, end - NINE) == (25 * MINUTE, 35 * MINUTE)


def test_a_mark_of_doubt_can_be_seen() -> None:
    ((start, end),) = bar(stay((0, 30), unsure=6_000), WINDOW).doubtful
    assert end - start >= 60_000
