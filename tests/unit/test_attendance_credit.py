"""From connections to JP, against an oracle that looks at each second by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.attendance_build import at
from webinar.attendance.credit_rules import Interval, Presence, State, credit, presence, seconds_in
from webinar.attendance.interval_rules import clipped, filled, length, missing, union
from webinar.attendance.rules import Connection
from webinar.lectures.rules import Seat, Window
from webinar.policies.rules import Kind, Policy
from webinar.policies.wording import joined as as_sentence

ZONE = "Asia/Makassar"
WINDOW = Window(((at(0), at(5400)),))
THRESHOLD = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, tolerance_s=0)
PROPORTIONAL = Policy("p", 1, "i", "per JP", Kind.PROPORTIONAL)


def there(*spans: tuple[float, float], unsure_s: float = 0) -> Presence:
    return Presence(tuple(Interval(at(s), at(e), ("webhook",), round(unsure_s * 1000)) for s, e in spans))


def connection(start: float, end: float, sid: str = "PA_1", **more: object) -> Connection:
    fields = {"sources": ("webhook",), "uncertainty_ms": 0} | more
    return Connection("room", "RM_1", sid, "seat.tab", at(start), at(end), **fields)  # type: ignore[arg-type]


def said(policy: Policy, found: Presence, jp: int = 200, role: Seat = Seat.PARTICIPANT) -> str:
    return as_sentence("en", credit(policy, jp, WINDOW, found, role).why, ZONE)


def test_two_devices_at_once_are_one_presence() -> None:
    found = presence([connection(0, 100), connection(50, 150, "PA_2", sources=("sweep",))])
    assert found.intervals == (Interval(at(0), at(150), ("webhook", "sweep"), 0),)


def test_rejoining_counts_the_union_of_intervals() -> None:
    found = presence([connection(0, 100), connection(160, 200, "PA_2")])
    assert seconds_in(found, WINDOW, 0) == (140, 0)


def test_time_outside_the_official_window_counts_nothing() -> None:
    assert seconds_in(there((-900, 60), (5300, 9000)), WINDOW, 0) == (160, 0)
    breaks = Window(((at(0), at(600)), (at(900), at(1500))))
    assert seconds_in(there((0, 1500)), breaks, 0) == (1200, 0)


def test_a_gap_of_at_most_the_grace_counts_and_a_longer_one_is_absent_in_full() -> None:
    assert seconds_in(there((0, 100), (130, 200)), WINDOW, 30) == (200, 0)
    assert seconds_in(there((0, 100), (131, 200)), WINDOW, 30) == (169, 0)


def test_a_return_that_may_have_come_later_than_the_end_is_unsure() -> None:
    """Both devices came back before the server noticed: where the first ones ended is not known."""
    found = presence([connection(0, 100, uncertainty_ms=15_000), connection(100, 200, "PA_2")])
    assert [(i.start, i.end) for i in found.intervals] == [(at(0), at(200))]
    assert seconds_in(found, WINDOW, 0) == (200, 15)


def test_uncertainty_that_another_device_covers_is_none() -> None:
    found = presence([connection(0, 100, uncertainty_ms=30_000), connection(50, 200, "PA_2")])
    assert seconds_in(found, WINDOW, 0) == (200, 0)


def test_all_jp_from_the_threshold_on_and_nothing_below() -> None:
    for attended, jp, state in ((4320, 200, State.CREDITED), (4319, 0, State.NOT_CREDITED)):
        got = credit(THRESHOLD, 200, WINDOW, there((0, attended)), Seat.PARTICIPANT)
        assert (got.seconds, got.jp, got.state) == (attended, jp, state)


def test_one_second_must_not_lose_an_hour() -> None:
    policy = Policy("p", 1, "i", "per JP", Kind.PROPORTIONAL, tolerance_s=300)
    assert credit(policy, 200, WINDOW, there((0, 5399)), Seat.PARTICIPANT).jp == 200


def test_proportional_credit_is_whole_jp_and_never_more_than_the_lecture() -> None:
    stays = [there((0, minutes * 60)) for minutes in (39, 40, 84, 85)]
    worth = [credit(PROPORTIONAL, 200, WINDOW, stay, Seat.PARTICIPANT).jp for stay in stays]
    assert worth == [0, 100, 100, 200]
    assert credit(PROPORTIONAL, 100, WINDOW, there((0, 5400)), Seat.PARTICIPANT).jp == 100


def test_a_short_lecture_is_not_given_away_by_the_tolerance() -> None:
    five_minutes = Window(((at(0), at(300)),))
    policy = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, tolerance_s=300)
    assert credit(policy, 100, five_minutes, there((0, 60)), Seat.PARTICIPANT).jp == 0


def test_nobody_earns_by_tolerance_alone() -> None:
    policy = Policy("p", 1, "i", "1 %", Kind.THRESHOLD, threshold_percent=1, tolerance_s=300)
    got = credit(policy, 200, WINDOW, there(), Seat.PARTICIPANT)
    assert (got.jp, got.state) == (0, State.ABSENT)


def test_within_its_own_uncertainty_of_the_boundary_a_result_is_doubtful() -> None:
    near = credit(THRESHOLD, 200, WINDOW, there((0, 4310), unsure_s=15), Seat.PARTICIPANT)
    assert (near.state, near.jp, near.uncertainty_s) == (State.DOUBTFUL, 0, 15)
    far = credit(THRESHOLD, 200, WINDOW, there((0, 4300), unsure_s=15), Seat.PARTICIPANT)
    assert far.state is State.NOT_CREDITED
    maybe = credit(THRESHOLD, 200, WINDOW, there((0, 0.5), unsure_s=5400), Seat.PARTICIPANT)
    assert maybe.state is State.DOUBTFUL


def test_lecturers_earn_if_the_policy_says_so_and_organisers_never() -> None:
    all_of_it = there((0, 5400))
    unpaid = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, lecturer_percent=0)
    assert credit(THRESHOLD, 200, WINDOW, all_of_it, Seat.LECTURER).jp == 200
    assert credit(unpaid, 200, WINDOW, all_of_it, Seat.LECTURER).jp == 0
    assert credit(THRESHOLD, 200, WINDOW, all_of_it, Seat.ORGANISER).jp == 0


def test_each_value_explains_itself_in_one_sentence() -> None:
    gap = there((0, 1860), (2580, 3780))
    assert said(THRESHOLD, gap).startswith("51 of 90 minutes, 21 short of the 72 needed; left 27 minutes")
    middle = there((0, 1860), (4200, 5400))
    assert said(THRESHOLD, middle) == (
        "51 of 90 minutes, 21 short of the 72 needed; a gap of 39 minutes from 09:31."
    )
    assert said(THRESHOLD, there((3600, 5400))).endswith("; came 60 minutes after the start.")
    assert said(THRESHOLD, there((0, 5400))) == "90 of 90 minutes, where 72 were needed."
    assert said(THRESHOLD, there()) == "Not in the room."
    assert said(THRESHOLD, there((-600, -10))) == "In the room, but not during the official window."
    assert said(PROPORTIONAL, there((0, 2700))).startswith("45 of 90 minutes give 1 JP; left 45")


def test_the_sentence_is_written_in_indonesian_too() -> None:
    why = credit(THRESHOLD, 200, WINDOW, there((0, 1860), (4200, 5400)), Seat.PARTICIPANT).why
    assert as_sentence("id", why, ZONE) == (
        "51 dari 90 menit, kurang 21 dari 72 menit yang diperlukan; terputus 39 menit mulai 09.31."
    )


SPAN = st.tuples(st.integers(-50, 150), st.integers(0, 60)).map(lambda s: (s[0], s[0] + s[1]))
SPANS = st.lists(SPAN, max_size=12)
WINDOWS = SPANS.map(union)
GRACE = st.integers(0, 20)


def seconds_of(spans: list[tuple[int, int]]) -> set[int]:
    """Brute force: the seconds in which somebody is there, each by itself."""
    return {second for start, end in spans for second in range(start, end)}


def filled_by_looking(present: set[int], grace: int) -> set[int]:
    """An absent second counts if its run of absent ones is short and lies between presences."""
    if not present:
        return set()
    counted = set(present)
    for second in range(min(present), max(present)):
        if second not in present:
            before, after = second, second
            while before not in present:
                before -= 1
            while after not in present:
                after += 1
            if after - before - 1 <= grace:
                counted.add(second)
    return counted


@given(SPANS, WINDOWS, GRACE)
@settings(deadline=None)
def test_the_interval_algebra_equals_looking_at_each_second(
    spans: list[tuple[int, int]], window: list[tuple[int, int]], grace: int
) -> None:
    truth = filled_by_looking(seconds_of(spans), grace) & seconds_of(window)
    counted = clipped(filled(union(spans), grace), window)
    assert seconds_of(counted) == truth
    assert length(counted) == len(truth)
    assert seconds_of(missing(counted, window)) == seconds_of(window) - truth


@given(SPANS, WINDOWS.filter(bool), GRACE)
@settings(deadline=None)
def test_seconds_equal_the_oracle_and_never_exceed_the_window(
    spans: list[tuple[int, int]], window: list[tuple[int, int]], grace: int
) -> None:
    official = Window(tuple((at(s), at(e)) for s, e in window))
    found = presence(connection(s, e, f"PA_{n}") for n, (s, e) in enumerate(spans))
    seconds, unsure = seconds_in(found, official, grace)
    assert seconds == len(filled_by_looking(seconds_of(spans), grace) & seconds_of(window))
    assert unsure == 0
    assert seconds <= official.seconds


@given(SPANS, st.integers(0, 2**16))
@settings(deadline=None)
def test_further_evidence_inside_a_proven_interval_changes_nothing(
    spans: list[tuple[int, int]], pick: int
) -> None:
    longer = [(s, e) for s, e in spans if e - s >= 2]
    if not longer:
        return
    start, end = longer[pick % len(longer)]
    before = presence(connection(s, e, f"PA_{n}") for n, (s, e) in enumerate(spans))
    inside = connection(start + 1, end - 1, "PA_more", uncertainty_ms=1000)
    after = presence([inside, *(connection(s, e, f"PA_{n}") for n, (s, e) in enumerate(spans))])
    assert after.intervals == before.intervals


@given(SPANS, st.integers(0, 30), st.integers(0, 30))
@settings(deadline=None)
def test_more_presence_never_earns_less(spans: list[tuple[int, int]], start: int, more: int) -> None:
    official = Window(((at(0), at(100)),))
    for policy in (THRESHOLD, PROPORTIONAL):
        less = credit(policy, 200, official, presence(connection(s, e) for s, e in spans), Seat.PARTICIPANT)
        further = [*spans, (start, start + more)]
        got = credit(policy, 200, official, presence(connection(s, e) for s, e in further), Seat.PARTICIPANT)
        assert got.jp >= less.jp
        assert 0 <= got.jp <= 200
